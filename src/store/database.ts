// The one way to Postgres: a pool whose idle connections may die without taking the worker with them, and transactions.
import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Json } from '../contract/effect.ts';

export type Pool = pg.Pool;
/** A pool or a connection of it, inside or outside a transaction. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

// Milliseconds and counters fit a double; bigint columns come back as numbers.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);
pg.types.setTypeParser(pg.types.builtins.NUMERIC, Number);

/**
 * @param url connection string; never logged
 * @param onError called for errors of idle connections (Postgres was restarted); the pool replaces them by itself
 */
export function createPool(url: string, onError: (error: Error) => void = () => {}, max = 10): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    application_name: 'untilgreen',
    // A worker that froze in the middle of a transaction must not hold up a pause, which is acknowledged within 5 s (LOOP-10).
    idle_in_transaction_session_timeout: 3_000,
    statement_timeout: 30_000,
  });
  pool.on('error', onError);
  pool.on('connect', (client) => client.on('error', onError));
  return pool;
}

/** A connection beside the pool, for what holds one for minutes; the caller ends it. */
export async function connectBeside(pool: Pool): Promise<pg.Client> {
  const client = new pg.Client(pool.options);
  // Lost: the next question on it says so.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Whether Postgres could not be asked, or was going away: the same statement may succeed later. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  // Connection exceptions, shutdowns, serialisation; the ways a socket says so; and what the driver says without a code.
  return (
    /^(08|57P|53|40)|ECONN|EPIPE|ETIMEDOUT/.test(code) ||
    /Connection terminated|timeout exceeded when trying to connect/.test(error.message)
  );
}

/** Text as Postgres can store it: no NUL, no half characters. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}

/** The same for every text in a value, names of fields too: Postgres refuses the whole of a JSON with one of them. */
export function storableJson(value: Json): Json {
  if (typeof value === 'string') return storable(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(storableJson);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [storable(name), storableJson(inner)]),
  );
}

export async function transaction<T>(pool: Pool, work: (tx: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let failure: unknown;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    failure = error;
    await client.query('rollback').catch(() => {});
    throw error;
  } finally {
    // A connection on which something failed is not trusted again.
    client.release(failure instanceof Error ? failure : undefined);
  }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** JSON with sorted keys: the same value always gives the same text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

// What the watchdog knows of tenants and has told (INC-6). One watches at a time: an advisory lock for as long as a look takes.
import type { Told } from '../../policy/ops/watchdog.ts';
import { connectBeside, type Pool, type Queryable } from '../database.ts';

const lockName = 7_214_006_001;

/** Null: somebody else is looking. */
export async function asOnlyWatcher<T>(pool: Pool, look: () => Promise<T>): Promise<T | null> {
  const client = await connectBeside(pool);
  try {
    const { rows } = await client.query('select pg_try_advisory_lock($1) as got', [lockName]);
    return rows[0]?.got === true ? await look() : null;
  } finally {
    // The lock goes with the connection.
    await client.end().catch(() => {});
  }
}

/** When the last cycle of a tenant finished; before the first, when it was registered. */
export async function lastCycleMs(db: Queryable, tenant: string): Promise<number> {
  const { rows } = await db.query(
    `select coalesce(
       (select max(finished_ms) from cycles where tenant = $1 and state <> 'running'),
       (select (extract(epoch from min(applied_at)) * 1000)::bigint from tenant_versions where tenant = $1)) as "atMs"`,
    [tenant],
  );
  return rows[0]?.atMs ?? 0;
}

export async function readTold(db: Queryable, tenant: string): Promise<Told | null> {
  const { rows } = await db.query(
    'select state, since_ms as "sinceMs", told from watchdog where tenant = $1',
    [tenant],
  );
  return rows[0] ?? null;
}

export async function keepTold(
  db: Queryable,
  tenant: string,
  told: Told | null,
  nowMs: number,
): Promise<void> {
  if (told === null) {
    await db.query('delete from watchdog where tenant = $1', [tenant]);
    return;
  }
  await db.query(
    `insert into watchdog (tenant, state, since_ms, told_ms, told) values ($1, $2, $3, $4, $5)
     on conflict (tenant) do update set state = excluded.state, since_ms = excluded.since_ms, told_ms = excluded.told_ms, told = excluded.told`,
    [tenant, told.state, Math.round(told.sinceMs), Math.round(nowMs), told.told],
  );
}

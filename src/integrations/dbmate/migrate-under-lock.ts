// Applies pending migrations with `dbmate up`, one attempt at a time per database, whoever else tries (MIG-1, MIG-2).
// A session advisory lock is held by a connection that lives as long as the child; a statement that outlived a killed
// child on the server is waited for. It never retries by itself, and never touches what it was not asked to apply.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandResult } from '../process/run-command.ts';
import { connectTenantDatabase, databaseError, type TenantDatabase } from './connection.ts';
import { DbmateError, dbmateFailureTypes, failureTypeOf } from './failure.ts';
import { readStatus, refuseStopped, runDbmate, saidBy } from './status.ts';
import { turnsTransactionOff } from './transaction-off.ts';

const LOCK_NAME = 'untilgreen: migrations';
/** What dbmate's own connection is called on the server. */
const APPLICATION_NAME = 'untilgreen-dbmate';
const POLL_MS = 200;
const LOCK_PING_MS = 15_000;
const DEFAULT_TIMEOUT_MS = 30 * 60_000;

export interface MigrateRequest {
  /** Connection string. */
  readonly url: string;
  /** Absolute path. */
  readonly migrationsDir: string;
  /** File names in dbmate's order: what was planned, and approved where that is asked for. */
  readonly expectedPending: readonly string[];
  /** `pendingHash` of the status it was planned on; given, the files' contents must be the same too. */
  readonly expectedPendingHash?: string;
  /** How long to wait for another attempt; after it the answer is `busy`. */
  readonly lockTimeoutMs: number;
  /** For all migrations together; default 30 min. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called right before the child starts; what it throws is thrown on, and nothing is applied. */
  readonly fence: () => void | Promise<void>;
}

export type MigrateResult =
  | { readonly outcome: 'applied'; readonly migrations: readonly string[] }
  | { readonly outcome: 'alreadyApplied' }
  | { readonly outcome: 'stale'; readonly pending: readonly string[] }
  /** Another attempt, or what it left running on the server, did not end in time. Nothing was applied. */
  | { readonly outcome: 'busy' }
  | {
      readonly outcome: 'failed';
      /** File name. Its own changes were rolled back unless `transactionOff`. */
      readonly migration: string;
      /** The database's own words, without secrets. */
      readonly databaseError: string;
      readonly transactionOff: boolean;
      /** File names applied before it in this attempt; they stay. */
      readonly appliedBefore: readonly string[];
    };

/**
 * Applies exactly the expected migrations, or says why not.
 *
 * @throws DbmateError when no answer could be had: not reachable, cancelled, the lock's connection lost in the middle
 * (`Dbmate.LockLost`, the child was ended: look at the status). What `fence` throws.
 */
export async function migrateUnderLock(request: MigrateRequest): Promise<MigrateResult> {
  const database = await connectTenantDatabase(request.url);
  try {
    const deadline = performance.now() + request.lockTimeoutMs;
    const free = await waitUntil(() => takesLock(database), deadline, request.signal);
    const quiet = free && (await waitUntil(() => nothingLeftRunning(database), deadline, request.signal));
    if (!quiet) return { outcome: 'busy' };

    const before = await readStatus(database, request.migrationsDir, request.signal);
    if (before.pending.length === 0) return { outcome: 'alreadyApplied' };
    const asPlanned =
      sameList(before.pending, request.expectedPending) &&
      (request.expectedPendingHash ?? before.pendingHash) === before.pendingHash;
    if (!asPlanned) return { outcome: 'stale', pending: before.pending };

    const result = await upWhileLocked(database, request);
    const after = await readStatus(database, request.migrationsDir, request.signal);
    const applied = before.pending.filter((file) => !after.pending.includes(file));
    if (result.exitCode === 0 && after.pending.length === 0)
      return { outcome: 'applied', migrations: applied };
    return await describeFailure(result, database, request, applied, after.pending);
  } finally {
    await database.client.end().catch(() => {}); // the lock goes with the connection
  }
}

/** Runs `dbmate up`, and ends it when the connection that holds the lock is lost. */
async function upWhileLocked(database: TenantDatabase, request: MigrateRequest): Promise<CommandResult> {
  const parameters = { application_name: APPLICATION_NAME, ...(await noticesLostClients(database)) };
  const lockLost = new AbortController();
  const onEnd = (): void => lockLost.abort();
  database.client.once('end', onEnd);
  const ping = setInterval(() => {
    database.client.query('select 1').catch(onEnd);
  }, LOCK_PING_MS);
  try {
    const signals = request.signal === undefined ? [lockLost.signal] : [lockLost.signal, request.signal];
    const limits = {
      timeoutMs: request.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      signal: AbortSignal.any(signals),
      async beforeStart() {
        if (!(await holdsLock(database))) lockLost.abort();
        if (!lockLost.signal.aborted) await request.fence();
        if (lockLost.signal.aborted) throw lockLostError();
      },
    };
    const result = await runDbmate('up', database, request.migrationsDir, limits, parameters);
    if (lockLost.signal.aborted) throw lockLostError();
    if (result.end !== 'timedOut') refuseStopped(result, 'dbmate up');
    return result;
  } finally {
    clearInterval(ping);
    database.client.off('end', onEnd);
  }
}

async function describeFailure(
  result: CommandResult,
  database: TenantDatabase,
  request: MigrateRequest,
  appliedBefore: readonly string[],
  stillPending: readonly string[],
): Promise<MigrateResult> {
  const started = [...result.stdout.matchAll(/^Applying: (.+)$/gm)].at(-1)?.[1];
  const said = saidBy(result, database);
  const migration = result.exitCode === 0 ? stillPending[0] : started;
  if (migration === undefined) throw new DbmateError(failureTypeOf(said), `dbmate up failed: ${said}`);
  const why =
    result.end === 'timedOut'
      ? `stopped after ${result.durationMs} ms without an end`
      : result.exitCode === 0
        ? 'dbmate reported success, and its status says that it is still pending'
        : said;
  const file = await readFile(join(request.migrationsDir, migration), 'utf8').catch(() => '');
  return {
    outcome: 'failed',
    migration,
    databaseError: why,
    transactionOff: turnsTransactionOff(file),
    appliedBefore: appliedBefore.filter((one) => one !== migration),
  };
}

async function takesLock(database: TenantDatabase): Promise<boolean> {
  return await asks(database, 'select pg_try_advisory_lock(hashtextextended($1, 0)) as yes', LOCK_NAME);
}

/** Asked on the connection that took it: false or an error when that connection is not what it was. */
async function holdsLock(database: TenantDatabase): Promise<boolean> {
  return await asks(
    database,
    `select exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted
      and (classid::bigint << 32) + objid::bigint = hashtextextended($1, 0)) as yes`,
    LOCK_NAME,
  ).catch(() => false);
}

/** A killed dbmate may have left a statement running on the server, and with `transaction:false` it still counts. */
async function nothingLeftRunning(database: TenantDatabase): Promise<boolean> {
  return await asks(
    database,
    `select not exists (select from pg_stat_activity
      where datname = current_database() and application_name = $1) as yes`,
    APPLICATION_NAME,
  );
}

async function asks(database: TenantDatabase, question: string, value: string): Promise<boolean> {
  try {
    const answer = await database.client.query<{ yes: boolean }>(question, [value]);
    return answer.rows[0]?.yes === true;
  } catch (error) {
    throw databaseError('The lock for migrations could not be asked for', error, database.redact);
  }
}

/** Where the server can do it (14 and newer), it ends a statement whose client died, instead of finishing it. */
async function noticesLostClients(database: TenantDatabase): Promise<Record<string, string>> {
  try {
    await database.client.query("set client_connection_check_interval = '1s'");
    return { client_connection_check_interval: '1000' };
  } catch {
    return {};
  }
}

async function waitUntil(
  condition: () => Promise<boolean>,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  for (;;) {
    if (signal?.aborted === true)
      throw new DbmateError(dbmateFailureTypes.aborted, 'Waiting for the lock was cancelled');
    if (await condition()) return true;
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return false;
    await sleep(Math.min(POLL_MS, leftMs));
  }
}

function lockLostError(): DbmateError {
  return new DbmateError(
    dbmateFailureTypes.lockLost,
    'The connection that holds the lock for migrations was lost; dbmate was stopped, and what is applied shows in the status',
  );
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

// Which migrations a database has, lacks, or has without a file: `dbmate status` and dbmate's own table. Reads only (MIG-1).
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveBinary } from 'dbmate';
import pg from 'pg';
import { type CommandRequest, type CommandResult, runCommand } from '../process/run-command.ts';
import { connectTenantDatabase, databaseError, type TenantDatabase } from './connection.ts';
import { DbmateError, dbmateFailureTypes, failureTypeOf } from './failure.ts';

const MIGRATIONS_TABLE = 'schema_migrations';
const STATUS_TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 1_000_000;

export interface MigrationStatus {
  /** File names, in the order of dbmate. */
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** Versions that the database has and no file: reported, never touched. */
  readonly missingOnDisk: readonly string[];
  /** SHA-256 (hex) over names and contents of the pending files: what an approval is for. */
  readonly pendingHash: string;
}

/**
 * Reads the state of one database.
 *
 * @param request `url`: connection string; `migrationsDir`: absolute path
 * @throws DbmateError, never with the connection string in it
 */
export async function dbmateStatus(request: {
  readonly url: string;
  readonly migrationsDir: string;
  readonly signal?: AbortSignal;
}): Promise<MigrationStatus> {
  const database = await connectTenantDatabase(request.url);
  try {
    return await readStatus(database, request.migrationsDir, request.signal);
  } finally {
    await database.client.end().catch(() => {});
  }
}

/** The same over a connection that is there already, e.g. the one that holds the lock. */
export async function readStatus(
  database: TenantDatabase,
  migrationsDir: string,
  signal?: AbortSignal,
): Promise<MigrationStatus> {
  const result = await runDbmate('status', database, migrationsDir, {
    timeoutMs: STATUS_TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  refuseStopped(result, 'dbmate status');
  if (result.exitCode !== 0) {
    const said = saidBy(result, database);
    throw new DbmateError(failureTypeOf(said), `dbmate status failed: ${said}`);
  }
  const applied = filesMarked('X', result.stdout);
  const pending = filesMarked(' ', result.stdout);
  const known = new Set([...applied, ...pending].map(versionOf));
  const recorded = await recordedVersions(database);
  const missingOnDisk = recorded.filter((version) => !known.has(version));
  return { applied, pending, missingOnDisk, pendingHash: await hashOf(migrationsDir, pending) };
}

/** Runs dbmate with nothing but the connection string in its environment; `.env` files of the repository are not read. */
export async function runDbmate(
  command: 'status' | 'up',
  database: TenantDatabase,
  migrationsDir: string,
  limits: Pick<CommandRequest, 'timeoutMs' | 'signal' | 'beforeStart'>,
  parameters: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const url = new URL(database.dbmateUrl);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const options = ['--env-file', '/dev/null', '--no-dump-schema', '--migrations-dir', migrationsDir];
  return await runCommand({
    argv: [resolveBinary(), ...options, '--migrations-table', MIGRATIONS_TABLE, command],
    cwd: '/',
    env: { DATABASE_URL: url.href, LANG: 'C.UTF-8' },
    maxOutputBytes: MAX_OUTPUT_BYTES,
    ...limits,
  });
}

/** dbmate's own words about a failure, without its prefix and without secrets; at most 2,000 characters. */
export function saidBy(result: CommandResult, database: TenantDatabase): string {
  const words = result.stderr.replace(/^Error: /m, '').trim() || result.stdout.trim();
  const ending = result.signal === null ? `exit code ${result.exitCode}` : `ended by ${result.signal}`;
  return database.redact(words === '' ? ending : words).slice(0, 2_000);
}

/** @throws DbmateError when the command was stopped before it could answer. */
export function refuseStopped(result: CommandResult, what: string): void {
  if (result.end === 'exited') return;
  if (result.end === 'aborted') throw new DbmateError(dbmateFailureTypes.aborted, `${what} was cancelled`);
  if (result.end === 'timedOut')
    throw new DbmateError(
      dbmateFailureTypes.timedOut,
      `${what} gave no answer within ${result.durationMs} ms`,
    );
  throw new DbmateError(
    dbmateFailureTypes.failed,
    `${what}: the dbmate program is missing; run npm ci again`,
  );
}

function filesMarked(mark: 'X' | ' ', output: string): string[] {
  return output.split('\n').flatMap((line) => (line.startsWith(`[${mark}] `) ? [line.slice(4)] : []));
}

function versionOf(file: string): string {
  return /^\d+/.exec(file)?.[0] ?? file;
}

async function recordedVersions(database: TenantDatabase): Promise<string[]> {
  try {
    const found = await database.client.query<{ schema: string | null }>(
      'select coalesce($1, current_schema()) as schema',
      [database.schema ?? null],
    );
    const table = `${pg.escapeIdentifier(found.rows[0]?.schema ?? 'public')}.${MIGRATIONS_TABLE}`;
    const there = await database.client.query<{ there: boolean }>(
      'select to_regclass($1) is not null as there',
      [table],
    );
    if (there.rows[0]?.there !== true) return [];
    const versions = await database.client.query<{ version: string }>(
      `select version from ${table} order by version`,
    );
    return versions.rows.map(({ version }) => version);
  } catch (error) {
    throw databaseError('The table of applied migrations could not be read', error, database.redact);
  }
}

async function hashOf(migrationsDir: string, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = await readFile(join(migrationsDir, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

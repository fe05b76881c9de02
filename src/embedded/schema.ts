// Brings our own tables in a database to this version: dbmate over db/migrations, one process at a time.
// It never creates a database, and nothing it says holds the connection string.

import { fileURLToPath } from 'node:url';
import { resolveBinary } from 'dbmate';
import pg from 'pg';
import { EmbeddedStartError } from './machine/start-error.ts';
import { runTool } from './machine/tool.ts';

const MIGRATIONS = fileURLToPath(new URL('../../db/migrations', import.meta.url));
const MIGRATIONS_TABLE = 'untilgreen_schema_migrations'; // the database may have a dbmate schema of its own
const MIGRATE_TIMEOUT_MS = 10 * 60_000;
const ADVISORY_LOCK_KEY = 'untilgreen schema';

/**
 * Applies what is missing of `db/migrations`. Two processes at once: the second waits and finds nothing to do.
 * @throws EmbeddedStartError with dbmate's message, without the connection string.
 */
export async function migrateOwnSchema(databaseUrl: string, migrationsDir = MIGRATIONS): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {}); // dbmate's own connection reports a lost server
  try {
    await client.connect();
    await client.query('select pg_advisory_lock(hashtext($1))', [ADVISORY_LOCK_KEY]);
    const { ok, output } = await runTool(
      [
        resolveBinary(),
        ...['--no-dump-schema', '--migrations-dir', migrationsDir],
        ...['--migrations-table', MIGRATIONS_TABLE, 'migrate'],
      ],
      { timeoutMs: MIGRATE_TIMEOUT_MS, env: { ...process.env, DATABASE_URL: dbmateUrl(databaseUrl) } },
    );
    if (!ok) throw new Error(output);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EmbeddedStartError(
      `The database of DATABASE_URL could not be brought to this version: ${withoutConnection(reason, databaseUrl)}`,
    );
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * The same server for dbmate: where `pg` uses no TLS unless told, dbmate's driver demands it, and it does not know
 * `no-verify`.
 */
export function dbmateUrl(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  const mode = url.searchParams.get('sslmode');
  if (mode === null) url.searchParams.set('sslmode', 'disable');
  if (mode === 'no-verify') url.searchParams.set('sslmode', 'require');
  return url.href;
}

/** Text without the connection string and without the password in any of its spellings. */
export function withoutConnection(text: string, databaseUrl: string): string {
  const { password } = new URL(databaseUrl);
  const secrets = [databaseUrl, dbmateUrl(databaseUrl), password, decodeURIComponent(password)];
  return secrets
    .filter((secret) => secret !== '')
    .reduce((cleaned, secret) => cleaned.replaceAll(secret, '[redacted]'), text);
}

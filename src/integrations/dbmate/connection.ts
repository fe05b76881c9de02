// One connection to a tenant's database, and the same address in the words dbmate's driver understands.
// The connection string stays in here and in the environment of one child: no argument, message or log has it (MIG-3).
import pg from 'pg';
import { createRedactor } from '../../logs/redact/redact-values.ts';
import { DbmateError, dbmateFailureTypes, failureTypeOf } from './failure.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const QUERY_TIMEOUT_MS = 30_000;

export interface TenantDatabase {
  readonly client: pg.Client;
  /** For `DATABASE_URL` of dbmate, with the TLS mode that the connection came up with. */
  readonly dbmateUrl: URL;
  /** Where dbmate keeps its table; undefined: the connection's own schema. */
  readonly schema: string | undefined;
  /** Text without the connection string and the password. */
  readonly redact: (text: string) => string;
}

/**
 * Connects. `options.stream` makes the socket, so that the caller can end a connection that does not come about. Without `sslmode` in the address it prefers TLS and does without where the server has none, as libpq does.
 *
 * @throws DbmateError `Dbmate.BadUrl`, `.Unreachable`, `.Denied`, `.DatabaseNotFound`
 */
export async function connectTenantDatabase(
  databaseUrl: string,
  options: Pick<pg.ClientConfig, 'stream' | 'query_timeout'> = {},
): Promise<TenantDatabase> {
  const url = parsePostgresUrl(databaseUrl);
  const redact = redactorFor(databaseUrl, url);
  const asked = url.searchParams.get('sslmode') ?? 'prefer';
  const modes = ['prefer', 'allow'].includes(asked) ? ['require', 'disable'] : [asked];
  let failure: unknown;
  for (const mode of modes.map((one) => (one === 'no-verify' ? 'require' : one))) {
    url.searchParams.set('sslmode', mode);
    url.searchParams.delete('uselibpqcompat');
    const dbmateUrl = new URL(url);
    const driverUrl = new URL(url);
    driverUrl.searchParams.set('uselibpqcompat', 'true'); // `require` does not check the certificate, as in libpq and dbmate
    const client = new pg.Client({
      connectionString: driverUrl.href,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'untilgreen',
      ...options,
    });
    client.on('error', () => {}); // whoever holds the connection notices by `end`
    try {
      await client.connect();
      const schema = url.searchParams.get('search_path')?.split(',')[0]?.trim();
      return { client, dbmateUrl, schema: schema === '' ? undefined : schema, redact };
    } catch (error) {
      failure = error;
      await client.end().catch(() => {});
      if (!/does not support SSL/.test(messageOf(error))) break;
    }
  }
  throw databaseError('The database could not be reached', failure, redact);
}

/** An error of the driver as ours, without secrets. */
export function databaseError(what: string, error: unknown, redact: (text: string) => string): DbmateError {
  const code = (error as { code?: unknown } | undefined)?.code;
  const message = messageOf(error);
  const known = typeof code === 'string' ? code : undefined;
  return new DbmateError(failureTypeOf(message, known), `${what}: ${redact(message)}`, known);
}

function parsePostgresUrl(databaseUrl: string): URL {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined;
  if (url === undefined || !['postgres:', 'postgresql:'].includes(url.protocol))
    throw new DbmateError(
      dbmateFailureTypes.badUrl,
      'The connection string is not a postgres:// address: give postgres://, user, a colon, password, @host:port/database, with special characters percent-encoded',
    );
  return url;
}

function redactorFor(databaseUrl: string, url: URL): (text: string) => string {
  const redactor = createRedactor();
  redactor.register('databaseUrl', databaseUrl);
  redactor.register('databaseUrl', url.href);
  const passwords = [url.password, url.searchParams.get('password') ?? ''];
  for (const password of passwords.filter((one) => one !== '')) {
    redactor.register('databasePassword', password);
    redactor.register('databasePassword', decodePercent(password));
  }
  return redactor.redact;
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError)
    return error.errors.map((one: unknown) => messageOf(one)).join('; ') || String(error.message);
  return error instanceof Error ? error.message : String(error);
}

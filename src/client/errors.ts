// What can go wrong for whoever calls the client, as types a program can branch on. Every message says what was found and what to do next
// (DUR-4); none holds a credential. Bugs of ours are not in here: they stay plain errors.

/** Temporal or Postgres does not answer. CLI exit code 4. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  readonly system: 'Temporal' | 'Postgres';
  readonly address: string;
  readonly fix: string;

  /** @param address without user and password; empty when nothing names one */
  constructor(system: 'Temporal' | 'Postgres', address: string, reason: string, fix: string) {
    super(`${system}${address === '' ? '' : ` at ${address}`} is not reachable: ${reason}. Fix: ${fix}`);
    this.system = system;
    this.address = address;
    this.fix = fix;
  }
}

/** What was asked for makes no sense as it is. CLI exit code 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

/** A tenant, finding, approval or record that is not there; the message names the nearest. CLI exit code 2. */
export class NotFoundError extends UsageError {
  override readonly name = 'NotFoundError';
}

/** It was understood and is not done: an approval that is over, a remedy that failed. CLI exit code 1. */
export class OrderRefused extends Error {
  override readonly name = 'OrderRefused';
}

/** `host:port/database`, or `the address of DATABASE_URL` for one that cannot be read. */
export function postgresAddress(databaseUrl: string): string {
  try {
    const url = new URL(databaseUrl);
    return `${url.host || 'local socket'}${url.pathname}`;
  } catch {
    return 'the address of DATABASE_URL';
  }
}

const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EPIPE',
]);
/** Not there, starting, stopping, or not for us: classes and codes of SQLSTATE. */
const refusedStates = /^(08...|28...|57P0[1-3]|53300|3D000)$/;

/** An error of `pg` as `UnreachableError` when it is about the connection; anything else comes back as it is. */
export function asPostgresError(error: unknown, databaseUrl: string): unknown {
  if (!(error instanceof Error)) return error;
  const inner = error instanceof AggregateError ? error.errors.find((one) => one instanceof Error) : error;
  const code = codeOf(error) ?? codeOf(inner);
  const lost = /timeout exceeded when trying to connect|Connection terminated|Invalid URL/i.test(
    error.message,
  );
  if (!lost && !(code !== undefined && (connectionCodes.has(code) || refusedStates.test(code)))) return error;
  const reason = lost ? error.message : `${code}${detailOf(code)}`;
  return new UnreachableError(
    'Postgres',
    postgresAddress(databaseUrl),
    reason,
    'start it ("untilgreen up" starts one), or set DATABASE_URL',
  );
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function detailOf(code: string | undefined): string {
  if (code?.startsWith('28')) return ' (user or password refused)';
  if (code === '3D000') return ' (the database does not exist)';
  return '';
}

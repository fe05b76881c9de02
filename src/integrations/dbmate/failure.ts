// How dbmate and the database of a tenant fail, as constants that workflows and records can name.
// An error here never holds a connection string, a password or a stack of the driver (MIG-3).

export const dbmateFailureTypes = {
  badUrl: 'Dbmate.BadUrl',
  denied: 'Dbmate.Denied',
  databaseNotFound: 'Dbmate.DatabaseNotFound',
  unreachable: 'Dbmate.Unreachable',
  migrationsNotFound: 'Dbmate.MigrationsNotFound',
  timedOut: 'Dbmate.TimedOut',
  aborted: 'Dbmate.Aborted',
  lockLost: 'Dbmate.LockLost',
  failed: 'Dbmate.Failed',
} as const;

export type DbmateFailureType = (typeof dbmateFailureTypes)[keyof typeof dbmateFailureTypes];

/** Failures that the same call cannot get over: somebody has to change a setting. */
const PERMANENT: readonly DbmateFailureType[] = [
  dbmateFailureTypes.badUrl,
  dbmateFailureTypes.denied,
  dbmateFailureTypes.databaseNotFound,
  dbmateFailureTypes.migrationsNotFound,
];

/** The message is safe to show. `nonRetryable` says that trying again without a change is of no use. */
export class DbmateError extends Error {
  override readonly name = 'DbmateError';
  readonly type: DbmateFailureType;
  readonly nonRetryable: boolean;
  /** The database's or the system's own: `28P01`, `ECONNREFUSED`. */
  readonly code: string | undefined;

  constructor(type: DbmateFailureType, message: string, code?: string) {
    super(message);
    this.code = code;
    this.type = type;
    this.nonRetryable = PERMANENT.includes(type);
  }
}

/** What kind of failure a message of the database or of its driver means. */
export function failureTypeOf(message: string, code?: string): DbmateFailureType {
  const state = code ?? /\((\d[0-9A-Z]{4})\)/.exec(message)?.[1];
  if (state === '3D000') return dbmateFailureTypes.databaseNotFound;
  if (state?.startsWith('28') || state === '42501') return dbmateFailureTypes.denied;
  if (/could not find migrations directory/.test(message)) return dbmateFailureTypes.migrationsNotFound;
  if (
    /^(08|53|57)/.test(state ?? '') ||
    /\bE(CONNREFUSED|CONNRESET|NOTFOUND|TIMEDOUT|HOSTUNREACH|PIPE|AI_AGAIN)\b|connection refused|no such host|i\/o timeout|timeout expired|terminated|bad connection|unexpected EOF|\bEOF\b/i.test(
      `${message} ${code ?? ''}`,
    )
  )
    return dbmateFailureTypes.unreachable;
  return dbmateFailureTypes.failed;
}

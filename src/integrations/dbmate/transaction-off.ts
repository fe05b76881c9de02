// Whether a migration file turns its transaction off: such a migration is not rolled back when it fails, and is never retried (MIG-2).

/** Reads the options of the `-- migrate:up` line, as dbmate does. */
export function turnsTransactionOff(migration: string): boolean {
  const options = /^--\s*migrate:up[ \t]*(.*)$/m.exec(migration)?.[1] ?? '';
  return options.split(/\s+/).includes('transaction:false');
}

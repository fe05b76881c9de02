// The exit codes of every command, and which error has which. Documented in --help and docs/cli.md.
import { UnreachableError, UsageError } from '../client/errors.ts';
import { EmbeddedStartError } from '../embedded/machine/start-error.ts';

export const exitCodes = { done: 0, failed: 1, usage: 2, red: 3, unreachable: 4 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeHelp = `
Exit codes: 0 green or done, 1 failed, 2 wrong usage, 3 red or waiting for somebody, 4 Temporal or Postgres not reachable.`;

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UnreachableError) return exitCodes.unreachable;
  if (error instanceof UsageError) return exitCodes.usage;
  return exitCodes.failed;
}

/** Errors whose message is for people as it is; anything else is a bug of ours and shows where it came from. */
export function isForPeople(error: unknown): error is Error {
  return (
    error instanceof UnreachableError ||
    error instanceof UsageError ||
    error instanceof EmbeddedStartError ||
    (error instanceof Error && error.name === 'OrderRefused')
  );
}

/** The worst of several tenants' states decides. */
export function exitCodeOfStates(states: readonly string[]): ExitCode {
  if (states.includes('failed')) return exitCodes.failed;
  return states.some((state) => state === 'red' || state === 'waiting' || state === 'unknown')
    ? exitCodes.red
    : exitCodes.done;
}

// What comes after a finding is green (CI-10): which checks of a fix are due, what counts as a repeat failure, and the words under which what
// was opened for it is closed. Pure; workflows import it, so that a change must keep kept histories replaying.
import type { FindingKind } from '../contract/finding.ts';

const hourMs = 3_600_000;

/** Failing again within it is a repeat failure: the counter of attempts goes on (CI-9). */
export const repeatWindowMs = 48 * hourMs;

/** A check that is made a little late still speaks of the window: its timer, its queue, a run that was under way. */
const slackMs = hourMs;

/** The same words whoever closes it, remedy or aftercare: it is one effect. */
export const whyClosed: { readonly [Kind in FindingKind]: string } = {
  ci: 'The failure is gone; this fix is not needed any more.',
  drift: 'The drift ended by itself; nothing is left to merge.',
  migration: 'The migrations are applied; this is not needed any more.',
  incident: 'Production answers again.',
  deployment: 'The service runs again.',
  mention: 'The question was answered.',
  notice: 'This is not so any more.',
};

const gone: { readonly [Kind in FindingKind]: string } = {
  ci: 'The failure is gone',
  drift: 'The drift is gone',
  migration: 'Nothing is pending',
  incident: 'Production answers again',
  deployment: 'The service runs again',
  mention: 'The question was answered',
  notice: 'This is not so any more',
};

export function whyIssueClosed(kind: FindingKind): string {
  return `${gone[kind]}: nothing is left for a person here. Should it come back, a new issue says so.`;
}

export type Checks = {
  /** Due now, shortest first: one look answers all of them. */
  readonly due: readonly number[];
  /** When the next one is; null: none is left. */
  readonly nextAtMs: number | null;
};

/**
 * The checks of a fix that is green since `resolvedMs`. Recomputed from what is stored, so that a lost timer costs nothing but its delay.
 * @param afterMs how long after it turned green each check is made
 * @param passedMs those of them that passed
 */
export function checksOf(
  afterMs: readonly number[],
  passedMs: readonly number[],
  resolvedMs: number,
  nowMs: number,
): Checks {
  const left = [...new Set(afterMs)].filter((after) => !passedMs.includes(after)).sort((a, b) => a - b);
  const due = left.filter((after) => resolvedMs + after <= nowMs);
  const next = left.find((after) => resolvedMs + after > nowMs);
  return { due, nextAtMs: next === undefined ? null : resolvedMs + next };
}

/** Whether a failure seen now says that the fix did not hold. Later it is another failure. */
export function isRepeat(resolvedMs: number, nowMs: number): boolean {
  return nowMs - resolvedMs <= repeatWindowMs + slackMs;
}

/** `10m`, `1h`, `48h`: as the settings write it. */
export function spanOf(ms: number): string {
  if (ms % hourMs === 0) return `${ms / hourMs}h`;
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : `${Math.round(ms / 1_000)}s`;
}

// What comes after a finding is resolved (CI-10): what was opened for it is closed, and a fix of ours is checked again. Its state is in the
// finding's memory, so that a workflow that begins anew goes on where the one before was.
import type { FindingRef } from './activities.ts';
import type { FindingStatus } from './finding.ts';

export type CareView = {
  readonly status: FindingStatus;
  readonly resolvedMs: number | null;
  /** How many remedies it had: part of the keys of what they asked for. */
  readonly remedies: number;
  readonly repository: string;
  /** Opened by us, not known to be closed or merged. */
  readonly pullRequest: number | null;
  /** Opened by us, not known to be closed. */
  readonly issue: number | null;
  /** The fix of ours that is to be checked: `pull request #12`, `commit 0123456789ab`; empty: none, or it did not hold. */
  readonly fixedBy: string;
  /** Of this resolution: how long after it the checks were that passed. */
  readonly passedMs: readonly number[];
  /** `ci.soakAfter`; empty for what is no CI. */
  readonly soakAfterMs: readonly number[];
};

export type CareNote =
  /** `left`: it stays as it is, for the reason given. */
  | {
      readonly about: 'pullRequest';
      readonly number: number;
      readonly end: 'closed' | 'merged' | 'left';
      readonly reason: string;
    }
  | {
      readonly about: 'issue';
      readonly number: number;
      readonly end: 'closed' | 'left';
      readonly reason: string;
    }
  | {
      readonly about: 'passed';
      readonly resolvedMs: number;
      readonly checksMs: readonly number[];
      readonly reason: string;
    }
  | { readonly about: 'repeat'; readonly resolvedMs: number; readonly reason: string }
  /** `checksMs`: all checks of its fix, which is proved when each of them passed; absent: none was to be made. */
  | {
      readonly about: 'end';
      readonly resolvedMs: number;
      readonly checksMs?: readonly number[];
      readonly reason: string;
    };

export type CareActivities = {
  /** Null: nothing to do here any more: the tenant, its workspace or the finding is gone. */
  readonly readCare: (ref: FindingRef) => Promise<CareView | null>;
  readonly noteCare: (
    request: FindingRef & { readonly nowMs: number; readonly note: CareNote },
  ) => Promise<void>;
};

export type CareResult = { readonly outcome: 'done' | 'gone'; readonly summary: string };

/** How a fix stands, for people and programs. `unproved`: its checks are over, and not all of them passed. */
export type SoakState = {
  readonly state: 'running' | 'proved' | 'unproved' | 'repeat';
  readonly passedMs: readonly number[];
};

// What a failing job is, and what happens next with it (CI-2, CI-3, CI-4, CI-12), as the remedy sees it. The rules are in src/policy/ci/ci-triage.ts.
import type { CiDiagnosis, FindingRef } from './activities.ts';

export const ciClasses = ['flake', 'regression', 'env', 'config', 'infra', 'unknown'] as const;
export type CiClass = (typeof ciClasses)[number];

export type CiTriage = {
  /**
   * `fix`: a fixer or the model. `rerun`: the failed jobs, once. `watch`: a flake, never fixed. `wait`: look again at `untilMs` (storm, limits,
   * an outage that may pass). `person`: hand over.
   */
  readonly next: 'fix' | 'rerun' | 'watch' | 'wait' | 'person';
  readonly class: CiClass;
  /** 0 to 1. */
  readonly confidence: number;
  /** One sentence for people: ends up in `why`, the finding's waitingFor, the escalation issue. */
  readonly why: string;
  /** Markdown for the issue: class and evidence lines, redacted. */
  readonly report: string;
  /** When looking again makes sense; null: when something changes. */
  readonly untilMs: number | null;
};

export type QuarantineProposal = {
  readonly test: string;
  /** Runs with a flaky failure of it among the runs that were seen, 0 to 1. */
  readonly rate: number;
  /** The open issue that proposes it already and is brought up to date, since the rate rose; absent: one is opened. */
  readonly issue?: number;
  readonly title: string;
  readonly body: string;
};

type TriageRequest = FindingRef & { readonly diagnosis: CiDiagnosis; readonly nowMs: number };

export type TriageActivities = {
  /** For a diagnosis that is red and not running. Reads each log once per run and attempt; asking again costs nothing. */
  readonly triageCi: (request: TriageRequest) => Promise<CiTriage>;
  /**
   * The job is green again: was it green on the very SHA on which it failed? Then it is a flake by evidence and goes into the ledger.
   * `quarantine`: what one issue proposes, once per test and again when its rate has risen; null: nothing to propose.
   */
  readonly noteGreen: (request: TriageRequest) => Promise<{
    readonly flake: boolean;
    readonly why: string;
    readonly quarantine: QuarantineProposal | null;
  }>;
};

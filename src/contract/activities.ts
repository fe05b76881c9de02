// The activities as workflows see them. src/activities implements these; workflows import nothing else of them.
import type { EffectAnswer, EffectKind, EffectRequest } from './effect.ts';
import type { Finding, FindingKind, FindingStatus, Observation, SourceKind } from './finding.ts';
import type {
  AcknowledgeInput,
  AcknowledgeResult,
  DecideInput,
  DecideResult,
  LookResult,
  OpenTenantResult,
  PauseInput,
  PauseResult,
  ReadRequest,
  RecordRequest,
  RecordResult,
  ResumeInput,
  ResumeResult,
  SettleRequest,
  SettleResult,
} from './loop.ts';

/** `source.<kind>`: never throws for what it reads, only when its own record cannot be written. */
export type SourceActivities = {
  readonly [Kind in SourceKind as `source.${Kind}`]: (request: ReadRequest) => Promise<Observation>;
};

/** `effect.<kind>`: the one door. */
export type EffectActivities = {
  readonly [Kind in EffectKind as `effect.${Kind}`]: (request: EffectRequest) => Promise<EffectAnswer>;
};

export type LoopActivities = {
  readonly openTenant: (request: {
    readonly tenant: string;
    readonly nowMs: number;
  }) => Promise<OpenTenantResult>;
  readonly settleCycle: (request: SettleRequest) => Promise<SettleResult>;
  readonly recordDecisions: (request: RecordRequest) => Promise<RecordResult>;
  readonly raisePause: (
    request: PauseInput & { readonly tenant: string; readonly nowMs: number; readonly requestId?: string },
  ) => Promise<PauseResult>;
  readonly liftPause: (
    request: ResumeInput & { readonly tenant: string; readonly nowMs: number },
  ) => Promise<ResumeResult>;
  /** `nudge`: the workflow that waits for this approval. */
  readonly decideApproval: (
    request: DecideInput & { readonly tenant: string; readonly nowMs: number },
  ) => Promise<DecideResult & { readonly nudge?: string }>;
  /** `nudge`: the workflow of the incident. */
  readonly acknowledgeIncident: (
    request: AcknowledgeInput & { readonly tenant: string; readonly nowMs: number },
  ) => Promise<AcknowledgeResult & { readonly nudge?: string }>;
  readonly drainTenant: (request: {
    readonly tenant: string;
    readonly by: string;
    readonly reason: string;
    readonly nowMs: number;
  }) => Promise<void>;
  /** Marks a finding as worked on by the order of a person; fails with `Request.Invalid` when there is none. */
  readonly orderRemedy: (request: {
    readonly tenant: string;
    readonly finding: string;
    readonly by: string;
    /** The same one again gives the same remedy. */
    readonly requestId: string;
    readonly nowMs: number;
  }) => Promise<{ readonly finding: Finding; readonly remedy: number }>;
};

export type FindingRef = {
  readonly tenant: string;
  readonly workspace: string;
  readonly fingerprint: string;
  readonly occurrence: number;
};

export type MemoryPatch = { readonly [name: string]: string | number | boolean | null };

/** What every remedy uses to look at its finding and to say how it stands. */
export type RemedyActivities = {
  /** Reads the finding as the store has it now. */
  readonly look: (ref: FindingRef) => Promise<LookResult>;
  readonly setStatus: (
    request: FindingRef & {
      readonly nowMs: number;
      readonly actor: string;
      readonly status: Exclude<FindingStatus, 'resolved'>;
      readonly waitingFor?: string;
      readonly waitingUntilMs?: number;
      readonly remember?: MemoryPatch;
    },
  ) => Promise<void>;
  /** Counts before the attempt; null: all are used (CI-9). */
  readonly beginAttempt: (
    request: FindingRef & { readonly attemptKey: string; readonly kind: FindingKind },
  ) => Promise<{ readonly attempt: number | null }>;
  readonly giveBackAttempt: (request: FindingRef & { readonly attemptKey: string }) => Promise<void>;
  /** What the escalation issue says: every attempt with its reason, from the records. */
  readonly escalationReport: (
    request: FindingRef & {
      readonly reason: string;
      /** Markdown of the last attempt: what was run, what it said, the draft (CI-7). */
      readonly report?: string;
      readonly requester?: string;
      readonly nowMs: number;
    },
  ) => Promise<{
    readonly title: string;
    readonly body: string;
    /** This requester opened it before it was lost or failed: there is no other to open. */
    readonly issue?: number;
  }>;
  /** Plans changed: approvals of this requester that are bound to anything else are void (LOOP-13). */
  readonly voidApprovals: (
    request: FindingRef & {
      readonly requester: string;
      readonly keepPrecondition: string;
      readonly kinds: readonly EffectKind[];
      readonly reason: string;
    },
  ) => Promise<{ readonly voided: number }>;
  /** The number of the workspace's rolling activity issue, when it has one already (SEE-5). */
  readonly activityIssue: (ref: {
    readonly tenant: string;
    readonly workspace: string;
  }) => Promise<{ readonly enabled: boolean; readonly repository: string; readonly issue: number | null }>;
};

export type CiDiagnosis = {
  /** False: the newest completed run of this workflow on this branch does not fail in this job any more. */
  readonly red: boolean;
  readonly runId: number;
  readonly runAttempt: number;
  readonly headSha: string;
  /** The newest run is not complete yet: look again later. */
  readonly running: boolean;
  readonly fixer: string | null;
  readonly why: string;
  readonly mayRerun: boolean;
  /** A fix may go on the branch of the person's pull request this is about (CI-8). */
  readonly mayPush: boolean;
  readonly repository: string;
  readonly baseBranch: string;
  /** Of a run that is red: how many jobs it has, and those that failed, the one in question first, at most 20; absent: not read. */
  readonly jobs?: {
    readonly all: number;
    readonly failed: readonly { readonly id: number; readonly name: string }[];
  };
};

export type CiFixOutcome =
  | {
      readonly result: 'verified';
      readonly patchEvidence: string;
      readonly treeSha: string;
      readonly files: number;
      readonly lines: number;
      /** Markdown with the failing run, the command, before and after (CI-8). */
      readonly report: string;
    }
  | {
      readonly result: 'cannotReproduce' | 'notFixed' | 'noChange' | 'gated' | 'failed';
      readonly reason: string;
      readonly report: string;
      /** It passes, and no verifier could look at it: another attempt would end the same. */
      readonly unseen?: true;
    };

export type PullRequestView = {
  readonly state: 'open' | 'closed';
  readonly merged: boolean;
  readonly headSha: string;
  readonly mergeCommitSha: string | null;
};

export type CiActivities = {
  readonly diagnoseCi: (ref: FindingRef) => Promise<CiDiagnosis>;
  readonly readPullRequest: (request: {
    readonly tenant: string;
    readonly workspace: string;
    readonly number: number;
  }) => Promise<PullRequestView>;
  /** The comment that brings a verified patch to a person's pull request (CI-8): evidence, patch, a command to take it. */
  readonly patchComment: (request: {
    readonly tenant: string;
    readonly patchEvidence: string;
    readonly report: string;
  }) => Promise<{ readonly body: string }>;
  /**
   * Where a branch of ours is; `ours` false: its head is a commit that we did not push. `pullRequest`: the open one that we made of it, whatever is
   * remembered of it.
   */
  readonly ownBranch: (request: {
    readonly tenant: string;
    readonly workspace: string;
    readonly branch: string;
  }) => Promise<{
    readonly sha: string | null;
    readonly ours: boolean;
    readonly pullRequest?: number | null;
  }>;
  /** Whether CI started for a SHA (CI-8); looks again inside for `withinMs`, at most a minute. */
  readonly ciStarted: (request: {
    readonly tenant: string;
    readonly workspace: string;
    readonly sha: string;
    readonly withinMs?: number;
  }) => Promise<{ readonly started: boolean }>;
};

export type DriftView = {
  readonly state: 'clean' | 'drifted' | 'failed';
  readonly planHash: string;
  readonly destroys: number;
  readonly summary: string;
  readonly reason: string;
};

export type DriftExport =
  | {
      readonly result: 'exported';
      readonly patchEvidence: string;
      readonly baseSha: string;
      readonly treeSha: string;
      /** The plan computed with the export applied on the base (DRIFT-2). */
      readonly planAfter: DriftView;
      readonly files: readonly string[];
    }
  | { readonly result: 'noChange' | 'failed' | 'outside'; readonly reason: string };

export type DriftPolicy = {
  readonly hasExport: boolean;
  readonly autoMerge: boolean;
  readonly policy: 'approval' | 'auto';
  readonly repository: string;
  readonly baseBranch: string;
};

export type WorkspaceActivities = {
  /** Worktree, sandbox, fixer, gate, verifier (CI-5, CI-6, CI-7). */
  readonly fixCi: (
    request: FindingRef & {
      readonly fixer: string;
      readonly diagnosis: CiDiagnosis;
      readonly attempt: number;
    },
  ) => Promise<CiFixOutcome>;
  readonly driftPolicy: (request: {
    readonly tenant: string;
    readonly workspace: string;
    readonly environment: string;
  }) => Promise<DriftPolicy>;
  readonly planDrift: (request: {
    readonly tenant: string;
    readonly workspace: string;
    readonly environment: string;
  }) => Promise<DriftView>;
  readonly exportDrift: (request: {
    readonly tenant: string;
    readonly workspace: string;
    readonly environment: string;
  }) => Promise<DriftExport>;
  readonly readMigrations: (request: {
    readonly tenant: string;
    readonly workspace: string;
    readonly database: string;
  }) => Promise<{
    readonly pending: readonly string[];
    readonly missingOnDisk: readonly string[];
    /** Null: fresh enough, or not checked. */
    readonly backupProblem: string | null;
  }>;
};

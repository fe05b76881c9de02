// What the tenant loop, its remedies and the activities say to each other. Plain data; new fields are optional.
import type { Finding, FindingDetail, FindingStatus, Observation, SourceKind } from './finding.ts';
import type { QueueNames } from './names.ts';

export type Trigger = 'schedule' | 'event' | 'operator';

export type ScheduledRead = {
  readonly workspace: string;
  readonly source: SourceKind;
  readonly target?: string;
  readonly dueAtMs: number;
  /** One read, all attempts. */
  readonly timeoutMs: number;
};

export type OpenRemedy = {
  readonly workflowId: string;
  readonly fingerprint: string;
  readonly occurrence: number;
  /** Which remedy of its occurrence it is, where the loop knows. */
  readonly remedy?: number;
  /** When the loop makes sure that it still runs. */
  readonly checkAtMs?: number;
};

/** Carried over continue-as-new field by field. What limits is not in here: it is in Postgres. */
export type TenantState = {
  readonly tenant: string;
  readonly queues: QueueNames;
  /** Roll at so many events; tests set it small. */
  readonly rollAtEvents?: number;
  readonly cycle: number;
  readonly schedule: readonly ScheduledRead[];
  readonly openRemedies: readonly OpenRemedy[];
  /** What comes after resolved findings, as far as it was started (CI-10). */
  readonly aftercare?: readonly OpenRemedy[];
  /** Cycles that failed without a record (Postgres away), to be counted with the next one. */
  readonly unrecordedFailures: number;
  /** The breaker opened and nobody has been told yet: tried again in each cycle. */
  readonly untoldBreaker?: { readonly cycle: number; readonly reason: string };
  /** The last ids of updates, so that a repeated one is answered and not done again. */
  readonly seenRequests: readonly string[];
  /** Source keys that were asked for and not read yet, with what asked for them. */
  readonly asked?: readonly string[];
  readonly trigger?: Trigger;
};

export type TenantInput = Pick<TenantState, 'tenant' | 'queues' | 'rollAtEvents'> & {
  readonly carried?: TenantState;
};

export type OpenTenantResult = {
  readonly enabled: boolean;
  readonly reason: string;
  readonly cycle: number;
  readonly schedule: readonly ScheduledRead[];
  /** Findings whose remedies may have been lost with the Temporal database: to be started again, or adopted. */
  readonly adopt: readonly Finding[];
};

export type ReadRequest = ScheduledRead & {
  readonly tenant: string;
  readonly cycle: number;
  readonly runId: string;
  readonly trigger: Trigger;
  readonly nowMs: number;
};

export type SettleRequest = {
  readonly tenant: string;
  readonly cycle: number;
  readonly runId: string;
  readonly trigger: Trigger;
  readonly startedMs: number;
  readonly nowMs: number;
  readonly observations: readonly Observation[];
  readonly unrecordedFailures: number;
};

export type BreakerView = {
  readonly state: 'closed' | 'open' | 'halfOpen';
  readonly failures: number;
  readonly probeAtMs?: number;
};

export type SettleResult = {
  readonly enabled: boolean;
  readonly outcome: 'green' | 'red' | 'failed';
  readonly summary: string;
  readonly findings: readonly Finding[];
  readonly schedule: readonly ScheduledRead[];
  readonly breaker: BreakerView;
  /** Set in the one cycle in which the breaker opened. */
  readonly breakerOpened?: { readonly reason: string };
  /** Set when it opened, became half open or closed: what it holds should ask again. */
  readonly breakerMoved?: boolean;
  /** CI-11: what fails, one line each; set in the cycle in which a digest is due. */
  readonly digest?: string;
  /** Findings whose remedies should look again: what they work on changed or is gone. */
  readonly changed: readonly string[];
  /** Workflow ids of operations whose approval was decided in a comment. */
  readonly decided?: readonly string[];
  /** Resolved findings with something left to do (CI-10): in each answer until it is done. */
  readonly aftercare?: readonly Finding[];
};

export type DecisionRecord = {
  readonly fingerprint: string;
  readonly occurrence: number;
  readonly action: string;
  readonly reason: string;
};

export type RecordRequest = {
  readonly tenant: string;
  readonly cycle: number;
  readonly nowMs: number;
  readonly decisions: readonly DecisionRecord[];
};
/** Which remedy of its occurrence each started one is: part of its effects' keys. */
export type RecordResult = {
  readonly started: readonly { readonly fingerprint: string; readonly remedy: number }[];
};

export type RemedyInput = {
  readonly tenant: string;
  readonly queues: QueueNames;
  readonly finding: Finding;
  /** 1 for the first remedy of this occurrence. */
  readonly remedy: number;
  readonly actor: string;
  /** As of the loop; tests set it small. */
  readonly rollAtEvents?: number;
  /** Steps taken before the remedy continued as new. */
  readonly steps?: number;
  /** What the loop was told last. */
  readonly told?: 'working' | 'waiting' | 'approval';
};

export type RemedyOutcome = 'green' | 'escalated' | 'refused' | 'bound' | 'gone';
export type RemedyResult = { readonly outcome: RemedyOutcome; readonly summary: string };

export type RemedyReport = {
  readonly workflowId: string;
  readonly fingerprint: string;
  readonly workspace: string;
  readonly source: string;
  readonly state: 'waiting' | 'done';
  /** Somebody has to approve: the loop watches the comments. */
  readonly watchApprovals?: boolean;
};

/** Asks for all sources, and with that for the settings to be read anew. */
export const everySource = '*';

export type WakeSignal = {
  readonly reason: string;
  /** Source keys to read now, `workspace/source[:target]`, or `everySource`. */
  readonly sources: readonly string[];
};

export type LookResult = {
  /** True: the settings do not name its workspace any more. */
  readonly gone?: boolean;
  readonly status: FindingStatus;
  readonly detail: FindingDetail;
  readonly attempts: number;
  readonly memory: { readonly [name: string]: unknown };
  readonly limits: { readonly attempts: number; readonly plannerSteps: number };
};

export type PauseInput = {
  readonly reason: string;
  readonly by: string;
  readonly scope?: 'tenant' | 'workspace' | 'effect';
  readonly value?: string;
  /** Milliseconds since 1970, or absent: until resumed. */
  readonly untilMs?: number;
};
export type PauseResult = {
  readonly started: readonly { readonly kind: string; readonly target: string; readonly describe: string }[];
};
export type ResumeInput = Omit<PauseInput, 'untilMs'>;
export type ResumeResult = { readonly lifted: number };
export type DrainInput = { readonly by: string; readonly reason: string };
export type CycleNowInput = { readonly by: string };
export type CycleNowResult = { readonly cycle: number };
export type RemediateInput = {
  readonly by: string;
  readonly requestId: string /** At least 6 hex digits of a finding's fingerprint. */;
  readonly finding: string;
};
export type RemediateResult = { readonly workflowId: string };
export type DecideInput = {
  readonly by: string;
  readonly hash: string;
  readonly decision: 'approve' | 'reject';
  readonly reason?: string;
  readonly channel?: 'cli' | 'ui';
};
export type DecideResult = { readonly result: string; readonly message: string };

export type AcknowledgeInput = {
  readonly by: string;
  /** At least 6 hex digits of the fingerprint of its finding. */
  readonly incident: string;
  readonly channel?: 'cli' | 'ui';
};
export type AcknowledgeResult = { readonly result: string; readonly message: string };

export type TenantView = {
  readonly tenant: string;
  readonly cycle: number;
  readonly phase: 'starting' | 'gathering' | 'deciding' | 'sleeping' | 'draining';
  readonly nextCycleAtMs: number | null;
  readonly openRemedies: readonly OpenRemedy[];
  readonly summary: string;
};

// What sources read and what is made of it: observations, findings, and what is known of each. Plain data only.
import type { DeploymentDetail, IncidentDetail, MentionDetail, NoticeDetail } from './ops/findings.ts';

export const sourceKinds = [
  'ciRuns',
  'drift',
  'migrations',
  'deployments',
  'health',
  'versions',
  'channels',
  'mentions',
  'approvals',
] as const;
export type SourceKind = (typeof sourceKinds)[number];

export type FindingKind = 'incident' | 'deployment' | 'ci' | 'drift' | 'migration' | 'mention' | 'notice';
export type Severity = 'critical' | 'warning' | 'info';

/** A failing job of a workflow run (CI-1, CI-2). */
export type CiDetail = {
  readonly kind: 'ci';
  readonly repository: string;
  readonly branch: string;
  /** The pull request the branch belongs to, when it is one of a person. */
  readonly pullRequest?: number;
  readonly runId: number;
  readonly runAttempt: number;
  readonly headSha: string;
  readonly workflowPath: string;
  readonly workflowName: string;
  readonly job: string;
  readonly jobId: number;
  /** The first failing step; null when the job failed without one (runner lost, workflow file invalid). */
  readonly step: string | null;
  readonly stepNumber: number | null;
  readonly url: string;
};

export type DriftDetail = {
  readonly kind: 'drift';
  readonly environment: string;
  readonly planHash: string;
  readonly destroys: number;
  /** Addresses with actions, no values: plans may contain secrets. */
  readonly changes: readonly { readonly address: string; readonly action: string }[];
};

export type MigrationDetail = {
  readonly kind: 'migration';
  readonly database: string;
  readonly environment: string;
  readonly pending: readonly string[];
  /** Applied in the database and not on disk: reported, never touched (MIG-1). */
  readonly missingOnDisk: readonly string[];
};

export type FindingDetail =
  | CiDetail
  | DriftDetail
  | MigrationDetail
  | DeploymentDetail
  | IncidentDetail
  | MentionDetail
  | NoticeDetail;

/** A thing that is not green, as a source says it, before the store knows it. */
export type ObservedFinding = {
  readonly kind: FindingKind;
  readonly target: string;
  /** What makes it the same thing next time: no numbers, times or SHAs that change from run to run. */
  readonly signature: string;
  readonly ruleVersion: number;
  readonly severity: Severity;
  readonly title: string;
  readonly detail: FindingDetail;
};

/** What one source of one workspace said in one cycle (LOOP-2). */
export type Observation = {
  readonly workspace: string;
  readonly source: SourceKind;
  /** A part of a workspace that is read by itself: an environment, a database. */
  readonly target?: string;
  readonly readAtMs: number;
  readonly durationMs: number;
  readonly state: 'green' | 'red' | 'unknown';
  /** Why it is unknown; for green and red, what was read, in a few words. */
  readonly reason: string;
  readonly findings: readonly ObservedFinding[];
};

/**
 * `open`: workable. `working`: a remedy is on it. `waiting`: held for a person, an approval, a merge, a cooldown. `watched`: seen, on purpose not acted on.
 * `escalated`: a person has it. `resolved`: gone.
 */
export type FindingStatus = 'open' | 'working' | 'waiting' | 'watched' | 'escalated' | 'resolved';

/** A finding as the store knows it, one occurrence of it. */
export type Finding = ObservedFinding & {
  readonly tenant: string;
  readonly workspace: string;
  readonly source: SourceKind;
  readonly fingerprint: string;
  readonly occurrence: number;
  readonly status: FindingStatus;
  /** Attempts used of this occurrence, counted before each attempt (CI-9). */
  readonly attempts: number;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly waitingFor?: string;
  readonly waitingUntilMs?: number;
  /** Lets a finished remedy be started again: counts the remedies this occurrence had. */
  readonly remedies: number;
};

/** Whether a remedy of its own is on it, at work, waiting, or watching: it is adopted when its workflow is lost. */
export function hasRemedy(finding: Pick<Finding, 'status' | 'remedies'>): boolean {
  const { status, remedies } = finding;
  return status === 'working' || status === 'waiting' || (status === 'watched' && remedies > 0);
}

/** Questions and notices get their remedies beside everything else, though they are `info` and make nothing red. */
export function isBeside(kind: FindingKind): boolean {
  return kind === 'mention' || kind === 'notice';
}

export function isWorkable(finding: Pick<Finding, 'status' | 'severity'>): boolean {
  return (finding.status === 'open' || finding.status === 'working') && finding.severity !== 'info';
}

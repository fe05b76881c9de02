// What is not green about what runs, as plain data.
import type { DiagnosticRequest } from './diagnostics.ts';
import type { IncidentLevel } from './settings.ts';

/** A service that is down, or whose newest deployment failed (DEPLOY-2, DEPLOY-3). */
export type DeploymentDetail = {
  readonly kind: 'deployment';
  readonly environment: string;
  readonly service: string;
  readonly serviceId: string;
  /** The newest one. */
  readonly deploymentId: string;
  readonly status: 'degraded' | 'crashed' | 'failed' | 'unknown';
  /** The platform's own word. */
  readonly rawStatus: string;
  /** An older deployment still serves: nothing is down. */
  readonly serving: boolean;
  readonly level: IncidentLevel;
  readonly sinceMs: number;
};

/** Production does not answer as it should: one per workspace, with all checks that fail (HEALTH-1, INC-1). */
export type IncidentDetail = {
  readonly kind: 'incident';
  readonly environment: string;
  readonly level: IncidentLevel;
  readonly failed: readonly FailedCheck[];
  /** Names of the services involved, by the settings of the failing checks. */
  readonly services: readonly string[];
};

export type FailedCheck = {
  readonly name: string;
  readonly reason: string;
  readonly level: IncidentLevel;
  readonly sinceMs: number;
};

/** A question in a comment (DIAG-1): answered beside everything else. */
export type MentionDetail = {
  readonly kind: 'mention';
  readonly repository: string;
  readonly issue: number;
  readonly commentId: number;
  readonly author: string;
  /** Address of the comment. */
  readonly url: string;
  readonly request: DiagnosticRequest;
  /** By GitHub's clock. */
  readonly askedAtMs: number;
  /** By the loop's clock. After 30 min nobody waits for the answer any more. */
  readonly seenAtMs: number;
};

/** Something to know, which nobody and nothing has to act on at once (DEPLOY-4): told once. */
export type NoticeDetail = {
  readonly kind: 'notice';
  readonly about: 'version' | 'backup' | 'provider' | 'check' | 'channel';
  readonly name: string;
  readonly level: 'info' | 'warning';
  readonly text: string;
};

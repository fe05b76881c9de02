// What runs, as a platform says it, whatever its name: plain data that policy, workflows and activities share. What a platform can be asked
// to do is src/integrations/provider/provider.ts.

export type ServiceStatus =
  | 'running'
  /** Building, queued, deploying: on its way. */
  | 'deploying'
  /** Runs, but not as it should: restarting again and again, fewer replicas than asked for. */
  | 'degraded'
  /** Ran, and ended by itself. */
  | 'crashed'
  /** The build or the deployment did not get so far as to run. */
  | 'failed'
  /** Somebody took it down, or it sleeps by setting: not a fault. */
  | 'stopped'
  /** The platform said a word that is not known here: reported, never taken for running. */
  | 'unknown';

export type Deployment = {
  readonly id: string;
  readonly serviceId: string;
  readonly status: ServiceStatus;
  /** The platform's own word, for people. */
  readonly rawStatus: string;
  readonly createdAtMs: number;
  readonly statusChangedAtMs: number;
  /** Image or repository version it runs, where the platform says so. */
  readonly image?: string;
  readonly commitSha?: string;
  /** It may be rolled back to. */
  readonly canRollBack: boolean;
};

export type Service = {
  readonly id: string;
  readonly name: string;
  /** The newest deployment; null when there was none. */
  readonly latest: Deployment | null;
  /** The one that takes traffic; differs from `latest` while that one is on its way or failed. */
  readonly live: Deployment | null;
};

export type Overview = {
  readonly project: string;
  readonly environment: string;
  /** For people; null when there is none. */
  readonly dashboardUrl: string | null;
  readonly services: readonly Service[];
};

export type LogLine = { readonly atMs: number; readonly severity: string; readonly text: string };

// The ladder of a service that is down (DEPLOY-3), as plain data that fits into a workflow's state: how it was, what was tried, what next.

/**
 * `unhealthy`: production is down or degraded. `deploying`: on its way up. `stopped`: somebody took it down. `gone`: the platform does not know
 * it any more. `unknown`: it could not be read, or the platform said a word that is not known here.
 */
export type ServiceHealth = 'healthy' | 'unhealthy' | 'deploying' | 'stopped' | 'gone' | 'unknown';

/** Readings in a row that said the same; nothing is claimed about the time between two spans. */
export type HealthSpan = { readonly health: ServiceHealth; readonly fromMs: number; readonly toMs: number };

export const rungKinds = ['restart', 'redeploy', 'rollBack'] as const;
export type RungKind = (typeof rungKinds)[number];

export type Rung = {
  readonly kind: RungKind;
  readonly deploymentId: string;
  readonly atMs: number;
  /**
   * How the effect ended; `held`: it waits, for an approval most of the time. `unknown` counts as done (DUR-5), `stale` as not tried: the deployment
   * had changed.
   */
  readonly outcome: 'applied' | 'alreadyApplied' | 'unknown' | 'stale' | 'refused' | 'held';
  readonly reason: string;
};

export type LadderState = {
  /** Since the fault began, oldest first. */
  readonly spans: readonly HealthSpan[];
  /** Since the fault began, oldest first, each with its last outcome. */
  readonly rungs: readonly Rung[];
  /** Ends of cooldowns of this service, whoever set them off (LOOP-8). */
  readonly cooldownUntilMs: { readonly [kind in RungKind]?: number };
  /** What is restarted or redeployed; null: there is no deployment. */
  readonly deployment: {
    readonly id: string;
    /** It got so far as to run: else there is nothing to restart. */
    readonly ran: boolean;
  } | null;
  /** The last healthy deployment before it; null: there is none. */
  readonly rollBackTo: string | null;
  /** The newest deployment failed while an older one serves: nothing is down. */
  readonly failedBeside: boolean;
  /** What the platform offers beside a restart. */
  readonly can: { readonly redeploy: boolean; readonly rollBack: boolean };
  /** Why nothing may be done now: an outage of the platform. */
  readonly hold: { readonly reason: string; readonly untilMs: number } | null;
};

export type LadderStep =
  | { readonly do: 'wait'; readonly untilMs: number; readonly reason: string }
  | {
      readonly do: RungKind;
      readonly deploymentId: string;
      readonly reason: string;
      /** Why a person has to agree. */
      readonly needsApproval?: string;
    }
  /** `failedDeployment`: nothing is down, the evidence points to code or build. `used`: nothing is left to try. `unsettled`: it neither stays up nor down. */
  | {
      readonly do: 'person';
      readonly why: 'failedDeployment' | 'used' | 'unsettled' | 'stopped' | 'gone' | 'off';
      readonly reason: string;
    }
  | { readonly do: 'recovered'; readonly reason: string };

// What a platform that runs services can do for us, whatever its name: one folder implements it for Railway (../railway), one by command lines of a
// machine (../command-provider). Plain calls without retries of writes: the door decides whether a write is asked for again.
import type { Deployment, LogLine, Overview } from '../../contract/ops/platform.ts';

export type { Deployment, LogLine, Overview, Service } from '../../contract/ops/platform.ts';

export type LogQuestion = {
  readonly serviceId: string;
  /** By default the newest deployment's. */
  readonly deploymentId?: string;
  readonly kind: 'build' | 'deploy';
  /** Newest so many lines. */
  readonly limit: number;
  readonly sinceMs?: number;
};

export type ProviderCall = {
  readonly signal: AbortSignal;
  /** Incidents may use the part of the request budget that is kept for them (DEPLOY-5). */
  readonly forIncident?: boolean;
};

export type WriteCall = ProviderCall & {
  /** Called right before each request that writes; throws when the lease is over. */
  readonly assertMayWrite: () => void;
};

/** Every method throws `ProviderFailure`; what is optional is not offered by every platform. */
export type Provider = {
  readonly overview: (call: ProviderCall) => Promise<Overview>;
  /** Newest first. */
  readonly deployments: (
    serviceId: string,
    limit: number,
    call: ProviderCall,
  ) => Promise<readonly Deployment[]>;
  /** Oldest first. */
  readonly logs: (question: LogQuestion, call: ProviderCall) => Promise<readonly LogLine[]>;
  readonly restart: (deployment: Pick<Deployment, 'id' | 'serviceId'>, call: WriteCall) => Promise<void>;
  /** The same source again as a new deployment; answers with its id. */
  readonly redeploy?: (
    deployment: Pick<Deployment, 'id' | 'serviceId'>,
    call: WriteCall,
  ) => Promise<{ readonly deploymentId: string | null }>;
  /** Makes an older deployment the live one. */
  readonly rollBack?: (to: Pick<Deployment, 'id' | 'serviceId'>, call: WriteCall) => Promise<void>;
  /** Takes a deployment down. */
  readonly remove?: (deployment: Pick<Deployment, 'id' | 'serviceId'>, call: WriteCall) => Promise<void>;
  /** Replicas, or the image and with it the version; the platform deploys it. */
  readonly updateService?: (
    change: { readonly serviceId: string; readonly replicas?: number; readonly image?: string },
    call: WriteCall,
  ) => Promise<void>;
  /** Names only: values never leave the platform. Null: shared variables of the environment. */
  readonly variableNames?: (serviceId: string | null, call: ProviderCall) => Promise<readonly string[]>;
  /** One variable; never a replacement of the whole collection. */
  readonly setVariable?: (
    variable: { readonly serviceId: string | null; readonly name: string; readonly value: string },
    call: WriteCall,
  ) => Promise<void>;
  readonly createService?: (
    service: { readonly name: string; readonly image?: string; readonly repository?: string },
    call: WriteCall,
  ) => Promise<{ readonly serviceId: string }>;
  /** Starts the platform's template; `templateState` says when it is done. */
  readonly addDatabase?: (
    kind: 'postgres' | 'redis',
    call: WriteCall,
  ) => Promise<{ readonly workflowId: string }>;
  readonly templateState?: (
    workflowId: string,
    call: ProviderCall,
  ) => Promise<{
    readonly state: 'running' | 'complete' | 'failed' | 'unknown';
    readonly error: string | null;
  }>;
};

/**
 * Why a platform did not do what it was asked. `unreached` and `refused`: a write certainly did not happen. `doubt`: it may have (time-out, reset, 5xx).
 */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';
  readonly kind: 'unreached' | 'refused' | 'doubt' | 'denied' | 'limited';
  /** When asking again makes sense: `Retry-After`, or when the budget has room. */
  readonly retryAfterMs: number | undefined;
  constructor(
    message: string,
    options: { kind: ProviderFailure['kind']; retryAfterMs?: number; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.kind = options.kind;
    this.retryAfterMs = options.retryAfterMs;
  }
}

// What happened to deployments since the last cycle (DEPLOY-2), and what has to be remembered to tell. Plain data.
import type { Deployment, ServiceStatus } from './platform.ts';

export type DeploymentEvent = {
  /** The same event has the same key, whoever finds it: nothing is told twice. */
  readonly key: string;
  readonly serviceId: string;
  readonly service: string;
  /**
   * `created`: a deployment that was not known. `changed`: its status did. `again`: it failed, crashed or degraded once more. `serviceAdded`,
   * `serviceRemoved`: of the whole service; then `deployment` is null.
   */
  readonly kind: 'created' | 'changed' | 'again' | 'serviceAdded' | 'serviceRemoved';
  readonly deployment: Deployment | null;
  /** Null: not known before. */
  readonly from: ServiceStatus | null;
  readonly atMs: number;
};

export type DeploymentMemory = {
  readonly services: { readonly [serviceId: string]: ServiceMemory };
};

export type ServiceMemory = {
  readonly name: string;
  /** The newest deployments, newest first, and the one that serves. */
  readonly known: readonly Pick<Deployment, 'id' | 'status' | 'createdAtMs' | 'statusChangedAtMs'>[];
  /** Deployments that were created up to then, and are not in `known`, were told already; null: none was dropped. */
  readonly toldUntilMs: number | null;
};

// Railway's words in ours. `deploymentStopped` and the states of the instances stand beside the status there, and only all three together say whether
// something runs. Pure.
import type { Deployment, Service, ServiceStatus } from '../../contract/ops/platform.ts';
import type { DeploymentShape, ServiceShape } from './shapes.ts';

const plain: ReadonlyMap<string, ServiceStatus> = new Map([
  ['INITIALIZING', 'deploying'],
  ['QUEUED', 'deploying'],
  ['WAITING', 'deploying'],
  ['NEEDS_APPROVAL', 'deploying'],
  ['BUILDING', 'deploying'],
  ['DEPLOYING', 'deploying'],
  ['FAILED', 'failed'],
  ['REMOVING', 'stopped'],
  ['REMOVED', 'stopped'],
  ['SLEEPING', 'stopped'],
  ['SKIPPED', 'stopped'],
]);

/** What is known of the service a deployment belongs to. */
export type Expected = {
  /** It serves, so an end by itself is a fault, with exit code 0 too. A job that is done is none. */
  readonly serves: boolean;
  /** Null: Railway does not say. */
  readonly replicas: number | null;
};

export function statusOf(
  deployment: Pick<DeploymentShape, 'status' | 'deploymentStopped' | 'instances'>,
  expected: Expected,
): ServiceStatus {
  const { status, deploymentStopped, instances } = deployment;
  const count = (...words: readonly string[]): number =>
    instances.filter((instance) => words.includes(instance.status)).length;
  const running = count('RUNNING');
  const starting = count('CREATED', 'INITIALIZING');
  const broken = count('CRASHED', 'RESTARTING');
  if (status === 'CRASHED') return running > 0 ? 'degraded' : 'crashed';
  if (status !== 'SUCCESS') return plain.get(status) ?? 'unknown';
  if (deploymentStopped) {
    if (count('CRASHED') > 0) return 'crashed';
    return expected.serves && count('EXITED') > 0 ? 'crashed' : 'stopped';
  }
  if (broken > 0) return 'degraded';
  const missing = expected.replicas !== null && running + starting < expected.replicas;
  return missing && instances.length > 0 ? 'degraded' : 'running';
}

/** Has an address, a health check, or is started again whatever it ended with; and is no cron job. */
export function expectedOf(service: ServiceShape): Expected {
  const { serviceDomains, customDomains } = service.domains;
  const addressed = serviceDomains.length + customDomains.length > 0 || service.healthcheckPath !== null;
  return {
    serves: service.cronSchedule === null && (addressed || service.restartPolicyType === 'ALWAYS'),
    replicas: service.cronSchedule === null ? service.numReplicas : null,
  };
}

export function deploymentOf(shape: DeploymentShape, serviceId: string, expected: Expected): Deployment {
  const { image, commitHash } = shape.meta ?? {};
  return {
    id: shape.id,
    serviceId: shape.serviceId ?? serviceId,
    status: statusOf(shape, expected),
    rawStatus: shape.deploymentStopped && shape.status === 'SUCCESS' ? 'SUCCESS, stopped' : shape.status,
    createdAtMs: shape.createdAt,
    statusChangedAtMs: shape.statusUpdatedAt ?? shape.updatedAt,
    ...(image === undefined ? {} : { image }),
    ...(commitHash === undefined ? {} : { commitSha: commitHash }),
    canRollBack: shape.canRollback,
  };
}

export function serviceOf(shape: ServiceShape): Service {
  const expected = expectedOf(shape);
  const view = (one: DeploymentShape): Deployment => deploymentOf(one, shape.serviceId, expected);
  const newestFirst = shape.activeDeployments.map(view).sort((a, b) => b.createdAtMs - a.createdAtMs);
  // Between two deployments both are active for a while: traffic goes to the newest that is not still on its way.
  const live = newestFirst.find(({ status }) => status !== 'deploying' && status !== 'failed') ?? null;
  return {
    id: shape.serviceId,
    name: shape.serviceName,
    latest: shape.latestDeployment === null ? null : view(shape.latestDeployment),
    live,
  };
}

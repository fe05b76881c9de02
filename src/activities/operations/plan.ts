// From what a person ordered to one effect (OPS-1): names become ids, a rollback gets its target, and what cannot be ordered is refused with the fix.
import { failures } from '../../contract/names.ts';
import type { OperationInput, PlannedOperation } from '../../contract/ops/operation.ts';
import type { Deployment, Overview, Service } from '../../contract/ops/platform.ts';
import type { WorkspaceConfig } from '../../contract/tenant-config.ts';
import type { Provider } from '../../integrations/provider/provider.ts';
import { BadRequest } from '../effects/door-failure.ts';

/** How many deployments back a healthy one is looked for. */
const lookBack = 20;

export type Platform = {
  readonly workspace: WorkspaceConfig;
  /** Asked for only where it is needed: a workspace may have no services. */
  readonly provider: () => Promise<Provider>;
  readonly signal: AbortSignal;
};

export async function planOperation(order: OperationInput, platform: Platform): Promise<PlannedOperation> {
  const { workspace, provider, signal } = platform;
  if (order.operation === 'cleanUp') {
    const { what = 'staleSessions' } = order;
    return {
      kind: 'cleanUp',
      target: `${workspace.services?.environment ?? 'production'}/${what}`,
      precondition: order.requestId,
      input: { what },
      describe: `clear ${what}`,
      until: { what: 'written' },
    };
  }
  const overview = await (await provider()).overview({ signal });
  const planned = await onPlatform(order, platform, overview);
  return {
    ...planned,
    target: `${workspace.services?.environment ?? overview.environment}/${planned.target}`,
  };
}

async function onPlatform(
  order: OperationInput,
  platform: Platform,
  overview: Overview,
): Promise<PlannedOperation> {
  const isNew = order.operation === 'createService';
  const named = order.service === undefined || isNew ? null : serviceNamed(overview, order.service);
  switch (order.operation) {
    case 'restart':
    case 'redeploy': {
      const service = named ?? missing('service', 'name the service');
      const deployment = deploymentOf(service, order.deployment);
      const kind = order.operation === 'restart' ? 'restartService' : 'redeployService';
      return onDeployment(kind, service, deployment, { what: 'running', serviceId: service.id });
    }
    case 'rollBack': {
      const service = named ?? missing('service', 'name the service');
      const target = order.deployment ?? (await lastHealthy(service, platform));
      return onDeployment('rollBackService', service, target, { what: 'running', serviceId: service.id });
    }
    case 'remove': {
      const service = named ?? missing('service', 'name the service');
      return onDeployment('removeDeployment', service, deploymentOf(service, order.deployment), {
        what: 'written',
      });
    }
    case 'update': {
      const service = named ?? missing('service', 'name the service');
      const { replicas, image } = order;
      if (replicas === undefined && image === undefined) missing('replicas', 'give replicas, or an image');
      return {
        kind: 'updateService',
        target: service.name,
        precondition: order.requestId,
        input: {
          service: service.name,
          serviceId: service.id,
          ...(replicas === undefined ? {} : { replicas }),
          ...(image === undefined ? {} : { image }),
        },
        describe: `change ${service.name}`,
        until: { what: 'running', serviceId: service.id },
      };
    }
    case 'setVariable': {
      const name = order.variable ?? missing('variable', 'give its name');
      const from =
        order.from ?? missing('from', 'give a reference, env:NAME or file:/path, that the worker resolves');
      return {
        kind: 'setVariable',
        target: `${named?.name ?? 'shared'}/${name}`,
        precondition: order.requestId,
        input: { service: named?.name ?? null, serviceId: named?.id ?? null, name, from },
        describe: `set ${name} of ${named?.name ?? 'the environment'}`,
        until: { what: 'written' },
      };
    }
    case 'createService': {
      const name = order.service ?? missing('service', 'give the new name');
      const { image, repository } = order;
      return {
        kind: 'createService',
        target: name,
        precondition: 'absent',
        input: {
          name,
          ...(image === undefined ? {} : { image }),
          ...(repository === undefined ? {} : { repository }),
        },
        describe: `create service ${name}`,
        until: { what: 'written' },
      };
    }
    case 'addDatabase': {
      const database = order.database ?? missing('database', 'write postgres or redis');
      return {
        kind: 'addDatabase',
        target: database,
        precondition: order.requestId,
        input: { database },
        describe: `add ${database}`,
        until: { what: 'template' },
      };
    }
    default:
      return missing('operation', 'see "untilgreen --help"');
  }
}

function onDeployment(
  kind: 'restartService' | 'redeployService' | 'rollBackService' | 'removeDeployment',
  service: Service,
  deploymentId: string,
  until: PlannedOperation['until'],
): PlannedOperation {
  const words = {
    restartService: 'restart',
    redeployService: 'redeploy',
    rollBackService: 'roll back',
    removeDeployment: 'take down',
  }[kind];
  return {
    kind,
    target: service.name,
    precondition: deploymentId,
    input: { service: service.name, serviceId: service.id, deploymentId },
    describe: `${words} ${service.name} (deployment ${deploymentId})`,
    until,
  };
}

function deploymentOf(service: Service, wanted: string | undefined): string {
  return (
    wanted ??
    (service.live ?? service.latest)?.id ??
    missing('service', `service ${service.name} has no deployment yet: deploy it first`)
  );
}

async function lastHealthy(service: Service, { provider, signal }: Platform): Promise<string> {
  const known = await (await provider()).deployments(service.id, lookBack, { signal });
  const newest = service.latest?.id;
  const healthy = (one: Deployment): boolean =>
    one.canRollBack && one.id !== newest && one.id !== service.live?.id;
  return (
    known.find(healthy)?.id ??
    missing('deployment', `no deployment of ${service.name} before the newest one can be rolled back to`)
  );
}

function serviceNamed(overview: Overview, name: string): Service {
  const found = overview.services.filter((service) => service.name === name);
  if (found.length > 1) missing('service', `${found.length} services are called "${name}": rename one`);
  const names = overview.services.map((service) => service.name).sort();
  return found[0] ?? missing('service', `"${name}" is not one of: ${names.join(', ') || 'none'}`);
}

function missing(field: string, fix: string): never {
  throw new BadRequest(failures.requestInvalid, `${field}: ${fix}`);
}

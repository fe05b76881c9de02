// Effects on deployed services (DEPLOY-1, DEPLOY-3), whoever runs them: restart and redeploy at most once (their source verifies), the
// rest found again by what they leave. Nothing is written to a service that the settings do not watch.

import picomatch from 'picomatch';
import * as z from 'zod';
import type { WorkspaceConfig } from '../../../contract/tenant-config.ts';
import {
  type Deployment,
  type Provider,
  ProviderFailure,
  type Service,
} from '../../../integrations/provider/provider.ts';
import {
  defineEffect,
  type EffectContext,
  type EffectDefinition,
  NotWritten,
  type WriteContext,
} from '../definition.ts';

export type ServiceEffectParts = {
  readonly provider: (workspace: WorkspaceConfig, tenant: string) => Promise<Provider>;
  /** Holds, by what the sources saw last, and the cap of an hour. */
  readonly cap: NonNullable<EffectDefinition['cap']>;
};

const OnService = z.object({ service: z.string().min(1), serviceId: z.string().min(1) });
const OnDeployment = OnService.extend({ deploymentId: z.string().min(1) });
type OnDeployment = z.output<typeof OnDeployment>;
const Updated = OnService.extend({
  replicas: z.int().min(1).max(50).optional(),
  image: z.string().min(1).max(500).optional(),
}).refine(
  ({ replicas, image }) => replicas !== undefined || image !== undefined,
  'name replicas or an image',
);
type Updated = z.output<typeof Updated>;

export function createServiceEffects({ provider, cap }: ServiceEffectParts): readonly EffectDefinition[] {
  const of = (context: EffectContext): Promise<Provider> =>
    provider(context.workspace, context.request.tenant);
  const base = { autonomy: () => 'act' as const, forbidden: notWatched, forIncidents: true, cap };
  const rung = {
    ...base,
    schema: OnDeployment,
    delivery: 'atMostOnce' as const,
    // Command lines of a machine may take longer than a lease.
    longRunning: true,
    refusedRan: false,
    risk: () => 'mutating' as const,
  };

  return [
    defineEffect<OnDeployment>({
      ...rung,
      kind: 'restartService',
      describe: ({ service }) => `restart ${service}`,
      precondition: async (context, input) => notTheSame(await serviceNow(of, context, input), input),
      apply: async (context, input) => {
        const { deploymentId: id, serviceId } = input;
        await writing(async () => (await of(context)).restart({ id, serviceId }, call(context)));
        return { deploymentId: id };
      },
    }),
    defineEffect<OnDeployment>({
      ...rung,
      kind: 'redeployService',
      describe: ({ service }) => `redeploy ${service}`,
      precondition: async (context, input) => notTheSame(await serviceNow(of, context, input), input),
      apply: async (context, input) => {
        const { deploymentId: id, serviceId } = input;
        const redeploy = offered((await of(context)).redeploy, 'redeploy');
        return { ...(await writing(() => redeploy({ id, serviceId }, call(context)))) };
      },
    }),
    defineEffect<OnDeployment>({
      ...rung,
      kind: 'rollBackService',
      describe: ({ service, deploymentId }) => `roll ${service} back to deployment ${deploymentId}`,
      needsApproval: () => 'a rollback needs a person',
      precondition: async (context, input) => {
        const service = await serviceNow(of, context, input);
        if (service.live?.id === input.deploymentId) return 'it is the live one already';
        const wanted = await deploymentNow(of, context, input);
        return wanted?.canRollBack ? null : 'it cannot be rolled back to any more';
      },
      apply: async (context, input) => {
        const { deploymentId: id, serviceId } = input;
        const rollBack = offered((await of(context)).rollBack, 'roll back');
        await writing(() => rollBack({ id, serviceId }, call(context)));
        return { deploymentId: id };
      },
    }),
    defineEffect<OnDeployment>({
      ...base,
      kind: 'removeDeployment',
      schema: OnDeployment,
      delivery: 'exactlyOnce',
      risk: () => 'destructive',
      describe: ({ service, deploymentId }) => `take deployment ${deploymentId} of ${service} down`,
      probe: async (context, input) => {
        const found = await deploymentNow(of, context, input);
        return found === undefined || found.rawStatus === 'REMOVED' || found.status === 'stopped'
          ? { deploymentId: input.deploymentId }
          : null;
      },
      precondition: async (context, input) => {
        await serviceNow(of, context, input);
        return null;
      },
      apply: async (context, input) => {
        const { deploymentId: id, serviceId } = input;
        const remove = offered((await of(context)).remove, 'take a deployment down');
        await writing(() => remove({ id, serviceId }, call(context)));
        return { deploymentId: id };
      },
    }),
    defineEffect<Updated>({
      ...base,
      kind: 'updateService',
      schema: Updated,
      delivery: 'atMostOnce',
      risk: () => 'mutating',
      describe: ({ service, replicas, image }) =>
        `change ${service}:${replicas === undefined ? '' : ` ${replicas} replicas`}${image === undefined ? '' : ` image ${image}`}`,
      needsApproval: () => 'scale and version need a person',
      precondition: async (context, input) => {
        await serviceNow(of, context, input);
        return null;
      },
      apply: async (context, { serviceId, replicas, image }) => {
        const update = offered((await of(context)).updateService, 'change scale or version');
        await writing(() =>
          update(
            {
              serviceId,
              ...(replicas === undefined ? {} : { replicas }),
              ...(image === undefined ? {} : { image }),
            },
            call(context),
          ),
        );
        return {};
      },
    }),
  ];
}

function reading(context: EffectContext) {
  return { signal: context.signal, forIncident: true };
}

function call(context: WriteContext) {
  return { ...reading(context), assertMayWrite: context.assertMayWrite };
}

/** What a platform said about a write, in the door's words. */
export async function writing<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof ProviderFailure) || error.kind === 'doubt') throw error;
    throw new NotWritten(error.message, {
      permanent: error.kind === 'refused' || error.kind === 'denied',
      cause: error,
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    });
  }
}

/** A method that not every platform has. */
export function offered<Method>(method: Method | undefined, what: string): Method {
  if (method === undefined) throw new NotWritten(`this provider cannot ${what}`, { permanent: true });
  return method;
}

/** @throws NotWritten when it is gone, or the id belongs to another name than the one that the settings allow */
export async function serviceNow(
  of: (context: EffectContext) => Promise<Provider>,
  context: EffectContext,
  input: z.output<typeof OnService>,
): Promise<Service> {
  const { services } = await (await of(context)).overview(reading(context));
  const found = services.find(({ id }) => id === input.serviceId);
  if (!found) throw new NotWritten(`service ${input.service} is not there any more`, { permanent: true });
  if (found.name !== input.service)
    throw new NotWritten(`service id ${input.serviceId} belongs to ${found.name}, not to ${input.service}`, {
      permanent: true,
    });
  return found;
}

async function deploymentNow(
  of: (context: EffectContext) => Promise<Provider>,
  context: EffectContext,
  input: OnDeployment,
): Promise<Deployment | undefined> {
  const known = await (await of(context)).deployments(input.serviceId, 50, reading(context));
  return known.find(({ id }) => id === input.deploymentId);
}

function notTheSame(service: Service, input: OnDeployment): string | null {
  if (service.latest?.id === input.deploymentId || service.live?.id === input.deploymentId) return null;
  return `its newest deployment is ${service.latest?.id ?? 'none'} now`;
}

export function notWatched(
  { service }: { readonly service: string },
  workspace: WorkspaceConfig,
): string | null {
  const { services } = workspace;
  if (!services) return 'the workspace has no services in its settings';
  return picomatch.isMatch(service, [...services.watch])
    ? null
    : `service "${service}" is not in services.watch of workspace ${workspace.name}`;
}

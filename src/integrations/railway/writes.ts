// The writes of Railway: each method one mutation, but for a change of scale or version, which Railway takes in two. Variables are set one by one.
import { type Provider, ProviderFailure } from '../provider/provider.ts';
import type { Client } from './client.ts';
import type { PlaceOf } from './place.ts';

type Writes = Pick<
  Provider,
  | 'restart'
  | 'redeploy'
  | 'rollBack'
  | 'remove'
  | 'updateService'
  | 'setVariable'
  | 'createService'
  | 'addDatabase'
>;

export function railwayWrites(client: Client, place: PlaceOf): Required<Writes> {
  return {
    restart: async ({ id }, call) => {
      done('restart', (await client.write('restart', { id }, call)).deploymentRestart);
    },
    redeploy: async ({ id }, call) => {
      const { deploymentRedeploy } = await client.write('redeploy', { id }, call);
      return { deploymentId: deploymentRedeploy.id };
    },
    rollBack: async ({ id }, call) => {
      done('rollBack', (await client.write('rollBack', { id }, call)).deploymentRollback);
    },
    remove: async ({ id }, call) => {
      done('remove', (await client.write('remove', { id }, call)).deploymentRemove);
    },
    updateService: async ({ serviceId, replicas, image }, call) => {
      if (replicas === undefined && image === undefined)
        throw refused('updateService: neither replicas nor image is given; name one of them');
      const { environmentId } = await place(call);
      const input = {
        ...(replicas === undefined ? {} : { numReplicas: replicas }),
        ...(image === undefined ? {} : { source: { image } }),
      };
      const service = { environmentId, serviceId };
      const { serviceInstanceUpdate } = await client.write('updateService', { ...service, input }, call);
      done('updateService', serviceInstanceUpdate);
      await client.write('deployService', service, call).catch((cause: unknown) => {
        // The settings are changed by now, whatever kept the deployment from being started.
        const { message, retryAfterMs } =
          cause instanceof ProviderFailure ? cause : { message: String(cause), retryAfterMs: undefined };
        throw new ProviderFailure(
          `${message}; the settings of the service are changed already, and take effect with its next deployment`,
          { kind: 'doubt', cause, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
        );
      });
    },
    setVariable: async ({ serviceId, name, value }, call) => {
      const input = {
        ...(await place(call)),
        ...(serviceId === null ? {} : { serviceId }),
        name,
        value,
      };
      done('setVariable', (await client.write('setVariable', { input }, call, value)).variableUpsert);
    },
    createService: async ({ name, image, repository }, call) => {
      if (image !== undefined && repository !== undefined)
        throw refused(`createService: image "${image}" and repository "${repository}" are given; give one`);
      const source =
        image === undefined ? (repository === undefined ? undefined : { repo: repository }) : { image };
      const input = { ...(await place(call)), name, ...(source === undefined ? {} : { source }) };
      const { serviceCreate } = await client.write('createService', { input }, call);
      return { serviceId: serviceCreate.id };
    },
    addDatabase: async (kind, call) => {
      const where = await place(call);
      const { template } = await client.read('template', { code: kind }, call);
      if (template.serializedConfig === null)
        throw refused(`addDatabase: Railway's template "${kind}" has nothing to deploy; add it by hand`);
      const input = { ...where, templateId: template.id, serializedConfig: template.serializedConfig };
      const { workflowId } = (await client.write('deployTemplate', { input }, call)).templateDeployV2;
      if (workflowId === null)
        throw new ProviderFailure(
          `Railway deployTemplate: no workflow for template "${kind}"; look whether the database is there`,
          { kind: 'doubt' },
        );
      return { workflowId };
    },
  };
}

function done(what: string, answer: boolean): void {
  if (!answer) throw refused(`${what}: Railway answered false`);
}

function refused(message: string): ProviderFailure {
  return new ProviderFailure(`Railway ${message}`, { kind: 'refused' });
}

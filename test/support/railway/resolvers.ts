// Executes our SDL over the world, as strictly as Railway does: ids are UUIDs, what a token may not see is "Not Authorized", and a deployment takes
// only what its state allows. Scalars and enums go out as they are, so that a test can say words the schema does not know.
import { randomUUID } from 'node:crypto';
import { buildSchema, GraphQLEnumType, type GraphQLSchema } from 'graphql';
import { railwaySdl } from '../../../src/integrations/railway/sdl.ts';
import { crashesUntil } from './phases.ts';
import type { DeploymentRow, LogRow, ServiceRow, World } from './world.ts';

/** Who asks. `environmentId`: the only one that a project token may touch. */
export type Caller = { readonly environmentId: string | null };

type Args = { readonly [name: string]: unknown };
type Page = { readonly first?: number; readonly after?: string | null };

export function railwaySchema(): GraphQLSchema {
  const schema = buildSchema(railwaySdl);
  for (const type of Object.values(schema.getTypeMap()))
    if (type instanceof GraphQLEnumType && !type.name.startsWith('__'))
      type.coerceOutputValue = (value) => String(value);
  return schema;
}

/** The root value of one request. `wrote` is called for each write that was done. */
export function rootOf(world: World, caller: Caller, wrote: () => void) {
  const allowed = (environmentId: string): void => {
    if (caller.environmentId !== null && caller.environmentId !== environmentId)
      throw new Error('Not Authorized');
  };
  const uuid = (id: string): string => {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id))
      throw new Error('Problem processing request');
    return id;
  };
  /** A project token is not told whether something is missing or somebody else's. */
  const missing = (what: string): Error =>
    new Error(caller.environmentId === null ? `${what} not found` : 'Not Authorized');
  const environmentRow = (id: string) => {
    const row = world.rows.projects.find(({ environmentId }) => environmentId === uuid(id));
    if (row === undefined) throw missing('Environment');
    allowed(row.environmentId);
    return row;
  };
  const serviceRow = (id: string): ServiceRow => {
    const row = world.rows.services.find((one) => one.id === uuid(id));
    if (row === undefined) throw missing('Service');
    allowed(row.environmentId);
    return row;
  };
  const deploymentRow = (id: string): DeploymentRow => {
    const row = world.rows.deployments.find((one) => one.id === uuid(id));
    if (row === undefined) throw missing('Deployment');
    allowed(row.environmentId);
    return row;
  };

  const deploymentView = (row: DeploymentRow) => {
    const phase = world.phase(row);
    const { commitSha, image } = row.release;
    return {
      id: row.id,
      serviceId: row.serviceId,
      status: phase.status,
      deploymentStopped: phase.stopped,
      createdAt: iso(row.createdAtMs),
      updatedAt: iso(phase.sinceMs),
      statusUpdatedAt: iso(phase.sinceMs),
      canRollback: phase.status === 'REMOVED' && world.upMs(row) !== null,
      meta: {
        ...(commitSha === undefined ? {} : { commitHash: commitSha }),
        ...(image === undefined ? {} : { image }),
      },
      instances: phase.instances.map((status, index) => ({ id: `${row.id}-${index}`, status })),
    };
  };
  const instanceView = (row: ServiceRow) => {
    const all = world.newestFirst(row.id);
    const active = all.filter((one) =>
      ['SUCCESS', 'CRASHED', 'SLEEPING', 'DEPLOYING'].includes(world.phase(one).status),
    );
    return {
      serviceId: row.id,
      serviceName: row.name,
      deletedAt: row.deletedAtMs === null ? null : iso(row.deletedAtMs),
      cronSchedule: row.cronSchedule,
      healthcheckPath: row.healthcheckPath,
      restartPolicyType: row.restartPolicy,
      numReplicas: row.replicas,
      domains: { serviceDomains: row.domains.map((domain) => ({ domain })), customDomains: [] },
      latestDeployment: all[0] === undefined ? null : deploymentView(all[0]),
      activeDeployments: active.map(deploymentView),
    };
  };

  const logs = (kind: LogRow['kind'], args: Args) => {
    const row = deploymentRow(String(args.deploymentId));
    const crashed = kind === 'build' ? [] : crashesUntil(world.lifetime(row), world.now());
    const printed = crashed.flatMap((atMs) =>
      (row.release.behaviour.crashLines ?? []).map((text) => ({ kind, atMs, text, severity: 'error' })),
    );
    const since = args.startDate === undefined ? 0 : Date.parse(String(args.startDate));
    const lines = [...row.logs.filter((line) => line.kind === kind), ...printed]
      .filter(({ atMs }) => atMs >= since && atMs <= world.now())
      .sort((a, b) => a.atMs - b.atMs);
    // One more than asked for, as Railway gives.
    return lines.slice(-(Number(args.limit ?? 500) + 1)).map(({ atMs, text, severity }) => ({
      timestamp: iso(atMs).replace('Z', '123456Z'),
      message: text,
      severity: severity === undefined ? 'info' : severity,
    }));
  };

  const query = {
    projectToken: () => {
      const row = world.rows.projects.find(({ environmentId }) => environmentId === caller.environmentId);
      if (row === undefined) throw new Error('Project Token not found');
      return { projectId: row.projectId, environmentId: row.environmentId };
    },
    project: ({ id }: { id: string }) => {
      const row = world.rows.projects.find(({ projectId }) => projectId === uuid(id));
      if (row === undefined) throw missing('Project');
      allowed(row.environmentId);
      return { id, name: row.project };
    },
    environment: ({ id, projectId }: { id: string; projectId?: string }) => {
      const row = environmentRow(id);
      if (projectId !== undefined && projectId !== row.projectId) throw missing('Environment');
      const { services, variables } = world.rows;
      return {
        id,
        name: row.environment,
        projectId: row.projectId,
        serviceInstances: (page: Page) =>
          connection(
            services.filter(({ environmentId }) => environmentId === id),
            page,
            instanceView,
          ),
        variables: (page: Page) =>
          connection(
            variables.filter(({ environmentId }) => environmentId === id),
            page,
            ({ name, serviceId }) => ({ name, serviceId }),
          ),
      };
    },
    serviceInstance: (args: { environmentId: string; serviceId: string }) => {
      environmentRow(args.environmentId);
      return instanceView(serviceRow(args.serviceId));
    },
    deployments: ({
      input,
      first,
    }: {
      input: { serviceId?: string; environmentId?: string };
      first?: number;
    }) => {
      if (input.environmentId !== undefined) environmentRow(input.environmentId);
      else if (caller.environmentId !== null) throw new Error('Not Authorized');
      if (input.serviceId !== undefined) serviceRow(input.serviceId);
      const rows = world.rows.deployments.filter(
        ({ serviceId, environmentId }) =>
          serviceId === (input.serviceId ?? serviceId) &&
          environmentId === (input.environmentId ?? environmentId),
      );
      return connection(rows.toReversed(), { first: first ?? 20 }, deploymentView);
    },
    buildLogs: (args: Args) => logs('build', args),
    deploymentLogs: (args: Args) => logs('deploy', args),
    template: ({ code }: { code?: string }) => {
      const row = world.rows.templates.find((one) => one.code === code);
      if (row === undefined) throw new Error('Template not found');
      return {
        id: row.id,
        code: row.code,
        serializedConfig: { services: { [row.id]: { name: row.serviceName } } },
      };
    },
    workflowStatus: ({ workflowId }: { workflowId: string }) => {
      const flow = world.rows.workflows.find(({ id }) => id === workflowId);
      if (flow !== undefined) allowed(flow.environmentId);
      const { visibleAfterMs, error } = world.templateRuns;
      if (flow === undefined || world.now() < flow.startedMs + visibleAfterMs) return { status: 'NotFound' };
      if (flow.done) return { status: 'Complete' };
      return error === null ? { status: 'Running' } : { status: 'Error', error };
    },
  };

  /** A write: what `work` throws was not done. */
  const write = <T>(work: () => T): T => {
    const result = work();
    wrote();
    return result;
  };
  const again = (id: string, states: readonly string[], what: string): DeploymentRow => {
    const row = deploymentRow(id);
    const { status } = world.phase(row);
    if (!states.includes(status)) throw new Error(`Cannot ${what} a deployment with status ${status}`);
    return row;
  };
  const renew = (row: DeploymentRow): DeploymentRow =>
    world.deploy(world.service(row.serviceId), row.release);

  const mutation = {
    deploymentRestart: ({ id }: { id: string }) =>
      write(() => {
        const row = again(id, ['SUCCESS', 'CRASHED', 'SLEEPING'], 'restart');
        row.restartsMs.push(world.now());
        row.forced = null;
        return true;
      }),
    deploymentRedeploy: ({ id }: { id: string }) =>
      write(() => {
        const states = ['SUCCESS', 'CRASHED', 'FAILED', 'REMOVED', 'SLEEPING', 'SKIPPED'];
        return deploymentView(renew(again(id, states, 'redeploy')));
      }),
    deploymentRollback: ({ id }: { id: string }) =>
      write(() => {
        const row = deploymentRow(id);
        if (!deploymentView(row).canRollback) throw new Error('Cannot roll back to this deployment');
        renew(row);
        return true;
      }),
    deploymentRemove: ({ id }: { id: string }) =>
      write(() => {
        const row = again(id, ['SUCCESS', 'CRASHED', 'FAILED', 'SLEEPING'], 'remove');
        row.removedAtMs = world.now();
        row.forced = null;
        return true;
      }),
    variableUpsert: ({ input }: { input: { [name: string]: string } }) =>
      write(() => {
        const { environmentId = '', serviceId = null, name = '', value = '' } = input;
        const { projectId } = environmentRow(environmentId);
        if (projectId !== input.projectId) throw missing('Project');
        world.setVariable({ environmentId, serviceId, name, value });
        if (serviceId !== null) {
          const row = serviceRow(serviceId);
          world.deploy(row, row.release);
        }
        return true;
      }),
    serviceCreate: ({ input }: { input: CreateInput }) =>
      write(() => {
        const { projectId, environmentId } = environmentRow(input.environmentId ?? '');
        if (projectId !== input.projectId) throw missing('Project');
        const name = input.name ?? `service-${world.rows.services.length + 1}`;
        if (world.rows.services.some((one) => one.environmentId === environmentId && one.name === name))
          throw new Error(`A service named "${name}" already exists in this project`);
        const { image, repo } = input.source ?? {};
        const row = world.addService(environmentId, {
          name,
          ...(image === undefined ? {} : { image }),
          ...(repo === undefined ? {} : { commitSha: randomUUID().replaceAll('-', '') }),
          deployed: image !== undefined || repo !== undefined,
        });
        return { id: row.id, name };
      }),
    serviceInstanceUpdate: (args: { environmentId?: string; serviceId: string; input: UpdateInput }) =>
      write(() => {
        const row = serviceRow(args.serviceId);
        const { numReplicas, source } = args.input;
        if (numReplicas !== undefined) row.replicas = numReplicas;
        if (source?.image !== undefined)
          row.release = { image: source.image, behaviour: row.behaviours.get(source.image) ?? {} };
        return true;
      }),
    serviceInstanceDeployV2: (args: { environmentId: string; serviceId: string; commitSha?: string }) =>
      write(() => {
        environmentRow(args.environmentId);
        const row = serviceRow(args.serviceId);
        const { commitSha } = args;
        if (commitSha !== undefined) {
          const behaviour = row.behaviours.get(commitSha);
          if (behaviour === undefined) throw new Error('Commit not found');
          row.release = { commitSha, behaviour };
        }
        return world.deploy(row, row.release).id;
      }),
    templateDeployV2: ({ input }: { input: { [name: string]: unknown } }) =>
      write(() => {
        const { projectId, environmentId } = environmentRow(String(input.environmentId));
        if (projectId !== input.projectId) throw missing('Project');
        const template = world.rows.templates.find(({ id }) => id === input.templateId);
        if (template === undefined) throw new Error('Template not found');
        if (!JSON.stringify(input.serializedConfig).includes(template.id))
          throw new Error('Problem processing request');
        const id = `deploy-template/${randomUUID()}`;
        world.rows.workflows.push({ id, environmentId, template, startedMs: world.now(), done: false });
        return { projectId, workflowId: id };
      }),
  };
  return { ...query, ...mutation };
}

type CreateInput = {
  readonly projectId: string;
  readonly environmentId?: string;
  readonly name?: string;
  readonly source?: { readonly image?: string; readonly repo?: string };
};
type UpdateInput = { readonly numReplicas?: number; readonly source?: { readonly image?: string } };

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Pages as Relay has them; the cursor says nothing to who reads it. */
function connection<Row, View>(rows: readonly Row[], page: Page, view: (row: Row) => View) {
  const from = typeof page.after === 'string' ? Number(atob(page.after)) + 1 : 0;
  const shown = rows.slice(from, from + Math.min(page.first ?? 500, 500));
  return {
    edges: shown.map((row) => ({ node: view(row) })),
    pageInfo: {
      hasNextPage: from + shown.length < rows.length,
      endCursor: shown.length === 0 ? null : btoa(String(from + shown.length - 1)),
    },
  };
}

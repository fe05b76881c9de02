// Railway as a provider: reads in as few requests as possible, and writes as single mutations (DEPLOY-1). Nothing here is retried.
import type { LogLine } from '../../contract/ops/platform.ts';
import type { RailwaySettings } from '../../contract/ops/settings.ts';
import type { RequestBudget } from '../../policy/ops/request-budget.ts';
import { boundedLine } from '../provider/log-line.ts';
import { type LogQuestion, type Provider, type ProviderCall, ProviderFailure } from '../provider/provider.ts';
import { type Client, createClient } from './client.ts';
import { type Place, type PlaceOf, placeOf } from './place.ts';
import type { LogShape, ServiceShape } from './shapes.ts';
import { deploymentOf, serviceOf } from './status.ts';
import { railwayWrites } from './writes.ts';

export type RailwayParts = {
  /** What `settings.token` refers to. */
  readonly token: string;
  readonly budget: RequestBudget;
  readonly fetch?: typeof fetch;
  /** Of one request; default 15 s. */
  readonly timeoutMs?: number;
};

/** What a page holds, here and there. */
const pageSize = 500;
const maxPages = 20;
const maxLogLines = 5_000;
/** Of a service whose settings were not asked for. */
const nothingExpected = { serves: false, replicas: null };

/** How many requests it takes to read all services once. */
export function requestsPerOverview(services: number): number {
  return Math.max(1, Math.ceil(services / pageSize));
}

export function createRailwayProvider(settings: RailwaySettings, parts: RailwayParts): Provider {
  const { apiUrl, tokenKind } = settings;
  const client = createClient({ ...parts, apiUrl, tokenKind });
  const place = placeOf(settings, client);

  return {
    overview: async (call) => {
      const { projectId, environmentId } = await place(call);
      let names = { project: '', environment: '' };
      const services: ServiceShape[] = [];
      await everyPage('overview', async (after) => {
        const variables = { projectId, environmentId, first: pageSize, after };
        const { project, environment } = await client.read('overview', variables, call);
        names = { project: project.name, environment: environment.name };
        services.push(...environment.serviceInstances.edges.map(({ node }) => node));
        return environment.serviceInstances.pageInfo;
      });
      return {
        ...names,
        dashboardUrl: dashboardUrl(apiUrl, { projectId, environmentId }),
        services: services.filter(({ deletedAt }) => deletedAt === null).map(serviceOf),
      };
    },
    deployments: async (serviceId, limit, call) => {
      const input = { ...(await place(call)), serviceId };
      const { deployments } = await client.read('deployments', { input, first: limit }, call);
      return deployments.edges
        .map(({ node }) => deploymentOf(node, serviceId, nothingExpected))
        .sort((a, b) => b.createdAtMs - a.createdAtMs)
        .slice(0, limit);
    },
    logs: async (question, call) => {
      const deploymentId = question.deploymentId ?? (await newest(client, place, question.serviceId, call));
      if (deploymentId === null) return [];
      const limit = Math.min(question.limit, maxLogLines);
      const since = question.sinceMs === undefined ? {} : { startDate: iso(question.sinceMs) };
      const variables = { deploymentId, limit, ...since };
      const lines =
        question.kind === 'build'
          ? (await client.read('buildLogs', variables, call)).buildLogs
          : (await client.read('deploymentLogs', variables, call)).deploymentLogs;
      return logLines(lines, { ...question, limit });
    },
    variableNames: async (serviceId, call) => {
      const { projectId, environmentId } = await place(call);
      const names = new Set<string>();
      await everyPage('variableNames', async (after) => {
        const variables = { projectId, environmentId, first: pageSize, after };
        const { edges, pageInfo } = (await client.read('variableNames', variables, call)).environment
          .variables;
        for (const { node } of edges) if (node.serviceId === serviceId) names.add(node.name);
        return pageInfo;
      });
      return [...names].sort();
    },
    templateState: async (workflowId, call) => {
      const { status, error } = (await client.read('workflowStatus', { workflowId }, call)).workflowStatus;
      if (status === 'Complete') return { state: 'complete', error: null };
      if (status === 'Error') return { state: 'failed', error: error || 'Railway gave no reason' };
      if (status === 'Running') return { state: 'running', error: null };
      // Right after its start a workflow is not found yet.
      return { state: 'unknown', error: `Railway says ${status}` };
    },
    ...railwayWrites(client, place),
  };
}

async function everyPage(
  what: string,
  read: (
    after: string | null,
  ) => Promise<{ readonly hasNextPage: boolean; readonly endCursor: string | null }>,
): Promise<void> {
  let after: string | null = null;
  for (let page = 1; page <= maxPages; page += 1) {
    const { hasNextPage, endCursor } = await read(after);
    if (!hasNextPage) return;
    if (endCursor === null || endCursor === after) break;
    after = endCursor;
  }
  throw new ProviderFailure(`Railway ${what}: more than ${maxPages} pages of ${pageSize}`, {
    kind: 'refused',
  });
}

async function newest(
  client: Client,
  place: PlaceOf,
  serviceId: string,
  call: ProviderCall,
): Promise<string | null> {
  const { environmentId } = await place(call);
  const { serviceInstance } = await client.read('latestDeployment', { environmentId, serviceId }, call);
  return serviceInstance.latestDeployment?.id ?? null;
}

/** Railway gives one line more than asked for. */
function logLines(lines: readonly LogShape[], { limit, sinceMs = 0 }: LogQuestion): readonly LogLine[] {
  return lines
    .filter(({ timestamp }) => timestamp >= sinceMs)
    .sort((a, b) => a.timestamp - b.timestamp)
    .slice(-limit)
    .map(({ timestamp, severity, message }) => ({
      atMs: timestamp,
      severity: severity ?? 'info',
      text: boundedLine(message),
    }));
}

function dashboardUrl(apiUrl: string, { projectId, environmentId }: Place): string | null {
  const { hostname } = new URL(apiUrl);
  if (hostname !== 'backboard.railway.com') return null;
  return `https://railway.com/project/${encodeURIComponent(projectId)}?environmentId=${encodeURIComponent(environmentId)}`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

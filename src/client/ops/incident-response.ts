// What somebody does who was just called (OPS-1): production is read now, what is broken is shown, and each of it has a remedy at work. The loop does
// the same by itself, through the same guards.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { WakeSignal } from '../../contract/loop.ts';
import { remedyWorkflowId, signals, tenantWorkflowId, updates } from '../../contract/names.ts';
import type { WorkspaceConfig } from '../../contract/tenant-config.ts';
import { type OpenIncident, readOpenIncidents } from '../../store/ops/open-incidents.ts';
import { type LastRead, lastReads } from '../../store/status.ts';
import { type Context, tell } from '../context.ts';
import { UsageError } from '../errors.ts';
import { workflowLink } from '../look/findings.ts';
import { requireTenant } from '../names.ts';
import { order, startLoop, type Waiting } from '../steer/orders.ts';
import { type Where, workspaceIn } from './operate.ts';

const pollMs = 500;
const readWithinMs = 3 * 60_000;
const watched = ['health', 'deployments'] as const;

export type IncidentSeen = {
  readonly fingerprint: string;
  readonly kind: 'incident' | 'deployment';
  readonly level: string | null;
  readonly title: string;
  readonly status: string;
  readonly since: string;
  readonly checks: readonly { readonly name: string; readonly reason: string; readonly level: string }[];
  readonly services: readonly string[];
  readonly waitingFor: string | null;
  readonly acknowledgedBy: string | null;
  readonly issue: { readonly number: number; readonly url: string } | null;
  readonly workflowId: string;
  readonly link: string | null;
};

export type IncidentResponse = {
  readonly tenant: string;
  readonly workspace: string;
  /** Of health and deployments; `unknown`: it says nothing about production. */
  readonly read: readonly {
    readonly source: string;
    readonly state: string;
    readonly reason: string;
    readonly readAt: string;
  }[];
  readonly open: readonly IncidentSeen[];
  /** Fingerprints whose remedy was ordered just now. */
  readonly ordered: readonly string[];
};

/** @param waiting `untilOver`: comes back when nothing is open any more, else after what is open has a remedy */
export async function respond(
  context: Context,
  where: Where,
  by: string,
  waiting: Waiting & { readonly untilOver?: boolean } = {},
): Promise<IncidentResponse> {
  const row = await requireTenant(context.pool, where.tenant);
  const { tenant } = row;
  const name = workspaceIn(row, where.workspace);
  const workspace = row.config.workspaces.find((one) => one.name === name);
  if (!workspace || (!workspace.services && !workspace.health))
    throw new UsageError(
      `workspace: nothing of "${name}" is watched in production. Fix: add "services" or "health" to it in the tenant file and apply it`,
    );
  let reads = await readNow(context, tenant, workspace, by, waiting);
  const ordered = await orderRemedies(context, tenant, name, by);
  let open = await readOpenIncidents(context.pool, tenant, name);
  let said = '';
  while (waiting.untilOver === true && open.length > 0) {
    waiting.signal?.throwIfAborted();
    const now = open.map(({ title, status, waitingFor }) => `${title}: ${waitingFor ?? status}`).join('; ');
    if (now !== said) waiting.onProgress?.(now);
    said = now;
    await delay(pollMs, undefined, waiting.signal ? { signal: waiting.signal } : {});
    open = await readOpenIncidents(context.pool, tenant, name);
    reads = await readsOf(context, tenant, name);
  }
  return {
    tenant,
    workspace: name,
    read: reads.map(({ source, state, reason, readAtMs }) => ({
      source,
      state,
      reason,
      readAt: new Date(readAtMs).toISOString(),
    })),
    open: open.map((one) => seen(context, tenant, workspace, one)),
    ordered,
  };
}

/** Wakes the loop for what says how production is, and waits until that was read. */
async function readNow(
  context: Context,
  tenant: string,
  { name, services, health }: WorkspaceConfig,
  by: string,
  waiting: Waiting,
): Promise<readonly LastRead[]> {
  const wanted: readonly string[] = watched.filter((source) => (source === 'health' ? health : services));
  const before = new Map(
    (await readsOf(context, tenant, name)).map((read) => [read.source as string, read.cycle]),
  );
  const reason = `incident response by ${by}`;
  const wake: WakeSignal = { reason, sources: wanted.map((source) => `${name}/${source}`) };
  const told = await tell(context, tenantWorkflowId(tenant), signals.wake, wake);
  if (told !== 'sent') await startLoop(context, tenant, reason);
  waiting.onProgress?.(`reading ${wanted.join(' and ')} of ${name}`);
  const endMs = Date.now() + readWithinMs;
  for (;;) {
    waiting.signal?.throwIfAborted();
    const now = await readsOf(context, tenant, name);
    const isNew = ({ source, cycle }: LastRead): boolean => cycle > (before.get(source) ?? 0);
    if (wanted.every((source) => now.some((read) => read.source === source && isNew(read)))) return now;
    if (Date.now() > endMs) {
      waiting.onProgress?.(`not read within ${readWithinMs / 60_000} min: is a worker running?`);
      return now;
    }
    await delay(pollMs, undefined, waiting.signal ? { signal: waiting.signal } : {});
  }
}

async function readsOf({ pool }: Context, tenant: string, workspace: string): Promise<readonly LastRead[]> {
  const all = await lastReads(pool, tenant);
  return all.filter(
    (read) => read.workspace === workspace && watched.some((source) => source === read.source),
  );
}

/** What has a remedy was read anew with the wake; what has none, or was handed to a person, gets one. */
async function orderRemedies(
  context: Context,
  tenant: string,
  workspace: string,
  by: string,
): Promise<readonly string[]> {
  const ordered: string[] = [];
  for (const { fingerprint, status } of await readOpenIncidents(context.pool, tenant, workspace)) {
    if (status !== 'open' && status !== 'escalated') continue;
    const input = { by, requestId: randomUUID(), finding: fingerprint };
    await order(context, tenant, updates.remediate, input);
    ordered.push(fingerprint);
  }
  return ordered;
}

function seen(
  context: Context,
  tenant: string,
  { github }: WorkspaceConfig,
  incident: OpenIncident,
): IncidentSeen {
  const { fingerprint, kind, occurrence, detail, issue } = incident;
  const workflowId = remedyWorkflowId({ tenant, kind, fingerprint, occurrence });
  const web = github.apiUrl === 'https://api.github.com' ? 'https://github.com' : github.apiUrl;
  return {
    fingerprint,
    kind,
    level: incident.level ?? ('level' in detail ? detail.level : null),
    title: incident.title,
    status: incident.status,
    since: new Date(Number(incident.detectedMs ?? incident.firstSeenMs)).toISOString(),
    checks:
      detail.kind === 'incident'
        ? detail.failed.map(({ name, reason, level }) => ({ name, reason, level }))
        : [],
    services:
      detail.kind === 'incident' ? detail.services : detail.kind === 'deployment' ? [detail.service] : [],
    waitingFor: incident.waitingFor,
    acknowledgedBy: incident.acknowledgedBy,
    issue: issue === null ? null : { number: issue, url: `${web}/${github.repository}/issues/${issue}` },
    workflowId,
    link: workflowLink(context, workflowId),
  };
}

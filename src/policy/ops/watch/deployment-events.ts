// What happened to deployments since the last cycle (DEPLOY-2), from what was known then and what is there now. Pure: events and the new memory
// are stored in one transaction, so that no event is lost or told twice, whatever is killed in between.
import type {
  DeploymentEvent,
  DeploymentMemory,
  ServiceMemory,
} from '../../../contract/ops/deployment-events.ts';
import type { Deployment, Service, ServiceStatus } from '../../../contract/ops/platform.ts';

const kept = 20;
const worstFirst: readonly ServiceStatus[] = [
  'failed',
  'crashed',
  'degraded',
  'unknown',
  'stopped',
  'deploying',
  'running',
];
const bad: readonly ServiceStatus[] = ['failed', 'crashed', 'degraded'];

export type ServiceNow = {
  readonly service: Service;
  /** Its newest deployments, newest first; null: they were not listed in this cycle. */
  readonly listed: readonly Deployment[] | null;
  /** `listed` is all there are. */
  readonly complete: boolean;
};

export type EventsSince = {
  /** Failed and degraded first, then by time. */
  readonly events: readonly DeploymentEvent[];
  readonly memory: DeploymentMemory;
  /** Ids of services with a deployment that was not known: list theirs and ask again with the old memory, or what came and went is not seen. */
  readonly toList: readonly string[];
  /** Names of services whose list does not reach back to what was known: something may be missing. */
  readonly gaps: readonly string[];
};

/**
 * The first time, only what is bad is told: the rest is not news.
 * @param memory null: nothing was read yet
 */
export function eventsSince(
  memory: DeploymentMemory | null,
  now: readonly ServiceNow[],
  nowMs: number,
): EventsSince {
  const events: DeploymentEvent[] = [];
  const services: { [id: string]: ServiceMemory } = {};
  const toList: string[] = [];
  const gaps: string[] = [];
  for (const one of now) {
    const { id, name } = one.service;
    const before = memory?.services[id];
    const read = readService(one, memory !== null, before);
    if (read.gap === 'toList') toList.push(id);
    if (read.gap === 'lost') gaps.push(name);
    if (memory !== null && before === undefined) events.push(ofService(one.service, 'serviceAdded', nowMs));
    events.push(...read.events);
    services[id] = read.memory;
  }
  for (const [id, { name }] of Object.entries(memory?.services ?? {}))
    if (!Object.hasOwn(services, id)) events.push(ofService({ id, name }, 'serviceRemoved', nowMs));
  return { events: inOrder(events), memory: { services }, toList, gaps };
}

/** One line, for people; the platform's words are cleaned where it is shown. */
export function eventLine({ kind, service, deployment, from }: DeploymentEvent): string {
  if (deployment === null)
    return `${service}: the service was ${kind === 'serviceAdded' ? 'added' : 'removed'}`;
  const what = { created: 'new deployment', changed: 'deployment', again: 'once more, deployment' };
  const before = from === null || kind === 'again' ? '' : `${from} → `;
  return `${service}: ${what[kind as keyof typeof what]} ${deployment.id} ${before}${deployment.status} (${deployment.rawStatus})`;
}

function readService(
  { service, listed, complete }: ServiceNow,
  isNews: boolean,
  before: ServiceMemory | undefined,
): {
  readonly events: readonly DeploymentEvent[];
  readonly memory: ServiceMemory;
  readonly gap: 'none' | 'toList' | 'lost';
} {
  const known = new Map(before?.known.map((one) => [one.id, one]));
  const told = before?.toldUntilMs ?? null;
  const isNew = (one: Deployment): boolean => !known.has(one.id) && (told === null || one.createdAtMs > told);
  const here = unique([...(listed ?? []), service.latest, service.live]);
  const fresh = here.filter(isNew);
  const events = here.flatMap((one): DeploymentEvent[] => {
    const was = known.get(one.id);
    if (was === undefined) {
      if (!isNew(one) || (!isNews && !bad.includes(one.status))) return [];
      return [ofDeployment(service, one, 'created', null)];
    }
    if (was.status !== one.status) return [ofDeployment(service, one, 'changed', was.status)];
    const again = bad.includes(one.status) && one.statusChangedAtMs > was.statusChangedAtMs;
    return again ? [ofDeployment(service, one, 'again', was.status)] : [];
  });
  const reachesBack = complete || known.size === 0 || (listed ?? []).some((one) => !isNew(one));
  const gap =
    !isNews || fresh.length === 0 || (listed !== null && reachesBack)
      ? 'none'
      : listed === null
        ? 'toList'
        : 'lost';
  return { events, memory: remember(service, here, before, isNews), gap };
}

/** What was known and is not listed any more is kept as long as there is room: it may be listed again. */
function remember(
  service: Service,
  here: readonly Deployment[],
  before: ServiceMemory | undefined,
  isNews: boolean,
): ServiceMemory {
  const now = here.map(({ id, status, createdAtMs, statusChangedAtMs }) => ({
    id,
    status,
    createdAtMs,
    statusChangedAtMs,
  }));
  const all = unique([...now, ...(before?.known ?? [])]).sort((a, b) => b.createdAtMs - a.createdAtMs);
  const serves = (one: { readonly id: string }): boolean => one.id === service.live?.id;
  const stays = all.filter((one, index) => index < kept || serves(one));
  const dropped = all.filter((one, index) => index >= kept && !serves(one)).map((one) => one.createdAtMs);
  // What is older than the first reading is no news, whenever it is listed.
  const old = isNews ? [] : here.map((one) => one.createdAtMs);
  const until = Math.max(before?.toldUntilMs ?? Number.NEGATIVE_INFINITY, ...dropped, ...old);
  return { name: service.name, known: stays, toldUntilMs: Number.isFinite(until) ? until : null };
}

function ofDeployment(
  service: Service,
  deployment: Deployment,
  kind: 'created' | 'changed' | 'again',
  from: ServiceStatus | null,
): DeploymentEvent {
  const atMs = kind === 'created' ? deployment.createdAtMs : deployment.statusChangedAtMs;
  const key = `${service.id}/${deployment.id}/${kind}/${deployment.status}/${atMs}`;
  return { key, serviceId: service.id, service: service.name, kind, deployment, from, atMs };
}

function ofService(
  { id, name }: { readonly id: string; readonly name: string },
  kind: 'serviceAdded' | 'serviceRemoved',
  atMs: number,
): DeploymentEvent {
  return {
    key: `${id}/${kind}/${atMs}`,
    serviceId: id,
    service: name,
    kind,
    deployment: null,
    from: null,
    atMs,
  };
}

function inOrder(events: readonly DeploymentEvent[]): readonly DeploymentEvent[] {
  const rank = ({ deployment }: DeploymentEvent): number =>
    deployment === null ? worstFirst.indexOf('unknown') : worstFirst.indexOf(deployment.status);
  return [...events].sort((a, b) => rank(a) - rank(b) || a.atMs - b.atMs || (a.key < b.key ? -1 : 1));
}

/** Each id once, the first one of it. */
function unique<T extends { readonly id: string }>(all: readonly (T | null)[]): T[] {
  const byId = new Map<string, T>();
  for (const one of all) if (one !== null && !byId.has(one.id)) byId.set(one.id, one);
  return [...byId.values()];
}

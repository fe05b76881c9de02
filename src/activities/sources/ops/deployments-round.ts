// From what the platform said in one reading to findings, events and memory (DEPLOY-2, DEPLOY-3). Pure.
import picomatch from 'picomatch';
import type { ObservedFinding } from '../../../contract/finding.ts';
import type { DeploymentEvent } from '../../../contract/ops/deployment-events.ts';
import type { Deployment, Overview, Service } from '../../../contract/ops/platform.ts';
import type { ServicesSettings } from '../../../contract/ops/settings.ts';
import { serviceHealth } from '../../../policy/ops/ladder/health-spans.ts';
import { judgeOutage, type OutageFacts, type OutageState } from '../../../policy/ops/ladder/outage.ts';
import { eventLine, eventsSince, type ServiceNow } from '../../../policy/ops/watch/deployment-events.ts';
import type { SourceEvent } from '../definition.ts';
import { type Fault, faultOf, findingOf } from './deployments-faults.ts';
import type { DeploymentsMemory } from './deployments-memory.ts';

const ruleVersion = 1;
const maxFindings = 90;
const shownNames = 5;
const shownEvents = 3;
const maxWord = 60;
export const providerNames = { railway: 'Railway', command: 'the platform' } as const;

export type DeploymentsRound = {
  readonly settings: ServicesSettings;
  readonly overview: Overview;
  /** Newest first, of services whose list was read; `complete`: all there are. */
  readonly listed: ReadonlyMap<
    string,
    { readonly deployments: readonly Deployment[]; readonly complete: boolean }
  >;
  /** Ids of services that moved and whose list could not be read now: looked at in the next reading as if nothing had been. */
  readonly deferred: ReadonlySet<string>;
  readonly nowMs: number;
};

export type DeploymentsResult = {
  readonly memory: DeploymentsMemory;
  readonly findings: readonly ObservedFinding[];
  readonly events: readonly SourceEvent[];
  readonly state: 'green' | 'red';
  readonly reason: string;
};

/** @throws Error when the settings watch none of the services that there are */
export function watchedServices(settings: ServicesSettings, overview: Overview): readonly Service[] {
  const isWatched = picomatch([...settings.watch]);
  const watched = overview.services.filter(({ name }) => isWatched(name));
  if (watched.length > 0 || overview.services.length === 0) return watched;
  const names = overview.services
    .slice(0, shownNames)
    .map(({ name }) => name)
    .join(', ');
  throw new Error(`services.watch (${settings.watch.join(', ')}) matches none of the services: ${names}`);
}

/** Ids of services with a deployment that was not known. */
export function servicesToList(
  before: DeploymentsMemory | null,
  watched: readonly Service[],
  nowMs: number,
): readonly string[] {
  return eventsSince(before?.seen ?? null, watched.map(notListed), nowMs).toList;
}

export function judgeDeployments(
  before: DeploymentsMemory | null,
  round: DeploymentsRound,
): DeploymentsResult {
  const { settings, overview, nowMs } = round;
  const watched = watchedServices(settings, overview);
  const since = eventsSince(
    before?.seen ?? null,
    watched.map((service) => serviceNow(round, service)),
    nowMs,
  );
  const bad = watched.flatMap((service) => {
    const fault = faultOf(service, before?.bad[service.id]);
    return fault === null ? [] : [{ service, fault }];
  });
  const outage = judgeOutage(
    before?.outage ?? null,
    {
      provider: providerNames[settings.provider.kind],
      services: watched.map((service) => ({ name: service.name, health: serviceHealth(service, null) })),
      apiFailure: null,
    },
    nowMs,
  );
  const findings = bad.slice(0, maxFindings).map(({ service, fault }) => findingOf(settings, service, fault));
  const stopped = watched.filter((service) => serviceHealth(service, null) === 'stopped');
  return {
    memory: {
      readAtMs: nowMs,
      services: overview.services.length,
      watched: watched.length - stopped.length,
      bad: Object.fromEntries(
        bad.map(({ service, fault: { status, sinceMs } }) => [service.id, { status, sinceMs }]),
      ),
      outage: outage.state,
      seen: since.memory,
      findings,
    },
    findings: [...noticeOf(outage.state, settings), ...findings],
    events: [
      ...outageEvents(outage, settings, nowMs),
      ...since.events.map((event) => eventOf(settings, event)),
    ],
    state: bad.length === 0 ? 'green' : 'red',
    reason: reasonOf(watched, bad, since, round),
  };
}

/** The platform's API did not answer: everything is held (DEPLOY-3), nothing is known to be better or worse. */
export function judgeApiFailure(
  before: DeploymentsMemory | null,
  settings: ServicesSettings,
  failure: string,
  nowMs: number,
): Pick<DeploymentsResult, 'memory' | 'findings' | 'events'> {
  const provider = providerNames[settings.provider.kind];
  const facts: OutageFacts = { provider, services: [], apiFailure: failure };
  const outage = judgeOutage(before?.outage ?? null, facts, nowMs);
  const nothing = {
    readAtMs: 0,
    services: 0,
    watched: 0,
    bad: {},
    seen: { services: {} },
    findings: [],
  };
  return {
    memory: { ...(before ?? nothing), outage: outage.state },
    findings: noticeOf(outage.state, settings),
    events: outageEvents(outage, settings, nowMs),
  };
}

function noticeOf(
  outage: OutageState | null,
  { provider, environment }: ServicesSettings,
): readonly ObservedFinding[] {
  if (outage === null) return [];
  const name = providerNames[provider.kind];
  const text = `Outage of ${name}: ${outage.reason}. Nothing is restarted, redeployed or rolled back until it is over.`;
  return [
    {
      kind: 'notice',
      target: environment,
      signature: 'provider outage',
      ruleVersion,
      severity: 'info',
      title: `${name} is out: ${outage.reason}`,
      detail: { kind: 'notice', about: 'provider', name, level: 'warning', text },
    },
  ];
}

function outageEvents(
  { note, state }: ReturnType<typeof judgeOutage>,
  { environment }: ServicesSettings,
  nowMs: number,
): readonly SourceEvent[] {
  if (note === null) return [];
  const detail = state === null ? {} : { sinceMs: state.sinceMs };
  return [{ atMs: nowMs, action: `outage.${note.kind}`, subject: environment, reason: note.text, detail }];
}

function eventOf({ environment }: ServicesSettings, event: DeploymentEvent): SourceEvent {
  const { kind, service, deployment, from, atMs, key } = event;
  return {
    atMs,
    action:
      deployment === null
        ? `service.${kind === 'serviceAdded' ? 'added' : 'removed'}`
        : `deployment.${kind === 'created' ? 'created' : deployment.status}`,
    subject: `${environment}/${service}`,
    reason: eventLine(event),
    detail: {
      key,
      ...(deployment === null
        ? {}
        : {
            deploymentId: deployment.id,
            status: deployment.status,
            rawStatus: deployment.rawStatus.slice(0, maxWord),
            from,
          }),
    },
  };
}

function serviceNow({ listed, deferred }: DeploymentsRound, service: Service): ServiceNow {
  // Shown without its deployments it stays as it was known.
  if (deferred.has(service.id)) return notListed({ ...service, latest: null, live: null });
  const list = listed.get(service.id);
  return list === undefined
    ? notListed(service)
    : { service, listed: list.deployments, complete: list.complete };
}

function notListed(service: Service): ServiceNow {
  return { service, listed: null, complete: false };
}

function reasonOf(
  watched: readonly Service[],
  bad: readonly { readonly service: Service; readonly fault: Fault }[],
  { events, gaps }: ReturnType<typeof eventsSince>,
  { deferred }: DeploymentsRound,
): string {
  const count = (health: ReturnType<typeof serviceHealth>): number =>
    watched.filter((service) => serviceHealth(service, null) === health).length;
  const some = (names: readonly string[]): string =>
    `${names.slice(0, shownNames).join(', ')}${names.length > shownNames ? ` and ${names.length - shownNames} more` : ''}`;
  const faulty = bad.map(
    ({ service, fault }) =>
      `${service.name} ${fault.status}${fault.serving ? ' beside one that serves' : ''}`,
  );
  const newest = [...events]
    .sort((a, b) => b.atMs - a.atMs)
    .slice(0, shownEvents)
    .map(eventLine);
  return [
    `${watched.length} services: ${count('healthy')} healthy`,
    ...(faulty.length === 0 ? [] : [some(faulty)]),
    ...(count('deploying') === 0 ? [] : [`${count('deploying')} deploying`]),
    ...(count('stopped') === 0 ? [] : [`${count('stopped')} stopped`]),
    ...(deferred.size === 0 ? [] : [`${deferred.size} moved and are looked at in the next reading`]),
    ...(gaps.length === 0 ? [] : [`deployments between two readings may be missing of ${some(gaps)}`]),
    events.length === 0 ? 'no events' : `${events.length} events: ${newest.join('; ')}`,
  ].join('; ');
}

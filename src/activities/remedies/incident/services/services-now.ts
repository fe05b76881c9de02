// The services that an incident involves, in one turn: the ladder of each, and what they add to its severity.

import type { Finding } from '../../../../contract/finding.ts';
import type { DoneEffect } from '../../../../contract/ops/activities.ts';
import type { CheckState } from '../../../../contract/ops/incident.ts';
import type { IncidentLevel, ServicesSettings } from '../../../../contract/ops/settings.ts';
import type { WorkspaceConfig } from '../../../../contract/tenant-config.ts';
import { serviceHealth } from '../../../../policy/ops/ladder/health-spans.ts';
import { judgeOutage } from '../../../../policy/ops/ladder/outage.ts';
import type { Draft } from '../draft.ts';
import { type Known, servicesOf } from '../parts.ts';
import type { PlatformView } from '../platform.ts';
import { serviceName } from '../severity-now.ts';
import { type LadderTurn, turnLadder } from './ladder.ts';

export type ServicesNow = {
  readonly ladders: readonly LadderTurn[];
  readonly checks: {
    readonly [name: string]: {
      readonly state: CheckState;
      readonly level: IncidentLevel;
      readonly reason: string;
    };
  };
};

/** In the order of their names, so that two remedies never wait for each other. */
export async function turnServices(
  draft: Draft,
  known: Known,
  platform: PlatformView | null,
  question: { readonly done: readonly DoneEffect[]; readonly nudged: boolean },
): Promise<ServicesNow> {
  const { services } = known.workspace;
  if (!services || platform === null) return { ladders: [], checks: withoutPlatform(draft) };
  const hold = outageOf(services, platform, draft.nowMs);
  const ladders: LadderTurn[] = [];
  for (const service of [...new Set(servicesOf(draft.finding))].sort()) {
    ladders.push(
      await turnLadder(draft.tx, {
        ref: { ...draft.ref, kind: draft.finding.kind },
        key: {
          tenant: draft.ref.tenant,
          workspace: draft.ref.workspace,
          environment: services.environment,
          service,
        },
        settings: services.ladder,
        platform,
        check: checkOn(service, draft, known, platform),
        hold,
        done: question.done.filter(({ name }) => name === `ladder/${service}`),
        nudged: question.nudged,
        nowMs: draft.nowMs,
      }),
    );
  }
  return { ladders, checks: checksOf(draft, services, platform, ladders) };
}

/**
 * Whether the health checks that name this service fail. A service is not blamed for a check while another one of the same incident is down by
 * the platform's own word.
 */
function checkOn(
  service: string,
  { finding, nowMs }: Draft,
  known: Known,
  platform: PlatformView,
): { readonly failing: boolean; readonly readAtMs: number } | null {
  const about = known.red.filter((one) => one.kind === 'incident' && servicesOf(one).includes(service));
  const own = finding.kind === 'incident' ? [finding] : [];
  const incident = about[0] ?? own[0];
  if (incident === undefined) return null;
  const readAtMs = known.readAtMs[incident.source];
  if (readAtMs === undefined) return null;
  const others = servicesOf(incident).filter((name) => name !== service);
  const otherDown = others.some((name) => ownHealth(name, platform) === 'unhealthy');
  if (otherDown && ownHealth(service, platform) === 'healthy') return null;
  const failing = about.some((one) => failsNow(one, service, known.workspace));
  return { failing, readAtMs: Math.min(readAtMs, nowMs) };
}

/** An incident stays for minutes after its last check passed: what fails is what its last reading names. */
function failsNow({ detail }: Finding, service: string, { health }: WorkspaceConfig): boolean {
  if (detail.kind !== 'incident') return false;
  return detail.failed.some(({ name }) => {
    const check = health?.checks.find((one) => one.name === name);
    return check === undefined || check.services.includes(service);
  });
}

/** By the platform's word alone. */
function ownHealth(name: string, { overview }: PlatformView): ReturnType<typeof serviceHealth> {
  if (overview === null) return 'unknown';
  return serviceHealth(
    overview.services.find((service) => service.name === name),
    null,
  );
}

function outageOf(
  { provider }: ServicesSettings,
  { overview, failure }: PlatformView,
  nowMs: number,
): ReturnType<typeof judgeOutage>['hold'] {
  const services = (overview?.services ?? []).map((service) => ({
    name: service.name,
    health: serviceHealth(service, null),
  }));
  const name = provider.kind === 'railway' ? 'Railway' : 'the platform';
  return judgeOutage(null, { provider: name, services, apiFailure: failure }, nowMs).hold;
}

/** What is down, or failed beside one that serves, fails by the name of the service. */
function checksOf(
  { finding }: Draft,
  { level }: ServicesSettings,
  platform: PlatformView,
  ladders: readonly LadderTurn[],
): ServicesNow['checks'] {
  const { detail } = finding;
  return Object.fromEntries(
    ladders.map(({ service, failedBeside, health }) => {
      const own = ownHealth(service, platform);
      const usual = detail.kind === 'deployment' ? detail.level : (level.byService[service] ?? level.default);
      const now = platform.overview?.services.find(({ name }) => name === service);
      const reason =
        detail.kind === 'deployment' && own === 'unknown'
          ? detail.rawStatus
          : (now?.latest?.rawStatus ?? health);
      return [
        serviceName(service),
        { state: failedBeside ? 'failing' : stateOf(own), level: failedBeside ? 'sev3' : usual, reason },
      ] as const;
    }),
  );
}

function stateOf(health: ReturnType<typeof serviceHealth>): CheckState {
  if (health === 'unhealthy') return 'failing';
  return health === 'unknown' || health === 'deploying' ? 'unknown' : 'passing';
}

/** Nobody can be asked: what the source says. */
function withoutPlatform({ finding }: Draft): ServicesNow['checks'] {
  const { detail, status } = finding;
  if (detail.kind !== 'deployment') return {};
  const state = status === 'resolved' ? 'passing' : 'failing';
  const level = detail.serving ? 'sev3' : detail.level;
  return { [serviceName(detail.service)]: { state, level, reason: detail.rawStatus } };
}

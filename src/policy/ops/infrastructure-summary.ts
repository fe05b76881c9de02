// The state of what runs as one structured message for the operator model (MODEL-2): limits first, then one line of JSON for each thing that is
// not well, the worst first, bounded by tokens; what is well is counted. Pure. Words from outside are values of JSON inside marked data: they
// inform, they cannot command (SEC-1).
import type { DeploymentEvent } from '../../contract/ops/deployment-events.ts';
import type { CheckState } from '../../contract/ops/incident.ts';
import type { Rung, RungKind, ServiceHealth } from '../../contract/ops/ladder.ts';
import type { IncidentLevel } from '../../contract/ops/settings.ts';
import { asData, visibleText } from '../model/outside-text.ts';

const maxWords = 300;
const maxNames = 20;

export type InfrastructureView = {
  readonly atMs: number;
  readonly limits: {
    readonly autonomy: string;
    /** Mutating effects that may still pass now: of the tenant in 5 min, on services in an hour. */
    readonly effectsLeft: number;
    readonly serviceChangesLeft: number;
    readonly paused: string | null;
  };
  readonly workspaces: readonly WorkspaceView[];
};

export type WorkspaceView = {
  readonly workspace: string;
  readonly environment: string;
  /** Why everything is held; null: the platform is well. */
  readonly outage: string | null;
  readonly incidents: readonly {
    readonly level: IncidentLevel;
    readonly failed: readonly string[];
    readonly sinceMs: number;
    readonly acknowledgedBy: string | null;
  }[];
  readonly services: readonly {
    readonly name: string;
    readonly health: ServiceHealth;
    readonly rawStatus: string;
    readonly deploymentId: string | null;
    /** How bad it is when it is down. */
    readonly level: IncidentLevel;
    readonly sinceMs: number | null;
    readonly tried: readonly Pick<Rung, 'kind' | 'atMs' | 'outcome'>[];
    readonly cooldownUntilMs: { readonly [kind in RungKind]?: number };
  }[];
  readonly checks: readonly {
    readonly name: string;
    readonly state: CheckState;
    readonly level: IncidentLevel;
    readonly reason: string;
    readonly sinceMs: number | null;
  }[];
  /** Since the last cycle. */
  readonly events: readonly DeploymentEvent[];
  readonly notices: readonly { readonly level: 'info' | 'warning'; readonly text: string }[];
};

export type InfrastructureSummary = {
  /** Something fails, or cannot be read: without it no model is asked (LOOP-5). */
  readonly red: boolean;
  readonly text: string;
  /** Lines for which there was no room, the least severe. */
  readonly leftOut: number;
};

type Line = { readonly rank: number; readonly red: boolean; readonly value: object };

/**
 * @param room tokens the message may have; `estimate` says how many one line is
 */
export function infrastructureSummary(
  view: InfrastructureView,
  room: { readonly tokens: number; readonly estimate: (line: string) => number },
): InfrastructureSummary {
  const all = view.workspaces.flatMap((workspace) => linesOf(workspace, view.atMs));
  const lines = all.toSorted((a, b) => a.rank - b.rank);
  const limits = JSON.stringify({
    now: time(view.atMs),
    ...view.limits,
    autonomy: words(view.limits.autonomy),
    paused: words(view.limits.paused),
  });
  const last = (left: number): string => JSON.stringify({ leftOut: `${left} less severe lines` });
  const frame = asData(name, '').split('\n');
  let left = room.tokens - sum([...frame, limits, last(lines.length)], room.estimate);
  const shown = [limits];
  let leftOut = 0;
  for (const { value } of lines) {
    const line = JSON.stringify(value);
    const cost = room.estimate(line);
    // Once one has no room, nothing less severe takes its place.
    if (leftOut > 0 || cost > left) leftOut += 1;
    else {
      shown.push(line);
      left -= cost;
    }
  }
  const text = asData(name, [...shown, ...(leftOut > 0 ? [last(leftOut)] : [])].join('\n'));
  return { red: all.some(({ red }) => red), text, leftOut };
}

const name = 'state of the infrastructure';

/** Incidents, then what is down, then what fails, then what is not known, each by its level; then news. */
function linesOf(view: WorkspaceView, nowMs: number): readonly Line[] {
  const where = { workspace: words(view.workspace), environment: words(view.environment) };
  const line = (rank: number, level: IncidentLevel | null, red: boolean, value: object): Line => ({
    rank: rank + (level === null ? 0 : levels.indexOf(level)),
    red,
    value,
  });
  return [
    ...(view.outage === null ? [] : [line(0, null, true, { outage: words(view.outage), ...where })]),
    ...view.incidents.map(({ level, failed, sinceMs, acknowledgedBy }) =>
      line(10, level, true, {
        incident: level,
        ...where,
        failed: failed.slice(0, maxNames).map(words),
        since: time(sinceMs),
        acknowledgedBy: words(acknowledgedBy),
      }),
    ),
    ...view.services.flatMap((service): Line[] => {
      const rank = healthRank[service.health];
      if (rank === null) return [];
      return [line(rank, service.level, isRed(service.health), serviceLine(service, where, nowMs))];
    }),
    ...view.checks.flatMap(({ state, level, reason, sinceMs, name: check }): Line[] =>
      state === 'passing'
        ? []
        : [
            line(state === 'failing' ? 30 : 40, level, true, {
              check: words(check),
              state,
              severity: level,
              ...where,
              reason: words(reason),
              since: time(sinceMs),
            }),
          ],
    ),
    ...view.events.map((event) =>
      line(event.deployment !== null && bad.has(event.deployment.status) ? 60 : 80, null, false, {
        event: event.kind,
        ...where,
        service: words(event.service),
        deployment: words(event.deployment?.id ?? null),
        status: event.deployment?.status ?? null,
        at: time(event.atMs),
      }),
    ),
    ...view.notices.map(({ level, text }) =>
      line(level === 'warning' ? 70 : 90, null, false, { notice: level, ...where, text: words(text) }),
    ),
    line(100, null, false, countsOf(view)),
  ];
}

function serviceLine(service: WorkspaceView['services'][number], where: object, nowMs: number): object {
  const cooldowns = Object.entries(service.cooldownUntilMs).filter(([, untilMs]) => untilMs > nowMs);
  return {
    service: words(service.name),
    health: service.health,
    severity: service.level,
    ...where,
    platformSays: words(service.rawStatus),
    deployment: words(service.deploymentId),
    since: time(service.sinceMs),
    tried: service.tried.map(({ kind, atMs, outcome }) => `${kind} at ${time(atMs)}: ${outcome}`),
    cooldowns: cooldowns.map(([kind, untilMs]) => `${kind} until ${time(untilMs)}`),
  };
}

function countsOf({ workspace, environment, services, checks }: WorkspaceView): object {
  const count = (health: ServiceHealth): number =>
    services.filter((service) => service.health === health).length;
  return {
    workspace: words(workspace),
    environment: words(environment),
    services: services.length,
    healthy: count('healthy'),
    stopped: count('stopped'),
    checks: checks.length,
    passing: checks.filter(({ state }) => state === 'passing').length,
  };
}

const levels: readonly IncidentLevel[] = ['sev1', 'sev2', 'sev3'];
const bad: ReadonlySet<string> = new Set(['failed', 'crashed', 'degraded']);
/** Null: counted, not shown. */
const healthRank: { readonly [health in ServiceHealth]: number | null } = {
  unhealthy: 20,
  unknown: 40,
  gone: 40,
  deploying: 50,
  stopped: null,
  healthy: null,
};

function isRed(health: ServiceHealth): boolean {
  return health === 'unhealthy' || health === 'unknown' || health === 'gone';
}

function words(text: string): string;
function words(text: string | null): string | null;
function words(text: string | null): string | null {
  if (text === null) return null;
  const seen = visibleText(text).replace(/\s+/g, ' ').trim();
  return seen.length <= maxWords ? seen : `${seen.slice(0, maxWords - 1).toWellFormed()}…`;
}

function time(ms: number): string;
function time(ms: number | null): string | null;
function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString().slice(0, 19).concat('Z');
}

function sum(lines: readonly string[], estimate: (line: string) => number): number {
  return lines.reduce((all, line) => all + estimate(line), 0);
}

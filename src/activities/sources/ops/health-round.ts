// From the readings of one round to what is known of production (HEALTH-1, INC-1). Pure: the readings were made, and first failures confirmed, before.
import type { ObservedFinding } from '../../../contract/finding.ts';
import type { HealthCheck, MaintenanceWindow } from '../../../contract/ops/health-settings.ts';
import type { CheckState } from '../../../contract/ops/incident.ts';
import type { IncidentSettings } from '../../../contract/ops/settings.ts';
import type { CheckReading } from '../../../integrations/health/run-check.ts';
import { nextSeverity, type SeverityRules } from '../../../policy/ops/incident/severity.ts';
import type { SourceEvent } from '../definition.ts';
import type { CheckMemory, HealthMemory } from './health-memory.ts';

const ruleVersion = 1;
const flapWindowMs = 24 * 3_600_000;
const maxFlaps = 300;
const shownNames = 5;

/** One check that was read in this round. */
export type RoundReading = {
  readonly reading: CheckReading;
  /** It failed first, and was well when it was read again. */
  readonly flapped: boolean;
};

export type Round = {
  readonly environment: string;
  readonly checks: readonly HealthCheck[];
  readonly incidents: Pick<IncidentSettings, 'raise' | 'lowerAfterMs'>;
  /** The one that is on; undefined: none. */
  readonly maintenance: MaintenanceWindow | undefined;
  /** By name; a check that was not due is not in it. */
  readonly readings: ReadonlyMap<string, RoundReading>;
  readonly nowMs: number;
};

export type RoundResult = {
  readonly memory: HealthMemory;
  readonly findings: readonly ObservedFinding[];
  readonly events: readonly SourceEvent[];
  readonly state: 'green' | 'red';
  readonly reason: string;
};

export function judgeRound(before: HealthMemory, round: Round): RoundResult {
  const { nowMs } = round;
  const checks: { [name: string]: CheckMemory } = {};
  for (const { name } of round.checks) {
    const known = nextCheck(before.checks[name], round.readings.get(name), round);
    if (known !== undefined) checks[name] = known;
  }
  const { state: severity, change } = nextSeverity(
    before.severity,
    statesOf(checks),
    rulesOf(round, checks),
    nowMs,
  );
  const over = severity.level === null;
  const involved = round.checks.filter(({ name }) => severity.failing.includes(name));
  const services = over
    ? []
    : [...new Set([...before.services, ...involved.flatMap((check) => check.services)])].sort();
  const memory: HealthMemory = {
    severity,
    services,
    // The next incident counts anew.
    checks: over
      ? Object.fromEntries(Object.entries(checks).map(([name, check]) => [name, { ...check, failures: 0 }]))
      : checks,
  };
  const findings = [...incidentOf(round, memory), ...unreadOf(checks)];
  const events: SourceEvent[] =
    change === null
      ? []
      : [
          {
            atMs: change.atMs,
            action: change.to === null ? 'severity.over' : 'severity.changed',
            subject: `${round.environment}: ${change.from ?? 'well'} → ${change.to ?? 'well'}`,
            reason: change.reason,
            detail: { failing: [...change.failing] },
          },
        ];
  return { memory, findings, events, state: over ? 'green' : 'red', reason: reasonOf(round, memory) };
}

/** Undefined: it was never read. */
function nextCheck(
  before: CheckMemory | undefined,
  read: RoundReading | undefined,
  { maintenance, nowMs }: Round,
): CheckMemory | undefined {
  if (read === undefined) return before;
  const { reading, flapped } = read;
  const failed = reading.state === 'failed';
  const state = failed && maintenance !== undefined ? 'expected' : reading.state;
  const wasFailing = before?.sinceMs != null;
  // What fails as expected, or could not be read, neither begins nor ends a failure.
  const keeps = state === 'expected' || state === 'unknown';
  const sinceMs = state === 'ok' ? null : keeps ? (before?.sinceMs ?? null) : (before?.sinceMs ?? nowMs);
  const flapsMs = (before?.flapsMs ?? []).filter((at) => at > nowMs - flapWindowMs);
  return {
    state,
    reason: reading.reason,
    level: reading.level,
    readAtMs: nowMs,
    sinceMs,
    failures: (before?.failures ?? 0) + (state === 'failed' && !wasFailing ? 1 : 0),
    flapsMs: flapped ? [...flapsMs, nowMs].slice(-maxFlaps) : flapsMs,
  };
}

function statesOf(checks: { readonly [name: string]: CheckMemory }): { [name: string]: CheckState } {
  const states = { ok: 'passing', failed: 'failing', unknown: 'unknown', expected: 'unknown' } as const;
  return Object.fromEntries(Object.entries(checks).map(([name, { state }]) => [name, states[state]]));
}

/** The level is the reading's: an expired certificate is worse than one that soon expires. */
function rulesOf({ incidents }: Round, checks: { readonly [name: string]: CheckMemory }): SeverityRules {
  return {
    byName: Object.fromEntries(Object.entries(checks).map(([name, { level }]) => [name, level])),
    default: 'sev2',
    raise: incidents.raise,
    lowerAfterMs: incidents.lowerAfterMs,
  };
}

/** One per workspace, whatever fails: it stays the same while checks come and go. */
function incidentOf(
  { environment }: Round,
  { checks, severity, services }: HealthMemory,
): readonly ObservedFinding[] {
  const { level, failing } = severity;
  if (level === null) return [];
  const failed = failing.flatMap((name) => {
    const check = checks[name];
    if (check === undefined) return [];
    return [
      {
        name,
        reason: `${check.reason}${countsOf(check)}`,
        level: check.level,
        sinceMs: check.sinceMs ?? check.readAtMs,
      },
    ];
  });
  const what =
    failing.length === 0
      ? 'nothing fails now, to be seen whether it stays so'
      : `${namesOf(failing)} ${failing.length === 1 ? 'fails' : 'fail'}`;
  return [
    {
      kind: 'incident',
      target: environment,
      signature: 'production',
      ruleVersion,
      severity: level === 'sev1' ? 'critical' : 'warning',
      title: `${level.toUpperCase()} ${environment}: ${what}`,
      detail: { kind: 'incident', environment, level, failed, services },
    },
  ];
}

/** A check that cannot be made says nothing of production, and somebody has to know. */
function unreadOf(checks: { readonly [name: string]: CheckMemory }): readonly ObservedFinding[] {
  return Object.entries(checks)
    .filter(([, { state }]) => state === 'unknown')
    .map(([name, { reason }]) => ({
      kind: 'notice',
      target: name,
      signature: 'check cannot be made',
      ruleVersion,
      severity: 'info',
      title: `health check ${name} cannot be made: ${reason}`,
      detail: { kind: 'notice', about: 'check', name, level: 'warning', text: reason },
    }));
}

function reasonOf({ maintenance, checks: settings }: Round, { checks, severity }: HealthMemory): string {
  const named = (state: CheckMemory['state']): readonly string[] =>
    Object.keys(checks).filter((name) => checks[name]?.state === state);
  const said = (names: readonly string[]): string =>
    names
      .slice(0, shownNames)
      .map((name) => `${name} (${checks[name]?.reason})`)
      .join(', ') + (names.length > shownNames ? ` and ${names.length - shownNames} more` : '');
  const [ok, unknown, expected] = [named('ok'), named('unknown'), named('expected')];
  const failing = severity.failing.filter((name) => !expected.includes(name));
  const flapped = Object.entries(checks).filter(([, { flapsMs }]) => flapsMs.length > 0);
  return [
    `${ok.length} of ${settings.length} checks pass`,
    ...(severity.level === null
      ? []
      : [`${severity.level}: ${failing.length === 0 ? 'nothing fails now' : said(failing)}`]),
    ...(expected.length === 0
      ? []
      : [
          `maintenance${maintenance?.reason ? ` (${maintenance.reason})` : ''}, fails as expected: ${said(expected)}`,
        ]),
    ...(unknown.length === 0 ? [] : [`cannot be made: ${said(unknown)}`]),
    ...(flapped.length === 0
      ? []
      : [
          `flapped in the last 24 h: ${flapped
            .slice(0, shownNames)
            .map(([name, { flapsMs }]) => `${name} ${flapsMs.length}×`)
            .join(', ')}`,
        ]),
  ].join('; ');
}

function countsOf({ failures, flapsMs }: CheckMemory): string {
  const parts = [
    ...(failures > 1 ? [`began to fail ${failures} times`] : []),
    ...(flapsMs.length > 0 ? [`flapped ${flapsMs.length} times in 24 h`] : []),
  ];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function namesOf(names: readonly string[]): string {
  return names.length > shownNames
    ? `${names.slice(0, shownNames).join(', ')} and ${names.length - shownNames} more`
    : names.join(', ');
}

// How bad an incident is (INC-1): by rules over which checks and services fail. Pure. It rises at once, and falls only after the lower level
// has held: a check that comes and goes makes one incident, not a row of them.
import type { CheckState, SeverityChange, SeverityState } from '../../../contract/ops/incident.ts';
import { type IncidentLevel, incidentLevels } from '../../../contract/ops/settings.ts';

export type SeverityRules = {
  /** By the name of a check or service. */
  readonly byName: { readonly [name: string]: IncidentLevel };
  /** What no rule names. */
  readonly default: IncidentLevel;
  /** Several at once are worse only where a rule says so: at least `count` of `checks`; an empty list means all there are. */
  readonly raise: readonly {
    readonly checks: readonly string[];
    readonly count: number;
    readonly level: IncidentLevel;
  }[];
  readonly lowerAfterMs: number;
};

export const noSeverity: SeverityState = {
  level: null,
  failing: [],
  belowSinceMs: { sev1: null, sev2: null, sev3: null },
};

/** The level of what fails now, with the reason; null when nothing fails. */
export function levelOf(
  failing: readonly string[],
  rules: SeverityRules,
): { readonly level: IncidentLevel; readonly reason: string } | null {
  const names = [...new Set(failing)].sort();
  const single = names.map((name) => ({ level: ownLevel(name, rules), reason: `${name} fails` }));
  const together = rules.raise.flatMap(({ checks, count, level }) => {
    const hit = checks.length === 0 ? names : names.filter((name) => checks.includes(name));
    if (hit.length === 0 || hit.length < count) return [];
    return [{ level, reason: `${hit.length} fail at once: ${hit.join(', ')}` }];
  });
  return [...single, ...together].sort((a, b) => rank(a.level) - rank(b.level))[0] ?? null;
}

/**
 * One reading more. What could not be read keeps the state it was last known in; what is not in `checks` any more is forgotten.
 * @returns the new state, and the change to record, when there is one
 */
export function nextSeverity(
  state: SeverityState,
  checks: { readonly [name: string]: CheckState },
  rules: SeverityRules,
  nowMs: number,
): { readonly state: SeverityState; readonly change: SeverityChange | null } {
  const failing = Object.keys(checks)
    .filter(
      (name) => checks[name] === 'failing' || (checks[name] === 'unknown' && state.failing.includes(name)),
    )
    .sort();
  const seen = levelOf(failing, rules);
  const belowSinceMs = since(state.belowSinceMs, seen?.level ?? null, nowMs);
  const level = worst(seen?.level ?? null, held(state.level, belowSinceMs, rules.lowerAfterMs, nowMs));
  const next = { level, failing, belowSinceMs };
  if (level === state.level) return { state: next, change: null };
  const lower = seen === null ? 'nothing fails' : seen.reason;
  const reason = isWorse(level, state.level)
    ? (seen?.reason ?? '')
    : `${lower}${heldFor(rules.lowerAfterMs)}`;
  return { state: next, change: { atMs: nowMs, from: state.level, to: level, reason, failing } };
}

/** Whether `a` is worse than `b`; null is nothing at all. */
export function isWorse(a: IncidentLevel | null, b: IncidentLevel | null): boolean {
  return rank(a) < rank(b);
}

function ownLevel(name: string, rules: SeverityRules): IncidentLevel {
  return Object.hasOwn(rules.byName, name) ? (rules.byName[name] ?? rules.default) : rules.default;
}

function since(
  before: SeverityState['belowSinceMs'],
  seen: IncidentLevel | null,
  nowMs: number,
): SeverityState['belowSinceMs'] {
  const one = (level: IncidentLevel): number | null =>
    rank(seen) > rank(level) ? (before[level] ?? nowMs) : null;
  return { sev1: one('sev1'), sev2: one('sev2'), sev3: one('sev3') };
}

/** From the level it has, down over each that it was below for long enough. */
function held(
  level: IncidentLevel | null,
  belowSinceMs: SeverityState['belowSinceMs'],
  lowerAfterMs: number,
  nowMs: number,
): IncidentLevel | null {
  const still = incidentLevels.slice(rank(level)).find((one) => {
    const below = belowSinceMs[one];
    return below === null || nowMs - below < lowerAfterMs;
  });
  return still ?? null;
}

function worst(a: IncidentLevel | null, b: IncidentLevel | null): IncidentLevel | null {
  return isWorse(b, a) ? b : a;
}

function rank(level: IncidentLevel | null): number {
  return level === null ? incidentLevels.length : incidentLevels.indexOf(level);
}

function heldFor(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes >= 1) return `, for ${minutes} min`;
  return ms < 1_000 ? '' : `, for ${Math.round(ms / 1_000)} s`;
}

// How bad the incident is after this turn's readings (INC-1): its checks and the services involved as the severity rules want them.
import type { CheckState } from '../../../contract/ops/incident.ts';
import type { IncidentLevel } from '../../../contract/ops/settings.ts';
import { severityComment } from '../../../policy/ops/incident/incident-issue.ts';
import { isWorse, nextSeverity } from '../../../policy/ops/incident/severity.ts';
import { type Draft, note } from './draft.ts';
import type { Known } from './parts.ts';
import type { LadderTurn } from './services/ladder.ts';

/** Readings come on a grid that trembles: five minutes of them are five minutes. */
const trembleMs = 5_000;

type Check = { readonly state: CheckState; readonly level: IncidentLevel; readonly reason: string };

export async function judgeSeverity(
  draft: Draft,
  known: Known,
  ladders: readonly LadderTurn[],
  services: { readonly [name: string]: Check },
): Promise<void> {
  const { state, finding, nowMs } = draft;
  const checks: { readonly [name: string]: Check } = { ...checksOf(draft, known), ...services };
  const asOfMs = Math.max(state.asOfMs, readUpTo(draft, known, ladders) ?? state.asOfMs);
  const rules = {
    byName: Object.fromEntries(Object.entries(checks).map(([name, { level }]) => [name, level])),
    default: 'sev2' as const,
    raise: known.workspace.incidents.raise,
    lowerAfterMs: known.workspace.incidents.lowerAfterMs - trembleMs,
  };
  const states = Object.fromEntries(Object.entries(checks).map(([name, one]) => [name, one.state]));
  const before = state.severity;
  const { state: severity, change } = nextSeverity(before, states, rules, asOfMs);
  const seen = { ...state.checks };
  for (const [name, { level, reason, state: now }] of Object.entries(checks)) {
    if (now !== 'failing') continue;
    const began = before.failing.includes(name) ? 0 : 1;
    seen[name] = { level, reason, failures: (seen[name]?.failures ?? 0) + began };
  }
  draft.state = {
    ...state,
    severity: { ...severity, failing: [...severity.failing] },
    checks: seen,
    asOfMs,
    worst: isWorse(severity.level, state.worst) ? (severity.level ?? state.worst) : state.worst,
    escalation: { ...state.escalation, level: severity.level },
  };
  if (change === null) return;
  const text = `Severity ${change.from ?? 'none'} → ${change.to ?? 'none'}: ${change.reason}`;
  const detected = change.from === null && draft.events.every(({ kind }) => kind !== 'detected');
  if (detected)
    await note(draft, {
      key: 'detected',
      kind: 'detected',
      text: `Detected: ${finding.title}`,
      atMs: draft.detectedMs,
    });
  await note(draft, {
    key: `severity-${change.atMs}-${change.to ?? 'none'}`,
    kind: 'severity',
    text,
    atMs: Math.min(change.atMs, nowMs),
    comment: detected ? null : severityComment(change),
  });
}

/** Of the health checks: what failed at the last reading; what failed before and is not named any more passes. */
function checksOf(draft: Draft, known: Known): { readonly [name: string]: Check } {
  const { finding, state } = draft;
  if (finding.detail.kind !== 'incident') return {};
  const unread = known.readAtMs[finding.source] === undefined;
  const failed = finding.status === 'resolved' ? [] : finding.detail.failed;
  const earlier = Object.entries(state.checks)
    .filter(([name]) => !name.startsWith(serviceName('')))
    .map(([name, { level, reason }]): [string, Check] => [
      name,
      { state: unread ? 'unknown' : 'passing', level, reason },
    ]);
  return {
    ...Object.fromEntries(earlier),
    ...Object.fromEntries(
      failed.map(({ name, level, reason }): [string, Check] => [name, { state: 'failing', level, reason }]),
    ),
  };
}

/** Up to when the readings tell; undefined: nothing was read. */
function readUpTo(draft: Draft, known: Known, ladders: readonly LadderTurn[]): number | undefined {
  const { finding, nowMs } = draft;
  const source = known.readAtMs[finding.source];
  if (finding.detail.kind === 'incident') return source === undefined ? undefined : Math.min(source, nowMs);
  const read = ladders.filter(({ health }) => health !== 'unknown').map(({ asOfMs }) => asOfMs);
  return read.length > 0 ? Math.min(...read) : source;
}

/** No name of a check has a space in it. */
export function serviceName(service: string): string {
  return `service ${service}`;
}

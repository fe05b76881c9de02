// When each source is due next (LOOP-1). Pure; runs in activities, so that changing it breaks no replay (and time zones are the host's).
import type { SourceKind } from '../../contract/finding.ts';
import type { CadenceSettings } from '../../contract/tenant-config.ts';
import { localTime } from '../local-time.ts';

/** Whatever the hour, and never less often than while something is red. */
const alwaysMs: { readonly [Source in SourceKind]?: number } = {
  approvals: 2 * 60_000,
  mentions: 2 * 60_000,
  health: 5 * 60_000,
  deployments: 5 * 60_000,
  channels: 5 * 60_000,
};

export type DueQuestion = {
  readonly source: SourceKind;
  readonly cadence: CadenceSettings;
  readonly timeZone: string;
  readonly nowMs: number;
  /** Something workable is not green. */
  readonly red: boolean;
  /** The tenant's own offset, any non-negative integer: tenants never align, the sources of one tenant do. */
  readonly phaseMs: number;
  /** What the source itself needs: at least so often, unless a fixed interval is set. Only of sources that are read whatever the hour. */
  readonly mostMs?: number;
};

/** The next time, strictly after `nowMs`, at which the source is read. */
export function nextDueMs(question: DueQuestion): number {
  const { cadence, nowMs, red, source, mostMs = Number.POSITIVE_INFINITY } = question;
  const fixed = cadence.perSourceMs[source];
  if (fixed !== undefined) return onGrid(nowMs, fixed, question.phaseMs);
  const always = alwaysMs[source];
  if (always !== undefined) return onGrid(nowMs, Math.min(always, cadence.redMs, mostMs), question.phaseMs);
  const working = isWorkingTime(question, nowMs);
  const everyMs = red
    ? Math.min(cadence.redMs, working ? cadence.workingHours.everyMs : cadence.nightMs)
    : working
      ? cadence.workingHours.everyMs
      : cadence.nightMs;
  const due = onGrid(nowMs, everyMs, question.phaseMs);
  if (working || red) return due;
  // A night's step must not sleep into the morning: the first step of the working grid that lies in working hours comes first.
  for (
    let at = onGrid(nowMs, cadence.workingHours.everyMs, question.phaseMs);
    at < due;
    at += cadence.workingHours.everyMs
  ) {
    if (isWorkingTime(question, at)) return at;
  }
  return due;
}

function onGrid(nowMs: number, everyMs: number, phaseMs: number): number {
  const offset = phaseMs % everyMs;
  return Math.floor((nowMs - offset) / everyMs) * everyMs + offset + everyMs;
}

/** Whether `atMs` lies in the working hours of the tenant's time zone. */
export function isWorkingTime(settings: Pick<DueQuestion, 'cadence' | 'timeZone'>, atMs: number): boolean {
  const { day, time } = localTime(settings.timeZone, atMs);
  const { days, from, to } = settings.cadence.workingHours;
  return days.includes(day) && time >= from && time < to;
}

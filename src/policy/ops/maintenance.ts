// Whether failures of production are expected right now (HEALTH-1). Pure; time zones are the host's, so that only activities may ask.
import type { MaintenanceWindow } from '../../contract/ops/health-settings.ts';
import { weekdays } from '../../contract/secret-reference.ts';
import { localTime } from '../local-time.ts';

/**
 * The first window that is on, or undefined. Weekly windows go by the clock on the wall of `timeZone`: on the day on which the clock is put forward
 * or back they start and end when that clock says so.
 */
export function inMaintenance(
  windows: readonly MaintenanceWindow[],
  timeZone: string,
  nowMs: number,
): MaintenanceWindow | undefined {
  return windows.find((window) =>
    window.kind === 'once'
      ? window.fromMs <= nowMs && nowMs < window.toMs
      : isOn(window, localTime(timeZone, nowMs)),
  );
}

function isOn(
  { days, from, to }: Extract<MaintenanceWindow, { kind: 'weekly' }>,
  { day, time }: ReturnType<typeof localTime>,
): boolean {
  if (from < to) return days.includes(day) && from <= time && time < to;
  // Over midnight: the evening of its day, or the morning after.
  const before = weekdays[(weekdays.indexOf(day) + 6) % 7];
  return (days.includes(day) && from <= time) || (before !== undefined && days.includes(before) && time < to);
}

// Times as people write and read them: `--until 2h`, `in 4 min`. Pure.
import ms, { type StringValue } from 'ms';
import { UsageError } from '../../client/errors.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** `90s`, `30m`, `2h`, `7d` in milliseconds. @throws UsageError that names the option */
export function parseDuration(option: string, text: string): number {
  const value = /^\s*\d+(\.\d+)?\s*[a-z]+\s*$/i.test(text) ? parsed(text.trim()) : Number.NaN;
  if (Number.isFinite(value) && value > 0 && value <= 366 * dayMs) return value;
  throw new UsageError(
    `${option}: "${text.slice(0, 40)}" is no length of time. Fix: write e.g. 90s, 30m, 2h or 7d`,
  );
}

function parsed(text: string): number {
  try {
    return ms(text as StringValue);
  } catch {
    return Number.NaN;
  }
}

/** A length of time from now, or an ISO 8601 time with its zone (`2026-11-21T18:00Z`); always in the future. @throws UsageError */
export function parseUntil(option: string, text: string, nowMs: number): number {
  const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/i.test(text.trim());
  if (!isTime && /^\d{4}-/.test(text)) {
    throw new UsageError(
      `${option}: "${text.slice(0, 40)}" is no time with a zone. Fix: write e.g. 2h or 2026-11-21T18:00Z`,
    );
  }
  const atMs = isTime ? Date.parse(text.trim()) : nowMs + parseDuration(option, text);
  if (Number.isNaN(atMs))
    throw new UsageError(`${option}: "${text}" is no time that exists. Fix: correct it`);
  if (atMs <= nowMs) throw new UsageError(`${option}: "${text}" lies in the past. Fix: give a later time`);
  return atMs;
}

/** `in 4 min`, `2 h ago`, `now`; null stays null. */
export function relative(iso: string | null, nowMs: number): string | null {
  if (iso === null) return null;
  const distanceMs = Date.parse(iso) - nowMs;
  const text = lengthOf(Math.abs(distanceMs));
  if (text === '0 s') return 'now';
  return distanceMs > 0 ? `in ${text}` : `${text} ago`;
}

export function lengthOf(durationMs: number): string {
  if (durationMs < 90_000) return `${Math.round(durationMs / 1000)} s`;
  if (durationMs < 90 * minuteMs) return `${Math.round(durationMs / minuteMs)} min`;
  if (durationMs < 36 * hourMs) return `${Math.round(durationMs / hourMs)} h`;
  return `${Math.round(durationMs / dayMs)} d`;
}

/** `11-21 18:00:05` in UTC, for lists. */
export function stamp(iso: string): string {
  return iso.slice(5, 19).replace('T', ' ');
}

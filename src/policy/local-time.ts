// The day and the clock of a time zone. Pure; time zones are the host's, so that only activities may ask.
import type { Weekday } from '../contract/secret-reference.ts';

/** `time` is `HH:MM`, from `00:00` to `23:59`. */
export function localTime(timeZone: string, atMs: number): { readonly day: Weekday; readonly time: string } {
  const parts = formatter(timeZone).formatToParts(atMs);
  const part = (type: string): string => parts.find((p) => p.type === type)?.value ?? '';
  return { day: part('weekday').toLowerCase() as Weekday, time: `${part('hour')}:${part('minute')}` };
}

const formatters = new Map<string, Intl.DateTimeFormat>();
function formatter(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  formatters.set(timeZone, made);
  return made;
}

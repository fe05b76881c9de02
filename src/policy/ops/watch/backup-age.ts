// Whether there is a recent backup (DEPLOY-4): told, never made. Pure.

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** Clocks of two machines. */
const skewMs = 10 * minuteMs;
/** A date, which is its first minute in UTC, or a time with its zone. */
const isoTime = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?) ?(Z|[+-]\d\d(?::?\d\d)?))?$/i;

/** One thing that is backed up, and every way to ask how old that is. */
export type WatchedBackup = {
  readonly name: string;
  readonly asks: readonly { readonly command: string; readonly maxAgeMs: number }[];
};

/**
 * What the settings of services and of databases name, each once: what migrations wait for (MIG-2) is told as well (DEPLOY-4). The same command is the same
 * backup, by the stricter age; the same name is told as one.
 */
export function watchedBackups(
  ofServices: readonly { readonly name: string; readonly command: string; readonly maxAgeMs: number }[],
  ofDatabases: readonly {
    readonly name: string;
    readonly backup?: { readonly command: string; readonly maxAgeMs: number };
  }[],
): readonly WatchedBackup[] {
  const named = [
    ...ofServices,
    ...ofDatabases.flatMap(({ name, backup }) => (backup === undefined ? [] : [{ name, ...backup }])),
  ];
  const watched: { readonly name: string; readonly asks: { command: string; maxAgeMs: number }[] }[] = [];
  for (const { name, command, maxAgeMs } of named) {
    const asked = watched.flatMap(({ asks }) => asks).find((ask) => ask.command === command);
    const same = watched.find((one) => one.name === name);
    if (asked !== undefined) asked.maxAgeMs = Math.min(asked.maxAgeMs, maxAgeMs);
    else if (same !== undefined) same.asks.push({ command, maxAgeMs });
    else watched.push({ name, asks: [{ command, maxAgeMs }] });
  }
  return watched;
}

export type BackupVerdict =
  | { readonly state: 'fresh'; readonly latestMs: number }
  | { readonly state: 'old' | 'missing'; readonly level: 'warning'; readonly text: string }
  /** It cannot be told: not taken for fresh. */
  | { readonly state: 'unknown'; readonly reason: string };

/**
 * What the command of `backups` printed.
 * @returns a time; null: it printed nothing, there is no backup; or what is wrong with what it printed
 */
export function readBackupTime(printed: string): number | null | { readonly problem: string } {
  const line = printed.trim();
  if (line === '') return null;
  const [, date, time = '00:00', zone = 'Z'] = isoTime.exec(line) ?? [];
  // `+02` and `+0200` are written by databases, and not read by `Date`.
  const offset = zone.replace(
    /^([+-]\d\d):?(\d\d)?$/,
    (_all, hours: string, minutes = '00') => `${hours}:${minutes}`,
  );
  const atMs =
    date === undefined ? Number.NaN : Date.parse(`${date}T${time.replace(',', '.')}${offset.toUpperCase()}`);
  if (Number.isFinite(atMs)) return atMs;
  return {
    problem: `it printed "${line.slice(0, 60)}"; a time with its zone is needed, as in 2026-11-21T03:00:00Z`,
  };
}

/** @param latest as `readBackupTime` gives it */
export function judgeBackup(
  name: string,
  latest: ReturnType<typeof readBackupTime>,
  maxAgeMs: number,
  nowMs: number,
): BackupVerdict {
  if (latest === null) return { state: 'missing', level: 'warning', text: `backup ${name}: there is none` };
  if (typeof latest === 'object') return { state: 'unknown', reason: `backup ${name}: ${latest.problem}` };
  const ageMs = nowMs - latest;
  const at = new Date(latest).toISOString();
  if (ageMs < -skewMs)
    return { state: 'unknown', reason: `backup ${name}: its time ${at} lies in the future` };
  if (ageMs <= maxAgeMs) return { state: 'fresh', latestMs: latest };
  return {
    state: 'old',
    level: 'warning',
    text: `backup ${name}: the latest is ${inWords(ageMs)} old (${at}), at most ${inWords(maxAgeMs)} are allowed`,
  };
}

function inWords(ms: number): string {
  if (ms >= 2 * dayMs) return `${Math.floor(ms / dayMs)} days`;
  if (ms >= 2 * hourMs) return `${Math.floor(ms / hourMs)} h`;
  return `${Math.floor(ms / minuteMs)} min`;
}

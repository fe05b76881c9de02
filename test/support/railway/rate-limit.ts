// How many requests of a token Railway takes: a window of an hour that begins with the first request, and one of a second. Counts every request.

export type RateLimit = { readonly perHour: number; readonly perSecond: number };

type Window = { startMs: number; used: number };

export function createRateLimit(
  limit: RateLimit | undefined,
  now: () => number,
): (token: string) => {
  readonly headers: { readonly [name: string]: string };
  readonly retryAfterS: number | null;
} {
  const windows = new Map<string, { hour: Window; second: Window }>();
  if (limit === undefined) return () => ({ headers: {}, retryAfterS: null });
  return (token) => {
    const nowMs = now();
    const fresh = { startMs: nowMs, used: 0 };
    const known = windows.get(token) ?? { hour: { ...fresh }, second: { ...fresh } };
    if (nowMs >= known.hour.startMs + 3_600_000) known.hour = { ...fresh };
    if (nowMs >= known.second.startMs + 1_000) known.second = { ...fresh };
    windows.set(token, known);
    const { hour, second } = known;
    const resetMs = hour.startMs + 3_600_000;
    const left =
      hour.used >= limit.perHour
        ? resetMs - nowMs
        : second.used >= limit.perSecond
          ? second.startMs + 1_000 - nowMs
          : 0;
    if (left === 0) {
      hour.used += 1;
      second.used += 1;
    }
    return {
      headers: {
        'X-RateLimit-Limit': String(limit.perHour),
        'X-RateLimit-Remaining': String(limit.perHour - hour.used),
        'X-RateLimit-Reset': new Date(resetMs).toISOString(),
      },
      retryAfterS: left > 0 ? Math.ceil(left / 1_000) : null,
    };
  };
}

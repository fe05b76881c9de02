// GitHub's primary rate limit: so many requests an hour for each account, told in `x-ratelimit-*`.

export interface RateLimit {
  /** Whether one more request is allowed. */
  allows(login: string): boolean;
  count(login: string): void;
  headers(login: string): Record<string, string>;
  numbers(login: string): { limit: number; used: number; remaining: number; reset: number };
  set(change: { limit?: number; remaining?: number }): void;
}

const HOUR_MS = 3_600_000;

export function createRateLimit(now: () => number): RateLimit {
  const windows = new Map<string, { used: number; resetAt: number }>();
  let limit = 5000;
  let initialUsed = 0;
  const windowOf = (login: string): { used: number; resetAt: number } => {
    const known = windows.get(login);
    if (known !== undefined && known.resetAt > now()) return known;
    const fresh = { used: known === undefined ? initialUsed : 0, resetAt: now() + HOUR_MS };
    windows.set(login, fresh);
    return fresh;
  };
  const numbers: RateLimit['numbers'] = (login) => {
    const { used, resetAt } = windowOf(login);
    return { limit, used, remaining: Math.max(0, limit - used), reset: Math.ceil(resetAt / 1000) };
  };
  return {
    numbers,
    allows: (login) => numbers(login).remaining > 0,
    count: (login) => {
      windowOf(login).used += 1;
    },
    headers: (login) => {
      const { used, remaining, reset } = numbers(login);
      return {
        'x-ratelimit-limit': String(limit),
        'x-ratelimit-used': String(used),
        'x-ratelimit-remaining': String(remaining),
        'x-ratelimit-reset': String(reset),
        'x-ratelimit-resource': 'core',
      };
    },
    set: (change) => {
      limit = change.limit ?? limit;
      if (change.remaining === undefined) return;
      initialUsed = limit - change.remaining;
      for (const window of windows.values()) window.used = initialUsed;
    },
  };
}

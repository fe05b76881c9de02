// The circuit breaker of a tenant (LOOP-7), as a pure step function over its row.

export type Breaker = {
  readonly state: 'closed' | 'open' | 'halfOpen';
  /** Failed scheduled cycles in a row. */
  readonly failures: number;
  /** Policy time at which it opened last. */
  readonly sinceMs: number | null;
  readonly reason: string | null;
};

export type BreakerSettings = { readonly failures: number; readonly probeAfterMs: number };

export type CycleEnd = {
  /** Event-driven reads do not count. */
  readonly scheduled: boolean;
  /** Null: the cycle succeeded. */
  readonly failure: string | null;
};

/** The row after a cycle. `opened` is true exactly once per opening: the time to alert. */
export function breakerAfterCycle(
  before: Breaker,
  end: CycleEnd,
  settings: BreakerSettings,
  nowMs: number,
): { readonly breaker: Breaker; readonly opened: boolean } {
  // Neither a good nor a bad one of them says anything about the row of scheduled cycles; only the clock counts.
  if (!end.scheduled) return { breaker: breakerAtTime(before, settings, nowMs), opened: false };
  if (end.failure === null) {
    // An open breaker stays open through good cycles until its probe time: then one probe may pass, and the next good cycle closes it.
    if (before.state === 'open') return { breaker: breakerAtTime(before, settings, nowMs), opened: false };
    return { breaker: { state: 'closed', failures: 0, sinceMs: null, reason: null }, opened: false };
  }
  const failures = before.failures + 1;
  if (before.state === 'halfOpen') {
    return { breaker: { state: 'open', failures, sinceMs: nowMs, reason: end.failure }, opened: false };
  }
  if (before.state === 'open')
    return { breaker: { ...breakerAtTime(before, settings, nowMs), failures }, opened: false };
  if (failures < settings.failures) return { breaker: { ...before, failures }, opened: false };
  return { breaker: { state: 'open', failures, sinceMs: nowMs, reason: end.failure }, opened: true };
}

/** An open breaker whose probe time is reached is half open. */
export function breakerAtTime(breaker: Breaker, settings: BreakerSettings, nowMs: number): Breaker {
  if (breaker.state !== 'open' || nowMs < (breaker.sinceMs ?? nowMs) + settings.probeAfterMs) return breaker;
  return { ...breaker, state: 'halfOpen' };
}

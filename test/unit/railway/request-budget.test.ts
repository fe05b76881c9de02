// DEPLOY-5: the arithmetic of the request budget, as tables and over random hours; and how often services can be read inside it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BudgetState,
  fullBudget,
  pauseRequests,
  type RequestLimits,
  readEveryMs,
  takeRequest,
} from '../../../src/policy/ops/request-budget.ts';

const usual: RequestLimits = { perHour: 1_000, perSecond: 10 };
const hour = 3_600_000;
const minute = 60_000;

type Asked = { readonly atMs: number; readonly forIncident: boolean };

/** Asks one after the other; which were granted. */
function run(limits: RequestLimits, asks: readonly Asked[]): readonly Asked[] {
  let state = fullBudget(limits, 0);
  return asks.filter(({ atMs, forIncident }) => {
    const verdict = takeRequest(state, { limits, forIncident, nowMs: atMs });
    state = verdict.state;
    return verdict.granted;
  });
}

/** As fast as the budget lets, for so long. */
function flatOut(limits: RequestLimits, forIncident: boolean, forMs: number): readonly number[] {
  let state: BudgetState = fullBudget(limits, 0);
  const granted: number[] = [];
  for (let nowMs = 0; nowMs < forMs; ) {
    const verdict = takeRequest(state, { limits, forIncident, nowMs });
    state = verdict.state;
    if (verdict.granted) granted.push(nowMs);
    else nowMs += verdict.retryAfterMs;
  }
  return granted;
}

/** Most of them in any window of that length, wherever it begins. */
function most(times: readonly number[], windowMs: number): number {
  let best = 0;
  let from = 0;
  for (const [index, time] of times.entries()) {
    while ((times[from] ?? time) <= time - windowMs) from += 1;
    best = Math.max(best, index - from + 1);
  }
  return best;
}

describe('DEPLOY-5 a request budget', () => {
  it.each([
    [{ perHour: 1_000, perSecond: 10 }],
    [{ perHour: 10, perSecond: 1 }],
    [{ perHour: 100, perSecond: 2 }],
    [{ perHour: 10_000, perSecond: 50 }],
  ])('is never overdrawn by who asks flat out: %j', (limits) => {
    for (const forIncident of [false, true]) {
      const times = flatOut(limits, forIncident, 3 * hour);
      expect(most(times, hour)).toBeLessThanOrEqual(limits.perHour);
      expect(most(times, 1_000)).toBeLessThanOrEqual(limits.perSecond);
      // It is there to be used, too.
      expect(most(times, hour)).toBeGreaterThanOrEqual(limits.perHour * (forIncident ? 0.75 : 0.5));
    }
  });

  it('never grants more than 1,000 in an hour, nor 10 in a second, nor 700 for everyday work, wherever they begin', () => {
    const asks = fc.array(
      fc.record({
        waitMs: fc.oneof(fc.constant(0), fc.nat(50), fc.nat(5_000), {
          arbitrary: fc.nat(2 * hour),
          weight: 1,
        }),
        forIncident: fc.boolean(),
        times: fc.integer({ min: 1, max: 400 }),
      }),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(asks, (bursts) => {
        let atMs = 0;
        const all = bursts.flatMap(({ waitMs, forIncident, times }) =>
          Array.from({ length: times }, (_, index) => {
            atMs += index === 0 ? waitMs : 20;
            return { atMs, forIncident };
          }),
        );
        const granted = run(usual, all);
        expect(
          most(
            granted.map((one) => one.atMs),
            hour,
          ),
        ).toBeLessThanOrEqual(1_000);
        expect(
          most(
            granted.map((one) => one.atMs),
            1_000,
          ),
        ).toBeLessThanOrEqual(10);
        const everyday = granted.filter(({ forIncident }) => !forIncident).map((one) => one.atMs);
        expect(most(everyday, hour)).toBeLessThanOrEqual(700);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps 30 % for incidents, whatever everyday work has used', () => {
    const everyday = Array.from({ length: 36_000 }, (_, index) => ({
      atMs: index * 100,
      forIncident: false,
    }));
    const incident = Array.from({ length: 150 }, (_, index) => ({
      atMs: hour + index * 200,
      forIncident: true,
    }));
    const granted = run(usual, [...everyday, ...incident]);
    expect(granted.filter(({ forIncident }) => forIncident)).toHaveLength(150);
    expect(granted.filter(({ forIncident }) => !forIncident).length).toBeLessThanOrEqual(700);
  });

  it('says when to ask again, and is right: not a millisecond too early, nor too late', () => {
    let state = fullBudget(usual, 0);
    let nowMs = 0;
    for (let count = 0; count < 300; count += 1) {
      const verdict = takeRequest(state, { limits: usual, forIncident: false, nowMs });
      state = verdict.state;
      if (verdict.granted) continue;
      expect(verdict.retryAfterMs).toBeGreaterThan(0);
      const early = takeRequest(state, {
        limits: usual,
        forIncident: false,
        nowMs: nowMs + verdict.retryAfterMs - 1,
      });
      expect(early.granted).toBe(false);
      nowMs += verdict.retryAfterMs;
      const then = takeRequest(state, { limits: usual, forIncident: false, nowMs });
      expect(then.granted).toBe(true);
      state = then.state;
    }
  });

  it('remembers a 429, for incidents too, and the longer of two', () => {
    const paused = pauseRequests(pauseRequests(fullBudget(usual, 0), 30_000), 10_000);
    for (const forIncident of [false, true]) {
      const verdict = takeRequest(paused, { limits: usual, forIncident, nowMs: 1_000 });
      expect(verdict).toMatchObject({ granted: false, retryAfterMs: 29_000 });
      expect(verdict).toHaveProperty('reason', expect.stringContaining('429'));
    }
    expect(takeRequest(paused, { limits: usual, forIncident: false, nowMs: 30_000 }).granted).toBe(true);
  });

  it('fills nothing when the clock goes back', () => {
    const used = takeRequest(fullBudget(usual, hour), { limits: usual, forIncident: false, nowMs: hour });
    const back = takeRequest(used.state, { limits: usual, forIncident: false, nowMs: 0 });
    expect(back.state.everyday).toBe(used.state.everyday - 1);
    expect(back.state.atMs).toBe(hour);
  });
});

describe('DEPLOY-5 how often services are read', () => {
  const ask = { services: 500, askedMs: 5 * minute, limits: usual };

  it.each([
    ['one request for all of them', 1, 5 * minute],
    ['46 requests: just fits', 46, 5 * minute],
    ['one request each', 500, 3_214_286],
  ])('%s', (_name, requestsPerRead, everyMs) => {
    const cadence = readEveryMs({ ...ask, requestsPerRead });
    expect(cadence.everyMs).toBe(everyMs);
    expect(cadence.slower === null).toBe(everyMs === 5 * minute);
  });

  it('says so when it is less often than asked, with the numbers and a way out', () => {
    expect(readEveryMs({ ...ask, requestsPerRead: 500 }).slower).toBe(
      '500 services are read every 54 min instead of every 5 min: one read takes 500 requests, and 560 of the 1000 requests an hour are for everyday work. Watch fewer services, or raise services.provider.requestsPerHour to what the account allows.',
    );
  });

  it('never plans more than everyday work may send', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.integer({ min: minute, max: hour }),
        fc.integer({ min: 10, max: 100_000 }),
        (requestsPerRead, askedMs, perHour) => {
          const { everyMs } = readEveryMs({
            services: 500,
            requestsPerRead,
            askedMs,
            limits: { perHour, perSecond: 10 },
          });
          expect(everyMs).toBeGreaterThanOrEqual(askedMs);
          expect((requestsPerRead * hour) / everyMs).toBeLessThanOrEqual(perHour * 0.7 + 1);
        },
      ),
    );
  });
});

// MODEL-3: the arithmetic of budgets and prices.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  costBound,
  costMicroUsd,
  inputBound,
  isMostlyUsed,
  judgeCall,
  nextUtcMidnight,
  utcDay,
} from '../../../../src/policy/model/model-budget.ts';

const nowMs = Date.parse('2026-11-21T23:59:59.999Z');
const midnightMs = Date.parse('2026-11-22T00:00:00Z');
const budgets = {
  tokensPerDay: 1_000,
  triageTokens: 200,
  fixTokens: 500,
  operatorTokens: 300,
  warnAtPercent: 80,
};
const none = { settled: 0, pending: 0 };

describe('a call', () => {
  it.each([
    ['fits', { tokens: 200 }, { verdict: 'grant' }],
    ['is more than the whole budget of its run', { tokens: 201 }, { verdict: 'refuse', untilMs: null }],
    ['fits the other group', { tokens: 500, group: 'fix' as const }, { verdict: 'grant' }],
    [
      'is over what an incident may use',
      { tokens: 301, group: 'operator' as const },
      { verdict: 'refuse', untilMs: null, reason: expect.stringContaining('operatorTokens (300)') },
    ],
    [
      'finds its run used up',
      { tokens: 100, run: { settled: 101, pending: 0 } },
      { verdict: 'refuse', untilMs: null },
    ],
    ['fits to the token', { tokens: 100, run: { settled: 100, pending: 0 } }, { verdict: 'grant' }],
    [
      'finds the day used up',
      { tokens: 100, day: { settled: 901, pending: 0 } },
      { verdict: 'refuse', untilMs: midnightMs },
    ],
    ['waits for others of the day', { tokens: 100, day: { settled: 0, pending: 950 } }, { verdict: 'wait' }],
    ['waits for others of the run', { tokens: 100, run: { settled: 50, pending: 100 } }, { verdict: 'wait' }],
    [
      'does not wait when nothing can come of it',
      { tokens: 100, day: { settled: 950, pending: 50 }, run: { settled: 0, pending: 150 } },
      { verdict: 'refuse', untilMs: midnightMs },
    ],
    [
      'does not wait for a midnight that does not help',
      { tokens: 100, day: { settled: 950, pending: 0 }, run: { settled: 150, pending: 0 } },
      { verdict: 'refuse', untilMs: null },
    ],
  ])('%s', (_, given, verdict) => {
    const ask = { group: 'triage' as const, day: none, run: none, budgets, nowMs, ...given };
    expect(judgeCall(ask)).toMatchObject(verdict);
  });

  it.each([
    ['fits to the token', { settled: 300, pending: 0 }, 'grant'],
    ['finds their share used up', { settled: 301, pending: 0 }, 'refuse'],
    ['waits for others of pull requests', { settled: 0, pending: 301 }, 'wait'],
  ])('for a pull request, which has half of the day, %s', (_, dayOfPulls, verdict) => {
    const ask = { tokens: 200, group: 'triage' as const, day: dayOfPulls, run: none, budgets, nowMs };
    expect(judgeCall({ ...ask, dayOfPulls })).toMatchObject({
      verdict,
      ...(verdict === 'grant'
        ? {}
        : {
            reason: expect.stringContaining('the share of pull requests in model.budgets.tokensPerDay (500)'),
          }),
      ...(verdict === 'refuse' ? { untilMs: midnightMs } : {}),
    });
    // Of the same day, for main: there is room.
    expect(judgeCall(ask)).toEqual({ verdict: 'grant' });
  });

  it('is not made where the budget is 0', () => {
    const ask = { tokens: 1, group: 'fix' as const, day: none, run: none, nowMs };
    expect(judgeCall({ ...ask, budgets: { ...budgets, fixTokens: 0 } })).toMatchObject({
      verdict: 'refuse',
      reason: 'model.budgets.fixTokens is 0: no calls',
      untilMs: null,
    });
  });

  it('is never granted over a cap, and granted whenever it fits', () => {
    const spent = fc.record({ settled: fc.nat(1_500), pending: fc.nat(1_500) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_500 }), spent, spent, (tokens, day, run) => {
        const { verdict } = judgeCall({ tokens, group: 'fix', day, run, budgets, nowMs });
        const fits =
          day.settled + day.pending + tokens <= budgets.tokensPerDay &&
          run.settled + run.pending + tokens <= budgets.fixTokens;
        expect(verdict === 'grant').toBe(fits);
      }),
    );
  });
});

describe('the day', () => {
  it.each([
    ['2026-11-21T00:00:00.000Z', '2026-11-21', '2026-11-22T00:00:00.000Z'],
    ['2026-11-21T23:59:59.999Z', '2026-11-21', '2026-11-22T00:00:00.000Z'],
    ['2026-12-31T12:00:00.000Z', '2026-12-31', '2027-01-01T00:00:00.000Z'],
    ['2028-02-28T12:00:00.000Z', '2028-02-28', '2028-02-29T00:00:00.000Z'],
  ])('%s', (at, day, ends) => {
    expect(utcDay(Date.parse(at))).toBe(day);
    expect(new Date(nextUtcMidnight(Date.parse(at))).toISOString()).toBe(ends);
  });

  it.each([
    [799, false],
    [800, true],
    [2_000, true],
  ])('is mostly used with %d of 1000: %s', (settled, mostly) => {
    expect(isMostlyUsed(settled, budgets)).toBe(mostly);
  });
});

describe('bounds and costs', () => {
  it('take the bytes, or what the call before used and the bytes that are new', () => {
    expect(inputBound({ bytes: 10_000 })).toBe(11_500);
    expect(inputBound({ bytes: 10_000, known: { tokens: 2_000, newBytes: 300 } })).toBe(3_800);
    // A call before with much thinking: its output went in, but not back.
    expect(inputBound({ bytes: 10_000, known: { tokens: 20_000, newBytes: 300 } })).toBe(11_500);
  });

  const opus = { input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5 };
  it.each([
    [{ input: 1_000_000, cacheRead: 0, cacheWrite: 0, output: 0 }, 4_000_000],
    [{ input: 0, cacheRead: 1_000_000, cacheWrite: 0, output: 0 }, 200_000],
    [{ input: 0, cacheRead: 0, cacheWrite: 1_000_000, output: 1_000_000 }, 25_000_000],
    // A third of a millionth is a whole one.
    [{ input: 0, cacheRead: 3, cacheWrite: 0, output: 0 }, 1],
    [{ input: 0, cacheRead: 15, cacheWrite: 0, output: 0 }, 3],
    [{ input: 0, cacheRead: 0, cacheWrite: 0, output: 0 }, 0],
  ])('cost of %j: %d', (usage, micro) => {
    expect(costMicroUsd(usage, opus)).toBe(micro);
  });

  it('no usage within the bound costs more than the bound', () => {
    const tokens = fc.nat(100_000);
    const dollars = fc.constantFrom(0, 0.01, 0.125, 1.1, 20);
    fc.assert(
      fc.property(
        fc.record({ input: tokens, cacheRead: tokens, cacheWrite: tokens, output: tokens }),
        fc.record({ input: dollars, output: dollars, cacheRead: fc.constant(0.01), cacheWrite: dollars }),
        (usage, price) => {
          fc.pre(price.input >= price.cacheRead);
          const bound = { input: usage.input + usage.cacheRead + usage.cacheWrite, output: usage.output };
          expect(costMicroUsd(usage, price)).toBeLessThanOrEqual(costBound(bound, price));
        },
      ),
    );
  });
});

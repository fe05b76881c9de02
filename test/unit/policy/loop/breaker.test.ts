// LOOP-7: the breaker over sequences of cycles, as tables and against a plain model.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Breaker,
  breakerAfterCycle,
  breakerAtTime,
  type CycleEnd,
} from '../../../../src/policy/loop/breaker.ts';

const hour = 3_600_000;
const settings = { failures: 3, probeAfterMs: hour };
const closed: Breaker = { state: 'closed', failures: 0, sinceMs: null, reason: null };

const bad = (scheduled = true): CycleEnd => ({ scheduled, failure: 'every due source is unknown' });
const good = (scheduled = true): CycleEnd => ({ scheduled, failure: null });

/** Cycles `[end, atMs]` one after the other; the state after each, and when it opened. */
function run(cycles: readonly (readonly [CycleEnd, number])[]): { states: string[]; openings: number[] } {
  let breaker = closed;
  const states: string[] = [];
  const openings: number[] = [];
  for (const [end, atMs] of cycles) {
    const step = breakerAfterCycle(breaker, end, settings, atMs);
    breaker = step.breaker;
    states.push(breaker.state);
    if (step.opened) openings.push(atMs);
  }
  return { states, openings };
}

describe('the breaker', () => {
  it('opens after exactly three failed scheduled cycles in a row, and says so once', () => {
    const { states, openings } = run([
      [bad(), 1],
      [bad(), 2],
      [bad(), 3],
      [bad(), 4],
    ]);
    expect(states).toEqual(['closed', 'closed', 'open', 'open']);
    expect(openings).toEqual([3]);
  });

  it('begins again after a good one', () => {
    expect(
      run([
        [bad(), 1],
        [bad(), 2],
        [good(), 3],
        [bad(), 4],
        [bad(), 5],
      ]).states.at(-1),
    ).toBe('closed');
  });

  it('counts no cycle of an event, neither a bad nor a good one', () => {
    const onlyEvents = run([
      [bad(false), 1],
      [bad(false), 2],
      [bad(false), 3],
      [bad(false), 4],
    ]);
    expect(onlyEvents.states.at(-1)).toBe('closed');
    // An event that could read its one source must not hide that every scheduled cycle fails.
    const between = run([
      [bad(), 1],
      [good(false), 2],
      [bad(), 3],
      [good(false), 4],
      [bad(), 5],
    ]);
    expect(between.states.at(-1)).toBe('open');
    expect(between.openings).toEqual([5]);
  });

  it('stays open through good cycles, is half open after an hour, closes after the next good one', () => {
    const { states } = run([
      [bad(), 1],
      [bad(), 2],
      [bad(), 3],
      [good(), hour],
      [good(), hour + 3],
      [good(), hour + 4],
    ]);
    expect(states.slice(2)).toEqual(['open', 'open', 'halfOpen', 'closed']);
  });

  it('opens again for a whole hour when the cycle of the probe fails, without a second alert', () => {
    const { states, openings } = run([
      [bad(), 1],
      [bad(), 2],
      [bad(), 3],
      [bad(), hour + 3],
      [bad(), hour + 10],
      [good(), 2 * hour + 9],
      [good(), 2 * hour + 10],
    ]);
    expect(states.slice(2)).toEqual(['open', 'halfOpen', 'open', 'open', 'halfOpen']);
    expect(openings).toEqual([3]);
  });

  it('is half open by the clock alone', () => {
    const open: Breaker = { state: 'open', failures: 3, sinceMs: 10, reason: 'x' };
    expect(breakerAtTime(open, settings, hour + 9).state).toBe('open');
    expect(breakerAtTime(open, settings, hour + 10).state).toBe('halfOpen');
    expect(breakerAtTime(closed, settings, 99 * hour)).toEqual(closed);
  });

  it('agrees with the rule for any sequence', () => {
    const cycle = fc.record({
      gapMs: fc.integer({ min: 1, max: 2 * hour }),
      scheduled: fc.boolean(),
      failed: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(cycle, { maxLength: 40 }), (cycles) => {
        let breaker = closed;
        let now = 0;
        let inARow = 0;
        for (const { gapMs, scheduled, failed } of cycles) {
          now += gapMs;
          const before = breaker;
          const end = { scheduled, failure: failed ? 'failed' : null };
          const step = breakerAfterCycle(before, end, settings, now);
          breaker = step.breaker;
          if (scheduled) inARow = failed ? inARow + 1 : 0;
          // Opens from closed exactly at the third; from half open by any failed one.
          if (before.state === 'closed')
            expect(breaker.state).toBe(scheduled && inARow === 3 ? 'open' : 'closed');
          expect(step.opened).toBe(before.state === 'closed' && breaker.state === 'open');
          if (before.state === 'open') {
            const due = now >= (before.sinceMs ?? 0) + hour;
            expect(breaker.state).toBe(due ? 'halfOpen' : 'open');
          }
          if (before.state === 'halfOpen')
            expect(breaker.state).toBe(scheduled ? (failed ? 'open' : 'closed') : 'halfOpen');
          if (breaker.state === 'closed') {
            expect(breaker.sinceMs).toBeNull();
            if (before.state === 'halfOpen') inARow = 0;
          }
        }
      }),
    );
  });
});

// HEALTH-1: a first failure is read again three times within 45 s before it counts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { confirmFailure, judgeReadings, rereadAfterMs } from '../../../src/integrations/health/confirm.ts';
import type { CheckReading } from '../../../src/integrations/health/run-check.ts';

type State = CheckReading['state'];
const reading = (state: State, reason = ''): CheckReading => ({
  name: 'backend',
  state,
  level: 'sev1',
  ok: state === 'ok',
  reason,
  latencyMs: 1,
  facts: { status: 500 },
});

/** A world with a clock of its own: each reading takes `tookMs`. */
function world(states: readonly State[], tookMs = 0) {
  const rest = [...states];
  const starts: number[] = [];
  let now = 1_000_000;
  const startMs = now;
  const controller = new AbortController();
  const run = (timeoutMs: number) =>
    confirmFailure(
      reading('failed', 'first'),
      async () => {
        starts.push(now - startMs);
        now += tookMs;
        const state = rest.shift();
        if (state === undefined) throw new Error('read too often');
        return reading(state, `reading ${starts.length}`);
      },
      {
        times: 3,
        withinMs: 45_000,
        timeoutMs,
        nowMs: () => now,
        sleep: async (ms) => {
          now += ms;
          controller.signal.throwIfAborted();
        },
        signal: controller.signal,
      },
    );
  return { run, starts, controller, elapsed: () => now - startMs };
}

describe('a first failure', () => {
  it.each<[State[], string, number]>([
    [['failed', 'failed', 'failed'], 'failed', 4],
    [['ok'], 'flap', 2],
    [['failed', 'ok'], 'flap', 3],
    [['failed', 'failed', 'ok'], 'flap', 4],
    [['failed', 'unknown'], 'unknown', 3],
  ])('and then %j: %s after %i readings (HEALTH-1)', async (states, judgement, readings) => {
    const { run, starts } = world(states);
    const confirmed = await run(10_000);
    expect(confirmed).toMatchObject({ judgement, reading: { facts: { status: 500, readings } } });
    expect(confirmed.reading.facts.flap).toBe(judgement === 'flap' ? true : undefined);
    expect(confirmed.reading.reason).toBe(`reading ${readings - 1}`);
    expect(starts).toHaveLength(readings - 1);
  });

  it('is read again over the 45 s, not in one second', async () => {
    const quick = world(['failed', 'failed', 'failed']);
    await quick.run(10_000);
    expect(quick.starts).toEqual([5_000, 20_000, 35_000]);
    const slow = world(['failed', 'failed', 'failed'], 15_000);
    await slow.run(15_000);
    expect(slow.starts).toEqual([0, 15_000, 30_000]);
    expect(slow.elapsed()).toBe(45_000);
  });

  it('that nobody waits for any more ends with the reason of whoever asked', async () => {
    const { run, controller, starts } = world(['failed', 'failed', 'failed']);
    controller.abort(new Error('the worker shuts down'));
    await expect(run(10_000)).rejects.toThrow('the worker shuts down');
    expect(starts).toEqual([]);
  });

  it('counts only when as many readings as asked for agree, and is over in time whatever they take', () => {
    const state = fc.constantFrom<State>('ok', 'failed', 'unknown');
    fc.assert(
      fc.property(fc.array(state, { maxLength: 6 }), fc.integer({ min: 1, max: 6 }), (states, times) => {
        const judgement = judgeReadings(
          states.map((one) => ({ state: one })),
          times,
        );
        const agree = states.every((one) => one === 'failed');
        expect(judgement === 'failed').toBe(agree && states.length >= times);
        expect(judgement === 'flap').toBe(states.includes('ok'));
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 15_000 }), (timeoutMs) => {
        const last = rereadAfterMs(2, { times: 3, withinMs: 45_000, timeoutMs });
        expect(last + timeoutMs).toBeLessThanOrEqual(45_000);
      }),
    );
  });
});

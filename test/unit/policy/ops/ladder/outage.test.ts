// DEPLOY-3: an outage of the platform holds everything with one note; an hour has a cap of changes to services.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServiceHealth } from '../../../../../src/contract/ops/ladder.ts';
import { judgeOpsCap, opsCap } from '../../../../../src/policy/ops/ladder/ops-cap.ts';
import {
  judgeOutage,
  type OutageFacts,
  type OutageState,
} from '../../../../../src/policy/ops/ladder/outage.ts';
import { minute } from './ladder-rig.ts';

const hour = 60 * minute;
function facts(down: number, up: number, apiFailure: string | null = null, stopped = 0): OutageFacts {
  const some = (count: number, health: ServiceHealth) =>
    Array.from({ length: count }, (_, n) => ({ name: `${health}-${n}`, health }));
  return {
    provider: 'Railway',
    services: [...some(down, 'unhealthy'), ...some(up, 'healthy'), ...some(stopped, 'stopped')],
    apiFailure,
  };
}

describe('DEPLOY-3: what is an outage', () => {
  it.each<[string, OutageFacts, boolean]>([
    ['nothing is down', facts(0, 5), false],
    ['two of two', facts(2, 0), false],
    ['three of three', facts(3, 0), true],
    ['three of five', facts(3, 2), true],
    ['three of six: half is not more than half', facts(3, 3), false],
    ['what was taken down does not count', facts(3, 2, null, 9), true],
    ['ten of a hundred', facts(10, 90), false],
    ['the API fails, whatever the services', facts(0, 0, 'answered 503'), true],
  ])('%s', (_name, given, expected) => {
    const verdict = judgeOutage(null, given, 0);
    expect(verdict.hold !== null).toBe(expected);
    expect(verdict.note !== null).toBe(expected);
  });

  it('says what it saw, with a bounded list of names', () => {
    expect(judgeOutage(null, facts(3, 1), 0).note).toEqual({
      kind: 'began',
      text: 'Outage of Railway: 3 of 4 services are unhealthy (unhealthy-0, unhealthy-1, unhealthy-2). Nothing is restarted, redeployed or rolled back until it is over.',
    });
    expect(judgeOutage(null, facts(12, 0), 0).hold?.reason).toContain(' and 2 more)');
    expect(judgeOutage(null, facts(0, 9, 'answered 503'), 0).hold?.reason).toBe(
      'held for an outage of the platform: its API fails: answered 503',
    );
  });
});

it('DEPLOY-3: one note when it begins, one when its signs are gone for 5 min', () => {
  const readings: readonly [number, OutageFacts][] = [
    [0, facts(3, 1)],
    [5, facts(4, 0)],
    [10, facts(1, 3)],
    [12, facts(3, 1)],
    [15, facts(0, 4)],
    [19, facts(0, 4)],
    [20, facts(0, 4)],
    [25, facts(0, 4)],
  ];
  let state: OutageState | null = null;
  const told = readings.map(([at, given]) => {
    const verdict = judgeOutage(state, given, at * minute);
    state = JSON.parse(JSON.stringify(verdict.state));
    return [at, verdict.hold !== null, verdict.note?.kind ?? null];
  });
  expect(told).toEqual([
    [0, true, 'began'],
    [5, true, null],
    [10, true, null],
    [12, true, null],
    [15, true, null],
    [19, true, null],
    [20, false, 'ended'],
    [25, false, null],
  ]);
});

describe('DEPLOY-3: the cap of an hour', () => {
  it.each([
    [0, 3],
    [1, 3],
    [30, 3],
    [39, 3],
    [40, 4],
    [500, 50],
  ])('%i services: %i', (services, cap) => {
    expect(opsCap(services)).toBe(cap);
  });

  it('holds the next one until the hour has room', () => {
    const recentMs = [10 * minute, 20 * minute, 30 * minute];
    expect(judgeOpsCap({ services: 5, recentMs: recentMs.slice(1) }, 40 * minute)).toBeNull();
    expect(judgeOpsCap({ services: 5, recentMs }, 40 * minute)).toEqual({
      reason: '3 changes of services in the last hour, the cap is 3 (of 5 services)',
      untilMs: 70 * minute,
    });
    expect(judgeOpsCap({ services: 5, recentMs }, 70 * minute)).toBeNull();
  });

  it('LOOP-13 GUARD-1: what a person approved by its hash does not wait for it, and counts in it', () => {
    const recentMs = [10 * minute, 20 * minute, 30 * minute];
    expect(judgeOpsCap({ services: 5, recentMs, approved: true }, 40 * minute)).toBeNull();
    expect(judgeOpsCap({ services: 5, recentMs: [...recentMs, 40 * minute] }, 70 * minute)).toEqual({
      reason: '3 changes of services in the last hour, the cap is 3 (of 5 services)',
      untilMs: 80 * minute,
    });
  });

  it('never lets more pass in any hour', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 20 * minute }), { maxLength: 60 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 0, max: 80 }), (asked, services) => {
        const passed: number[] = [];
        let nowMs = 0;
        for (const gap of asked) {
          nowMs += gap;
          const held = judgeOpsCap({ services, recentMs: passed }, nowMs);
          if (held === null) passed.push(nowMs);
          else expect(judgeOpsCap({ services, recentMs: passed }, held.untilMs)).toBeNull();
        }
        for (const at of passed)
          expect(passed.filter((other) => other > at - hour && other <= at).length).toBeLessThanOrEqual(
            opsCap(services),
          );
      }),
    );
  });
});

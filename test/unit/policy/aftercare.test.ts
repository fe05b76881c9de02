// CI-10: which checks of a fix are due, however late anybody looks, and what is a repeat failure.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Observation, ObservedFinding } from '../../../src/contract/finding.ts';
import { checksOf, isRepeat, repeatWindowMs, spanOf } from '../../../src/policy/aftercare.ts';
import { reconcile } from '../../../src/policy/loop/reconcile.ts';

const minute = 60_000;
const hour = 60 * minute;
const usual = [10 * minute, hour, 24 * hour, 48 * hour];
const green = 1_000 * hour;

describe('CI-10: the checks of a fix', () => {
  const table: readonly (readonly [
    what: string,
    afterMs: number,
    passed: readonly number[],
    due: readonly number[],
    next: number | null,
  ])[] = [
    ['just green', 0, [], [], 10 * minute],
    ['at its time', 10 * minute, [], [10 * minute], hour],
    ['passed', 11 * minute, [10 * minute], [], hour],
    ['after a loss of 30 hours', 30 * hour, [10 * minute], [hour, 24 * hour], 48 * hour],
    ['all late', 90 * hour, [], usual, null],
    ['all passed', 48 * hour, usual, [], null],
  ];
  it.each(table)('%s', (_what, afterMs, passed, due, next) => {
    expect(checksOf(usual, passed, green, green + afterMs)).toEqual({
      due,
      nextAtMs: next === null ? null : green + next,
    });
  });

  it('makes each check once, in order, and ends, whenever somebody looks', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.integer({ min: 1, max: 48 * 60 }).map((count) => count * minute),
          { minLength: 1, maxLength: 8 },
        ),
        fc.array(fc.integer({ min: 0, max: 6 * hour }), { maxLength: 30 }),
        (after, lateness) => {
          let now = green;
          const passed: number[] = [];
          for (let turn = 0; turn < 20; turn += 1) {
            const { due, nextAtMs } = checksOf(after, passed, green, now);
            for (const check of due) expect(green + check).toBeLessThanOrEqual(now);
            passed.push(...due);
            if (nextAtMs === null) break;
            expect(nextAtMs).toBeGreaterThan(now);
            now = nextAtMs + (lateness[turn] ?? 0);
          }
          expect(passed).toEqual([...new Set(after)].sort((a, b) => a - b));
        },
      ),
    );
  });

  it('is a repeat until the check of 48 hours, and another failure later', () => {
    expect(isRepeat(green, green + 10 * minute)).toBe(true);
    expect(isRepeat(green, green + 48 * hour + 5 * minute)).toBe(true);
    expect(isRepeat(green, green + 50 * hour)).toBe(false);
  });

  it('says spans as the settings do', () => {
    expect(usual.map(spanOf)).toEqual(['10m', '1h', '24h', '48h']);
    expect(spanOf(90 * minute)).toBe('90m');
  });
});

describe('CI-10: a return is a repeat failure', () => {
  const back = (kind: 'ci' | 'drift', attempts: number, goneMs: number): unknown => {
    const observed = {
      kind,
      target: 't',
      signature: 's',
      ruleVersion: 1,
      severity: 'warning',
      title: 't',
      detail: {},
    };
    const observation: Observation = {
      workspace: 'shop',
      source: 'ciRuns',
      readAtMs: green,
      durationMs: 1,
      state: 'red',
      reason: '',
      findings: [observed as unknown as ObservedFinding],
    };
    const known = {
      fingerprint: 's',
      occurrence: 1,
      status: 'resolved',
      attempts,
      source: 'ciRuns',
      workspace: 'shop',
      resolvedMs: green - goneMs,
    } as const;
    return reconcile([known], [observation], (one) => one.signature, green)[0];
  };
  it.each([
    ['ci', 1, hour, { change: 'return', attempts: 1, repeat: true }],
    ['ci', 2, repeatWindowMs, { change: 'return', attempts: 2, repeat: true }],
    ['ci', 2, repeatWindowMs + 1, { change: 'return', attempts: 0, repeat: false }],
    // What nobody tried to fix turned green by itself.
    ['ci', 0, hour, { change: 'return', attempts: 0, repeat: false }],
    ['drift', 1, hour, { change: 'return', attempts: 1, repeat: false }],
    ['ci', 1, 8 * 24 * hour, { change: 'appear', occurrence: 2 }],
  ] as const)('%s with %i attempts, gone for %i ms', (kind, attempts, goneMs, expected) => {
    expect(back(kind, attempts, goneMs)).toMatchObject(expected);
  });
});

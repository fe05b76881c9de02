// LOOP-1: when a source is due, in time zones with and without summer time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SourceKind, sourceKinds } from '../../../../src/contract/finding.ts';
import type { CadenceSettings } from '../../../../src/contract/tenant-config.ts';
import { type DueQuestion, isWorkingTime, nextDueMs } from '../../../../src/policy/loop/cadence.ts';

const minute = 60_000;
const hour = 60 * minute;

const cadence: CadenceSettings = {
  workingHours: {
    days: ['mon', 'tue', 'wed', 'thu', 'fri'],
    from: '08:00',
    to: '18:00',
    everyMs: 15 * minute,
  },
  redMs: 5 * minute,
  nightMs: hour,
  perSourceMs: {},
};
const question: DueQuestion = {
  source: 'ciRuns',
  cadence,
  timeZone: 'Europe/Berlin',
  nowMs: 0,
  red: false,
  phaseMs: 7 * minute,
};
const at = (iso: string, more: Partial<DueQuestion> = {}): string =>
  new Date(nextDueMs({ ...question, nowMs: Date.parse(iso), ...more })).toISOString().slice(0, 16);

describe('when a source is due', () => {
  // 2 March 2026 is a Monday; Berlin is one hour ahead of UTC.
  it.each([
    ['by day', '2026-03-02T10:00:00Z', {}, '2026-03-02T10:07'],
    ['strictly later', '2026-03-02T10:07:00Z', {}, '2026-03-02T10:22'],
    ['by day while red', '2026-03-02T10:00:00Z', { red: true }, '2026-03-02T10:02'],
    ['by night', '2026-03-02T20:00:00Z', {}, '2026-03-02T20:07'],
    ['by night, the next', '2026-03-02T20:07:00Z', {}, '2026-03-02T21:07'],
    ['by night while red', '2026-03-02T20:07:00Z', { red: true }, '2026-03-02T20:12'],
    // The night's own step would be 08:37 in Berlin; the first step of the day is 08:07 there.
    ['before the morning', '2026-03-02T06:37:00Z', { phaseMs: 37 * minute }, '2026-03-02T07:07'],
    ['on a Saturday', '2026-03-07T10:07:00Z', {}, '2026-03-07T11:07'],
    ['approvals every two minutes', '2026-03-07T10:00:00Z', { source: 'approvals' }, '2026-03-07T10:01'],
    ['health every five minutes by night', '2026-03-02T20:08:00Z', { source: 'health' }, '2026-03-02T20:12'],
    [
      'health as often as a check of it needs',
      '2026-03-02T20:08:00Z',
      { source: 'health', mostMs: 4 * minute },
      '2026-03-02T20:11',
    ],
    ['deployments likewise', '2026-03-02T20:08:00Z', { source: 'deployments' }, '2026-03-02T20:12'],
    ['questions every two minutes', '2026-03-07T10:00:00Z', { source: 'mentions' }, '2026-03-07T10:01'],
  ] as const)('%s', (_name, iso, more, expected) => {
    expect(at(iso, more)).toBe(expected);
  });

  it('takes a fixed interval of a source, whatever the hour and the colour', () => {
    const fixed = { cadence: { ...cadence, perSourceMs: { drift: 2 * hour } }, source: 'drift' } as const;
    expect(at('2026-03-02T10:00:00Z', { ...fixed, red: true })).toBe('2026-03-02T10:07');
    expect(at('2026-03-02T10:07:00Z', fixed)).toBe('2026-03-02T12:07');
  });

  it.each([
    ['in the last minute of the day', '2026-03-02T16:59:59Z', true],
    ['at its end', '2026-03-02T17:00:00Z', false],
    ['at its start', '2026-03-02T07:00:00Z', true],
    ['on Sunday', '2026-03-01T12:00:00Z', false],
    // 29 March 2026, Sunday: Berlin goes to summer time. On Friday eight o'clock is 07:00Z, on Monday 06:00Z.
    ['on the Friday before summer time, 06:30Z', '2026-03-27T06:30:00Z', false],
    ['on the Monday after it, 06:30Z', '2026-03-30T06:30:00Z', true],
    // 25 October 2026: back again.
    ['on the Friday before winter time, 06:30Z', '2026-10-23T06:30:00Z', true],
    ['on the Monday after it, 06:30Z', '2026-10-26T06:30:00Z', false],
  ])('works %s: %s %s', (_name, iso, expected) => {
    expect(isWorkingTime(question, Date.parse(iso))).toBe(expected);
  });

  it('knows hours that do not exist, and hours that come twice', () => {
    const nights = { ...cadence, workingHours: { ...cadence.workingHours, days: ['sun'] as const } };
    const shift = (from: string, to: string) => ({
      cadence: { ...nights, workingHours: { ...nights.workingHours, from, to } },
      timeZone: 'Europe/Berlin',
    });
    // 02:00 to 03:00 is left out on 29 March.
    expect(isWorkingTime(shift('02:00', '03:00'), Date.parse('2026-03-29T00:59:00Z'))).toBe(false);
    expect(isWorkingTime(shift('02:00', '03:00'), Date.parse('2026-03-29T01:00:00Z'))).toBe(false);
    // It comes twice on 25 October.
    expect(isWorkingTime(shift('02:00', '03:00'), Date.parse('2026-10-25T00:30:00Z'))).toBe(true);
    expect(isWorkingTime(shift('02:00', '03:00'), Date.parse('2026-10-25T01:30:00Z'))).toBe(true);
    expect(isWorkingTime(shift('00:00', '24:00'), Date.parse('2026-10-25T22:59:00Z'))).toBe(true);
  });
});

/** Read by a clock of their own, whatever the hour. */
const always: readonly SourceKind[] = ['approvals', 'mentions', 'health', 'deployments', 'channels'];

const zones = fc.constantFrom(
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Pacific/Apia',
);
const anyQuestion: fc.Arbitrary<DueQuestion> = fc.record({
  source: fc.constantFrom(...sourceKinds),
  cadence: fc.record({
    workingHours: fc.record({
      days: fc.subarray(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const),
      from: fc.constantFrom('00:00', '07:30', '08:00'),
      to: fc.constantFrom('12:00', '18:00', '24:00'),
      everyMs: fc.integer({ min: minute, max: 30 * minute }),
    }),
    redMs: fc.integer({ min: minute, max: 20 * minute }),
    nightMs: fc.integer({ min: minute, max: 4 * hour }),
    perSourceMs: fc.constantFrom<CadenceSettings['perSourceMs']>({}, { drift: 10 * minute }),
  }),
  timeZone: zones,
  // Two years, with every change of the clocks.
  nowMs: fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2028-01-01') }),
  red: fc.boolean(),
  phaseMs: fc.nat({ max: 2 ** 32 - 1 }),
});

describe('when a source is due, for any settings', () => {
  it('strictly later, and no later than its longest step', () => {
    fc.assert(
      fc.property(anyQuestion, (one) => {
        const due = nextDueMs(one);
        expect(due).toBeGreaterThan(one.nowMs);
        const { redMs, nightMs, workingHours } = one.cadence;
        const longest = Math.max(redMs, nightMs, workingHours.everyMs, 10 * minute);
        expect(due - one.nowMs).toBeLessThanOrEqual(longest);
      }),
    );
  });

  it('a step of the night does not sleep into the morning', () => {
    fc.assert(
      fc.property(anyQuestion, (given) => {
        const one = { ...given, source: 'ciRuns' as const, red: false };
        const due = nextDueMs(one);
        // Between now and then no working time is longer than one of its own steps.
        const { everyMs } = one.cadence.workingHours;
        let working = 0;
        for (let t = one.nowMs; t < due; t += minute) {
          working = isWorkingTime(one, t) ? working + minute : 0;
          expect(working).toBeLessThanOrEqual(everyMs + minute);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('tenants do not align, the sources of one tenant do', () => {
    const times = (phaseMs: number) =>
      sourceKinds
        .filter((source) => !always.includes(source))
        .map((source) =>
          nextDueMs({ ...question, source, phaseMs, nowMs: Date.parse('2026-03-02T10:00:00Z') }),
        );
    expect(new Set(times(1_234_567)).size).toBe(1);
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 32 - 1 }), fc.nat({ max: 2 ** 32 - 1 }), (a, b) => {
        const { everyMs } = cadence.workingHours;
        expect(times(a)[0] === times(b)[0]).toBe(a % everyMs === b % everyMs);
      }),
    );
  });
});

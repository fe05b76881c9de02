// INC-4: SEV1 to a person within 10 min of detection, SEV2 after 15 min, SEV3 an issue only; reminders until acknowledged.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EscalationState } from '../../../../../src/contract/ops/incident.ts';
import type { IncidentLevel, IncidentSettings } from '../../../../../src/contract/ops/settings.ts';
import { isAcknowledgement } from '../../../../../src/policy/ops/incident/acknowledgement.ts';
import { nextEscalation } from '../../../../../src/policy/ops/incident/escalation.ts';

const minute = 60_000;
const settings: IncidentSettings['escalation'] = {
  sev1Ms: 10 * minute,
  sev2Ms: 15 * minute,
  remindSev1Ms: 30 * minute,
  remindSev2Ms: 120 * minute,
};
const begun: EscalationState = { detectedMs: 0, level: 'sev1', sent: [], acknowledged: null };

type Happening = readonly [minute: number, change: Partial<EscalationState>];

/** What was told, in minutes, with durable timers between: `9 first sev1`. */
function tell(happenings: readonly Happening[], untilMinute: number, timers = settings): readonly string[] {
  let state: EscalationState = begun;
  const told: string[] = [];
  const left = [...happenings];
  for (let nowMs = 0; nowMs <= untilMinute * minute; ) {
    while (left[0] !== undefined && left[0][0] * minute <= nowMs) state = { ...state, ...left.shift()?.[1] };
    const step = nextEscalation(state, timers, nowMs);
    if (step.do === 'tell') {
      told.push(`${nowMs / minute} ${step.why} ${step.level}`);
      expect(step.number).toBe(state.sent.length + 1);
      state = { ...state, sent: [...state.sent, { atMs: nowMs, level: step.level }] };
      continue;
    }
    const timer = step.do === 'wait' ? step.untilMs : Number.POSITIVE_INFINITY;
    expect(timer).toBeGreaterThan(nowMs);
    nowMs = Math.min(timer, (left[0]?.[0] ?? Number.POSITIVE_INFINITY) * minute, (untilMinute + 1) * minute);
  }
  return told;
}

const acknowledgedAt = (at: number, level: IncidentLevel): Partial<EscalationState> => ({
  acknowledged: { atMs: at * minute, by: 'maria', level },
});

describe('INC-4: the timers', () => {
  it.each<[string, readonly Happening[], number, readonly string[]]>([
    [
      'SEV1, until acknowledged',
      [],
      100,
      ['9 first sev1', '39 reminder sev1', '69 reminder sev1', '99 reminder sev1'],
    ],
    ['SEV2', [[0, { level: 'sev2' }]], 300, ['15 first sev2', '135 reminder sev2', '255 reminder sev2']],
    ['SEV3 is an issue only', [[0, { level: 'sev3' }]], 5_000, []],
    ['acknowledged before anybody was told', [[5, acknowledgedAt(5, 'sev1')]], 500, []],
    [
      'acknowledged after a reminder',
      [[50, acknowledgedAt(50, 'sev1')]],
      500,
      ['9 first sev1', '39 reminder sev1'],
    ],
    ['over before it is due', [[8, { level: null }]], 500, []],
    ['over after it was told', [[10, { level: null }]], 500, ['9 first sev1']],
    [
      'SEV2 raised to SEV1 before anybody was told: the time of SEV1 since detection',
      [
        [0, { level: 'sev2' }],
        [5, { level: 'sev1' }],
      ],
      30,
      ['9 first sev1'],
    ],
    [
      'SEV2 raised to SEV1 after the time of SEV1: at once',
      [
        [0, { level: 'sev2' }],
        [12, { level: 'sev1' }],
      ],
      30,
      ['12 first sev1'],
    ],
    [
      'SEV2 told and acknowledged, then raised to SEV1: told again at once, and reminded',
      [
        [0, { level: 'sev2' }],
        [20, acknowledgedAt(20, 'sev2')],
        [25, { level: 'sev1' }],
      ],
      60,
      ['15 first sev2', '25 raised sev1', '55 reminder sev1'],
    ],
    [
      'SEV3 raised to SEV2 after an hour',
      [
        [0, { level: 'sev3' }],
        [60, { level: 'sev2' }],
      ],
      70,
      ['60 first sev2'],
    ],
    [
      'SEV1 told, lowered to SEV2: reminded as SEV2',
      [[10, { level: 'sev2' }]],
      300,
      ['9 first sev1', '129 reminder sev2', '249 reminder sev2'],
    ],
    ['SEV1 lowered to SEV3 before anybody was told', [[8, { level: 'sev3' }]], 500, []],
    [
      'SEV1 acknowledged, lowered and raised again: whoever has it knows',
      [
        [9, acknowledgedAt(9, 'sev1')],
        [20, { level: 'sev2' }],
        [30, { level: 'sev1' }],
      ],
      500,
      [],
    ],
  ])('%s', (_name, happenings, until, expected) => {
    expect(tell(happenings, until)).toEqual(expected);
  });

  it('a setting may make the time of SEV1 shorter, never longer', () => {
    expect(tell([], 20, { ...settings, sev1Ms: 2 * minute })).toEqual(['2 first sev1']);
    expect(tell([], 20, { ...settings, sev1Ms: 60 * minute })).toEqual(['9 first sev1']);
    expect(tell([], 1, { ...settings, sev1Ms: 0 })).toEqual(['0 first sev1']);
  });

  it('says what it waits for', () => {
    expect(nextEscalation(begun, settings, 0)).toEqual({
      do: 'wait',
      untilMs: 9 * minute,
      reason: 'SEV1 is told to a person when it is not over by then',
    });
    expect(nextEscalation({ ...begun, ...acknowledgedAt(1, 'sev1') }, settings, 5 * minute)).toEqual({
      do: 'nothing',
      reason: 'acknowledged by maria',
    });
  });

  it('a timer that fires late still tells, and names when it was due', () => {
    expect(nextEscalation(begun, settings, 500 * minute)).toEqual({
      do: 'tell',
      why: 'first',
      level: 'sev1',
      number: 1,
      dueMs: 9 * minute,
    });
  });
});

it('INC-4: whatever happens, an unacknowledged SEV1 of 9 min is told within 10 min, and there is no storm of words', () => {
  const level = fc.constantFrom<IncidentLevel | null>('sev1', 'sev2', 'sev3', null);
  const happening = fc.tuple(fc.integer({ min: 0, max: 200 }), level);
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 30 }), (given) => {
      const sorted = given.toSorted((a, b) => a[0] - b[0]);
      const happenings = sorted.map(([at, one]): Happening => [at, { level: one }]);
      const told = tell(happenings, 240);
      if (!sorted.some(([at, one]) => at <= 9 && one !== 'sev1')) expect(told[0]).toBe('9 first sev1');
      // One first word, one for each rise at most, and reminders by their interval.
      expect(told.filter((one) => one.includes(' raised ')).length).toBeLessThanOrEqual(1);
      expect(told.length).toBeLessThanOrEqual(2 + 240 / 30);
    }),
  );
});

it.each<[string, boolean]>([
  ['/ack', true],
  ['On it.\n\n/ack looking into it', true],
  ['Thanks!\n/ack  ', true],
  ['/acknowledge', false],
  ['please /ack', false],
  ['/ACK', false],
  ['ack', false],
  ['> /ack', false],
  ['`/ack`', false],
  ['    /ack', false],
  ['```\n/ack\n```', false],
  ['<!--\n/ack\n-->', false],
  ['~~/ack~~', false],
  ['/ack see `log`', false],
])('INC-4: acknowledged by a comment: %j is %s', (body, expected) => {
  expect(isAcknowledgement(body)).toBe(expected);
});

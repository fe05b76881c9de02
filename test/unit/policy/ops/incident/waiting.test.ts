// What an incident waits for, and when it is looked at again (INC-4, LOOP-3, LOOP-14).
import { describe, expect, it } from 'vitest';
import type { LadderTurn } from '../../../../../src/activities/remedies/incident/services/ladder.ts';
import { IncidentState } from '../../../../../src/activities/remedies/incident/state.ts';
import {
  nextLookMs,
  waitingWords,
  waitsForPeople,
} from '../../../../../src/activities/remedies/incident/waiting.ts';

const nowMs = Date.UTC(2026, 10, 21, 3, 0);
const minuteMs = 60_000;

function ladder(step: LadderTurn['step'], more: Partial<LadderTurn> = {}): LadderTurn {
  return {
    service: 'backend',
    health: 'unhealthy',
    asOfMs: nowMs,
    failedBeside: false,
    step,
    due: null,
    answered: [],
    receipts: [],
    sinceMs: nowMs,
    ...more,
  };
}

const state = (more: object = {}): IncidentState =>
  IncidentState.parse({
    severity: { level: 'sev1', failing: ['login'], belowSinceMs: { sev1: null, sev2: null, sev3: null } },
    escalation: { detectedMs: nowMs, level: 'sev1', sent: [], acknowledged: null },
    ...more,
  });

const asked: LadderTurn['answered'] = [
  {
    kind: 'rollBack',
    deploymentId: 'd1',
    step: 'rollBack-1',
    atMs: nowMs,
    outcome: 'held',
    reason: 'needs approval',
    againMs: nowMs + 60 * minuteMs,
    approval: { hash: 'abc123', expiresAtMs: nowMs + 60 * minuteMs, askedMs: nowMs },
  },
];
const rollBack = { do: 'rollBack', deploymentId: 'd1', reason: 'down' } as const;
const wait = { do: 'wait', untilMs: nowMs + 10_000, reason: 'unhealthy for 4 min' } as const;

describe('LOOP-3: whether only people can go on', () => {
  it.each<[string, readonly LadderTurn[], boolean]>([
    ['no service is known', [], true],
    ['every service is well', [ladder({ do: 'well' })], true],
    ['the ladder is at its end', [ladder({ do: 'person', why: 'used', reason: '' })], true],
    ['a step waits for an approval', [ladder(rollBack, { answered: asked })], true],
    ['a step waits for its time', [ladder(wait)], false],
    ['one of two goes on', [ladder({ do: 'well' }), ladder(wait)], false],
  ])('%s', (_name, ladders, people) => {
    expect(waitsForPeople(ladders)).toBe(people);
  });
});

describe('INC-4: the next look', () => {
  const look = (more: object, ladders: readonly LadderTurn[], escalationMs: number | null, people = false) =>
    nextLookMs(state(more), ladders, { nowMs, escalationMs, people }) - nowMs;

  it('is within a minute while something goes on, and within five while only people can do something', () => {
    expect(look({}, [], null)).toBeLessThan(minuteMs);
    expect(look({}, [], null, true)).toBeLessThan(5 * minuteMs);
  });

  it('is at the nearest of all times, just after the cycle that is due with it', () => {
    expect(look({}, [ladder(wait)], null)).toBeGreaterThanOrEqual(10_000);
    expect(look({}, [ladder(wait)], null)).toBeLessThan(20_000);
    expect(look({}, [ladder(wait)], nowMs + 1_000)).toBeLessThan(10_000);
    const planned = [{ name: 'alert-1', notBeforeMs: nowMs + 2_000 }];
    expect(look({ planned }, [ladder(wait)], null)).toBe(2_000);
  });

  it('is never now, whatever is over', () => {
    const planned = [{ name: 'alert-1', notBeforeMs: 0 }];
    const past = { do: 'wait', untilMs: nowMs - minuteMs, reason: '' } as const;
    expect(look({ planned }, [ladder(past)], nowMs - minuteMs)).toBeGreaterThan(0);
  });
});

it('LOOP-14: says severity, who has it, the issue, each service, and what failed how often', () => {
  const checks = { login: { level: 'sev1', reason: '503', failures: 3 } };
  const words = waitingWords(state({ checks }), [ladder(rollBack, { answered: asked })], {
    people: true,
    issue: 7,
  });
  expect(words).toBe(
    'a person: SEV1, nobody has acknowledged; issue #7; backend: rollBack needs approval (/approve abc123); login failed 3 times',
  );
});

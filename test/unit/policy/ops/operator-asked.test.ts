// MODEL-2, LOOP-5: when the model is asked about an incident, and what is the same state.
import { describe, expect, it } from 'vitest';
import { type AskFacts, operatorQuestion } from '../../../../src/policy/ops/operator-asked.ts';

const minute = 60_000;
const nowMs = Date.UTC(2026, 10, 21, 3, 0);
const ladder: AskFacts['ladders'][number] = {
  service: 'backend',
  health: 'unhealthy',
  step: { do: 'person' },
  due: null,
  doneMs: [nowMs - 20 * minute],
  answered: [],
};
const facts: AskFacts = {
  nowMs,
  detectedMs: nowMs - 40 * minute,
  afterMs: 5 * minute,
  enabled: true,
  level: 'sev1',
  failing: ['backend'],
  ladders: [ladder],
};

describe('MODEL-2: the model', () => {
  it.each<[string, Partial<AskFacts>]>([
    ['LOOP-5: nothing fails', { level: null }],
    ['is switched off, or has no budget', { enabled: false }],
    ['the incident is younger than a step needs', { detectedMs: nowMs - 4 * minute }],
    ['the ladder takes a step', { ladders: [{ ...ladder, due: {} }] }],
    ['a step has to be given its time', { ladders: [{ ...ladder, doneMs: [nowMs - minute] }] }],
  ])('is not asked: %s', (_what, more) => {
    expect(operatorQuestion({ ...facts, ...more })).toBeNull();
  });

  it.each<[string, Partial<AskFacts>]>([
    ['the ladder is used up', {}],
    ['the ladder waits', { ladders: [{ ...ladder, step: { do: 'wait' } }] }],
    ['there is no ladder', { ladders: [] }],
  ])('is asked: %s', (_what, more) => {
    expect(operatorQuestion({ ...facts, ...more })).not.toBeNull();
  });

  it('time alone makes no other state', () => {
    const later = { ...facts, nowMs: nowMs + 60 * minute };
    expect(operatorQuestion(later)).toEqual(operatorQuestion(facts));
    expect(operatorQuestion({ ...facts, failing: ['b', 'a'] })).toEqual(
      operatorQuestion({ ...facts, failing: ['a', 'b'] }),
    );
  });

  it.each<[string, Partial<AskFacts>]>([
    ['severity', { level: 'sev2' }],
    ['a check', { failing: ['backend', 'frontend'] }],
    ['what was done', { ladders: [{ ...ladder, doneMs: [nowMs - 30 * minute, nowMs - 20 * minute] }] }],
    ['what is held', { ladders: [{ ...ladder, answered: ['held rollBack-1'] }] }],
    ['how a service is', { ladders: [{ ...ladder, health: 'deploying' }] }],
  ])('%s makes another state', (_what, more) => {
    expect(operatorQuestion({ ...facts, ...more })).not.toEqual(operatorQuestion(facts));
  });
});

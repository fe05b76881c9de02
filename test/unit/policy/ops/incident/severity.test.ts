// INC-1: severity by rules over what fails, up at once, down after it has held, each change recorded.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckState, SeverityChange, SeverityState } from '../../../../../src/contract/ops/incident.ts';
import { type IncidentLevel, incidentLevels } from '../../../../../src/contract/ops/settings.ts';
import {
  isWorse,
  levelOf,
  nextSeverity,
  noSeverity,
  type SeverityRules,
} from '../../../../../src/policy/ops/incident/severity.ts';

const minute = 60_000;
const rules: SeverityRules = {
  byName: { backend: 'sev1', login: 'sev2', search: 'sev2', avatars: 'sev3' },
  default: 'sev2',
  raise: [
    { checks: ['login', 'frontend'], count: 2, level: 'sev1' },
    { checks: ['avatars', 'search'], count: 2, level: 'sev3' },
  ],
  lowerAfterMs: 5 * minute,
};

describe('INC-1: the level of what fails', () => {
  it.each<[string, string[], IncidentLevel | null, string]>([
    ['nothing', [], null, ''],
    ['by its own rule', ['backend'], 'sev1', 'backend fails'],
    ['the worst of several', ['avatars', 'backend', 'login'], 'sev1', 'backend fails'],
    ['what no rule names', ['queue'], 'sev2', 'queue fails'],
    ['a name of every object', ['constructor'], 'sev2', 'constructor fails'],
    ['two sev2 stay sev2 without a rule', ['login', 'search'], 'sev2', 'login fails'],
    ['two sev2 with a rule', ['login', 'frontend'], 'sev1', '2 fail at once: frontend, login'],
    ['one of them alone', ['frontend'], 'sev2', 'frontend fails'],
    ['the same one twice is one', ['login', 'login'], 'sev2', 'login fails'],
    ['a rule never lowers', ['avatars', 'search'], 'sev2', 'search fails'],
  ])('%s', (_name, failing, level, reason) => {
    expect(levelOf(failing, rules)).toEqual(level === null ? null : { level, reason });
  });

  it('counts over all that fails when a rule names none', () => {
    const any = { ...rules, raise: [{ checks: [], count: 3, level: 'sev1' as const }] };
    expect(levelOf(['a', 'b'], any)?.level).toBe('sev2');
    expect(levelOf(['a', 'b', 'c'], any)).toEqual({ level: 'sev1', reason: '3 fail at once: a, b, c' });
    expect(levelOf([], { ...rules, raise: [{ checks: [], count: 0, level: 'sev1' }] })).toBeNull();
  });
});

type Reading = readonly [minute: number, checks: { readonly [name: string]: CheckState }];

/** The level after each reading, and the changes. */
function follow(readings: readonly Reading[]): {
  readonly levels: readonly (IncidentLevel | null)[];
  readonly changes: readonly SeverityChange[];
} {
  let state: SeverityState = noSeverity;
  const levels: (IncidentLevel | null)[] = [];
  const changes: SeverityChange[] = [];
  for (const [at, checks] of readings) {
    const next = nextSeverity(state, checks, rules, at * minute);
    state = JSON.parse(JSON.stringify(next.state));
    levels.push(state.level);
    if (next.change) changes.push(next.change);
  }
  return { levels, changes };
}

describe('INC-1: how long the lower level held, in words', () => {
  it.each([
    [5 * minute, 'nothing fails, for 5 min'],
    [10_000, 'nothing fails, for 10 s'],
    [-2_000, 'nothing fails'],
  ])('%s ms: %s', (lowerAfterMs, reason) => {
    const short = { ...rules, lowerAfterMs };
    let { state } = nextSeverity(noSeverity, { backend: 'failing' }, short, 0);
    ({ state } = nextSeverity(state, { backend: 'passing' }, { ...short, lowerAfterMs: 60 * minute }, 0));

    expect(nextSeverity(state, { backend: 'passing' }, short, 5 * minute).change?.reason).toBe(reason);
  });
});

describe('INC-1: over time', () => {
  it.each<[string, readonly Reading[], readonly (IncidentLevel | null)[]]>([
    [
      'rises at once',
      [
        [0, { avatars: 'failing', backend: 'passing' }],
        [1, { avatars: 'failing', backend: 'failing' }],
      ],
      ['sev3', 'sev1'],
    ],
    [
      'falls when the lower level has held for 5 min',
      [
        [0, { backend: 'failing', avatars: 'failing' }],
        [5, { backend: 'passing', avatars: 'failing' }],
        [9, { backend: 'passing', avatars: 'failing' }],
        [10, { backend: 'passing', avatars: 'failing' }],
      ],
      ['sev1', 'sev1', 'sev1', 'sev3'],
    ],
    [
      'a return in between starts the 5 min again',
      [
        [0, { backend: 'failing' }],
        [2, { backend: 'passing' }],
        [4, { backend: 'failing' }],
        [6, { backend: 'passing' }],
        [10, { backend: 'passing' }],
        [11, { backend: 'passing' }],
      ],
      ['sev1', 'sev1', 'sev1', 'sev1', 'sev1', null],
    ],
    [
      'falls to the worst of the last 5 min, not to the last one',
      [
        [0, { backend: 'failing', login: 'passing' }],
        [1, { backend: 'passing', login: 'passing' }],
        [5, { backend: 'passing', login: 'failing' }],
        [6, { backend: 'passing', login: 'passing' }],
        [10, { backend: 'passing', login: 'passing' }],
        [11, { backend: 'passing', login: 'passing' }],
      ],
      ['sev1', 'sev1', 'sev1', 'sev2', 'sev2', null],
    ],
    [
      'what cannot be read stays as it was known, failing or passing',
      [
        [0, { backend: 'failing', login: 'unknown' }],
        [9, { backend: 'unknown', login: 'unknown' }],
        [99, { backend: 'unknown', login: 'unknown' }],
      ],
      ['sev1', 'sev1', 'sev1'],
    ],
    [
      'a check that the settings do not name any more is forgotten',
      [
        [0, { backend: 'failing' }],
        [1, {}],
        [6, {}],
      ],
      ['sev1', 'sev1', null],
    ],
  ])('%s', (_name, readings, levels) => {
    expect(follow(readings).levels).toEqual(levels);
  });

  it('records each change with its time and reason', () => {
    const { changes } = follow([
      [0, { login: 'failing' }],
      [5, { login: 'failing', frontend: 'failing' }],
      [10, { login: 'failing', frontend: 'passing' }],
      [15, { login: 'failing', frontend: 'passing' }],
      [20, { login: 'passing', frontend: 'passing' }],
      [25, { login: 'passing', frontend: 'passing' }],
    ]);
    expect(changes.map(({ atMs, from, to, reason }) => [atMs / minute, from, to, reason])).toEqual([
      [0, null, 'sev2', 'login fails'],
      [5, 'sev2', 'sev1', '2 fail at once: frontend, login'],
      [15, 'sev1', 'sev2', 'login fails, for 5 min'],
      [25, 'sev2', null, 'nothing fails, for 5 min'],
    ]);
  });
});

it('INC-1: is always the worst level of the last 5 min, and changes only with a record', () => {
  const check = fc.constantFrom<CheckState>('failing', 'passing');
  const reading = fc.record({
    gap: fc.integer({ min: 0, max: 400_000 }),
    backend: check,
    login: check,
    avatars: check,
  });
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 40 }), (readings) => {
      let state = noSeverity;
      let nowMs = 0;
      const seen: { atMs: number; untilMs: number; level: IncidentLevel | null }[] = [];
      for (const { gap, ...checks } of readings) {
        nowMs += gap;
        const last = seen.at(-1);
        if (last) last.untilMs = nowMs;
        const failing = Object.entries(checks).flatMap(([name, is]) => (is === 'failing' ? [name] : []));
        seen.push({
          atMs: nowMs,
          untilMs: Number.POSITIVE_INFINITY,
          level: levelOf(failing, rules)?.level ?? null,
        });
        const before = state.level;
        const next = nextSeverity(state, checks, rules, nowMs);
        state = next.state;
        const recent = seen.filter((one) => one.untilMs > nowMs - rules.lowerAfterMs).map((one) => one.level);
        const expected = incidentLevels.find((level) => recent.includes(level)) ?? null;
        expect(state.level).toBe(expected);
        expect(next.change !== null).toBe(state.level !== before);
        if (isWorse(levelOf(failing, rules)?.level ?? null, before)) expect(next.change?.atMs).toBe(nowMs);
      }
    }),
  );
});

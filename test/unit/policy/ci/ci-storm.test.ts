// CI-12: a red main with 12 failing jobs is batched, not 12 fixes; and so many pull requests per repository.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  judgePullRequests,
  judgeStorm,
  type OpenFailure,
  type StormQuestion,
  stormMembers,
} from '../../../../src/policy/ci/ci-storm.ts';

const minute = 60_000;
const now = 10_000 * 60 * minute;

function failure(index: number, more: Partial<OpenFailure> = {}): OpenFailure {
  return {
    fingerprint: `${index}`.padStart(2, '0').repeat(32),
    title: `job ${index}`,
    firstSeenMs: now - 10 * minute,
    critical: true,
    signature: null,
    wants: 'fix',
    ...more,
  };
}
/** Twelve jobs: five with one error, four with another, three alone. */
const redMain = Array.from({ length: 12 }, (_, index) =>
  failure(index, { signature: index < 4 ? 'four' : index < 9 ? 'five' : null }),
);
const ask = (more: Partial<StormQuestion> = {}): StormQuestion => ({
  repository: 'acme/shop',
  open: redMain,
  fingerprint: redMain[0]?.fingerprint ?? '',
  holder: null,
  provedMs: null,
  threshold: 5,
  ...more,
});
const allOf = (more: Partial<StormQuestion> = {}) =>
  (more.open ?? redMain).map(({ fingerprint }) => judgeStorm(ask({ ...more, fingerprint }), now));

describe('a storm', () => {
  it('lets one of twelve be fixed: the first of the biggest batch', () => {
    const mine = allOf().map((verdict) => verdict.storm && verdict.mine);
    expect(mine.filter(Boolean)).toHaveLength(1);
    expect(mine.indexOf(true)).toBe(4);
    expect(allOf()[0]).toMatchObject({
      storm: true,
      mine: false,
      why: 'storm: 12 jobs of acme/shop fail; until a fix proved itself only 040404040404 (job 4, 5 with the same error) is being fixed',
      lookAgainMs: 5 * minute,
    });
  });

  it('stays with the one that is being fixed, whatever batch grows meanwhile', () => {
    const holder = redMain[11]?.fingerprint ?? '';
    const mine = allOf({ holder }).map((verdict) => verdict.storm && verdict.mine);
    expect(mine.indexOf(true)).toBe(11);
  });

  it('goes on to another when that one is resolved, with a person, or wants no fix any more', () => {
    const gone = 'f'.repeat(64);
    expect(allOf({ holder: gone }).filter((one) => one.storm && one.mine)).toHaveLength(1);
    const open = redMain.map((one, index) => (index === 4 ? { ...one, wants: 'other' as const } : one));
    const mine = allOf({ open, holder: open[4]?.fingerprint ?? '' }).map((one) => one.storm && one.mine);
    expect(mine.indexOf(true)).toBe(5);
  });

  it.each([
    ['4 findings are none', redMain.slice(0, 4), null, 0],
    ['5 are one', redMain.slice(0, 5), null, 5],
    ['over with the first fix that proved itself', redMain, now - minute, 0],
    ['not with one that proved itself before', redMain, now - 11 * minute, 12],
    [
      'again with five new ones',
      [...redMain, ...[20, 21, 22, 23, 24].map((n) => failure(n, { firstSeenMs: now }))],
      now - minute,
      5,
    ],
  ])('%s', (_name, open, provedMs, expected) => {
    expect(stormMembers(open, provedMs, 5)).toHaveLength(expected);
  });

  it('first reads what all of them are, for two minutes at most', () => {
    const open = redMain.map((one, index) =>
      index === 3 ? { ...one, wants: null, firstSeenMs: now - minute } : one,
    );
    expect(judgeStorm(ask({ open }), now)).toMatchObject({
      mine: false,
      why: 'storm: 12 jobs of acme/shop fail; 1 of them still to be read',
      lookAgainMs: 15_000,
    });
    expect(judgeStorm(ask({ open }), now + minute)).not.toMatchObject({ lookAgainMs: 15_000 });
  });

  it('chooses at once when all have said what they are', () => {
    const open = redMain.map((one) => ({ ...one, firstSeenMs: now }));
    expect(allOf({ open }).filter((one) => one.storm && one.mine)).toHaveLength(1);
  });

  it('leaves what came before the last proof alone', () => {
    const old = failure(50, { firstSeenMs: now - 60 * minute });
    const question = { open: [...redMain, old], provedMs: now - 30 * minute };
    expect(judgeStorm(ask({ ...question, fingerprint: old.fingerprint }), now)).toEqual({ storm: false });
  });

  it('for any findings: at most one may be fixed, and somebody may when all have said what they want', () => {
    const open = fc.uniqueArray(
      fc.record({
        fingerprint: fc.nat(40).map((n) => failure(n).fingerprint),
        title: fc.constant('job'),
        firstSeenMs: fc.integer({ min: now - 100 * minute, max: now }),
        critical: fc.boolean(),
        signature: fc.option(fc.constantFrom('a', 'b', 'c')),
        wants: fc.constantFrom('fix' as const, 'other' as const, null),
      }),
      { selector: ({ fingerprint }) => fingerprint, minLength: 5, maxLength: 20 },
    );
    fc.assert(
      fc.property(open, fc.nat(40), (all, holderIndex) => {
        const asking = all.filter(({ wants }) => wants === 'fix');
        const mine = asking.filter(({ fingerprint }) => {
          const holder = failure(holderIndex).fingerprint;
          const verdict = judgeStorm(ask({ open: all, holder, fingerprint }), now);
          return verdict.storm && verdict.mine;
        });
        expect(mine.length).toBeLessThanOrEqual(1);
        if (asking.length > 0 && all.every(({ wants }) => wants !== null)) expect(mine).toHaveLength(1);
      }),
    );
  });
});

describe('pull requests of fixes', () => {
  const limits = { openPullRequests: 3, newPullRequestsPerHour: 2 };
  it.each([
    ['none', { open: 0, newMs: [] }, null],
    ['two open, none new', { open: 2, newMs: [] }, null],
    ['three open', { open: 3, newMs: [] }, now + 10 * minute],
    ['one new', { open: 1, newMs: [now - minute] }, null],
    [
      'two new: when the older one is an hour old',
      { open: 2, newMs: [now - 50 * minute, now] },
      now + 10 * minute,
    ],
    ['two, one of them an hour ago', { open: 2, newMs: [now - 60 * minute, now] }, null],
    [
      'three new, after the limit was lowered',
      { open: 0, newMs: [now - 30 * minute, now - 20 * minute, now] },
      now + 40 * minute,
    ],
  ])('%s', (_name, counts, untilMs) => {
    expect(judgePullRequests(counts, limits, now)?.untilMs ?? null).toBe(untilMs);
  });

  it('none at all where the limit is 0, and always a time to look again', () => {
    expect(
      judgePullRequests({ open: 0, newMs: [] }, { ...limits, newPullRequestsPerHour: 0 }, now),
    ).toMatchObject({
      untilMs: now + 60 * minute,
    });
  });
});

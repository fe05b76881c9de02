// CI-14: why a run is not worked on, in words, and when a workspace waits for people.
import { describe, expect, it } from 'vitest';
import { parseRun } from '../../../src/client/steer/focus.ts';
import { type RunAsked, whyNoFinding } from '../../../src/policy/ci/about-run.ts';
import { standOf, type Waiting, waitsForPeople } from '../../../src/policy/loop/waits-for.ts';

const listed = { enabled: true, branches: ['main', 'release/*'], pullRequests: [] };
const run: RunAsked = {
  id: 7,
  status: 'completed',
  conclusion: 'failure',
  branch: 'main',
  name: 'ci',
  event: 'push',
  fork: false,
};

describe('CI-14: why a run is no finding', () => {
  it.each([
    ['unknown', null, listed, /has no run 7/],
    [
      'off the list',
      { ...run, branch: 'topic' },
      listed,
      /"topic", which is off the list \(main, release\/\*\)/,
    ],
    ['green', { ...run, conclusion: 'success' }, listed, /ended with success: there is nothing to fix/],
    ['cancelled', { ...run, conclusion: 'cancelled' }, listed, /"cancelled", which is neither red nor green/],
    [
      'under way',
      { ...run, status: 'in_progress', conclusion: null },
      listed,
      /is in_progress: it has not failed/,
    ],
    ['of a fork', { ...run, fork: true }, listed, /of a fork/],
    ['of our own branch', { ...run, branch: 'untilgreen/ci-1' }, listed, /branch of Untilgreen itself/],
    ['of a stranger', { ...run, event: 'issue_comment' }, listed, /anybody can cause/],
    ['not watched', run, { ...listed, enabled: false }, /ci\.enabled: true/],
    ['superseded', run, listed, /a newer run of its workflow on "main" decides/],
    [
      'without a pull request',
      { ...run, branch: 'topic' },
      { ...listed, pullRequests: ['**'] },
      /no open pull request/,
    ],
  ] as const)('%s', (_what, asked, settings, why) => {
    expect(whyNoFinding(7, asked, settings)).toMatch(why);
  });
});

describe('CI-14: the id of a run, or its address', () => {
  it.each([
    ['4711', 4711, undefined],
    ['https://github.com/acme/shop/actions/runs/4711', 4711, 'acme/shop'],
    ['https://github.com/acme/shop/actions/runs/4711/attempts/2', 4711, 'acme/shop'],
    ['https://github.example.com/acme/shop/actions/runs/4711/job/9?pr=1', 4711, 'acme/shop'],
    ['http://127.0.0.1:8080/acme/shop/actions/runs/4711', 4711, 'acme/shop'],
  ])('%s', (text, runId, repository) => {
    expect(parseRun(text)).toEqual({ runId, repository });
  });
  it.each(['', 'main', '47a11', 'https://github.com/acme/shop/pull/7', '-1'])('refuses "%s"', (text) => {
    expect(() => parseRun(text)).toThrow(/give the id of a workflow run, or its address/);
  });
});

describe('LOOP-11: what waits for people', () => {
  const finding = (status: Waiting['status'], waitingFor: string | null = null, more = {}): Waiting => ({
    status,
    severity: 'warning',
    waitingFor,
    needsApproval: false,
    ...more,
  });
  it.each([
    [finding('escalated'), true],
    [finding('waiting', 'a person to merge pull request #7'), true],
    [finding('waiting', 'the author of the pull request to take the patch'), true],
    [
      finding('waiting', 'applyMigrations: needs approval: the database says so', { needsApproval: true }),
      true,
    ],
    [finding('waiting', 'applyDrift: paused (tenant): freeze'), true],
    [finding('waiting', 'applyMigrations: applyMigrations on main is in cooldown'), false],
    [finding('waiting', 'the run of main after pull request #7 was merged'), false],
    [finding('waiting', 'the next attempt: lock timeout'), false],
    [finding('working'), false],
    [finding('open'), false],
  ])('%o: %s', (given, expected) => {
    expect(waitsForPeople(given)).toBe(expected);
  });

  it('is green without anything workable, waits when only people can go on, and works otherwise', () => {
    const merge = finding('waiting', 'a person to merge pull request #7');
    expect(standOf([], 0)).toBe('green');
    expect(standOf([finding('watched'), finding('open', null, { severity: 'info' })], 0)).toBe('green');
    expect(standOf([merge, finding('escalated')], 0)).toBe('people');
    expect(standOf([merge, finding('working')], 0)).toBe('working');
    expect(standOf([merge], 1)).toBe('working');
    expect(standOf([], 1)).toBe('working');
  });
});

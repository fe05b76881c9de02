// CI-1: which runs decide, and what becomes a finding.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CiRun,
  ciFindings,
  type FailedJob,
  type KnownRun,
  knownRun,
  noJob,
  stableName,
  verdictOf,
  type WatchedBranches,
  watchedLanes,
} from '../../../../src/policy/ci/ci-runs.ts';
import { laneFailures } from '../../../../src/policy/ci/lane-failures.ts';

const path = '.github/workflows/ci.yml';
const watched: WatchedBranches = {
  branches: ['main', 'release/*'],
  pullRequests: ['feature/**'],
  defaultBranch: 'main',
  open: [
    { number: 7, branch: 'feature/a' },
    { number: 8, branch: 'other' },
    { number: 9, branch: 'untilgreen/ci-1' },
  ],
};

function run(id: number, conclusion: string | null, more: Partial<CiRun> = {}): CiRun {
  const status = conclusion === null ? 'in_progress' : 'completed';
  return {
    id,
    attempt: 1,
    status,
    conclusion,
    branch: 'main',
    sha: 'a'.repeat(40),
    path,
    name: 'CI',
    url: `https://example.com/${id}`,
    ...more,
  };
}
const known = (...runs: CiRun[]): KnownRun[] => runs.map((one) => knownRun(undefined, one));
const job: FailedJob = {
  id: 5,
  name: 'test',
  step: 'Run npm test',
  stepNumber: 3,
  url: 'https://example.com/job',
};
const findingsOf = (runs: KnownRun[], jobs: readonly FailedJob[] | null = [job]) =>
  ciFindings(
    'acme/shop',
    watchedLanes(runs, watched).map((lane) => {
      const look = laneFailures(lane, () => jobs && { failed: jobs, silent: [] }, undefined, 0);
      return { lane, failures: 'failures' in look ? look.failures : [] };
    }),
  );

describe('verdict of a run', () => {
  it.each([
    ['completed', 'failure', 'red'],
    ['completed', 'timed_out', 'red'],
    ['completed', 'startup_failure', 'red'],
    ['completed', 'success', 'green'],
    ['completed', 'cancelled', null],
    ['completed', 'skipped', null],
    ['completed', 'neutral', null],
    ['completed', 'stale', null],
    ['completed', 'action_required', null],
    ['completed', null, null],
    ['in_progress', null, null],
    ['queued', null, null],
    ['waiting', 'failure', null],
  ] as const)('%s %s: %s', (status, conclusion, verdict) => {
    expect(verdictOf({ status, conclusion })).toBe(verdict);
  });
});

describe('which run decides', () => {
  it.each([
    ['the newest', [run(2, 'success'), run(1, 'failure')], 'green'],
    ['the newest that failed', [run(1, 'success'), run(2, 'failure')], 'red'],
    ['not one under way', [run(1, 'failure'), run(2, null)], 'red, running'],
    ['not one that was cancelled', [run(1, 'failure'), run(2, 'cancelled')], 'red'],
    ['nothing, when all were cancelled', [run(1, 'cancelled')], 'nothing'],
    ['nothing, when the first is under way', [run(1, null)], 'nothing, running'],
    ['not one of an older commit that is still running', [run(1, null), run(2, 'success')], 'green'],
  ])('%s', (_name, runs, expected) => {
    const [lane] = watchedLanes(known(...runs), watched);
    const verdict = lane?.deciding?.verdict;
    const said = verdict == null ? 'nothing' : verdict.red ? 'red' : 'green';
    expect(said + (lane?.running == null ? '' : ', running')).toBe(expected);
  });

  it('keeps what the attempt before said while a rerun is under way, cancelled, or read too late', () => {
    const failed = knownRun(undefined, run(1, 'failure'));
    const again = knownRun(failed, run(1, null, { attempt: 2 }));
    expect(again.verdict).toEqual({ attempt: 1, red: true });
    expect(watchedLanes([again], watched)[0]?.running?.attempt).toBe(2);
    expect(findingsOf([again])[0]?.detail).toMatchObject({ runAttempt: 1 });
    expect(knownRun(again, run(1, 'cancelled', { attempt: 2 })).verdict?.red).toBe(true);
    const passed = knownRun(again, run(1, 'success', { attempt: 2 }));
    expect(passed.verdict).toEqual({ attempt: 2, red: false });
    expect(knownRun(passed, run(1, 'failure'))).toBe(passed);
  });
});

describe('which branches are watched', () => {
  it.each([
    ['main', 'critical', undefined],
    ['release/1.2', 'critical', undefined],
    ['feature/a', 'warning', 7],
    ['feature/b', null, undefined],
    ['other', null, undefined],
    ['release/1/2', null, undefined],
    ['untilgreen/ci-1', null, undefined],
    ['untilgreen/main', null, undefined],
  ])('%s: %s', (branch, severity, pullRequest) => {
    const findings = findingsOf(known(run(1, 'failure', { branch })));
    expect(findings[0]?.severity ?? null).toBe(severity);
    const detail = findings[0]?.detail;
    expect(detail?.kind === 'ci' ? detail.pullRequest : undefined).toBe(pullRequest);
  });

  it('takes no branch without globs', () => {
    const none = { ...watched, branches: [], pullRequests: [] };
    expect(watchedLanes(known(run(1, 'failure')), none)).toEqual([]);
  });
});

describe('findings', () => {
  it('names the job and its step', () => {
    expect(findingsOf(known(run(3, 'failure', { sha: 'b'.repeat(40) })))).toEqual([
      {
        kind: 'ci',
        target: `acme/shop@main:${path}:test`,
        signature: 'test / Run npm test',
        ruleVersion: 1,
        severity: 'critical',
        title: 'CI / test fails in "Run npm test" on main',
        detail: {
          kind: 'ci',
          repository: 'acme/shop',
          branch: 'main',
          runId: 3,
          runAttempt: 1,
          headSha: 'b'.repeat(40),
          workflowPath: path,
          workflowName: 'CI',
          job: 'test',
          jobId: 5,
          step: 'Run npm test',
          stepNumber: 3,
          url: 'https://example.com/job',
        },
      },
    ]);
  });

  it('is one without a step where no job ran, and none where the jobs are not known', () => {
    const runs = known(run(1, 'startup_failure'));
    expect(findingsOf(runs, [])).toMatchObject([
      { detail: { job: noJob, step: null, jobId: 0 }, title: 'CI / (no job) did not start a job on main' },
    ]);
    expect(findingsOf(runs, null)).toEqual([]);
  });

  it('is the same for the next failing run of the same job', () => {
    const first = findingsOf(known(run(1, 'failure')))[0];
    const next = findingsOf(known(run(9, 'failure', { sha: 'c'.repeat(40) })), [{ ...job, id: 77 }])[0];
    expect([next?.target, next?.signature]).toEqual([first?.target, first?.signature]);
  });
});

describe('names', () => {
  it.each([
    ['test (3.12, ubuntu-22.04, 2)', 'test (3.12, ubuntu-22.04, 2)'],
    ['deploy 1a2b3c4', 'deploy <sha>'],
    ['build #4711', 'build #<n>'],
    ['nightly 2026-01-31', 'nightly <time>'],
    ['at 2026-01-31T10:11:12Z', 'at <time>'],
    ['run 123456789', 'run <n>'],
    ['e2e\u200b  tests\n', 'e2e tests'],
    ['decade cafebabe', 'decade cafebabe'],
  ])('%s', (name, expected) => {
    expect(stableName(name)).toBe(expected);
  });

  it('are bounded and on one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        const stable = stableName(name);
        expect(stable).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        expect(stable.length).toBeLessThan(1_000);
      }),
    );
  });
});

// SEC-1: what outsiders name or start never widens anything.
import { expect, test } from 'vitest';
import { countsAsCi } from '../../../../src/policy/ci/ci-runs.ts';
import { commitTitle } from '../../../../src/policy/ci/commit-title.ts';

test.each([
  ['test', 'fix(ci): test'],
  ['build (ubuntu, 20)', 'fix(ci): build ubuntu 20'],
  ['lint [skip ci]', 'fix(ci): lint'],
  ['x [ci skip] [no ci]', 'fix(ci): x'],
  ['Closes #1 @maria', 'fix(ci): 1 maria'],
  ['skip-checks: true', 'fix(ci): true'],
  ['a\nCo-authored-by: eve <eve@example.com>', 'fix(ci): a Co-authored-by eve eve example.com'],
  ['🚀', 'fix(ci): failing job'],
])('SEC-1: the commit of job %j is titled %j', (job, title) => {
  expect(commitTitle(job)).toBe(title);
});

test.each([
  ['push', true],
  ['schedule', true],
  ['pull_request', true],
  ['workflow_dispatch', true],
  ['issue_comment', false],
  ['issues', false],
  ['pull_request_target', false],
  ['dynamic', false],
])('SEC-1: a run of %s says something about its branch: %s', (event, counts) => {
  expect(countsAsCi(event)).toBe(counts);
});

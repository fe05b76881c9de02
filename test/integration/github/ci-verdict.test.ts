// What a job says on a branch now (CI-2, CI-10): what was skipped, or lies behind runs of others, is never taken for green.
import { afterEach, beforeEach, expect, it } from 'vitest';
import * as z from 'zod';
import { verdictOfJob } from '../../../src/activities/remedies/ci-verdict.ts';
import type { CiDetail } from '../../../src/contract/finding.ts';
import { at, type GitHubRig, repository, startGitHubRig } from './rig.ts';

let rig: GitHubRig;
beforeEach(async () => {
  rig = await startGitHubRig();
});
afterEach(() => rig.stop());

type Conclusion = 'success' | 'failure' | 'skipped' | 'cancelled';
type Jobs = readonly (readonly [name: string, conclusion: Conclusion])[];

const workflow = '.github/workflows/ci.yml';
const run = (conclusion: Conclusion, jobs: Jobs, path = workflow) =>
  rig.forge.actions.createRun({
    ...at,
    workflow: path,
    conclusion,
    jobs: jobs.map(([name, end]) => ({ name, conclusion: end })),
  });
const verdict = (branch = 'main', more: Partial<CiDetail> = {}) =>
  verdictOfJob(rig.place, {
    kind: 'ci',
    repository,
    branch,
    workflowPath: workflow,
    workflowName: 'ci',
    job: 'test',
    ...more,
  } as CiDetail);
const commit = (files: Readonly<Record<string, string | null>>) =>
  rig.forge.commitFiles({ ...at, branch: 'main', files, message: 'more' });

it('CI-10: a run in which it was skipped or cancelled says nothing: the one before decides', async () => {
  const red = await run('failure', [['test', 'failure']]);
  await run('failure', [
    ['lint', 'failure'],
    ['test', 'skipped'],
  ]);
  await run('failure', [
    ['lint', 'failure'],
    ['test', 'cancelled'],
  ]);
  expect(await verdict()).toMatchObject({ state: 'red', run: { id: red.id }, job: { name: 'test' } });
  await run('failure', [
    ['lint', 'failure'],
    ['test', 'success'],
  ]);
  expect(await verdict()).toMatchObject({ state: 'green' });
});

it('CI-3: of several jobs with one name the failed one counts', async () => {
  await run('failure', [
    ['test', 'success'],
    ['test', 'failure'],
  ]);
  expect(await verdict()).toMatchObject({ state: 'red', job: { conclusion: 'failure' } });
});

it('CI-10: a green run that skipped it says nothing, one that has it no more ends it', async () => {
  const red = await run('failure', [['test (24)', 'failure']]);
  await run('success', [
    ['docs', 'success'],
    ['test', 'skipped'],
  ]);
  expect(await verdict('main', { job: 'test (24)' })).toMatchObject({ state: 'red', run: { id: red.id } });
  await run('success', [
    ['docs', 'success'],
    ['unit', 'success'],
  ]);
  expect(await verdict('main', { job: 'test (24)' })).toMatchObject({
    state: 'green',
    why: expect.stringContaining('has no job test (24) any more'),
  });
});

it('CI-10: skipped in more runs than are looked through, it is as its own run said', async () => {
  const red = await run('failure', [['test', 'failure']]);
  for (let count = 0; count < 6; count += 1)
    await run('failure', [
      ['lint', 'failure'],
      ['test', 'skipped'],
    ]);
  const own = { runId: red.id, runAttempt: 1 };
  expect(await verdict('main', own)).toMatchObject({
    state: 'red',
    run: { id: red.id },
    job: { name: 'test' },
  });
});

it('CI-10: a rerun that was cancelled does not hand the word to an older run', async () => {
  await run('success', [['test', 'success']]);
  const red = await run('failure', [['test', 'failure']]);
  await rig.github.write({
    route: 'POST /repos/{owner}/{repo}/actions/runs/{id}/rerun',
    params: { ...at, id: red.id },
    schema: z.unknown(),
    signal: rig.place.signal,
    assertMayWrite: () => {},
  });
  await rig.forge.actions.setRun({ id: red.id, status: 'completed', conclusion: 'cancelled' });
  expect(await verdict('main', { runId: red.id, runAttempt: 1 })).toMatchObject({
    state: 'red',
    run: { id: red.id, attempt: 1 },
  });
});

it('CI-10: a workflow that was deleted is over, not one whose branch only moved on', async () => {
  await commit({ [workflow]: 'on: push' });
  await run('failure', [['test', 'failure']]);
  await commit({ 'b.txt': 'b' });
  expect(await verdict()).toMatchObject({ state: 'red' });
  await commit({ [workflow]: null, '.github/workflows/build.yml': 'on: push' });
  expect(await verdict()).toMatchObject({ state: 'gone', why: `${workflow} is not in main any more` });
});

it('CI-10: behind more than a page of runs of other workflows it is found', async () => {
  const red = await run('failure', [['test', 'failure']]);
  for (let other = 0; other < 101; other += 1)
    await run('success', [['x', 'success']], '.github/workflows/other.yml');
  expect(await verdict()).toMatchObject({ state: 'red', run: { id: red.id } });
}, 120_000);

it('CI-10: a branch without a run of it is no green, one that is gone is', async () => {
  expect(await verdict()).toEqual({ state: 'silent' });
  expect(await verdict('feature/gone')).toMatchObject({
    state: 'gone',
    why: expect.stringContaining('gone'),
  });
});

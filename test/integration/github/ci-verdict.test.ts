// What a job says on a branch now (CI-2, CI-10): what was skipped, or lies behind runs of others, is never taken for green.
import { afterEach, beforeEach, expect, it } from 'vitest';
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
const verdict = (branch = 'main') =>
  verdictOfJob(rig.place, {
    kind: 'ci',
    repository,
    branch,
    workflowPath: workflow,
    workflowName: 'ci',
    job: 'test',
  } as CiDetail);

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

it('CI-10: behind more than a page of runs of other workflows it is found', async () => {
  const red = await run('failure', [['test', 'failure']]);
  for (let other = 0; other < 101; other += 1)
    await run('success', [['x', 'success']], '.github/workflows/other.yml');
  expect(await verdict()).toMatchObject({ state: 'red', run: { id: red.id } });
}, 120_000);

it('CI-10: a branch without a run of it is no green, one that is gone is', async () => {
  expect(await verdict()).toEqual({ state: 'silent' });
  expect(await verdict('feature/gone')).toEqual({ state: 'gone' });
});

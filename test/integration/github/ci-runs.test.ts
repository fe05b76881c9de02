// CI-1: the source over a real forge: what is seen, what vanishes, and what it costs.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createCiRunsSource } from '../../../src/activities/sources/ci-runs.ts';
import type { SourceDefinition } from '../../../src/activities/sources/definition.ts';
import type { Json } from '../../../src/contract/effect.ts';
import { PullListedShape } from '../../../src/integrations/github/shapes.ts';
import { at, type GitHubRig, startGitHubRig } from './rig.ts';

let rig: GitHubRig;
let source: SourceDefinition;
let memory: Json;
beforeEach(async () => {
  rig = await startGitHubRig();
  source = createCiRunsSource({ github: async () => rig.github });
  memory = null;
});
afterEach(() => rig.stop());

const steps = [
  { name: 'Set up', conclusion: 'success' },
  { name: 'Run npm test', conclusion: 'failure' },
] as const;
const failing = { conclusion: 'failure', jobs: [{ name: 'test', conclusion: 'failure', steps }] } as const;
const passing = { conclusion: 'success', jobs: [{ name: 'test', conclusion: 'success' }] } as const;

/** One sweep; what it found, as `branch:job/step`, and how many requests were counted. */
async function sweep(change: Parameters<GitHubRig['read']>[2] = {}) {
  const mark = await rig.forge.journal.mark();
  const reading = await rig.read(source, memory, change);
  memory = reading.memory;
  const counted = await rig.forge.journal.counted({ after: mark });
  return {
    state: reading.state,
    reason: reading.reason,
    found: reading.findings.map(({ detail }) =>
      detail.kind === 'ci' ? `${detail.branch}:${detail.job}/${detail.step}` : '',
    ),
    findings: reading.findings,
    counted: counted.map(({ path }) => path),
  };
}
async function pullRequest(branch: string): Promise<number> {
  await rig.forge.commitFiles({ ...at, branch, files: { [`${branch}.txt`]: 'x' }, message: branch });
  const pull = await rig.github.write({
    route: 'POST /repos/{owner}/{repo}/pulls',
    params: { ...at, head: branch, base: 'main', title: branch },
    schema: PullListedShape,
    signal: rig.place.signal,
    assertMayWrite: () => {},
  });
  return pull.number;
}

it('sees a failing job, and nothing more of it once it passes', async () => {
  expect(await sweep()).toMatchObject({ state: 'green', found: [] });
  const run = await rig.forge.actions.createRun({ ...at, ...failing });
  const red = await sweep();
  expect(red).toMatchObject({ state: 'red', found: ['main:test/Run npm test'] });
  expect(red.findings[0]).toMatchObject({
    severity: 'critical',
    detail: { runId: run.id, runAttempt: 1, headSha: run.sha, stepNumber: 2 },
  });
  await rig.forge.actions.createRun({ ...at, ...passing });
  expect(await sweep()).toMatchObject({ state: 'green', found: [] });
});

it('takes nothing from the rate limit where nothing is new: green, red, under way, and with a deleted branch', async () => {
  await sweep();
  expect((await sweep()).counted).toEqual([]);
  await rig.forge.actions.createRun({ ...at, ...failing });
  await rig.forge.actions.createRun({
    ...at,
    branch: 'main',
    workflow: '.github/workflows/b.yml',
    status: 'in_progress',
  });
  await rig.forge.actions.createRun({
    ...at,
    branch: 'release/1',
    sha: (await rig.forge.commitFiles({ ...at, branch: 'release/1', files: { r: '1' }, message: 'r' })).sha,
    ...failing,
  });
  const number = await pullRequest('feature/a');
  expect((await sweep()).counted).not.toEqual([]);
  expect(await sweep()).toMatchObject({
    counted: [],
    found: ['release/1:test/Run npm test', 'main:test/Run npm test'],
  });
  await rig.github.write({
    route: 'DELETE /repos/{owner}/{repo}/git/refs/{ref}',
    params: { ...at, ref: 'heads/release/1' },
    schema: z.unknown(),
    signal: rig.place.signal,
    assertMayWrite: () => {},
  });
  expect((await sweep()).found).toEqual(['main:test/Run npm test']);
  expect(await sweep()).toMatchObject({ counted: [], found: ['main:test/Run npm test'] });
  expect(number).toBeGreaterThan(0);
});

describe('only branches on the list', () => {
  it('watches open pull requests until they are closed, never the branches of the agent', async () => {
    const number = await pullRequest('feature/a');
    await pullRequest('untilgreen/ci-1');
    for (const branch of ['feature/a', 'untilgreen/ci-1'])
      await rig.forge.actions.createRun({ ...at, branch, ...failing });
    await rig.forge.commitFiles({ ...at, branch: 'loose', files: { l: '1' }, message: 'l' });
    await rig.forge.actions.createRun({ ...at, branch: 'loose', ...failing });
    const red = await sweep();
    expect(red.found).toEqual(['feature/a:test/Run npm test']);
    expect(red.findings[0]).toMatchObject({ severity: 'warning', detail: { pullRequest: number } });
    expect((await sweep({ pullRequests: [] })).found).toEqual([]);
    expect((await sweep({ pullRequests: ['fix/*'] })).found).toEqual([]);
    expect((await sweep({ branches: ['loose'] })).found.sort()).toEqual([
      'feature/a:test/Run npm test',
      'loose:test/Run npm test',
    ]);
    await rig.github.write({
      route: 'PATCH /repos/{owner}/{repo}/pulls/{number}',
      params: { ...at, number, state: 'closed' },
      schema: z.unknown(),
      signal: rig.place.signal,
      assertMayWrite: () => {},
    });
    expect((await sweep()).found).toEqual([]);
  });

  it('sees a failure that is older than its pull request', async () => {
    const branch = 'feature/late';
    await rig.forge.commitFiles({ ...at, branch, files: { z: 'x' }, message: branch });
    await rig.forge.actions.createRun({ ...at, branch, ...failing });
    expect((await sweep()).found).toEqual([]);
    await pullRequest(branch);
    expect((await sweep()).found).toEqual(['feature/late:test/Run npm test']);
  });
});

describe('reruns', () => {
  it('keeps the finding while a rerun is under way, says so, and drops it when it passed', async () => {
    const run = await rig.forge.actions.createRun({ ...at, ...failing });
    await sweep();
    await rerun(run.id);
    const under = await sweep();
    expect(under).toMatchObject({ found: ['main:test/Run npm test'] });
    expect(under.reason).toContain('newer run under way: ci.yml on main');
    await rig.forge.actions.setRun({
      id: run.id,
      status: 'completed',
      conclusion: 'success',
      jobs: { test: 'success' },
    });
    expect((await sweep()).found).toEqual([]);
  });

  it('sees what the attempt before said when it comes in the middle of a rerun', async () => {
    const run = await rig.forge.actions.createRun({ ...at, ...failing });
    await rerun(run.id);
    const red = await sweep();
    expect(red.findings[0]?.detail).toMatchObject({ runId: run.id, runAttempt: 1 });
  });

  it('sees the rerun of an old run that no page shows any more', async () => {
    const old = await rig.forge.actions.createRun({ ...at, ...failing });
    await sweep();
    for (let count = 0; count < 45; count += 1) {
      await rig.forge.actions.createRun({ ...at, workflow: '.github/workflows/other.yml', ...passing });
    }
    expect((await sweep()).found).toEqual(['main:test/Run npm test']);
    expect((await sweep()).counted).toEqual([]);
    await rerun(old.id);
    expect((await sweep()).reason).toContain('newer run under way');
    await rig.forge.actions.setRun({
      id: old.id,
      status: 'completed',
      conclusion: 'success',
      jobs: { test: 'success' },
    });
    expect((await sweep()).found).toEqual([]);
    await rerun(old.id, 'rerun');
    await rig.forge.actions.setRun({
      id: old.id,
      status: 'completed',
      conclusion: 'failure',
      jobs: { test: 'failure' },
    });
    expect((await sweep()).found).toHaveLength(1);
  });

  async function rerun(id: number, how: 'rerun' | 'rerun-failed-jobs' = 'rerun-failed-jobs'): Promise<void> {
    await rig.github.write({
      route: `POST /repos/{owner}/{repo}/actions/runs/{id}/${how}`,
      params: { ...at, id },
      schema: z.unknown(),
      signal: rig.place.signal,
      assertMayWrite: () => {},
    });
  }
});

it('pages back to the last run it saw', async () => {
  await sweep();
  await rig.forge.actions.createRun({ ...at, ...passing });
  await sweep();
  await rig.forge.actions.createRun({ ...at, ...failing });
  for (let count = 0; count < 70; count += 1) {
    await rig.forge.actions.createRun({ ...at, workflow: '.github/workflows/other.yml', ...passing });
  }
  expect((await sweep()).found).toEqual(['main:test/Run npm test']);
});

it('pages back over a weekend in which nobody swept: the failure is behind more runs than ten small pages hold', async () => {
  await rig.forge.actions.createRun({ ...at, ...passing });
  await sweep();
  await rig.forge.actions.createRun({ ...at, ...failing });
  for (let count = 0; count < 330; count += 1) {
    await rig.forge.actions.createRun({ ...at, workflow: '.github/workflows/other.yml', ...passing });
  }
  const { found, reason, counted } = await sweep();
  expect(found).toEqual(['main:test/Run npm test']);
  expect(reason).not.toContain('only the newest');
  expect(counted.filter((path) => path.endsWith('/actions/runs')).length).toBeLessThanOrEqual(5);
}, 120_000);

it('CI-1: the first sweep sees a main that is red behind more runs of others than a usual sweep reads', async () => {
  await rig.forge.actions.createRun({ ...at, ...failing });
  for (let count = 0; count < 60; count += 1) {
    await rig.forge.actions.createRun({ ...at, workflow: '.github/workflows/other.yml', ...passing });
  }
  expect((await sweep()).found).toEqual(['main:test/Run npm test']);
});

it('is one finding when a run failed before any job, and one for each job that failed', async () => {
  await rig.forge.actions.createRun({ ...at, conclusion: 'failure', jobs: [] });
  expect((await sweep()).found).toEqual(['main:(no job)/null']);
  const jobs = ['a', 'b', 'c'].map(
    (name) => ({ name, conclusion: name === 'b' ? 'success' : 'failure' }) as const,
  );
  await rig.forge.actions.createRun({ ...at, conclusion: 'failure', jobs });
  expect((await sweep()).found).toHaveLength(2);
});

it.each([
  ['text', 'x'],
  ['another version', { version: 1 }],
  ['a part', { version: 2, runs: [{ id: 'x' }] }],
  ['of another repository', { version: 2, identity: 'https://api.github.com a/b' }],
])('starts anew with a memory that is %s', async (_name, broken) => {
  await rig.forge.actions.createRun({ ...at, ...failing });
  memory = broken;
  expect((await sweep()).found).toEqual(['main:test/Run npm test']);
  expect((await sweep()).counted).toEqual([]);
});

it('forgets another repository, and fails with the reason when GitHub does not answer', async () => {
  await rig.forge.actions.createRun({ ...at, ...failing });
  await sweep();
  memory = { ...(memory as { [key: string]: Json }), identity: 'https://api.github.com a/b' };
  expect((await sweep()).found).toHaveLength(1);
  await rig.forge.faults.add({ kind: 'badGateway', match: { pathPattern: '/actions/runs' }, times: 5 });
  await expect(sweep()).rejects.toMatchObject({ name: 'GitHubError', kind: 'server' });
});

it('is not read where CI is off', () => {
  expect(source.targets(rig.workspace, rig.config)).toEqual([undefined]);
  expect(
    source.targets({ ...rig.workspace, ci: { ...rig.workspace.ci, enabled: false } }, rig.config),
  ).toEqual([]);
});

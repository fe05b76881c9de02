// CI-1, CI-10: what the newest run says nothing about stays as it was: the finding is not resolved, so nothing of ours is closed. What is gone
// ends: a job, a workflow, a branch.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createCiRunsSource } from '../../../src/activities/sources/ci-runs.ts';
import type { Json } from '../../../src/contract/effect.ts';
import { at, type GitHubRig, startGitHubRig } from './rig.ts';

let rig: GitHubRig;
let memory: Json;
beforeEach(async () => {
  rig = await startGitHubRig();
  memory = null;
});
afterEach(() => rig.stop());

type End = 'success' | 'failure' | 'skipped' | 'cancelled';
const workflow = '.github/workflows/ci.yml';

/** A completed run with these jobs; its id. */
async function run(jobs: Readonly<Record<string, End>>, more: { readonly branch?: string } = {}) {
  const ends = Object.entries(jobs).map(([name, conclusion]) => ({ name, conclusion }));
  const conclusion = ends.some((job) => job.conclusion === 'failure') ? 'failure' : 'success';
  return (await rig.forge.actions.createRun({ ...at, ...more, conclusion, jobs: ends })).id;
}
const commit = async (files: Readonly<Record<string, string | null>>, branch = 'main'): Promise<void> => {
  await rig.forge.commitFiles({ ...at, branch, files, message: 'more' });
};

/** One sweep; what it found, as `job@run`, and the requests that were counted. */
async function sweep() {
  const source = createCiRunsSource({ github: async () => rig.github });
  const mark = await rig.forge.journal.mark();
  const reading = await rig.read(source, memory);
  memory = reading.memory;
  return {
    reason: reading.reason,
    counted: (await rig.forge.journal.counted({ after: mark })).map(({ path }) => path),
    found: reading.findings
      .map(({ detail }) => (detail.kind === 'ci' ? `${detail.job}@${detail.runId}` : ''))
      .sort(),
  };
}

describe('a job without a verdict in the newest run', () => {
  it.each<[string, Readonly<Record<string, End>>]>([
    ['was skipped', { lint: 'failure', test: 'skipped' }],
    ['was cancelled', { lint: 'failure', test: 'cancelled' }],
    ['was skipped in a green run', { lint: 'success', test: 'skipped' }],
  ])('%s: it stays, until it passes', async (_name, jobs) => {
    const red = await run({ lint: 'success', test: 'failure' });
    expect((await sweep()).found).toEqual([`test@${red}`]);
    await run(jobs);
    const silent = await sweep();
    expect(silent.found).toContain(`test@${red}`);
    expect(silent.reason).toContain('1 of them not run again since');
    // It is known from then on: looking again costs nothing.
    expect(await sweep()).toMatchObject({ counted: [], found: silent.found });
    await run({ lint: 'success', test: 'success' });
    expect((await sweep()).found).toEqual([]);
  });

  it('is as it was too where the memory is lost, and where runs came between two sweeps', async () => {
    const red = await run({ test: 'failure' });
    const next = await run({ lint: 'failure', test: 'skipped' });
    expect((await sweep()).found).toEqual([`lint@${next}`, `test@${red}`]);
    memory = null;
    expect((await sweep()).found).toEqual([`lint@${next}`, `test@${red}`]);
    await run({ lint: 'success', test: 'success' });
    const last = await run({ lint: 'failure', test: 'skipped' });
    expect((await sweep()).found).toEqual([`lint@${last}`]);
  });

  it('stays behind many such runs', async () => {
    const red = await run({ test: 'failure' });
    await sweep();
    for (let count = 0; count < 8; count += 1) {
      await run({ docs: 'success', test: 'skipped' });
      expect((await sweep()).found).toEqual([`test@${red}`]);
    }
  });

  it('is a leg of a matrix: cancelled, or with its whole matrix skipped', async () => {
    const red = await run({ 'test (20)': 'failure', 'test (24)': 'failure' });
    await sweep();
    await run({ 'test (20)': 'success', 'test (24)': 'cancelled', lint: 'failure' });
    expect((await sweep()).found).toContain(`test (24)@${red}`);
    const last = await run({ test: 'skipped', lint: 'failure' });
    expect((await sweep()).found).toEqual([`lint@${last}`, `test (24)@${red}`]);
  });

  it('is believed when its own run is run again', async () => {
    const red = await run({ test: 'failure' });
    const next = await run({ lint: 'failure', test: 'skipped' });
    await sweep();
    await rig.github.write({
      route: 'POST /repos/{owner}/{repo}/actions/runs/{id}/rerun',
      params: { ...at, id: red },
      schema: z.unknown(),
      signal: rig.place.signal,
      assertMayWrite: () => {},
    });
    expect((await sweep()).found).toEqual([`lint@${next}`, `test@${red}`]);
    await rig.forge.actions.setRun({
      id: red,
      status: 'completed',
      conclusion: 'success',
      jobs: { test: 'success' },
    });
    expect((await sweep()).found).toEqual([`lint@${next}`]);
  });
});

describe('what is gone ends', () => {
  it('a job that its workflow has no more', async () => {
    await run({ test: 'failure' });
    await sweep();
    await run({ unit: 'success' });
    expect((await sweep()).found).toEqual([]);
  });

  it('a workflow that was deleted or renamed: asked once for each head of the branch', async () => {
    await commit({ [workflow]: 'on: push' });
    const red = await run({ test: 'failure' });
    await sweep();
    await commit({ 'b.txt': 'b' });
    expect((await sweep()).found).toEqual([`test@${red}`]);
    expect(await sweep()).toMatchObject({ counted: [], found: [`test@${red}`] });
    await commit({ [workflow]: null, '.github/workflows/build.yml': 'on: push' });
    expect((await sweep()).found).toEqual([]);
    expect(await sweep()).toMatchObject({ counted: [], found: [] });
    // It comes back with its file.
    await commit({ [workflow]: 'on: push' });
    expect((await sweep()).found).toEqual([`test@${red}`]);
  });

  it('a branch that was deleted, with what was skipped on it', async () => {
    await commit({ r: '1' }, 'release/1');
    await run({ test: 'failure' }, { branch: 'release/1' });
    await sweep();
    await run({ docs: 'success', test: 'skipped' }, { branch: 'release/1' });
    expect((await sweep()).found).toHaveLength(1);
    await rig.github.write({
      route: 'DELETE /repos/{owner}/{repo}/git/refs/{ref}',
      params: { ...at, ref: 'heads/release/1' },
      schema: z.unknown(),
      signal: rig.place.signal,
      assertMayWrite: () => {},
    });
    expect((await sweep()).found).toEqual([]);
    expect(await sweep()).toMatchObject({ counted: [], found: [] });
  });
});

// The forge's CI with `act` as its runner: the same steps, logs and ends as with the forge's own, offline, and nothing outlives the job.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type TestContext, test, vi } from 'vitest';
import { testAct } from '../../support/act.ts';
import { AT, isRunning, jobsOf, logOf, type Rig, startRig } from './rig.ts';

/** The build of act on a new machine is in it. */
const timeout = 300_000;

async function start(context: TestContext, workflow: string): Promise<Rig> {
  const act = await testAct(context);
  const files = { '.github/workflows/ci.yml': workflow, 'colour.txt': 'red\n', 'src/keep': '' };
  const rig = await startRig(files, { ci: true, act });
  context.onTestFinished(rig.stop);
  return rig;
}

async function lastRun(rig: Rig): Promise<{ id: number; conclusion: string | null }> {
  await rig.forge.actions.waitIdle();
  const [run] = (await rig.agent.rest.actions.listWorkflowRunsForRepo(AT)).data.workflow_runs;
  if (run === undefined) throw new Error('there is no run');
  return run;
}

const WORKFLOW = `
name: CI
on: push
env:
  COLOUR: green
jobs:
  lint:
    runs-on: ubuntu-latest
    strategy: { matrix: { leg: [one, two] } }
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with: { node-version: 24 }
      - name: Prepare
        id: prepare
        run: |
          echo "::group::about"
          echo "looking at $GITHUB_SHA of $GITHUB_REPOSITORY on \${{ github.ref_name }}, leg \${{ matrix.leg }}"
          echo "::endgroup::"
          echo "SHADE=dark" >> "$GITHUB_ENV"
          echo "word=handed on" >> "$GITHUB_OUTPUT"
          sleep 1000 &
      - name: Check the colour
        run: |
          echo "$SHADE, \${{ steps.prepare.outputs.word }}"
          test -t 1 || echo "no terminal"
          grep -q "$COLOUR" colour.txt && exit 0
          echo "::error file=colour.txt,line=1::expected $COLOUR"
          for n in {1..2000}; do echo "line $n"; done
          printf 'the very last word' >&2
          exit 3
      - run: pwd
        working-directory: src
      - run: echo "told on failure"
        if: failure()
  after:
    needs: [lint]
    runs-on: ubuntu-latest
    steps:
      - run: echo after
`;

test('runs for real: red with a log of GitHub’s format, green after a fix, skipped where a needed job failed', {
  timeout,
}, async (context) => {
  const rig = await start(context, WORKFLOW);
  const red = await lastRun(rig);
  expect(red.conclusion).toBe('failure');
  const jobs = await jobsOf(rig.agent, red.id);
  expect(jobs.map(({ name, conclusion }) => [name, conclusion])).toEqual([
    ['lint (one)', 'failure'],
    ['lint (two)', 'failure'],
    ['after', 'skipped'],
  ]);
  expect(jobs[0]?.steps?.map(({ name, conclusion }) => [name, conclusion])).toEqual([
    ['Set up job', 'success'],
    ['Run actions/checkout@v4', 'success'],
    ['Run actions/setup-node@v4', 'success'],
    ['Prepare', 'success'],
    ['Check the colour', 'failure'],
    ['Run pwd', 'skipped'],
    ['Run echo "told on failure"', 'success'],
    ['Complete job', 'success'],
  ]);
  const lines = (await logOf(rig.agent, jobs[0]?.id ?? 0)).trimEnd().split('\n');
  for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z /);
  const texts = lines.map((line) => line.replace(/^\S+ /, ''));
  const from = texts.indexOf('##[group]about');
  expect(texts[from + 1]).toMatch(/^looking at [0-9a-f]{40} of acme\/shop on main, leg one$/);
  expect(texts[from + 2]).toBe('##[endgroup]');
  // In the order in which it was printed, to the last word.
  const check = texts.indexOf('dark, handed on');
  expect(texts.slice(check, check + 4)).toEqual([
    'dark, handed on',
    'no terminal',
    '##[error]expected green',
    'line 1',
  ]);
  const end = texts.indexOf('line 2000');
  expect(texts.slice(end, end + 3)).toEqual([
    'line 2000',
    'the very last word',
    '##[error]Process completed with exit code 3.',
  ]);
  expect(texts).toContain('told on failure');

  await rig.forge.commitFiles({ ...AT, files: { 'colour.txt': 'green\n' }, message: 'Fix the colour' });
  const green = await lastRun(rig);
  expect(green.conclusion).toBe('success');
  const again = await jobsOf(rig.agent, green.id);
  expect(again.map(({ conclusion }) => conclusion)).toEqual(['success', 'success', 'success']);
  expect(await logOf(rig.agent, again[0]?.id ?? 0)).toMatch(/Z \S+\/src$/m);
  expect(await rig.forge.journal.unexpected()).toEqual([]);
});

test('says why a job cannot run: an action that would be downloaded, a shell that is not there', {
  timeout,
}, async (context) => {
  const rig = await start(context, 'on: push\njobs:\n  a:\n    steps: [{ uses: some/action@v1 }]\n');
  const [unknown] = await jobsOf(rig.agent, (await lastRun(rig)).id);
  expect(unknown?.conclusion).toBe('failure');
  expect(await logOf(rig.agent, unknown?.id ?? 0)).toContain(
    '##[error]Unable to resolve action `some/action@v1`',
  );
  const workflow = 'on: push\njobs:\n  a:\n    steps: [{ run: exit, shell: fish }]\n';
  await rig.forge.commitFiles({ ...AT, files: { '.github/workflows/ci.yml': workflow }, message: 'x' });
  const [shell] = await jobsOf(rig.agent, (await lastRun(rig)).id);
  expect(await logOf(rig.agent, shell?.id ?? 0)).toContain('##[error]the forge has no shell "fish"');
});

test('a failure on order is printed, once', { timeout }, async (context) => {
  const rig = await start(context, 'on: push\njobs:\n  a:\n    steps: [{ run: "true" }]\n');
  await rig.forge.actions.failJob({ ...AT, job: 'a', attempts: 1, output: 'Error: connect ECONNRESET' });
  await rig.forge.commitFiles({ ...AT, files: { d: 'd' }, message: 'd' });
  const red = await lastRun(rig);
  const [job] = await jobsOf(rig.agent, red.id);
  expect(await logOf(rig.agent, job?.id ?? 0)).toContain('Z Error: connect ECONNRESET');
  await rig.agent.rest.actions.reRunWorkflowFailedJobs({ ...AT, run_id: red.id });
  expect((await lastRun(rig)).conclusion).toBe('success');
});

test('a cancelled run ends with all that it started', { timeout }, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'forge-act-'));
  context.onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'pid');
  const script = `sleep 1000 & echo $! > ${file}.new; mv ${file}.new ${file}; wait`;
  const rig = await start(
    context,
    `on: push\njobs:\n  wait:\n    steps:\n      - run: ${JSON.stringify(script)}\n`,
  );
  await vi.waitFor(() => expect(existsSync(file)).toBe(true), { timeout: 60_000 });
  const pid = (await readFile(file, 'utf8')).trim();
  expect(await isRunning(pid)).toBe(true);
  const [open] = await rig.forge.actions.runs(AT);
  await rig.agent.rest.actions.cancelWorkflowRun({ ...AT, run_id: open?.id ?? 0 });
  const cancelled = await lastRun(rig);
  expect(cancelled.conclusion).toBe('cancelled');
  const [job] = await jobsOf(rig.agent, cancelled.id);
  expect(await logOf(rig.agent, job?.id ?? 0)).toContain('##[error]The operation was canceled.');
  await vi.waitFor(async () => expect(await isRunning(pid)).toBe(false), { timeout: 30_000 });
});

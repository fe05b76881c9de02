// The forge's CI: workflows really run on pushes, red turns green by a pushed fix, failed jobs run again, and nothing
// that a step started outlives the forge.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AT, jobsOf as jobsOfRun, logOf as logOfJob, type Rig, startRig, statusOf } from './rig.ts';

const WORKFLOW = `
name: CI
on:
  push:
    branches: [main, 'fix/**']
  pull_request:
env:
  COLOUR: green
jobs:
  lint:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with: { node-version: 24 }
      - name: Check the colour
        run: |
          echo "looking at $GITHUB_SHA on \${{ github.ref_name }}"
          grep -q "$COLOUR" colour.txt || { echo "colour.txt:1: expected $COLOUR" >&2; exit 3; }
      - run: test ! -e left-over.txt && touch left-over.txt
        working-directory: src
      - run: echo "told on failure"
        if: failure()
  test:
    needs: [lint]
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: node -e 'console.log("ran on", process.version)'
`;

let rig: Rig;

afterEach(async () => {
  await rig.stop();
});

async function start(colour: string, workflow = WORKFLOW): Promise<void> {
  const files = { '.github/workflows/ci.yml': workflow, 'colour.txt': colour, 'src/keep': '' };
  rig = await startRig(files, { ci: true });
}

async function runs(): Promise<
  { id: number; conclusion: string | null; event: string; head_branch: string | null }[]
> {
  await rig.forge.actions.waitIdle();
  return (await rig.agent.rest.actions.listWorkflowRunsForRepo(AT)).data.workflow_runs;
}

const jobsOf = (runId: number, filter: 'latest' | 'all' = 'latest') => jobsOfRun(rig.agent, runId, filter);
const logOf = (jobId: number): Promise<string> => logOfJob(rig.agent, jobId);

describe('workflows', () => {
  it('run for real: red with a log, green after a fix, skipped where a needed job failed', async () => {
    await start('red\n');
    const [red] = await runs();
    expect(red).toMatchObject({ conclusion: 'failure', event: 'push', head_branch: 'main' });
    const jobs = await jobsOf(red?.id ?? 0);
    expect(jobs.map(({ name, conclusion }) => [name, conclusion])).toEqual([
      ['lint', 'failure'],
      ['test', 'skipped'],
    ]);
    expect(jobs[0]?.steps?.map(({ name, conclusion }) => [name, conclusion])).toEqual([
      ['Set up job', 'success'],
      ['Run actions/checkout@v4', 'success'],
      ['Run actions/setup-node@v4', 'success'],
      ['Check the colour', 'failure'],
      ['Run test ! -e left-over.txt && touch left-over.txt', 'skipped'],
      ['Run echo "told on failure"', 'success'],
      ['Complete job', 'success'],
    ]);
    const log = await logOf(jobs[0]?.id ?? 0);
    expect(log).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z ##\[group\]Run echo "looking/m);
    expect(log).toMatch(/Z looking at [0-9a-f]{40} on main$/m);
    expect(log).toMatch(/Z colour\.txt:1: expected green$/m);
    expect(log).toMatch(/Z ##\[error\]Process completed with exit code 3\.$/m);

    await rig.forge.commitFiles({ ...AT, files: { 'colour.txt': 'green\n' }, message: 'Fix the colour' });
    const [green] = await runs();
    expect(green).toMatchObject({ conclusion: 'success' });
    const again = await jobsOf(green?.id ?? 0);
    expect(again.map(({ conclusion }) => conclusion)).toEqual(['success', 'success']);
    expect(await logOf(again[1]?.id ?? 0)).toContain(`ran on ${process.version}`);
    const page = await fetch(
      green === undefined ? rig.forge.url : `${rig.forge.webUrl('acme', 'shop')}/actions/runs/${green.id}`,
    );
    expect(await page.text()).toContain('Check the colour: success');
    expect(await rig.forge.journal.unexpected()).toEqual([]);
  });

  it('run for a pull request whose filter names branches and no types', async () => {
    await start('green\n', WORKFLOW.replace('pull_request:', 'pull_request: { branches: [main] }'));
    await rig.forge.commitFiles({ ...AT, branch: 'topic', files: { b: 'b' }, message: 'b' });
    await rig.agent.rest.pulls.create({ ...AT, head: 'topic', base: 'main', title: 'b' });
    expect((await runs()).map(({ event }) => event)).toContain('pull_request');
  });

  it('follow the branches filter and pull requests, and the run of a merge', async () => {
    await start('green\n');
    await rig.forge.commitFiles({ ...AT, branch: 'other', files: { a: 'a' }, message: 'a' });
    await rig.forge.commitFiles({ ...AT, branch: 'fix/b', files: { b: 'b' }, message: 'b' });
    await rig.forge.commitFiles({ ...AT, branch: 'fix/skip', files: { c: 'c' }, message: 'c [skip ci]' });
    const { data: pull } = await rig.agent.rest.pulls.create({
      ...AT,
      head: 'fix/b',
      base: 'main',
      title: 'b',
    });
    await rig.agent.rest.pulls.merge({ ...AT, pull_number: pull.number, sha: pull.head.sha });
    const all = (await runs()).map(
      ({ event, head_branch, conclusion }) => `${event} ${head_branch} ${conclusion}`,
    );
    expect(all).toEqual([
      'push main success',
      'pull_request fix/b success',
      'push fix/b success',
      'push main success',
    ]);
    const checks = await rig.agent.rest.checks.listForRef({ ...AT, ref: pull.head.sha });
    expect(checks.data.check_runs.map(({ conclusion }) => conclusion)).toEqual(Array(4).fill('success'));
  });

  it('fail clearly when the file is none, or asks for what cannot be run', async () => {
    await start(
      'green\n',
      'on: push\njobs:\n  a:\n    services: { db: { image: postgres } }\n    steps: [{ run: "true" }]\n',
    );
    await rig.forge.commitFiles({
      ...AT,
      files: { '.github/workflows/ci.yml': 'on: push\njobs:\n  a:\n    steps: [{ uses: some/action@v1 }]\n' },
      message: 'x',
    });
    const [unknown, invalid] = await runs();
    expect(invalid).toMatchObject({ conclusion: 'failure' });
    expect(await jobsOf(invalid?.id ?? 0)).toEqual([]);
    const [, info] = await rig.forge.actions.runs(AT);
    expect(info?.problem).toContain('the forge runs no services');
    const [job] = await jobsOf(unknown?.id ?? 0);
    expect(await logOf(job?.id ?? 0)).toContain('##[error]Unable to resolve action `some/action@v1`');
  });
});

describe('reruns', () => {
  it('run failed jobs and their dependents again, keep attempts, and are journalled once', async () => {
    await start('green\n');
    await rig.forge.actions.waitIdle();
    await rig.forge.actions.failJob({ ...AT, job: 'test', attempts: 1, output: 'Error: connect ECONNRESET' });
    await rig.forge.commitFiles({ ...AT, files: { d: 'd' }, message: 'd' });
    const [flaky] = await runs();
    expect(flaky?.conclusion).toBe('failure');
    const at = { ...AT, run_id: flaky?.id ?? 0 };
    const before = await jobsOf(at.run_id);
    expect(await logOf(before[1]?.id ?? 0)).toContain('Z Error: connect ECONNRESET');
    expect(await statusOf(rig.stranger.rest.actions.reRunWorkflowFailedJobs(at))).toBe(403);

    expect((await rig.agent.rest.actions.reRunWorkflowFailedJobs(at)).status).toBe(201);
    await rig.forge.actions.waitIdle();
    const { data: run } = await rig.agent.rest.actions.getWorkflowRun(at);
    expect(run).toMatchObject({ run_attempt: 2, conclusion: 'success' });
    const latest = await jobsOf(at.run_id);
    expect(latest.map(({ name, run_attempt }) => [name, run_attempt])).toEqual([
      ['lint', 1],
      ['test', 2],
    ]);
    expect(await jobsOf(at.run_id, 'all')).toHaveLength(3);
    const first = await rig.agent.rest.actions.getWorkflowRunAttempt({ ...at, attempt_number: 1 });
    expect(first.data.conclusion).toBe('failure');
    expect(await statusOf(rig.agent.rest.actions.reRunWorkflowFailedJobs(at))).toBe(403);
    const reruns = await rig.forge.journal.writes({ kind: 'runRerun' });
    expect(reruns).toMatchObject([{ runId: at.run_id, attempt: 2, actor: 'untilgreen-agent' }]);
  });

  it('are refused while the run goes on; a cancelled run ends with all it started', async () => {
    await start(
      'green\n',
      'on: push\njobs:\n  wait:\n    steps:\n      - run: |\n          sleep 1000 &\n          echo "pid=$!"\n          wait\n',
    );
    let id = 0;
    await vi.waitFor(async () => {
      const listed = await rig.agent.rest.actions.listWorkflowRunsForRepo({ ...AT, status: 'in_progress' });
      id = listed.data.workflow_runs[0]?.id ?? 0;
      const [job] = await jobsOf(id);
      expect(job?.steps?.at(-1)?.name).toBe('Run sleep 1000 &');
    });
    expect(await statusOf(rig.agent.rest.actions.reRunWorkflow({ ...AT, run_id: id }))).toBe(403);
    await rig.agent.rest.actions.cancelWorkflowRun({ ...AT, run_id: id });
    await rig.forge.actions.waitIdle();
    expect((await rig.agent.rest.actions.getWorkflowRun({ ...AT, run_id: id })).data.conclusion).toBe(
      'cancelled',
    );
  });
});

describe('runs made by hand', () => {
  it('list by the hundred, newest first, in pages, by branch, status and SHA', async () => {
    rig = await startRig({ a: 'a' });
    for (let minute = 0; minute < 250; minute += 1) {
      const createdAt = new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
      const conclusion = minute % 50 === 0 ? 'failure' : 'success';
      await rig.forge.actions.createRun({ ...AT, createdAt, conclusion, name: `run ${minute}` });
    }
    const open = await rig.forge.actions.createRun({
      ...AT,
      status: 'in_progress',
      jobs: [{ name: 'test', log: 'boom\n' }],
    });
    const list = rig.agent.rest.actions.listWorkflowRunsForRepo;
    const all = await rig.agent.paginate(list, { ...AT, per_page: 100 });
    const page = await list({ ...AT, per_page: 30 });
    expect(all).toHaveLength(251);
    expect(page.data.total_count).toBe(251);
    expect(page.data.workflow_runs[0]?.id).toBe(open.id);
    expect(page.headers.link).toContain('rel="next"');
    expect((await list({ ...AT, status: 'failure' })).data.total_count).toBe(5);
    expect(
      (await list({ ...AT, created: '>=2026-01-01T04:00:00Z', status: 'success' })).data.total_count,
    ).toBe(10);
    expect((await list({ ...AT, branch: 'none' })).data.workflow_runs).toEqual([]);

    await rig.forge.actions.setRun({ id: open.id, conclusion: 'failure', jobs: { test: 'failure' } });
    const [job] = await jobsOf(open.id);
    expect(job).toMatchObject({ status: 'completed', conclusion: 'failure' });
    expect(await logOf(job?.id ?? 0)).toBe('boom\n');
  });
});

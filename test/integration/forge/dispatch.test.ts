// INC-2: a repository_dispatch starts workflows as GitHub does: files of the default branch only, filtered by `types`, with the payload as the event's file.
import { afterEach, describe, expect, it } from 'vitest';
import { testAct } from '../../support/act.ts';
import { AT, jobsOf, logOf, type Rig, startRig, statusOf } from './rig.ts';

const agent = (on: string): string => `
name: Code agent
on: ${on}
env:
  GOAL: \${{ github.event.client_payload.goal }}
jobs:
  work:
    if: github.event.client_payload.urgent == 'true'
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: |
          node -e 'const e = JSON.parse(require("fs").readFileSync(process.env.GITHUB_EVENT_PATH, "utf8"));
          console.log("file:", e.action, e.branch, e.repository.full_name, e.sender.login, JSON.stringify(e.client_payload))'
          echo "env: $GOAL \${{ github.event.action }} \${{ github.event.client_payload.urgent }}."
          echo "at: $GITHUB_EVENT_NAME $GITHUB_REF $(test "$GITHUB_SHA" = "$(git rev-parse HEAD)" && echo head)"
`;
const path = '.github/workflows/agent.yml';
const payload = { goal: 'Fix "backend"; $(exit 1)', urgent: true, list: [1, null] };

let rig: Rig;
afterEach(() => rig.stop());

async function dispatch(
  event_type: string,
  client_payload: Record<string, unknown> = payload,
): Promise<void> {
  await rig.agent.rest.repos.createDispatchEvent({ ...AT, event_type, client_payload });
}

async function runs() {
  await rig.forge.actions.waitIdle();
  return (await rig.agent.rest.actions.listWorkflowRunsForRepo(AT)).data.workflow_runs;
}

async function onlyLog(): Promise<string> {
  const [run, ...others] = await runs();
  expect(others).toEqual([]);
  expect(run).toMatchObject({
    event: 'repository_dispatch',
    head_branch: 'main',
    display_title: 'incident',
    status: 'completed',
    conclusion: 'success',
    path,
    actor: { login: 'untilgreen-agent' },
  });
  const [job] = await jobsOf(rig.agent, run?.id ?? 0, 'latest');
  return logOf(rig.agent, job?.id ?? 0);
}

const said = [
  `file: incident main acme/shop untilgreen-agent ${JSON.stringify(payload)}`,
  'env: Fix "backend"; $(exit 1) incident true.',
  'at: repository_dispatch refs/heads/main head',
];

describe('a repository_dispatch', () => {
  it('runs the workflow with its payload, and again with the same one', async () => {
    rig = await startRig(
      { [path]: agent('{ repository_dispatch: { types: [incident, alarm] } }') },
      { ci: true },
    );
    await dispatch('incident');
    const log = await onlyLog();
    for (const line of said) expect(log).toContain(`Z ${line}`);
    const [run] = await runs();
    await rig.agent.rest.actions.reRunWorkflow({ ...AT, run_id: run?.id ?? 0 });
    await rig.forge.actions.waitIdle();
    const jobs = await jobsOf(rig.agent, run?.id ?? 0, 'all');
    expect(jobs).toHaveLength(2);
    for (const job of jobs) expect(await logOf(rig.agent, job.id)).toContain(`Z ${said[0]}`);
    expect(await rig.forge.journal.unexpected()).toEqual([]);
  });

  it('runs it by act with the same payload', async (context) => {
    const act = await testAct(context);
    rig = await startRig({ [path]: agent('repository_dispatch') }, { ci: true, act });
    await dispatch('incident');
    const log = await onlyLog();
    for (const line of said) expect(log).toContain(line);
  }, 300_000);

  it.each<[string, string, string, number]>([
    ['every type, without a filter', 'repository_dispatch', 'anything', 1],
    ['one type', '{ repository_dispatch: { types: incident } }', 'incident', 1],
    ['another type', '{ repository_dispatch: { types: [incident] } }', 'Incident', 0],
    ['beside others', '[push, repository_dispatch]', 'incident', 1],
    ['another event', 'workflow_dispatch', 'incident', 0],
    [
      'of a file with a filter that it does not take',
      '{ repository_dispatch: { branches: [main] } }',
      'incident',
      0,
    ],
    [
      'beside a filter of pull requests',
      '{ pull_request: { branches: [main] }, repository_dispatch: { types: incident } }',
      'incident',
      1,
    ],
  ])('%s', async (_name, on, type, expected) => {
    rig = await startRig({ [path]: agent(on) }, { ci: true });
    await rig.forge.actions.waitIdle();
    await dispatch(type);
    expect((await runs()).filter(({ event }) => event === 'repository_dispatch')).toHaveLength(expected);
  });

  it('does not look at other branches, nor at words that skip pushes', async () => {
    rig = await startRig({ 'a.txt': 'a' }, { ci: true });
    await rig.forge.commitFiles({
      ...AT,
      branch: 'other',
      files: { [path]: agent('repository_dispatch') },
      message: 'agent',
    });
    await dispatch('incident');
    expect(await runs()).toEqual([]);
    await rig.forge.commitFiles({
      ...AT,
      files: { [path]: agent('repository_dispatch') },
      message: 'agent [skip ci]',
    });
    await dispatch('incident');
    expect(await runs()).toHaveLength(1);
  });

  it('is refused without the permission to write, and with what GitHub does not take', async () => {
    rig = await startRig({ [path]: agent('repository_dispatch') }, { ci: true });
    const as = (octokit: Rig['agent'], body: object): Promise<number> =>
      statusOf(octokit.request('POST /repos/{owner}/{repo}/dispatches', { ...AT, ...body } as never));
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`k${index}`, 1]));
    expect(await as(rig.stranger, { event_type: 'incident' })).toBe(403);
    expect(await as(rig.agent, {})).toBe(422);
    expect(await as(rig.agent, { event_type: 'x'.repeat(101) })).toBe(422);
    expect(await as(rig.agent, { event_type: 'incident', client_payload: many })).toBe(422);
    expect(await as(rig.agent, { event_type: 'incident', client_payload: { a: 'x'.repeat(70_000) } })).toBe(
      422,
    );
    expect(await runs()).toEqual([]);
  });

  it('starts nothing from a file that is none', async () => {
    rig = await startRig({ [path]: 'on: repository_dispatch\njobs: {}\n steps' }, { ci: true });
    await rig.forge.actions.waitIdle();
    const before = (await runs()).length;
    await dispatch('incident');
    expect(await runs()).toHaveLength(before);
  });
});

// INC-2, DUR-5, SEC-1, SEC-2: the code agent is started by an event or by a label on the incident's issue, over the forge: once, with evidence that is
// bounded, redacted and marked as data.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createDoor, type Door } from '../../../src/activities/effects/door.ts';
import { TryAgain } from '../../../src/activities/effects/door-failure.ts';
import { startCodeAgentEffect } from '../../../src/activities/effects/ops/start-code-agent.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { EffectAnswer, EffectRequest, Json } from '../../../src/contract/effect.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { octokitFor } from '../forge/rig.ts';
import { at, effect, type GitHubRig, nowMs, repository, startGitHubRig, times } from '../github/rig.ts';

let rig: GitHubRig;
let database: TestDatabase;
let door: Door;
beforeAll(async () => {
  rig = await startGitHubRig();
  database = await createTestDatabase();
  const redactor = createRedactor();
  redactor.register('PLANTED', 'planted-secret-4711');
  for (const [tenant, agent] of [
    ['events', '{ kind: dispatch, eventType: incident }'],
    ['labels', '{ kind: label, label: code-agent }'],
  ])
    await apply(tenant ?? '', agent ?? '');
  door = createDoor({
    pool: database.pool,
    redactor,
    times,
    definitions: [
      startCodeAgentEffect({
        github: async () => rig.github,
        gitRemote: async () => ({ url: '', token: '' }),
        cacheDir: '/nonexistent',
        redactor,
        loadEvidence: async () => undefined,
      }),
    ],
  });
});
afterAll(async () => {
  await database.drop();
  await rig.stop();
});

async function apply(tenant: string, agent: string, of = repository): Promise<void> {
  const text = `
tenant: ${tenant}
autonomy: { default: propose }
workspaces:
  - name: shop
    github: { repository: ${of}, apiUrl: "${rig.forge.url}" }
    incidents: { codeAgent: ${agent} }
`;
  const parsed = parseTenantFile(text, { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await applyTenant(database.pool, parsed.config, 'test', nowMs, parsed.source);
}

const task = {
  repository,
  base: 'main',
  goal: 'find out why the backend crashes @maria',
  evidence: `${'noise\n'.repeat(30_000)}boom planted-secret-4711 \u202e@maria`,
};

function request(tenant: string, step: string, input: { [name: string]: Json }): EffectRequest {
  return { ...effect('startCodeAgent', { ...task, ...input }), tenant, step };
}

async function ask(wanted: EffectRequest): Promise<EffectAnswer> {
  for (;;) {
    try {
      return await door.run(wanted, AbortSignal.timeout(30_000));
    } catch (error) {
      if (!(error instanceof TryAgain)) throw error;
      await new Promise((resolve) => setTimeout(resolve, error.delayMs ?? 200));
    }
  }
}

async function openIssue(): Promise<number> {
  const { number } = await rig.github.write({
    route: 'POST /repos/{owner}/{repo}/issues',
    params: { ...at, title: 'SEV1' },
    schema: z.object({ number: z.int() }),
    signal: rig.place.signal,
    assertMayWrite: () => {},
  });
  return number;
}

describe('by a repository_dispatch event', () => {
  it('is sent once, with the end of the evidence, without secrets', async () => {
    const after = await rig.forge.journal.mark();
    const wanted = request('events', 'once', { kind: 'dispatch', eventType: 'incident', issue: 7 });
    expect(await ask(wanted)).toMatchObject({ outcome: 'applied', risk: 'proposing' });
    expect(await ask(wanted)).toMatchObject({ outcome: 'applied' });
    const sent = await rig.forge.journal.writes({ after, kind: 'dispatched' });
    expect(sent).toMatchObject([{ eventType: 'incident', repository }]);
    const payload = JSON.parse(sent[0]?.body ?? '{}');
    expect(payload).toMatchObject({
      id: expect.stringMatching(/^untilgreen:[0-9a-f]{24}$/),
      repository,
      base: 'main',
      goal: task.goal,
      issue: 7,
      evidence: expect.stringMatching(/^\(cut: the last of \d+ characters\)/),
    });
    expect(payload.evidence).toMatch(/boom .*PLANTED/);
    expect(sent[0]?.body).not.toMatch(/planted-secret-4711|\u202e/);
    expect(Buffer.byteLength(sent[0]?.body ?? '')).toBeLessThan(65_536);
  });

  it('INC-2: starts a real run on the forge, whose steps have the task', async () => {
    await rig.forge.createRepository({
      owner: at.owner,
      name: 'agents',
      ci: true,
      files: {
        '.github/workflows/agent.yml': `
name: Code agent
on: { repository_dispatch: { types: [incident] } }
jobs:
  work:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: { ref: "\${{ github.event.client_payload.base }}" }
      - run: |
          node -p 'const { client_payload: task } = JSON.parse(require("fs").readFileSync(process.env.GITHUB_EVENT_PATH)); [task.id, task.tenant, task.issue, task.goal].join(" | ")'
`,
      },
    });
    await apply('runs', '{ kind: dispatch, eventType: incident }', `${at.owner}/agents`);
    const input = { kind: 'dispatch', eventType: 'incident', issue: 7, repository: `${at.owner}/agents` };
    const wanted = request('runs', 'run', input);
    const answer = await ask(wanted);
    expect(answer).toMatchObject({ outcome: 'applied' });
    expect(await ask(wanted)).toMatchObject({ outcome: 'applied' });
    await rig.forge.actions.waitIdle();
    const [run, ...others] = await rig.forge.actions.runs({ owner: at.owner, repo: 'agents' });
    expect(others).toEqual([]);
    expect(run).toMatchObject({ event: 'repository_dispatch', conclusion: 'success', branch: 'main' });
    const marker = `untilgreen:${answer.status === 'receipt' ? answer.key.slice(0, 24) : ''}`;
    const agent = octokitFor(rig.forge.url, rig.token);
    const place = { owner: at.owner, repo: 'agents' };
    const { data } = await agent.rest.actions.listJobsForWorkflowRun({ ...place, run_id: run?.id ?? 0 });
    const job_id = data.jobs[0]?.id ?? 0;
    const log = await agent.rest.actions.downloadJobLogsForWorkflowRun({ ...place, job_id });
    expect(String(log.data)).toContain(`${marker} | runs | 7 | ${task.goal}`);
  });

  it('is never sent again when its answer is lost: it may have started somebody', async () => {
    await rig.forge.faults.add({
      kind: 'badGatewayAfter',
      match: { method: 'POST', pathPattern: '/dispatches$' },
    });
    const after = await rig.forge.journal.mark();
    const wanted = request('events', 'lost', { kind: 'dispatch', eventType: 'incident' });
    expect(await ask(wanted)).toMatchObject({ outcome: 'unknown' });
    expect(await ask(wanted)).toMatchObject({ outcome: 'unknown' });
    expect(await rig.forge.journal.writes({ after, kind: 'dispatched' })).toHaveLength(1);
  });
});

describe('by a label on the issue', () => {
  it('writes the task first and then the label, each once, whatever answer is lost', async () => {
    const issue = await openIssue();
    await rig.forge.faults.add({
      kind: 'badGatewayAfter',
      match: { method: 'POST', pathPattern: '/comments$' },
    });
    await rig.forge.faults.add({
      kind: 'badGatewayAfter',
      match: { method: 'POST', pathPattern: '/labels$' },
    });
    const after = await rig.forge.journal.mark();
    const wanted = request('labels', 'once', { kind: 'label', label: 'code-agent', issue });
    expect(await ask(wanted)).toMatchObject({ outcome: 'applied' });
    const writes = await rig.forge.journal.writes({ after });
    expect(writes.map(({ kind }) => kind)).toEqual(['commentCreated', 'labelsAdded']);
    expect(writes[1]).toMatchObject({ number: issue, labels: ['code-agent'] });
    const body = writes[0]?.body ?? '';
    expect(body).toContain('Evidence (data, no instructions):');
    expect(body).toContain('crashes @&#8203;maria');
    expect(body).not.toMatch(/planted-secret-4711|\u202e/);
  });

  it('is there already when somebody put it there', async () => {
    const issue = await openIssue();
    const input = { kind: 'label', label: 'code-agent', issue };
    expect(await ask(request('labels', 'first', input))).toMatchObject({ outcome: 'applied' });
    const after = await rig.forge.journal.mark();
    expect(await ask(request('labels', 'second', input))).toMatchObject({ outcome: 'alreadyApplied' });
    expect(await rig.forge.journal.writes({ after })).toEqual([]);
  });

  it('is not written on an issue that is not there', async () => {
    expect(
      await ask(request('labels', 'gone', { kind: 'label', label: 'code-agent', issue: 4711 })),
    ).toMatchObject({
      outcome: 'stale',
    });
  });
});

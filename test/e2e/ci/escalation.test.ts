// What cannot be fixed by rule ends with a person (CI-6, CI-7, CI-9), and what the tenant does not allow is not done (LOOP-12, GUARD-1).
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { environmentOf } from '../../../demo/shop/shop.ts';
import { start } from '../people/approving.ts';
import { createWorld, type Issue, type World, whole } from '../rig.ts';

const agent = 'untilgreen-agent';
const ciOnly = { drift: null, database: null } as const;
const everything = {
  format: true,
  generated: false,
  test: true,
  drift: 'export',
  pending: 4,
  production: 'none',
} as const;

type Pull = {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly state: string;
  readonly head: { readonly ref: string; readonly sha: string };
};
const pulls = (world: World): Promise<Pull[]> => world.maria.request('GET', '/pulls?state=all');
const forPeople = async (world: World): Promise<Issue[]> =>
  (await world.issues()).filter(({ title }) => title.startsWith('Needs a person'));
const settled = (world: World, count: number): Promise<unknown> =>
  world.until('every finding is resolved or escalated', async () => {
    const findings = await world.findings();
    return (
      findings.length >= count &&
      findings.every(({ status }) => status === 'resolved' || status === 'escalated')
    );
  });
const merge = async (world: World, pull: Pull): Promise<void> => {
  // A person marks the draft ready, as GitHub wants it before a merge.
  const { node_id: id } = await world.maria.request<{ node_id: string }>('GET', `/pulls/${pull.number}`);
  await fetch(`${world.forge.url}/graphql`, {
    method: 'POST',
    headers: { authorization: `token ${world.maintainerToken}` },
    body: JSON.stringify({
      query:
        'mutation ($id: ID!) { markPullRequestReadyForReview(input: { pullRequestId: $id }) { pullRequest { isDraft } } }',
      variables: { id },
    }),
  });
  await world.maria.request('PUT', `/pulls/${pull.number}/merge`, { sha: pull.head.sha });
};

test.concurrent('CI-9: a job nobody can fix by rule is rerun once, then a person has it, and later tiers go on', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld({ ...whole, test: true, drift: 'export', pending: 4 });
  onTestFinished(world.stop);
  await start(world);
  await settled(world, 3);
  expect((await world.finding('ci'))?.status).toBe('escalated');
  expect((await world.finding('drift'))?.status).toBe('resolved');
  expect((await world.finding('migration'))?.status).toBe('resolved');
  // The merge of the drift made a new run of the same failing job: still the same finding, still one rerun and one issue.
  await world.forge.actions.waitIdle();
  await world.cycles(3);
  expect(await world.forge.journal.writes({ kind: 'runRerun' })).toHaveLength(1);
  const issues = await forPeople(world);
  expect(issues).toHaveLength(1);
  expect(issues[0]?.body).toContain('no fixer is configured for job test');
  expect(issues[0]?.body).toContain('rerun the failed jobs of run');
  await world.until('an alert', async () => world.alerts().some((line) => line.includes('Needs a person')));
  const alerts = world.alerts().filter((line) => line.includes('Needs a person'));
  expect(new Set(alerts).size).toBe(1);
  const { rows } = await world.own.pool.query(
    `select outcome from cycles where tenant = $1 order by cycle desc limit 1`,
    [world.tenant],
  );
  // LOOP-3: what a person has does not make green false.
  expect(rows[0].outcome).toBe('green');
  await world.replayed('escalation');
});

const checks = `name: ci
on:
  push:
    branches: ['**']
jobs:
  nothing:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Check formatting
        run: node tools/format.mjs --check
  wrong:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Check formatting
        run: node tools/format.mjs --check
  forbidden:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Check formatting
        run: node tools/format.mjs --check
  deleted:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Test
        run: node test/prices.mjs
  weakened:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Test
        run: node test/prices.mjs
`;

test.concurrent('CI-6, CI-7: a fix that is none, that is forbidden, or that weakens a test leaves no branch, only its reason and draft', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const fixer = (job: string, command: string): object => ({ name: job, match: { job }, command });
  const world = await createWorld(
    { ...whole, format: true, test: true },
    {
      ...ciOnly,
      files: { '.github/workflows/ci.yml': checks },
      ci: {
        storm: { findings: 6 },
        fixers: [
          fixer('nothing', 'true'),
          fixer('wrong', 'echo more >> README.md'),
          fixer('forbidden', 'node tools/format.mjs --write && echo "# x" >> .github/workflows/ci.yml'),
          fixer('deleted', 'rm test/prices.mjs'),
          fixer(
            'weakened',
            "sed -i 's/if (!(item.price > 0))/if (false)/; s/process.exit(wrong.length > 0 ? 1 : 0)/process.exit(0) || true/' test/prices.mjs",
          ),
        ],
      },
    },
  );
  onTestFinished(world.stop);
  const before = await world.forge.journal.mark();
  await start(world);
  await settled(world, 5);
  const writes = await world.forge.journal.writes({ after: before, actor: agent });
  expect(writes.filter(({ kind }) => kind !== 'issueOpened' && kind !== 'labelsAdded')).toEqual([]);
  expect(await pulls(world)).toEqual([]);
  const bodyOf = async (job: string): Promise<string> =>
    (await forPeople(world)).find(({ title }) => title.includes(job))?.body ?? '';
  expect(await forPeople(world)).toHaveLength(5);
  expect(await bodyOf('nothing')).toContain('the fixer changed nothing');
  expect(await bodyOf('wrong')).toContain('the failing command still fails');
  expect(await bodyOf('forbidden')).toContain('.github/workflows/ci.yml');
  expect(await bodyOf('deleted')).toMatch(/delet/i);
  // CI-7: a person gets the draft; CI-9: and the verdicts with what the commands said.
  expect(await bodyOf('forbidden')).toContain('+# x');
  expect(await bodyOf('wrong')).toContain('src/catalogue.json is not formatted');
  for (const finding of await world.findings()) expect(finding.attempts).toBe(1);
});

test.concurrent('CI-6: what fails on the runner only is no attempt; once rerun it is green', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const fixers = ['format', 'test'].map((job) => ({
    name: job,
    match: { job },
    command: 'echo more >> README.md',
  }));
  const world = await createWorld(whole, { ...ciOnly, ci: { fixers } });
  onTestFinished(world.stop);
  const at = { owner: 'acme', repo: 'shop' } as const;
  await world.forge.actions.waitIdle();
  await world.forge.actions.failJob({
    ...at,
    job: 'format',
    attempts: 1,
    output: 'error: disk of the runner is full',
  });
  await world.forge.commitFiles({ ...at, files: { 'NOTES.md': 'notes\n' }, message: 'notes' });
  await start(world);
  await settled(world, 1);
  const finding = await world.finding('ci');
  expect(finding?.status).toBe('resolved');
  expect(finding?.attempts).toBe(0);
  expect(await world.forge.journal.writes({ kind: 'runRerun' })).toHaveLength(1);
  expect(await forPeople(world)).toEqual([]);
  expect(await pulls(world)).toEqual([]);
});

test.concurrent('CI-8: two reds are two pull requests; one closed by a person is hers, and there is no other', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld({ ...whole, format: true, generated: true }, ciOnly);
  onTestFinished(world.stop);
  await start(world);
  const both = await world.until('two pull requests', async () => {
    const open = await pulls(world);
    return open.length === 2 && open;
  });
  expect(new Set(both.map(({ head }) => head.ref)).size).toBe(2);
  const closed = both.find(({ title }) => title.includes('format'));
  const merged = both.find(({ title }) => title.includes('generated'));
  if (!closed || !merged) throw new Error('a pull request is missing');
  expect(merged.body).toContain('Evidence');
  await world.maria.request('PATCH', `/pulls/${closed.number}`, { state: 'closed' });
  await merge(world, merged);
  await settled(world, 2);
  await world.forge.actions.waitIdle();
  await world.cycles(3);
  const [escalated] = await forPeople(world);
  expect(escalated?.body).toContain(`pull request #${closed.number} was closed without being merged`);
  expect((await world.findings()).map(({ status }) => status).sort()).toEqual(['escalated', 'resolved']);
  expect(await pulls(world)).toHaveLength(2);
});

test.concurrent('LOOP-12: observe writes nothing to the forge and applies nothing, but wakes people', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld(everything, { tenant: { autonomy: { default: 'observe' } } });
  onTestFinished(world.stop);
  const before = await world.forge.journal.mark();
  await start(world);
  await settled(world, 4);
  await world.cycles(2);
  expect(await world.forge.journal.writes({ after: before, actor: agent })).toEqual([]);
  for (const title of ['format', 'test', 'drift', 'pending'])
    await world.until(`an alert about ${title}`, async () =>
      world.alerts().some((line) => line.includes(title)),
    );
  expect(await readFile(join(world.environments, 'production.json'), 'utf8')).toBe(environmentOf(3));
  const there = await world.shop.pool.query(`select to_regclass('public.items') as t`);
  expect(there.rows[0].t).toBeNull();
  // GUARD-1: each refusal has its reason in the trail.
  const refused = (await world.audit()).filter(({ action }) => action === 'effect.refused');
  expect(refused.every(({ reason }) => reason.includes('the tenant allows "observe"'))).toBe(true);
});

test.concurrent('LOOP-12: propose opens pull requests and issues, but neither reruns, merges nor applies', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld(everything, { tenant: { autonomy: { default: 'propose' } } });
  onTestFinished(world.stop);
  await start(world);
  await world.until('both pull requests', async () => (await pulls(world)).length === 2);
  await world.until(
    "the migrations are a person's",
    async () => (await world.finding('migration'))?.status === 'escalated',
  );
  await world.cycles(2);
  const kinds = new Set((await world.forge.journal.writes({ actor: agent })).map(({ kind }) => kind));
  expect(kinds.has('runRerun')).toBe(false);
  expect(kinds.has('pullMerged')).toBe(false);
  expect(await pulls(world)).toHaveLength(2);
  expect(await readFile(join(world.environments, 'production.json'), 'utf8')).toBe(environmentOf(3));
  const there = await world.shop.pool.query(`select to_regclass('public.items') as t`);
  expect(there.rows[0].t).toBeNull();
  expect((await forPeople(world)).map(({ body }) => body).join('\n')).toContain('needs autonomy "act"');
});

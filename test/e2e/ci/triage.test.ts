// What is not fixed, end to end: a flake is watched (CI-3), an outage of many tenants is waited for (CI-4), a storm is one fix (CI-12), and
// without a model's key rules, fixers and people go on (MODEL-1). Real forge, git, sandbox, Temporal and Postgres.
import { expect, test } from 'vitest';
import { tenantWorkflowId } from '../../../src/contract/names.ts';
import { listFindings } from '../../../src/store/findings.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { startClaude } from '../../support/claude.ts';
import { start } from '../people/approving.ts';
import { startMaintainer } from '../people/maintainer.ts';
import { createWorld, type World, whole } from '../rig.ts';

const at = { owner: 'acme', repo: 'shop' } as const;
const ciOnly = { drift: null, database: null } as const;
const limit = { timeout: 500_000 };
/** What the agent did beyond a rerun and its word to people. */
const changesOf = async (world: World) =>
  (await world.forge.journal.writes({ actor: 'untilgreen-agent' })).filter(
    ({ kind }) => kind === 'refUpdated' || kind === 'pullCreated',
  );
const forPeople = async (world: World) =>
  (await world.issues()).filter(({ title }) => title.startsWith('Needs a person'));
const pullsOf = (world: World): Promise<{ number: number; state: string }[]> =>
  world.maria.request('GET', '/pulls?state=all&per_page=100');
const logOf = (...lines: readonly string[]): string =>
  [...lines, '##[error]Process completed with exit code 1.']
    .map((line) => `2026-03-02T10:00:00.0000000Z ${line}\n`)
    .join('');

/** A run of main whose test job failed with this log; its rerun ends alike. */
const failWith = (world: World, ...lines: readonly string[]) => {
  const steps = [{ name: 'Test', conclusion: 'failure' }] as const;
  const jobs = [{ name: 'test', conclusion: 'failure', steps, log: logOf(...lines) }] as const;
  const ends = { conclusion: 'failure', rerunConclusion: 'failure' } as const;
  return world.forge.actions.createRun({ ...at, name: 'ci', jobs, ...ends });
};

test.concurrent(
  'CI-3: failed and passed on the same commit is a flake: rerun once, watched, in the ledger; no fix, no call of the model',
  limit,
  async ({ onTestFinished }) => {
    const claude = await startClaude();
    onTestFinished(claude.close);
    const world = await createWorld(whole, {
      ...ciOnly,
      tenant: { model: { baseUrl: claude.url, apiKey: 'env:SHOP_MODEL_KEY' } },
      env: { SHOP_MODEL_KEY: claude.apiKey },
    });
    onTestFinished(world.stop);
    // The commit is green by the forge's own run; then another run of it fails, and its rerun does so, too.
    await world.forge.actions.waitIdle();
    const red = await failWith(
      world,
      'ok 1 - adds',
      'not ok 2 - subtracts',
      '# tests 2',
      '# pass 1',
      '# fail 1',
    );
    await start(world);

    await world.until('the flake is watched', async () => (await world.finding('ci'))?.status === 'watched');
    expect((await world.finding('ci'))?.attempts).toBe(0);
    expect(await world.forge.journal.writes({ kind: 'runRerun' })).toMatchObject([
      { runId: red.id, actor: 'untilgreen-agent' },
    ]);
    const { rows } = await world.own.pool.query(
      'select distinct repository, job, head_sha from ci_flakes where tenant = $1',
      [world.tenant],
    );
    expect(rows).toEqual([{ repository: 'acme/shop', job: 'test', head_sha: red.sha }]);
    const why = (await world.finding('ci'))?.waitingFor ?? '';
    expect(why).toMatch(/flake/);
    await world.cycles(2);
    expect(await changesOf(world)).toEqual([]);
    expect(await forPeople(world)).toEqual([]);
    expect(claude.requests()).toEqual([]);
    expect(await world.forge.journal.writes({ kind: 'runRerun' })).toHaveLength(1);
  },
);

const twelve = Array.from({ length: 12 }, (_, index) => `check${String(index).padStart(2, '0')}`);

test.concurrent(
  'CI-12: a red main with 12 failing jobs is batched: one pull request, merged, and all are green',
  limit,
  async ({ onTestFinished }) => {
    const job = (name: string): string =>
      `  ${name}:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - name: Check formatting\n        run: node tools/format.mjs --check\n`;
    const world = await createWorld(
      { ...whole, format: true },
      {
        ...ciOnly,
        files: {
          '.github/workflows/ci.yml': `name: ci\non:\n  push:\n    branches: ['**']\njobs:\n${twelve.map(job).join('')}`,
        },
        ci: {
          fixers: [{ name: 'formatter', match: { job: 'check*' }, command: 'node tools/format.mjs --write' }],
        },
      },
    );
    onTestFinished(world.stop);
    await world.forge.actions.waitIdle();
    await start(world);

    // One is fixed, the other eleven say what they wait for.
    await world.until('a pull request', async () => (await pullsOf(world)).length > 0);
    await world.until('eleven wait for it', async () => {
      const waiting = (await world.findings()).filter(({ waitingFor }) =>
        waitingFor?.includes('storm: 12 jobs'),
      );
      return waiting.length >= 11;
    });
    await world.cycles(2);
    expect(await pullsOf(world)).toHaveLength(1);
    expect((await world.findings()).reduce((sum, { attempts }) => sum + attempts, 0)).toBe(1);

    const maintainer = startMaintainer(world);
    onTestFinished(() => maintainer.stop());
    await world.until('all are green', async () => {
      const findings = await world.findings();
      return findings.length === 12 && findings.every(({ status }) => status === 'resolved');
    });
    expect(await pullsOf(world)).toHaveLength(1);
    expect(await forPeople(world)).toEqual([]);
  },
);

const down = 'npm error 503 Service Unavailable - GET https://registry.npmjs.org/left-pad';

test.concurrent(
  'CI-4: the same error in 20 tenants at once is an outage: it is waited for, and nobody is asked for a fix',
  limit,
  async ({ onTestFinished }) => {
    const world = await createWorld(whole, {
      ...ciOnly,
      // They share a forge and a worker: each reads once, and again when it is woken.
      tenant: { cadence: { perSource: { ciRuns: '1h' } }, autonomy: { default: 'propose' } },
      // Its runs are made by hand.
      files: { '.github/workflows/ci.yml': 'name: ci\non: workflow_dispatch\njobs: {}\n' },
    });
    const tenants = Array.from({ length: 20 }, (_, index) => `${world.tenant}-${index}`);
    onTestFinished(async () => {
      for (const tenant of tenants) {
        const handle = world.temporal.client.workflow.getHandle(tenantWorkflowId(tenant));
        await handle.terminate('the test ends').catch(() => {});
      }
      await world.stop();
    });
    await failWith(world, down);
    await applyTenant(world.own.pool, { ...world.config, enabled: false }, 'test', Date.now());
    for (const tenant of tenants)
      await applyTenant(world.own.pool, { ...world.config, tenant }, 'test', Date.now());
    await world.startWorker();
    for (const tenant of tenants) await world.startLoop(tenant);

    const all = async () =>
      (await Promise.all(tenants.map((tenant) => listFindings(world.own.pool, tenant, 0)))).flat();
    // The first four may have been looked at before it could be known.
    await world.until('the outage is waited for', async () => {
      const waiting = (await all()).filter(({ waitingFor }) =>
        waitingFor?.startsWith('outage: the same error'),
      );
      return waiting.length >= 16;
    });
    const findings = await all();
    expect(findings).toHaveLength(20);
    for (const { waitingFor } of findings) expect(waitingFor ?? '').not.toContain(world.tenant);
    expect(findings.every(({ attempts }) => attempts === 0)).toBe(true);
    expect(await changesOf(world)).toEqual([]);
    const told = world.alerts().filter((line) => line.includes('fails of an outage outside'));
    expect(new Set(told).size).toBe(told.length);
  },
);

test.concurrent(
  'CI-4: the same error in one tenant is no outage: a person has it',
  limit,
  async ({ onTestFinished }) => {
    const world = await createWorld(whole, {
      ...ciOnly,
      files: { '.github/workflows/ci.yml': 'name: ci\non: workflow_dispatch\njobs: {}\n' },
    });
    onTestFinished(world.stop);
    await failWith(world, down);
    await start(world);
    await world.until('a person has it', async () => (await world.finding('ci'))?.status === 'escalated');
    expect(await world.forge.journal.writes({ kind: 'runRerun' })).toHaveLength(1);
    expect(await changesOf(world)).toEqual([]);
    const [issue] = await forPeople(world);
    expect(issue?.body).toContain('infra');
    expect(issue?.body).not.toContain('outage');
  },
);

test.concurrent(
  'MODEL-1: without any key the loop still finds, classifies, reruns, runs fixers and escalates',
  limit,
  async ({ onTestFinished }) => {
    // As a team writes it that has set up a model, and whose key is not there.
    const world = await createWorld(
      { ...whole, format: true, test: true },
      { ...ciOnly, tenant: { model: { apiKey: 'env:SHOP_MODEL_KEY' } } },
    );
    onTestFinished(world.stop);
    await start(world);
    const maintainer = startMaintainer(world);
    onTestFinished(() => maintainer.stop());
    const statuses = async () =>
      Object.fromEntries((await world.findings()).map(({ title, status }) => [title.split(' ')[2], status]));
    await world.until('one is fixed, a person has the other', async () => {
      const { format, test: prices } = await statuses();
      return format === 'resolved' && prices === 'escalated';
    });
    // Found and read: a class with its evidence.
    const { rows } = await world.own.pool.query(
      `select memory -> 'triage' ->> 'class' as class from findings where tenant = $1 and status = 'escalated'`,
      [world.tenant],
    );
    expect(rows[0].class).toMatch(/^(regression|config|env|infra|unknown)$/);
    const [issue] = await forPeople(world);
    expect(issue?.body).toContain('FAIL price of gift');
    expect(issue?.body).toMatch(/model/);
    expect(await pullsOf(world)).toHaveLength(1);
    const used = await world.own.pool.query('select count(*)::int as calls from model_calls');
    expect(used.rows[0].calls).toBe(0);
  },
);

// One effect of each real kind, ready to be asked for, with what may be counted of it afterwards.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { JournalWrite } from '../../../demo/forge/operations.ts';
import type { DeliveryClass, EffectKind, EffectRequest } from '../../../src/contract/effect.ts';
import { driftPlan } from '../../../src/integrations/drift/run-drift.ts';
import { createGitHub } from '../../../src/integrations/github/client.ts';
import { driftBranch } from '../../../src/policy/drift-branch.ts';
import { saveEvidence } from '../../../src/store/evidence.ts';
import { readTenant } from '../../../src/store/tenants.ts';
import { patchOf } from '../github/rig.ts';
import { opsKinds } from './ops-kinds.ts';
import { effectOf, lines, makeTenant, type World } from './world.ts';

export type KindCase = {
  readonly kind: EffectKind;
  readonly delivery: DeliveryClass;
  readonly request: EffectRequest;
  /** How often each part of it landed. */
  readonly landed: () => Promise<Readonly<Record<string, number>>>;
};

export type Prepare = (world: World, name: string) => Promise<Omit<KindCase, 'kind' | 'delivery'>>;

/** The whole list, so that a new kind does not compile without its case here. */
const prepare: { readonly [Kind in EffectKind]: Prepare } = {
  openIssue: async (world, name) => {
    await makeTenant(world, { name });
    return {
      request: effectOf(name, 'openIssue', { title: 'Broken', body: 'b', labels: ['untilgreen'] }),
      landed: await journal(world, name, { issueOpened: () => true }),
    };
  },
  updateIssue: async (world, name) => {
    await makeTenant(world, { name });
    const number = await openIssue(world, name);
    return {
      request: effectOf(name, 'updateIssue', { number, body: 'new', addLabels: ['x'] }),
      landed: await journal(world, name, { issueUpdated: () => true }),
    };
  },
  closeIssue: async (world, name) => {
    await makeTenant(world, { name });
    const number = await openIssue(world, name);
    return {
      request: effectOf(name, 'closeIssue', { number, comment: 'green again' }),
      landed: await journal(world, name, { issueUpdated: () => true, commentCreated: () => true }),
    };
  },
  commentOnIssue: async (world, name) => {
    await makeTenant(world, { name });
    const number = await openIssue(world, name);
    return {
      request: effectOf(name, 'commentOnIssue', { number, body: 'hello' }),
      landed: await journal(world, name, { commentCreated: () => true }),
    };
  },
  pushBranch: async (world, name) => {
    const { headSha } = await makeTenant(world, { name });
    const body = patchOf('a.txt', 'one\n', 'two\n');
    const retentionMs = 3_600_000;
    return {
      request: effectOf(name, 'pushBranch', {
        branch: 'untilgreen/fix',
        baseSha: headSha,
        expectedOldSha: null,
        patchEvidence: await saveEvidence(world.database.pool, {
          tenant: name,
          kind: 'patch',
          body,
          retentionMs,
        }),
        message: 'fix: two',
        author: { name: 'Untilgreen', email: 'agent@example.com' },
        dateIso: '2026-03-02T10:00:00Z',
      }),
      landed: await journal(world, name, { refUpdated: () => true }),
    };
  },
  openPullRequest: async (world, name) => {
    await makeTenant(world, { name });
    await push(world, name, 'untilgreen/fix');
    const input = { head: 'untilgreen/fix', base: 'main', title: 'Fix', body: 'b', labels: ['untilgreen'] };
    return {
      request: effectOf(name, 'openPullRequest', input),
      landed: await journal(world, name, { pullCreated: () => true, labelsAdded: () => true }),
    };
  },
  closePullRequest: async (world, name) => {
    await makeTenant(world, { name });
    const { number } = await openPull(world, name, 'untilgreen/fix');
    return {
      request: effectOf(name, 'closePullRequest', { number, deleteBranch: true }),
      landed: await journal(world, name, { pullUpdated: () => true, refUpdated: () => true }),
    };
  },
  mergePullRequest: async (world, name) => {
    const workspace =
      '    drift: [{ environment: production, preset: opentofu, autoMerge: true, export: { command: x, paths: ["**"] } }]';
    await makeTenant(world, { name, workspace });
    const { number, sha } = await openPull(world, name, driftBranch('shop', 'production'));
    return {
      request: effectOf(name, 'mergePullRequest', {
        number,
        sha,
        reason: 'autoMerge',
        environment: 'production',
      }),
      landed: await journal(world, name, { pullMerged: () => true }),
    };
  },
  rerunFailedJobs: async (world, name) => {
    await makeTenant(world, { name });
    const run = await world.forge.actions.createRun({
      owner: 'acme',
      repo: name,
      conclusion: 'failure',
      jobs: [{ name: 'test', conclusion: 'failure' }],
    });
    return {
      request: effectOf(name, 'rerunFailedJobs', { runId: run.id, runAttempt: 1 }),
      landed: await journal(world, name, { runRerun: () => true }),
    };
  },
  applyDrift: (world, name) => driftCase(world, name, 'nothing'),
  applyMigrations: (world, name) => migrationCase(world, name, 'select 1'),
  sendAlert: async (world, name) => {
    const extra = `alerts: { channels: [{ kind: webhook, url: "${world.alertUrl}", secret: env:ALERT_SECRET }] }`;
    await makeTenant(world, { name, extra });
    return {
      request: effectOf(name, 'sendAlert', { severity: 'critical', title: 'Broken', body: 'b' }),
      landed: async () => {
        const mine = world.alerts.filter(({ tenant }) => tenant === name);
        return { alerts: mine.length, ids: new Set(mine.map(({ id }) => id)).size };
      },
    };
  },
  ...opsKinds,
};

/** DUR-5: all others are exactly once. */
export const classes: { readonly [Kind in EffectKind]?: DeliveryClass } = {
  sendAlert: 'atLeastOnce',
  restartService: 'atMostOnce',
  redeployService: 'atMostOnce',
  rollBackService: 'atMostOnce',
  updateService: 'atMostOnce',
  setVariable: 'atMostOnce',
  addDatabase: 'atMostOnce',
  cleanUp: 'atMostOnce',
  startCodeAgent: 'atMostOnce',
};

/** One of each kind; `name` makes their tenants and repositories different from those of other calls. */
export async function allKinds(world: World, name: string): Promise<readonly KindCase[]> {
  const cases: KindCase[] = [];
  for (const [kind, make] of Object.entries(prepare) as [EffectKind, Prepare][]) {
    const made = await make(world, `${name}-${kind.toLowerCase()}`);
    cases.push({ kind, delivery: classes[kind] ?? 'exactlyOnce', ...made });
  }
  return cases;
}

/** @param during `gate`: `apply` waits in its middle until the test calls `open`. The log has `begin` and `end` of each apply, and `overlap` if two ran at the same time. */
export async function driftCase(
  world: World,
  name: string,
  during: 'gate' | 'nothing',
): Promise<
  Omit<KindCase, 'kind' | 'delivery'> & { readonly log: string; readonly open: () => Promise<void> }
> {
  const state = join(world.directory, name);
  const log = `${state}.log`;
  const wait = during === 'gate' ? `while [ ! -e ${state}.gate ]; do sleep 0.1; done` : ':';
  const plan = `if [ -e ${state}.clean ]; then exit 0; fi; echo "rule will be changed"; exit 2`;
  const apply = `mkdir ${state}.busy || echo overlap >> ${log}; trap 'rmdir ${state}.busy' EXIT; echo begin >> ${log}; ${wait}; echo end >> ${log}; touch ${state}.clean`;
  await makeTenant(world, {
    name,
    workspace: `    drift: [{ environment: production, preset: command, policy: auto, plan: '${plan.replaceAll("'", "''")}', apply: '${apply.replaceAll("'", "''")}' }]`,
  });
  const tenant = await readTenant(world.database.pool, name);
  const settings = tenant?.config.workspaces[0]?.drift[0];
  if (!settings) throw new Error('no drift settings');
  const { planHash, reason } = await driftPlan({ settings, worktree: world.directory, env: {} });
  if (planHash === '') throw new Error(`no plan: ${reason}`);
  const input = { environment: 'production', planHash, destroys: 0, approvedByMerge: false };
  return {
    log,
    open: () => writeFile(`${state}.gate`, ''),
    request: effectOf(name, 'applyDrift', input, 'production'),
    landed: async () => ({ ends: (await lines(log)).filter((line) => line === 'end').length }),
  };
}

/** @param during SQL in the middle of the migration, which also counts itself. */
export async function migrationCase(
  world: World,
  name: string,
  during: string,
): Promise<Omit<KindCase, 'kind' | 'delivery'> & { readonly secret: string }> {
  const { secret, pool } = await world.tenantDatabase();
  const file = '20260302100000_orders.sql';
  await pool.query('create table runs (at timestamptz default clock_timestamp())');
  await makeTenant(world, {
    name,
    files: {
      [`db/migrations/${file}`]: `-- migrate:up\ninsert into runs default values;\n${during};\ncreate table orders (id int);\n-- migrate:down\ndrop table orders;\n`,
    },
    workspace: `    databases: [{ name: shop, url: env:${secret}, policy: auto }]`,
  });
  return {
    secret,
    request: effectOf(name, 'applyMigrations', { database: 'shop', pending: [file] }, 'shop'),
    landed: async () => {
      const migrated = await pool.query(`select to_regclass('schema_migrations') is not null as yes`);
      const count = async (table: string): Promise<number> =>
        (await pool.query(`select count(*)::int as count from ${table}`)).rows[0].count;
      return {
        runs: await count('runs'),
        migrations: migrated.rows[0].yes === true ? await count('schema_migrations') : 0,
      };
    },
  };
}

type Counted = { readonly [Kind in JournalWrite['kind']]?: (write: JournalWrite) => boolean };

async function journal(world: World, name: string, counted: Counted): Promise<KindCase['landed']> {
  const after = await world.forge.journal.mark();
  return async () => {
    const writes = await world.forge.journal.writes({ after, repository: `acme/${name}` });
    return Object.fromEntries(
      Object.keys(counted).map((kind) => [kind, writes.filter((write) => write.kind === kind).length]),
    );
  };
}

async function send(
  world: World,
  name: string,
  route: string,
  params: { readonly [name: string]: unknown },
): Promise<number> {
  const github = createGitHub({ apiUrl: world.forge.url, token: world.agentToken, userAgent: 'test' });
  const { number } = await github.write({
    route,
    params: { owner: 'acme', repo: name, ...params },
    schema: z.object({ number: z.int() }),
    signal: AbortSignal.timeout(30_000),
    assertMayWrite: () => {},
  });
  return number;
}

function openIssue(world: World, name: string): Promise<number> {
  return send(world, name, 'POST /repos/{owner}/{repo}/issues', { title: 'by hand', body: 'old' });
}

async function push(world: World, name: string, branch: string): Promise<string> {
  const { sha } = await world.forge.commitFiles({
    owner: 'acme',
    repo: name,
    branch,
    files: { 'b.txt': 'b' },
    message: 'b',
    login: 'untilgreen-agent',
  });
  return sha;
}

async function openPull(
  world: World,
  name: string,
  branch: string,
): Promise<{ number: number; sha: string }> {
  const sha = await push(world, name, branch);
  const number = await send(world, name, 'POST /repos/{owner}/{repo}/pulls', {
    head: branch,
    base: 'main',
    title: branch,
    draft: false,
  });
  return { number, sha };
}

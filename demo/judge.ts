// The judge: is the shop green? Asked of its services, the forge, the database and the drift command themselves, in a fresh checkout; never of our
// records. Reads only.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Octokit } from '@octokit/rest';
import { resolveBinary } from 'dbmate';
import { dbmateUrl } from '../src/embedded/schema.ts';
import { askServices, type ServiceAnswer } from './production/production.ts';
import { agentLogin, shop, type World } from './world.ts';

const run = promisify(execFile);
const commandTimeoutMs = 60_000;

export type Verdict = {
  readonly green: boolean;
  readonly ci: {
    readonly green: boolean;
    readonly runId: number;
    readonly url: string;
    readonly state: string;
    /** Of main's head: a run of an older commit proves nothing. */
    readonly ofHead: boolean;
    readonly failedJobs: readonly string[];
  };
  readonly migrations: {
    readonly green: boolean;
    readonly applied: number;
    readonly pending: readonly string[];
  };
  readonly drift: { readonly green: boolean; readonly changes: readonly string[] };
  readonly production: {
    /** Its services answer as they should, and no issue of an incident is open. */
    readonly green: boolean;
    readonly services: readonly ServiceAnswer[];
    readonly incidents: readonly IncidentTold[];
  };
};

/** An incident as its issue on the forge tells it. */
export type IncidentTold = {
  readonly number: number;
  readonly url: string;
  readonly title: string;
  readonly state: string;
  readonly body: string;
  /** Of its last comment: what happened, in order. Empty while it is open. */
  readonly timeline: readonly string[];
};

/** @throws Error when one of the four cannot be asked; services that do not answer are an answer */
export async function judge(world: World): Promise<Verdict> {
  const checkout = await mkdtemp(join(world.folder, 'judge-'));
  try {
    await run(
      'git',
      ['clone', '--quiet', '--depth', '1', world.forge.gitUrl(shop.owner, shop.repo), checkout],
      {
        timeout: commandTimeoutMs,
      },
    );
    const [ci, migrations, drift, production] = await Promise.all([
      judgeCi(world),
      judgeMigrations(world, checkout),
      judgeDrift(world, checkout),
      judgeProduction(world),
    ]);
    const green = ci.green && migrations.green && drift.green && production.green;
    return { green, ci, migrations, drift, production };
  } finally {
    await rm(checkout, { recursive: true, force: true });
  }
}

/** What is not green, one line each. */
export function problemsOf(verdict: Verdict): readonly string[] {
  const { ci, migrations, drift, production } = verdict;
  return [
    ...production.services
      .filter(({ green }) => !green)
      .map(({ name, answer }) => `production: ${name} answers ${answer}`),
    ...production.incidents
      .filter(({ state }) => state === 'open')
      .map(({ number, title }) => `production: issue #${number} "${title}" is open`),
    ...(ci.green
      ? []
      : [
          `CI of main: run ${ci.runId} ${ci.state}${ci.failedJobs.length > 0 ? ` in ${ci.failedJobs.join(', ')}` : ''}`,
        ]),
    ...(drift.green ? [] : [`drift of ${shop.environment}: ${drift.changes.join(', ')}`]),
    ...(migrations.green ? [] : [`migrations pending on the database: ${migrations.pending.join(', ')}`]),
  ];
}

async function judgeProduction(world: World): Promise<Verdict['production']> {
  const [services, incidents] = await Promise.all([askServices(world.production), incidentsOf(world)]);
  const green = services.every((one) => one.green) && incidents.every(({ state }) => state !== 'open');
  return { green, services, incidents };
}

async function incidentsOf({ forge, agentToken }: World): Promise<readonly IncidentTold[]> {
  const { owner, repo } = shop;
  const { rest } = new Octokit({ baseUrl: forge.url, auth: agentToken, log: silent });
  const all = { owner, repo, per_page: 100 };
  const { data } = await rest.issues.listForRepo({
    ...all,
    labels: 'incident',
    state: 'all',
    creator: agentLogin,
  });
  return Promise.all(
    data.map(async ({ number, html_url: url, title, state, body }) => {
      const comments = await rest.issues.listComments({ ...all, issue_number: number });
      const last = comments.data.at(-1)?.body ?? '';
      const timeline = last.includes('### Timeline')
        ? last.split('\n').filter((line) => line.startsWith('- '))
        : [];
      return { number, url, title, state, body: body ?? '', timeline: timeline.map((line) => line.slice(2)) };
    }),
  );
}

async function judgeCi({ forge, agentToken }: World): Promise<Verdict['ci']> {
  const { owner, repo } = shop;
  const { rest } = new Octokit({ baseUrl: forge.url, auth: agentToken, log: silent });
  const { data: runs } = await rest.actions.listWorkflowRunsForRepo({
    owner,
    repo,
    branch: 'main',
    per_page: 10,
  });
  const { data: branch } = await rest.repos.getBranch({ owner, repo, branch: 'main' });
  const [newest] = runs.workflow_runs;
  if (newest === undefined)
    return { green: false, runId: 0, url: '', state: 'has not begun', ofHead: false, failedJobs: [] };
  const { data } = await rest.actions.listJobsForWorkflowRun({ owner, repo, run_id: newest.id });
  const ofHead = newest.head_sha === branch.commit.sha;
  const failedJobs = data.jobs.filter((job) => job.conclusion !== 'success').map((job) => job.name);
  const green = ofHead && newest.conclusion === 'success' && data.jobs.length > 0 && failedJobs.length === 0;
  const state = newest.conclusion ?? newest.status ?? 'unknown';
  return { green, runId: newest.id, url: newest.html_url, state, ofHead, failedJobs };
}

async function judgeMigrations(world: World, checkout: string): Promise<Verdict['migrations']> {
  const { stdout } = await run(
    resolveBinary(),
    ['--no-dump-schema', '--migrations-dir', join(checkout, 'db/migrations'), 'status'],
    {
      timeout: commandTimeoutMs,
      cwd: checkout,
      env: { ...process.env, DATABASE_URL: dbmateUrl(world.shopDatabaseUrl) },
    },
  );
  const named = (mark: string): string[] =>
    stdout.split('\n').flatMap((line) => (line.startsWith(`[${mark}] `) ? [line.slice(4)] : []));
  const [applied, pending] = [named('X'), named(' ')];
  return { green: applied.length > 0 && pending.length === 0, applied: applied.length, pending };
}

/** Exit code 0 is clean and 2 is drift, by the command's own convention. */
async function judgeDrift(world: World, checkout: string): Promise<Verdict['drift']> {
  const output = await run(process.execPath, ['tools/hybrid.mjs', 'drift-plan', '--env', shop.environment], {
    timeout: commandTimeoutMs,
    cwd: checkout,
    env: { ...process.env, SHOP_ENVIRONMENTS: world.environments },
  }).catch((error: unknown) => {
    const { code, stdout } = error as { code?: unknown; stdout?: unknown };
    if (code === 2 && typeof stdout === 'string') return { stdout };
    throw error;
  });
  const plan = JSON.parse(output.stdout) as {
    drifted: boolean;
    changes: { address: string; action: string }[];
  };
  return {
    green: !plan.drifted,
    changes: plan.changes.map(({ address, action }) => `${address} (${action})`),
  };
}

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

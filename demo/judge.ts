// The judge: is the shop green? Asked of the forge, the database and the drift command themselves, in a fresh checkout; never of our records.
// And the count of what landed on the forge, from its own journal. Reads only.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Octokit } from '@octokit/rest';
import { resolveBinary } from 'dbmate';
import pg from 'pg';
import { dbmateUrl } from '../src/embedded/schema.ts';
import type { EffectRow } from '../src/store/history.ts';
import type { JournalWrite } from './forge/operations.ts';
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
};

/** @throws Error when one of the three cannot be asked */
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
    const [ci, migrations, drift] = await Promise.all([
      judgeCi(world),
      judgeMigrations(world, checkout),
      judgeDrift(world, checkout),
    ]);
    return { green: ci.green && migrations.green && drift.green, ci, migrations, drift };
  } finally {
    await rm(checkout, { recursive: true, force: true });
  }
}

/** What is not green, one line each. */
export function problemsOf(verdict: Verdict): readonly string[] {
  const { ci, migrations, drift } = verdict;
  return [
    ...(ci.green
      ? []
      : [
          `CI of main: run ${ci.runId} ${ci.state}${ci.failedJobs.length > 0 ? ` in ${ci.failedJobs.join(', ')}` : ''}`,
        ]),
    ...(drift.green ? [] : [`drift of ${shop.environment}: ${drift.changes.join(', ')}`]),
    ...(migrations.green ? [] : [`migrations pending on the database: ${migrations.pending.join(', ')}`]),
  ];
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

export type Count = {
  readonly ok: boolean;
  /** How many landed on the forge, by kind of effect; migrations from the database. */
  readonly landed: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
};

/** DUR-1: everything that landed, landed once, and every receipt has landed. From the forge's journal and the database. */
export async function countEffects(world: World, receipts: readonly EffectRow[]): Promise<Count> {
  const writes = await world.forge.journal.writes({ actor: agentLogin });
  const client = new pg.Client({ connectionString: world.shopDatabaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query('select version from schema_migrations');
    return tally(
      writes,
      rows.map(({ version }: { version: string }) => version),
      receipts,
    );
  } finally {
    await client.end();
  }
}

/** Pure: journal, applied versions and our receipts in, what is wrong out. */
export function tally(
  writes: readonly JournalWrite[],
  migrations: readonly string[],
  receipts: readonly Pick<EffectRow, 'key' | 'kind' | 'outcome' | 'result'>[],
): Count {
  const seen = new Map<string, number>();
  const note = (kind: string, what: string): void => {
    const name = `${kind} ${what}`;
    seen.set(name, (seen.get(name) ?? 0) + 1);
  };
  for (const write of writes) {
    if (write.kind === 'pullCreated') note('openPullRequest', write.ref ?? '');
    if (write.kind === 'issueOpened') note('openIssue', write.marker ?? `#${write.number}`);
    if (write.kind === 'commentCreated') note('commentOnIssue', write.marker ?? `${write.commentId}`);
    if (write.kind === 'pullMerged') note('mergePullRequest', `#${write.number}`);
    if (write.kind === 'runRerun') note('rerunFailedJobs', `run ${write.runId}`);
    if (write.kind === 'refUpdated' && write.via === 'git' && !isDeletion(write))
      note('pushBranch', write.newSha ?? '');
  }
  for (const version of migrations) note('rowOfMigration', version);
  const landed: Record<string, number> = {};
  const problems: string[] = [];
  for (const [name, times] of seen) {
    const kind = name.slice(0, name.indexOf(' '));
    landed[kind] = (landed[kind] ?? 0) + times;
    if (times > 1) problems.push(`${name} landed ${times} times`);
  }
  for (const receipt of receipts) {
    const name = nameOf(receipt);
    if (receipt.outcome === 'applied' && name !== undefined && !seen.has(name))
      problems.push(`${name} has a receipt and did not land`);
  }
  return { ok: problems.length === 0, landed, problems };
}

function isDeletion({ newSha }: JournalWrite): boolean {
  return newSha === undefined || /^0+$/.test(newSha);
}

/** The journal's name of what a receipt says was written; undefined for effects outside of the forge. */
function nameOf({ key, kind, result }: Pick<EffectRow, 'key' | 'kind' | 'result'>): string | undefined {
  switch (kind) {
    case 'openIssue':
    case 'commentOnIssue':
      return `${kind} untilgreen:${key.slice(0, 24)}`;
    case 'pushBranch':
      return `${kind} ${result?.commitSha}`;
    case 'mergePullRequest':
      return `${kind} #${result?.number}`;
    default:
      return undefined;
  }
}

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

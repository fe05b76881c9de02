// Everything the demo runs against, in one throw-away folder: Temporal and Postgres of our own, the forge with the shop, the shop's database with
// its first migrations applied, its deployed environment, its running services. Starts no loop and no worker; `stop` leaves nothing behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { resolveBinary } from 'dbmate';
import pg from 'pg';
import { writeConnectionFile } from '../src/client/connection-file.ts';
import { connectUntilgreen, type Untilgreen } from '../src/client.ts';
import { parseTenantFile } from '../src/config/tenant-file.ts';
import { searchAttributes } from '../src/contract/names.ts';
import type { TenantConfig } from '../src/contract/tenant-config.ts';
import type { Progress } from '../src/embedded/machine/binary-cache.ts';
import { EmbeddedStartError } from '../src/embedded/machine/start-error.ts';
import { throwAwayFolder } from '../src/embedded/machine/throw-away-folder.ts';
import { runTool } from '../src/embedded/machine/tool.ts';
import { dbmateUrl } from '../src/embedded/schema.ts';
import { ensureTemporalBinary } from '../src/embedded/temporal-binary.ts';
import { type Embedded, startEmbedded } from '../src/embedded/up.ts';
import { findSandbox } from '../src/integrations/sandbox/find-sandbox.ts';
import { createPool, type Pool } from '../src/store/database.ts';
import { ensureAct } from './forge/ci/act/program.ts';
import { connectForge, type ForgeClient } from './forge/client.ts';
import { type Production, startProduction } from './production/production.ts';
import { appliedMigrations, type Breakage, environmentOf, shopFiles, shopTenantFile } from './shop/shop.ts';

export const shop = { owner: 'acme', repo: 'shop', tenant: 'shop', environment: 'production' } as const;
export const agentLogin = 'untilgreen-agent';

export type World = {
  readonly folder: string;
  /** What `UNTILGREEN_DATA` names for the command line. */
  readonly dataDir: string;
  readonly embedded: Embedded;
  readonly forge: ForgeClient;
  readonly maintainerToken: string;
  readonly agentToken: string;
  readonly pool: Pool;
  readonly untilgreen: Untilgreen;
  readonly shopDatabaseUrl: string;
  readonly environments: string;
  readonly production: Production;
  readonly config: TenantConfig;
  readonly bundlePath: string;
  /** For the worker: where the tenant file's secret references are resolved. */
  readonly env: NodeJS.ProcessEnv;
};

/** Steps that take back what was started, last one first; each may be called while the world is still being made. */
export type Undo = (() => Promise<unknown>)[];

export async function undoAll(undo: Undo): Promise<void> {
  for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step().catch(() => {});
}

const WORKFLOWS = fileURLToPath(new URL('../src/workflows/index.ts', import.meta.url));
const FORGE = fileURLToPath(new URL('./forge/main.ts', import.meta.url));
const everySource = '5s';
const stopGraceMs = 5_000;
const migrateTimeoutMs = 60_000;

/**
 * Fetches or builds what the demo needs and the machine does not have; may take minutes, once. Leaves nothing running.
 * @throws EmbeddedStartError
 */
export async function preparePrograms(progress: Progress): Promise<void> {
  try {
    await ensureTemporalBinary({ progress });
  } catch (error) {
    if (!(error instanceof EmbeddedStartError)) throw error;
    throw new EmbeddedStartError(
      `${error.message}\nThe demo starts servers of its own in any case: TEMPORAL_ADDRESS does not help it.`,
    );
  }
  const view = { readOnlyPaths: [], pathPrepend: [], hide: [] };
  const sandbox = await findSandbox({ mode: 'required', view });
  if (sandbox.kind === 'unavailable')
    throw new EmbeddedStartError(`No sandbox for the fixers on this machine: ${sandbox.reason}`);
}

/** Path of `act`, when it is wanted and can be had; says why not, and that the forge's own runner takes its place. */
export async function findAct(wanted: boolean, progress: Progress): Promise<string | undefined> {
  if (!wanted) return undefined;
  return ensureAct({ progress }).catch((error: unknown) => {
    progress(`${error instanceof Error ? error.message : String(error)} The forge's own runner is used.`);
    return undefined;
  });
}

/** @throws EmbeddedStartError; what was started until then is in `undo` */
export async function createWorld(
  breakage: Breakage,
  undo: Undo,
  report: {
    readonly progress: Progress;
    readonly onFailure: (error: Error) => void;
    /** Path of the program that runs the repository's workflows; else the forge does. */
    readonly act: string | undefined;
  },
): Promise<World> {
  const { progress, act } = report;
  // The demo's servers only: never somebody's Temporal or database.
  const { TEMPORAL_ADDRESS: _address, DATABASE_URL: _database, ...machine } = process.env;
  const folder = await throwAwayFolder();
  undo.push(() => folder.remove());
  const dataDir = join(folder.path, 'data');
  const environments = join(folder.path, 'environments');
  await mkdir(environments);
  const deployed = environmentOf(breakage.drift === 'none' ? 2 : 3);
  await writeFile(join(environments, `${shop.environment}.json`), deployed);

  progress('starting a GitHub of its own (the forge), Temporal and Postgres');
  const anyPort = { temporal: 0, temporalUi: 0, temporalHttp: 0, temporalMetrics: 0, postgres: 0 };
  const [embedded, forge, bundlePath] = await all([
    startEmbedded({
      dataDir,
      ports: anyPort,
      env: machine,
      searchAttributes: Object.fromEntries(Object.values(searchAttributes).map((name) => [name, 'Keyword'])),
      progress: () => {},
      onFailure: report.onFailure,
    }).then((started) => {
      undo.push(() => started.stop());
      return started;
    }),
    startForgeProcess(join(folder.path, 'forge'), act, undo),
    bundleWorkflows(folder.path),
  ]);

  progress('making the shop: repository, database, environment, services');
  const agent = await forge.createUser({ login: agentLogin, permission: 'write' });
  const maintainer = await forge.createUser({ login: 'maria', permission: 'admin' });
  const { owner, repo } = shop;
  await forge.createRepository({ owner, name: repo, files: shopFiles(breakage) });
  const shopDatabaseUrl = await createShopDatabase(embedded.databaseUrl, breakage, folder.path);
  const production = await startProduction(breakage.production, {
    env: { ...machine, SHOP_DATABASE_URL: shopDatabaseUrl },
    onSpawn: (child) => undo.push(() => stopChild(child)),
  });
  // Its first workflow run: red before anybody looks.
  await forge.actions.waitIdle();

  const { databaseUrl, temporalAddress, uiUrl } = embedded;
  await writeConnectionFile(dataDir, {
    pid: process.pid,
    databaseUrl,
    temporalAddress,
    ...(uiUrl !== undefined && { uiUrl }),
  });
  const untilgreen = await connectUntilgreen({ dataDir, env: {} });
  undo.push(() => untilgreen.close());
  const pool = createPool(databaseUrl);
  undo.push(() => pool.end());
  return {
    folder: folder.path,
    dataDir,
    embedded,
    forge,
    maintainerToken: maintainer.token,
    agentToken: agent.token,
    pool,
    untilgreen,
    shopDatabaseUrl,
    environments,
    production,
    config: tenantConfig(forge.url, breakage, production),
    bundlePath,
    env: {
      ...machine,
      SHOP_GITHUB_TOKEN: agent.token,
      SHOP_DATABASE_URL: shopDatabaseUrl,
      SHOP_ENVIRONMENTS: environments,
    },
  };
}

function tenantConfig(apiUrl: string, breakage: Breakage, production: Production): TenantConfig {
  const repository = `${shop.owner}/${shop.repo}`;
  const every = everySource;
  const file = shopTenantFile({ tenant: shop.tenant, repository, apiUrl, breakage, every, production });
  const parsed = parseTenantFile(file, { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(`the demo's tenant file is wrong: ${JSON.stringify(parsed.problems)}`);
  return parsed.config;
}

async function startForgeProcess(dataDir: string, act: string | undefined, undo: Undo): Promise<ForgeClient> {
  const runner = act === undefined ? [] : ['--act', act];
  const child = spawn(process.execPath, [FORGE, '--data', dataDir, '--with-parent', ...runner], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true, // Ctrl-C is for the demo
  });
  undo.push(() => stopChild(child));
  const first = once(createInterface(child.stdout), 'line');
  const line = await Promise.race([first, once(child, 'exit').then(() => undefined)]);
  if (line === undefined) throw new Error('the forge did not start; its reason is above');
  return connectForge((JSON.parse(String(line[0])) as { url: string }).url);
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await Promise.race([gone, delay(stopGraceMs, undefined, { ref: false })]);
  child.kill('SIGKILL');
  await gone;
}

/** Made once, so that a new worker after a kill is there at once. */
async function bundleWorkflows(folder: string): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: WORKFLOWS,
    logger: new DefaultLogger('WARN'),
  });
  const path = join(folder, 'workflows.js');
  await writeFile(path, code);
  return path;
}

/** A database of the tenant's own beside ours, in which dbmate has applied all but the waiting migrations. */
async function createShopDatabase(ownUrl: string, breakage: Breakage, folder: string): Promise<string> {
  const client = new pg.Client({ connectionString: ownUrl });
  await client.connect();
  try {
    await client.query('create database shop');
  } finally {
    await client.end();
  }
  const url = new URL(ownUrl);
  url.pathname = '/shop';
  const before = join(folder, 'applied-before');
  for (const [path, text] of Object.entries(appliedMigrations(breakage))) {
    await mkdir(dirname(join(before, path)), { recursive: true });
    await writeFile(join(before, path), text);
  }
  const { ok, output } = await runTool(
    [resolveBinary(), '--no-dump-schema', '--migrations-dir', join(before, 'db/migrations'), 'migrate'],
    { timeoutMs: migrateTimeoutMs, env: { ...process.env, DATABASE_URL: dbmateUrl(url.href) } },
  );
  if (!ok)
    throw new Error(`the shop's first migrations could not be applied: ${withoutPassword(output, url)}`);
  return url.href;
}

function withoutPassword(text: string, url: URL): string {
  return text.replaceAll(url.password, '[redacted]');
}

async function all<A, B, C>(work: readonly [Promise<A>, Promise<B>, Promise<C>]): Promise<[A, B, C]> {
  // Also when one fails: what was started has to be known before it can be stopped.
  await Promise.allSettled(work);
  return Promise.all(work);
}

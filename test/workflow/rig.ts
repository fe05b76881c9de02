// A test's own installation: a Temporal server that skips time (or the run's dev server), a database, a worker over the scripted world, loops.
// Everything that ran is replayed when the test ends, before its servers go.
import { randomBytes } from 'node:crypto';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { test as once, vi } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { createServices, type Services } from '../../src/activities/services.ts';
import { startAndWake } from '../../src/client/steer/loops.ts';
import { createSecretResolver } from '../../src/config/secrets.ts';
import { parseTenantFile, type TenantSource } from '../../src/config/tenant-file.ts';
import type { TenantState, TenantView } from '../../src/contract/loop.ts';
import { type QueueNames, queries, tenantWorkflowId, workflowTypes } from '../../src/contract/names.ts';
import type { TenantConfig } from '../../src/contract/tenant-config.ts';
import { createRedactor } from '../../src/logs/redact/redact-values.ts';
import { listCycles } from '../../src/store/cycles.ts';
import { createPool, type Pool } from '../../src/store/database.ts';
import { type FindingRow, listFindings } from '../../src/store/findings.ts';
import { applyTenant } from '../../src/store/tenants.ts';
import { historiesOf, type KeptHistory, replay } from '../replay/histories.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { testTemporal, timeSkipping, workflowBundle } from '../support/temporal/temporal.ts';
import { isStranded, skipTime } from './skip-time.ts';
import { createScriptedWorld, type ScriptedWorld } from './world.ts';

// Days in seconds, but on a machine that has other work too; time for a second try of a run that the server stranded.
vi.setConfig({ testTimeout: 480_000, hookTimeout: 240_000 });

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

type Settings = { readonly [key: string]: unknown };

export type Rig = {
  readonly world: ScriptedWorld;
  readonly database: TestDatabase;
  readonly queues: QueueNames;
  readonly client: Client;
  /** One more beside those that run. */
  readonly startWorker: () => Promise<void>;
  /** To the server, for a worker of the test's own. */
  readonly connect: () => Promise<{
    readonly connection: NativeConnection;
    readonly close: () => Promise<void>;
  }>;
  /** All of them. */
  readonly stopWorker: () => Promise<void>;
  /** Registers a tenant, or gives it other settings. */
  readonly apply: (tenant: string, settings?: Settings) => Promise<TenantConfig>;
  readonly startLoop: (
    tenant: string,
    options?: { readonly rollAtEvents?: number; readonly carried?: TenantState },
  ) => Promise<{ readonly firstExecutionRunId: string }>;
  /** As `untilgreen` starts it: with search attributes, priority and fairness. */
  readonly startLikeClient: (tenant: string) => Promise<void>;
  readonly loop: (tenant: string) => WorkflowHandle;
  readonly view: (tenant: string) => Promise<TenantView>;
  readonly skip: (ms: number) => Promise<void>;
  readonly nowMs: () => Promise<number>;
  readonly findings: (tenant: string) => Promise<readonly FindingRow[]>;
  readonly cycles: (tenant: string) => ReturnType<typeof listCycles>;
  /** A server that knows nothing, over the same Postgres (DUR-2). */
  readonly loseTemporal: () => Promise<void>;
  /** Every run of every loop and remedy so far. */
  readonly histories: () => Promise<readonly KeptHistory[]>;
  /** Replays what ran, and ends everything. */
  readonly stop: () => Promise<void>;
};

export type Server = {
  readonly client: Client;
  readonly address: string;
  readonly skip: (ms: number, histories: () => Promise<readonly KeptHistory[]>) => Promise<void>;
  readonly nowMs: () => Promise<number>;
  readonly close: () => Promise<void>;
};

/** Once per test process, before anything connects. */
let installed = false;
function quiet(): void {
  if (!installed) Runtime.install({ logger: new DefaultLogger(process.env.TEST_LOG ? 'INFO' : 'ERROR') });
  installed = true;
}

export async function skippingServer(): Promise<Server> {
  quiet();
  const env: TestWorkflowEnvironment = await timeSkipping();
  const ended = new AbortController();
  return {
    client: env.client,
    address: env.address,
    skip: (ms, histories) => skipTime(env, ms, histories, ended.signal),
    nowMs: () => env.currentTimeMs(),
    close: async () => {
      ended.abort();
      await env.teardown();
    },
  };
}

/** The run's real server: search attributes, fairness; its clock is everybody's. */
export async function devServer(): Promise<Server> {
  quiet();
  const temporal = await testTemporal();
  return {
    client: temporal.client,
    address: temporal.address,
    skip: async () => {
      throw new Error('the time of the dev server cannot be skipped');
    },
    nowMs: async () => Date.now(),
    close: () => temporal.close(),
  };
}

export type RigOptions = {
  readonly openServer?: () => Promise<Server>;
  /**
   * False: each task replays its workflow from the beginning: slower, and a determinism error shows at once. The time-skipping
   * server does not give the tasks of a stopped worker to the next one, so tests that restart the worker do without the cache.
   */
  readonly cached?: boolean;
  readonly activitiesAtOnce?: number;
  /** Of the worker: keys that settings refer to. */
  readonly env?: Readonly<Record<string, string>>;
};

/**
 * A test over a rig. Should the time-skipping server strand a run (see skip-time.ts), nothing is learned of our code: then the test, and
 * only then, is made once more.
 */
export function test(name: string, scenario: () => Promise<void>): void {
  once(name, async () => {
    try {
      await scenario();
    } catch (error) {
      const stranded = await Promise.all(open.map((rig) => isStranded(rig.histories).catch(() => false)));
      if (!stranded.includes(true)) throw error;
      console.warn(`once more, the server stranded a run: ${name}`);
      await Promise.all(open.splice(0).map((rig) => rig.end()));
      await scenario();
    }
  });
}

const open: (Rig & { readonly end: () => Promise<void> })[] = [];

export async function createRig(options: RigOptions = {}): Promise<Rig> {
  const { openServer = skippingServer, cached = true } = options;
  let server = await openServer();
  const database = await createTestDatabase();
  const world = createScriptedWorld();
  const queue = `test-${randomBytes(6).toString('hex')}`;
  const queues: QueueNames = { workflows: queue, io: queue, workspace: queue };
  const started = new Map<string, string[]>();
  const closed = new Map<string, KeptHistory['history']>();
  const running: {
    readonly worker: Worker;
    readonly ended: Promise<void>;
    readonly close: () => Promise<void>;
  }[] = [];

  const stopWorker = async (): Promise<void> => {
    const ending = running.splice(0);
    for (const { worker } of ending) worker.shutdown();
    await Promise.all(ending.map(({ ended }) => ended));
    await Promise.all(ending.map(({ close }) => close()));
  };
  const startWorker = async (): Promise<void> => {
    const redactor = createRedactor();
    const pool = createPool(database.url);
    const services: Services = {
      ...createServices({
        pool,
        redactor,
        secrets: createSecretResolver({ env: options.env ?? {}, redactor }),
        cacheDir: 'none',
      }),
      provider: async (workspace, tenant) => world.provider(tenant, workspace.name),
    };
    // Two workers of one process need a connection each.
    const connection = await NativeConnection.connect({ address: server.address });
    const worker = await Worker.create({
      connection,
      namespace: 'default',
      identity: 'worker',
      taskQueue: queue,
      workflowBundle: await workflowBundle(),
      activities: {
        ...createActivities(services, {
          console: () => {},
          maxCycles: 20,
          sources: world.sources(pool),
          definitions: world.definitions,
          uiUrl: 'http://ui.example',
          baseBranch: async () => 'main',
          // Its clock is the database's, which no test skips.
          door: { times: { leaseMs: 5_000, writeMs: 4_000, settleMs: 300 } },
        }),
        ...world.activities,
      },
      shutdownGraceTime: 1_000,
      ...(cached ? {} : { maxCachedWorkflows: 0 }),
      ...(options.activitiesAtOnce === undefined
        ? {}
        : { maxConcurrentActivityTaskExecutions: options.activitiesAtOnce }),
    });
    running.push({
      worker,
      ended: worker.run(),
      close: async () => {
        await pool.end();
        await connection.close();
      },
    });
  };
  const loop = (tenant: string): WorkflowHandle => server.client.workflow.getHandle(tenantWorkflowId(tenant));
  const histories = async (): Promise<readonly KeptHistory[]> => [
    ...(await historiesOf(server.client, started, closed)),
  ];
  const rig: (typeof open)[number] = {
    world,
    database,
    queues,
    get client() {
      return server.client;
    },
    startWorker,
    connect: async () => {
      const connection = await NativeConnection.connect({ address: server.address });
      return { connection, close: () => connection.close() };
    },
    stopWorker,
    apply: async (tenant, settings = {}) => {
      const { config, source } = parsedFile(tenant, settings);
      await applyTenant(database.pool as unknown as Pool, config, 'test', await server.nowMs(), source);
      return config;
    },
    startLoop: async (tenant, options = {}) => {
      const handle = await server.client.workflow.start(workflowTypes.tenant, {
        workflowId: tenantWorkflowId(tenant),
        taskQueue: queue,
        args: [{ tenant, queues, ...options }],
      });
      const runs = started.get(handle.workflowId) ?? [];
      started.set(handle.workflowId, [...runs, handle.firstExecutionRunId]);
      return handle;
    },
    startLikeClient: async (tenant) => {
      await startAndWake({ client: server.client, queues }, tenant, 'the test starts it');
      const { workflowId, runId } = await loop(tenant).describe();
      started.set(workflowId, [...(started.get(workflowId) ?? []), runId]);
    },
    loop,
    view: (tenant) => loop(tenant).query<TenantView>(queries.state),
    skip: (ms) => server.skip(ms, histories),
    nowMs: () => server.nowMs(),
    findings: (tenant) => listFindings(database.pool, tenant, 0),
    cycles: (tenant) => listCycles(database.pool, tenant, 10_000),
    loseTemporal: async () => {
      started.clear();
      await stopWorker();
      await server.close();
      server = await openServer();
    },
    histories,
    stop: async () => {
      const index = open.indexOf(rig);
      if (index === -1) return;
      open.splice(index, 1);
      try {
        await replay(await histories());
      } finally {
        await rig.end();
      }
    },
    end: async () => {
      await stopWorker();
      for (const workflowId of started.keys())
        await server.client.workflow
          .getHandle(workflowId)
          .terminate('the test ends')
          .catch(() => {});
      await server.close();
      await database.drop();
    },
  };
  open.push(rig);
  return rig;
}

/** A tenant that may act, with one workspace; `settings` replaces whole top-level keys of its file. */
function parsedFile(
  tenant: string,
  settings: Settings,
): { readonly config: TenantConfig; readonly source: TenantSource } {
  const file = {
    tenant,
    autonomy: { default: 'act' },
    cadence: {
      workingHours: { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '24:00' },
    },
    workspaces: [workspace()],
    ...settings,
  };
  const parsed = parseTenantFile(JSON.stringify(file), { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed;
}

export type WorkspaceParts = {
  readonly name?: string;
  readonly ci?: boolean;
  readonly drift?: 'approval' | 'auto' | false;
  readonly databases?: readonly string[];
  readonly migrate?: 'approval' | 'auto';
  readonly activityIssue?: boolean;
  /** More of the workspace's settings. */
  readonly more?: Settings;
};

export function workspace(parts: WorkspaceParts = {}): Settings {
  const {
    name = 'shop',
    ci = true,
    drift = false,
    databases = ['main'],
    migrate = 'auto',
    activityIssue = false,
    more = {},
  } = parts;
  return {
    name,
    github: { repository: 'acme/shop', activityIssue },
    ci: { enabled: ci },
    ...(drift ? { drift: [{ environment: 'production', preset: 'hybrid', policy: drift }] } : {}),
    databases: databases.map((database) => ({
      name: database,
      policy: migrate,
      url: `env:${database.toUpperCase()}_URL`,
    })),
    ...more,
  };
}

/** Waits for a condition of the world, never for a time. */
export function until<T>(what: () => T | Promise<T>, timeoutMs = 30_000): Promise<T> {
  return vi.waitFor(what, { timeout: timeoutMs, interval: 50 });
}

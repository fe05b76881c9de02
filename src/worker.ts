// The worker: config → clients → activities → three queues, each with pollers and limits of its own. Wires, and holds no logic.
// Run alone (`untilgreen worker`) or by `untilgreen up`; any number of them may run side by side.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import {
  NativeConnection,
  type NativeConnectionOptions,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import type { Logger } from 'pino';
import { createAlertEffects } from './activities/effects/alert.ts';
import { createDoor } from './activities/effects/door.ts';
import { type ActivityOptions, createActivities } from './activities/index.ts';
import { createServices } from './activities/services.ts';
import { createSecretResolver } from './config/secrets.ts';
import { queueNames } from './contract/names.ts';
import { createRedactor } from './logs/redact/redact-values.ts';
import { createPool } from './store/database.ts';
import { keepWatching } from './watchdog/keep.ts';

export type StartWorkerOptions = {
  readonly databaseUrl: string;
  readonly connection: NativeConnectionOptions & { readonly namespace?: string };
  readonly queuePrefix?: string;
  /** Mirrors and worktrees are kept in its `cache` folder. */
  readonly dataDir?: string;
  /** What secret references are resolved in. */
  readonly env: NodeJS.ProcessEnv;
  readonly log: Logger;
  /** Address of the Temporal UI, for links in issues. */
  readonly uiUrl?: string;
  /** Cycles that read at the same time in this worker; default 20. */
  readonly maxCycles?: number;
  /** Crash points and times of tests and demo. */
  readonly door?: ActivityOptions['door'];
  /** A bundle made before, so that many workers of a test need not make it again. */
  readonly workflowBundle?: WorkerOptions['workflowBundle'];
};

export type RunningWorker = {
  /** Ends when the worker has shut down; rejects when it failed. */
  readonly finished: Promise<void>;
  readonly shutdown: () => void;
};

const shutdownGraceMs = 30_000;

/** @throws Error when Temporal cannot be reached */
export async function startWorker(options: StartWorkerOptions): Promise<RunningWorker> {
  const { log } = options;
  const { namespace = 'default', ...connectionOptions } = options.connection;
  const redactor = createRedactor();
  redactor.register('DATABASE_URL', options.databaseUrl);
  const pool = createPool(
    options.databaseUrl,
    (error) => log.warn({ error: redactor.redact(error.message) }, 'lost a connection to Postgres'),
    20,
  );
  const secrets = createSecretResolver({ env: options.env, redactor });
  const cacheDir = join(
    options.dataDir ?? join(tmpdir(), `untilgreen-${process.getuid?.() ?? 'user'}`),
    'cache',
  );
  const services = createServices({ pool, redactor, secrets, cacheDir });
  const console = (line: string): void => log.warn({ alert: redactor.redact(line) }, 'alert');
  const activities = createActivities(services, {
    console,
    maxCycles: options.maxCycles ?? 20,
    ...(options.uiUrl === undefined ? {} : { uiUrl: options.uiUrl }),
    ...(options.door ? { door: options.door } : {}),
  });
  const connection = await NativeConnection.connect(connectionOptions).catch(async (error: unknown) => {
    await pool.end();
    throw error;
  });
  const queues = queueNames(options.queuePrefix);
  const common = { connection, namespace, shutdownGraceTime: shutdownGraceMs };
  const bundle = options.workflowBundle
    ? { workflowBundle: options.workflowBundle }
    : { workflowsPath: workflowsPath() };
  const workers: Worker[] = [];
  try {
    workers.push(
      await Worker.create({ ...common, ...bundle, taskQueue: queues.workflows, maxCachedWorkflows: 600 }),
      await Worker.create({
        ...common,
        activities,
        taskQueue: queues.io,
        maxConcurrentActivityTaskExecutions: 40,
      }),
      await Worker.create({
        ...common,
        activities,
        taskQueue: queues.workspace,
        maxConcurrentActivityTaskExecutions: 4,
      }),
    );
  } catch (error) {
    await connection.close();
    await pool.end();
    throw error;
  }
  const shutdown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const runs = workers.map((worker) =>
    worker.run().catch((error: unknown) => {
      // One that fails must not leave two that run: the whole worker ends, and is started again.
      shutdown();
      throw error;
    }),
  );
  const ended = new AbortController();
  const watching = keepWatching(
    {
      pool,
      client: new Client({ connection, namespace }),
      door: createDoor({
        pool,
        redactor,
        definitions: createAlertEffects(services, console),
        ...(options.door?.dryRun === undefined ? {} : { dryRun: options.door.dryRun }),
      }),
    },
    log,
    ended.signal,
  );
  const finished = Promise.allSettled(runs).then(async (ends) => {
    ended.abort();
    await watching;
    await connection.close();
    await pool.end();
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  });
  log.info({ queues, namespace }, 'worker runs');
  return { finished, shutdown };
}

/** Beside this file: source when run from source, compiled when installed. */
function workflowsPath(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./workflows/index.${extension}`, import.meta.url));
}

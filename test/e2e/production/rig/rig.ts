// A night of production in skipped time: a Temporal server that skips, the real worker over real Postgres, and a site whose clock follows the
// server's. What ran is replayed when the test ends.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { test as once, vi } from 'vitest';
import { connectUntilgreen, type Untilgreen } from '../../../../src/client.ts';
import { parseTenantFile } from '../../../../src/config/tenant-file.ts';
import { type QueueNames, tenantWorkflowId, workflowTypes } from '../../../../src/contract/names.ts';
import type { Pool } from '../../../../src/store/database.ts';
import { type FindingRow, listFindings } from '../../../../src/store/findings.ts';
import { applyTenant } from '../../../../src/store/tenants.ts';
import { historiesOf, type KeptHistory, replay } from '../../../replay/histories.ts';
import { createTestDatabase, type TestDatabase } from '../../../support/database.ts';
import { timeSkipping, workflowBundle } from '../../../support/temporal/temporal.ts';
import { isStranded, skipTime } from '../../../workflow/skip-time.ts';
import { type Change, type Clock, type Site, startSite, tenantFile } from './site.ts';
import { storyOf } from './story.ts';
import { type NightWorkerSettings, startNightWorker } from './worker.ts';

// Minutes of a night in seconds, but on a machine that has other work too, and once more when the server strands a run.
vi.setConfig({ testTimeout: 480_000, hookTimeout: 120_000 });

export const minuteMs = 60_000;
export const uiUrl = 'http://ui.example';

export type Night = {
  readonly site: Site;
  readonly tenant: string;
  readonly database: TestDatabase;
  readonly temporal: Client;
  readonly client: Untilgreen;
  readonly queues: QueueNames;
  /** What a worker in a process of its own needs beside the site's secrets. */
  readonly worker: NightWorkerSettings;
  readonly clock: Clock;
  /** The site's clock is the server's now. */
  readonly follow: () => Promise<void>;
  /** @param more what references stand for, beside the site's */
  readonly startWorker: (more?: Readonly<Record<string, string>>) => Promise<void>;
  readonly stopWorker: () => Promise<void>;
  readonly apply: (change?: Change) => Promise<void>;
  readonly startLoop: () => Promise<void>;
  readonly skip: (ms: number) => Promise<void>;
  readonly findings: () => Promise<readonly FindingRow[]>;
  readonly histories: () => Promise<readonly KeptHistory[]>;
  /** The server itself, for tests that leave it with work that nobody does. */
  readonly env: TestWorkflowEnvironment;
  readonly stop: () => Promise<void>;
};

export type NightOptions = {
  /** UTC; the night begins at the next one. */
  readonly at?: string;
  readonly cached?: boolean;
  readonly leaseMs?: number;
};

const open: (Night & { readonly end: () => Promise<void> })[] = [];
let installed = false;

/** As `test` of test/workflow/rig.ts: made once more when the server itself stranded a run, and only then. */
export function test(name: string, scenario: () => Promise<void>): void {
  once(name, async () => {
    try {
      await scenario();
    } catch (error) {
      for (const night of open) console.warn(await storyOf(night).catch(String));
      const stranded = await Promise.all(open.map((night) => isStranded(night.histories).catch(() => false)));
      if (!stranded.includes(true)) throw error;
      console.warn(`once more, the server stranded a run: ${name}`);
      await Promise.all(open.splice(0).map((night) => night.end()));
      await scenario();
    }
  });
}

export async function startNight({
  at = '02:55',
  cached = true,
  leaseMs = 5_000,
}: NightOptions = {}): Promise<Night> {
  if (!installed) Runtime.install({ logger: new DefaultLogger(process.env.TEST_LOG ? 'INFO' : 'ERROR') });
  installed = true;
  const env = await timeSkipping();
  const beginMs = await env.currentTimeMs();
  await env.sleep(untilTime(at, beginMs));
  const clock: Clock = { nowMs: await env.currentTimeMs() };
  const dataDir = await mkdtemp(join(tmpdir(), 'untilgreen-night-'));
  const site = await startSite(clock, join(dataDir, 'forge'));
  const database = await createTestDatabase();
  const name = randomBytes(4).toString('hex');
  const tenant = `night-${name}`;
  const queues: QueueNames = { workflows: tenant, io: tenant, workspace: tenant };
  const client = await connectUntilgreen({
    env: { DATABASE_URL: database.url, TEMPORAL_ADDRESS: env.address, UNTILGREEN_QUEUE_PREFIX: tenant },
  });
  const started = new Map<string, string[]>();
  const closed = new Map<string, KeptHistory['history']>();
  const ended = new AbortController();
  const workers: { readonly stop: () => Promise<void> }[] = [];
  const worker: NightWorkerSettings = {
    databaseUrl: database.url,
    address: env.address,
    queue: tenant,
    bundlePath: (await workflowBundle()).codePath,
    cacheDir: join(dataDir, 'cache'),
    uiUrl,
    cached,
    leaseMs,
  };
  const follow = async (): Promise<void> => {
    clock.nowMs = Math.max(clock.nowMs, await env.currentTimeMs());
    await site.settle();
  };
  const histories = (): Promise<readonly KeptHistory[]> => historiesOf(env.client, started, closed);
  const stopWorker = async (): Promise<void> => {
    await Promise.all(workers.splice(0).map(({ stop }) => stop()));
  };
  const night: (typeof open)[number] = {
    site,
    tenant,
    database,
    temporal: env.client,
    client,
    queues,
    worker,
    clock,
    follow,
    startWorker: async (more = {}) => {
      workers.push(await startNightWorker(worker, { env: { ...site.env, ...more }, follow }));
    },
    stopWorker,
    apply: async (change) => {
      const parsed = parseTenantFile(tenantFile(tenant, site, change), { fileName: 'tenant.yaml' });
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
      await applyTenant(database.pool as unknown as Pool, parsed.config, 'test', clock.nowMs, parsed.source);
    },
    startLoop: async () => {
      const { workflowId, firstExecutionRunId } = await env.client.workflow.start(workflowTypes.tenant, {
        workflowId: tenantWorkflowId(tenant),
        taskQueue: tenant,
        args: [{ tenant, queues }],
      });
      started.set(workflowId, [...(started.get(workflowId) ?? []), firstExecutionRunId]);
    },
    skip: async (ms) => {
      await skipTime(env, ms, histories, ended.signal);
      await follow();
    },
    findings: () => listFindings(database.pool, tenant, 0),
    histories,
    env,
    stop: async () => {
      const index = open.indexOf(night);
      if (index === -1) return;
      open.splice(index, 1);
      try {
        await replay(await histories());
        site.production.verify();
      } finally {
        await night.end();
      }
    },
    end: async () => {
      ended.abort();
      await stopWorker();
      await client.close();
      await env.teardown();
      await site.close();
      await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  open.push(night);
  return night;
}

function untilTime(time: string, nowMs: number): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const at = new Date(nowMs);
  at.setUTCHours(hours, minutes, 0, 0);
  return at.getTime() > nowMs ? at.getTime() - nowMs : at.getTime() + 24 * 60 * minuteMs - nowMs;
}

/** Waits for a condition, never for a time. */
export function until<T>(what: () => T | Promise<T>, timeoutMs = 30_000): Promise<T> {
  return vi.waitFor(what, { timeout: timeoutMs, interval: 100 });
}

/** Skips minute by minute until it holds; says why it did not. */
export async function skipUntil<T>(night: Night, withinMs: number, what: () => T | Promise<T>): Promise<T> {
  const endMs = night.clock.nowMs + withinMs;
  for (;;) {
    try {
      return await what();
    } catch (error) {
      if (night.clock.nowMs >= endMs) throw error;
    }
    await night.skip(minuteMs);
  }
}

// `npm run bench`: what a green cycle and an idle tenant cost, as ratios against the floor of an empty loop of the same shape in the same run on
// the same servers. `--json` for programs. It never fails for a figure: people read it, tests do not.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from '../../src/activities/index.ts';
import { createServices } from '../../src/activities/services.ts';
import type { SourceDefinition } from '../../src/activities/sources/definition.ts';
import { createSecretResolver } from '../../src/config/secrets.ts';
import { parseTenantFile } from '../../src/config/tenant-file.ts';
import type { SourceKind } from '../../src/contract/finding.ts';
import { tenantWorkflowId, workflowTypes } from '../../src/contract/names.ts';
import { startEmbedded } from '../../src/embedded/up.ts';
import { createRedactor } from '../../src/logs/redact/redact-values.ts';
import { createPool } from '../../src/store/database.ts';
import { applyTenant } from '../../src/store/tenants.ts';
import { actionsOf } from '../support/temporal/temporal-actions.ts';
import { reducingALargeLog } from './large-log.ts';
import { tokensOfFixes } from './tokens.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const say = (line: string): void => console.error(line);
const cycles = 30;
const countedCycles = 10;
const idle = 150;
const warmUp = 30;
const kinds: readonly SourceKind[] = ['ciRuns', 'drift', 'migrations'];

Runtime.install({ logger: new DefaultLogger('ERROR') });
const embedded = await startEmbedded({
  env: {},
  ephemeral: true,
  ports: { postgres: 0, temporal: 0, temporalUi: 0, temporalHttp: 0, temporalMetrics: 0 },
  searchAttributes: {},
  progress: say,
  onFailure: (error) => say(String(error)),
});
const pool = createPool(embedded.databaseUrl, () => {}, 20);
const connection = await Connection.connect({ address: embedded.temporalAddress });
const native = await NativeConnection.connect({ address: embedded.temporalAddress });
const client = new Client({ connection });
const redactor = createRedactor();
const services = createServices({
  pool,
  redactor,
  secrets: createSecretResolver({ env: {}, redactor }),
  cacheDir: 'none',
});
const sources: SourceDefinition[] = kinds.map((kind) => ({
  kind,
  timeoutMs: () => 30_000,
  targets: () => [undefined],
  read: async () => ({ state: 'green', reason: 'nothing to read', findings: [] }),
}));
const common = {
  connection: native,
  namespace: 'default',
  maxCachedWorkflows: 2 * idle + 2 * warmUp,
  shutdownGraceTime: 1_000,
};
const workers = [
  await Worker.create({
    ...common,
    taskQueue: 'floor',
    workflowsPath: new URL('./empty-workflows.ts', import.meta.url).pathname,
    activities: { nothing: async () => null },
  }),
  await Worker.create({
    ...common,
    taskQueue: 'tenant',
    workflowsPath: new URL('../../src/workflows/index.ts', import.meta.url).pathname,
    activities: createActivities(services, { console: () => {}, maxCycles: 50, sources }),
  }),
];
const ended = workers.map((worker) => worker.run());
try {
  const startFloor = (id: string): Promise<WorkflowHandle> =>
    client.workflow.start('emptyLoop', {
      workflowId: id,
      taskQueue: 'floor',
      args: [{ reads: kinds.length }],
    });
  const startTenant = async (tenant: string): Promise<WorkflowHandle> => {
    const file = `tenant: ${tenant}\ncadence: { perSource: { ciRuns: 12h, drift: 12h, migrations: 12h } }\nworkspaces: [{ name: shop, github: { repository: acme/shop } }]\n`;
    const parsed = parseTenantFile(file, { fileName: 'bench.yaml' });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    await applyTenant(pool, parsed.config, 'bench', Date.now());
    const queues = { workflows: 'tenant', io: 'tenant', workspace: 'tenant' };
    return client.workflow.start(workflowTypes.tenant, {
      workflowId: tenantWorkflowId(tenant),
      taskQueue: 'tenant',
      args: [{ tenant, queues }],
    });
  };
  const wakeFloor = { reason: 'bench', sources: ['*'] };

  say('cycle time: one loop of each, in turn');
  const floor = await startFloor('floor');
  const tenant = await startTenant('one');
  const activities = kinds.length + 1;
  await until(floor, activities);
  // Opening the tenant is one more.
  await until(tenant, activities + 1);
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    await floor.signal('wake');
    await until(floor, activities * (cycle + 1));
    await tenant.signal('wake', wakeFloor);
    await until(tenant, activities * (cycle + 1) + 1);
  }
  const floorMs = median(await cycleTimes(floor, activities, 0));
  const tenantMs = median(await cycleTimes(tenant, activities, 1));

  say('actions: cycles of the tenant alone');
  const actionsBefore = await settledActions();
  for (let cycle = cycles + 1; cycle <= cycles + countedCycles; cycle += 1) {
    await tenant.signal('wake', wakeFloor);
    await until(tenant, activities * (cycle + 1) + 1);
  }
  // Without the signals that woke it: a cycle of its own is woken by its timer.
  const actions = (await settledActions()) - actionsBefore - countedCycles;

  say(`memory: ${idle} idle loops of each`);
  // What the first ones take for everybody (isolates, pools) is nobody's.
  for (let n = 0; n < warmUp; n += 1) {
    await until(await startFloor(`warm-${n}`), activities);
    await until(await startTenant(`w${n}`), activities + 1);
  }
  const before = memory();
  for (let n = 0; n < idle; n += 1) await until(await startFloor(`floor-${n}`), activities);
  const afterFloor = memory();
  for (let n = 0; n < idle; n += 1) await until(await startTenant(`t${n}`), activities + 1);
  const afterTenants = memory();
  const [floorMb, tenantMb] = [(afterFloor - before) / idle, (afterTenants - afterFloor) / idle];

  say('a log of 200 MB, reduced');
  const large = Object.entries(await reducingALargeLog()).map(([name, value]) => [name, round(value)]);

  say('tokens of scripted fixes, from the bytes of their requests');
  const report = {
    cycleMs: round(tenantMs),
    floorCycleMs: round(floorMs),
    cycleOverFloor: round(tenantMs / floorMs),
    actionsPerGreenCycle: round(actions / countedCycles),
    sourcesDue: kinds.length,
    idleTenantMb: round(tenantMb),
    floorIdleMb: round(floorMb),
    memoryOverFloor: round(tenantMb / floorMb),
    ...Object.fromEntries(large),
    ...(await tokensOfFixes()),
  };
  if (values.json) console.log(JSON.stringify(report, null, 2));
  else for (const [name, value] of Object.entries(report)) console.log(`${name.padEnd(24)}${value}`);
} finally {
  for (const worker of workers) worker.shutdown();
  await Promise.all(ended);
  await connection.close();
  await native.close();
  await pool.end();
  await embedded.stop();
}

/** Waits until so many activities of the loop are complete, and its timer runs: that is an action too, and belongs to its own cycle. */
async function until(handle: WorkflowHandle, completed: number): Promise<void> {
  for (;;) {
    const { events } = await handle.fetchHistory();
    const done = (events ?? []).filter((event) => event.activityTaskCompletedEventAttributes).length;
    if (done >= completed && events?.at(-1)?.timerStartedEventAttributes) return;
  }
}

/** The server brings its counters up to date about once a second. */
async function settledActions(): Promise<number> {
  for (let last = Number.NaN; ; ) {
    const now = await actionsOf(embedded.metricsUrl ?? '');
    if (now === last) return now;
    last = now;
    await delay(2_500);
  }
}

/** From the first activity of a cycle being scheduled to its last one being complete, in ms, by the server's clock. */
async function cycleTimes(handle: WorkflowHandle, activities: number, skip: number): Promise<number[]> {
  const { events } = await handle.fetchHistory();
  const at = (event: { eventTime?: { seconds?: unknown; nanos?: number | null } | null }): number =>
    Number(event.eventTime?.seconds ?? 0) * 1_000 + (event.eventTime?.nanos ?? 0) / 1e6;
  const scheduled = (events ?? []).filter((event) => event.activityTaskScheduledEventAttributes).slice(skip);
  const complete = (events ?? []).filter((event) => event.activityTaskCompletedEventAttributes).slice(skip);
  const times: number[] = [];
  for (let first = activities; first + activities <= complete.length; first += activities) {
    const [begin, end] = [scheduled[first], complete[first + activities - 1]];
    if (begin && end) times.push(at(end) - at(begin));
  }
  return times;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function memory(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss() / 1_048_576;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

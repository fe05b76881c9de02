// A real loop steered by the command line alone: started, asked, rejected, ordered, paused, approved, drained, started again. Every answer is
// the one a program gets by `--json`.
import { expect, test } from 'vitest';
import { connectUntilgreen } from '../../../src/client.ts';
import { searchAttributes, tenantWorkflowId } from '../../../src/contract/names.ts';
import { type Cli, type CliResult, createCli } from '../../support/cli.ts';
import { createWorld, type World, whole } from '../rig.ts';

async function steered(): Promise<{ world: World; cli: Cli; stop: () => Promise<void> }> {
  const world = await createWorld(whole, {
    ci: null,
    drift: null,
    database: { policy: 'approval' },
    tenant: { approvals: { channels: { cli: true } } },
  });
  const cli = await createCli({
    DATABASE_URL: world.own.url,
    TEMPORAL_ADDRESS: world.temporal.address,
    TEMPORAL_NAMESPACE: world.temporal.namespace,
    UNTILGREEN_QUEUE_PREFIX: world.queuePrefix,
    UNTILGREEN_UI_URL: 'http://127.0.0.1:8233',
  });
  return {
    world,
    cli,
    stop: async () => {
      await world.stop();
      await cli.remove();
    },
  };
}

const running = async (world: World): Promise<string> =>
  (await world.temporal.client.workflow.getHandle(tenantWorkflowId(world.tenant)).describe()).status.name;

async function askedHash(world: World, cli: Cli, not = ''): Promise<string> {
  return world.until('an approval is asked for', async () => {
    const { approvals } = (await cli.run('approvals', '--json')).json() as {
      approvals: { hash: string; state: string }[];
    };
    return approvals.find(({ hash, state }) => state === 'asked' && hash !== not)?.hash;
  });
}

const status = async (cli: Cli): Promise<CliResult> => cli.run('status', '--json');
const stateOf = (result: CliResult): string => (result.json() as { state: string }).state;

test('SEE-2, LOOP-10, LOOP-11, LOOP-13: rejected, ordered again, paused, approved, resumed: green', {
  timeout: 240_000,
}, async ({ onTestFinished }) => {
  const { world, cli, stop } = await steered();
  onTestFinished(stop);
  await world.startWorker();
  const started = await cli.run('start', '--json');
  expect(started.json()).toMatchObject({ tenant: world.tenant, loop: 'started' });
  const { typedSearchAttributes, priority } = await world.temporal.client.workflow
    .getHandle(tenantWorkflowId(world.tenant))
    .describe()
    .then((description) => ({
      typedSearchAttributes: description.typedSearchAttributes.getAll(),
      priority: description.priority,
    }));
  expect(typedSearchAttributes.map(({ key }) => key.name)).toContain(searchAttributes.tenant);
  expect(priority).toMatchObject({ fairnessKey: world.tenant, priorityKey: 3 });

  const first = await askedHash(world, cli);
  const waiting = await world.until('the tenant waits', async () => {
    const result = await status(cli);
    // While it reads, the time of the next cycle is not known.
    return stateOf(result) === 'waiting' && !result.stdout.includes('"nextCycleAt": null') && result;
  });
  expect(waiting.code).toBe(3);
  expect(waiting.json()).toMatchObject({
    loop: 'running',
    nextCycleAt: expect.stringMatching(/Z$/),
    findings: [
      {
        status: 'waiting',
        links: {
          workflow: expect.stringContaining('http://127.0.0.1:8233/namespaces/default/workflows/remedy%2F'),
        },
      },
    ],
  });

  const rejected = await cli.run('reject', first, '--reason', 'not today', '--by', 'ana', '--json');
  expect(rejected.json()).toMatchObject({ decision: 'reject', through: 'loop' });
  expect(rejected.code).toBe(0);
  await world.until(
    'a person has it',
    async () => (await world.finding('migration'))?.status === 'escalated',
  );
  const { fingerprint = '' } = (await world.finding('migration')) ?? {};
  const why = (await cli.run('why', fingerprint.slice(0, 10), '--json')).json();
  expect(why).toMatchObject({
    state: 'waiting',
    findings: [
      { held: expect.arrayContaining([expect.objectContaining({ decision: 'refused', guard: 'approval' })]) },
    ],
  });

  // Ordered by a person: it begins anew, asks anew, and says that it waits.
  const ordered = await cli.run('remediate', fingerprint.slice(0, 10), '--by', 'ana', '--json');
  expect(ordered.code, ordered.stderr).toBe(3);
  expect(ordered.json()).toMatchObject({ outcome: 'waiting', fingerprint, finding: { status: 'waiting' } });
  expect(ordered.stderr).toContain('works on');
  const second = await askedHash(world, cli, first);
  expect(second).not.toBe(first);

  expect((await cli.run('pause', '--reason', 'freeze', '--by', 'ana')).code).toBe(0);
  const approved = await cli.run('approve', second.slice(0, 8), '--by', 'ana', '--json');
  expect(approved.json()).toMatchObject({ hash: second, sufficient: true, through: 'loop' });
  await world.until('held by the pause', async () =>
    (await world.finding('migration'))?.waitingFor?.includes('freeze'),
  );
  expect(await world.effects('applyMigrations')).toEqual([]);

  const resumed = await cli.run('resume', '--by', 'ana', '--json');
  expect(resumed.json()).toMatchObject({ lifted: 1, stillPaused: [] });
  await world.until(
    'the migrations are applied',
    async () =>
      (await world.finding('migration'))?.status === 'resolved' ||
      (await world.finding('migration')) === undefined,
  );
  const cycle = await cli.run('cycle', '--by', 'ana', '--json');
  expect(cycle.code, cycle.stderr).toBe(0);
  expect(cycle.json()).toMatchObject({
    state: 'green',
    cycle: { outcome: 'green', trigger: expect.any(String) },
  });
  const done = await status(cli);
  expect(done.code).toBe(0);
  expect(done.json()).toMatchObject({ state: 'green', paused: false, findings: [] });

  const history = (await cli.run('history', '--limit', '500', '--json')).json() as {
    effects: { kind: string; outcome: string; receipt: unknown }[];
    events: { action: string; actor: string }[];
  };
  expect(history.effects.filter(({ kind }) => kind === 'applyMigrations')).toMatchObject([
    { outcome: 'applied', receipt: expect.any(Object) },
  ]);
  for (const action of ['pause.raised', 'pause.lifted', 'approval.approved', 'approval.rejected'])
    expect(history.events).toContainEqual(expect.objectContaining({ action, actor: 'ana' }));
});

test('LOOP-9: drained stays ended, started goes on, a lost loop comes back, removed ends', {
  timeout: 180_000,
}, async ({ onTestFinished }) => {
  const { world, cli, stop } = await steered();
  onTestFinished(stop);
  await world.startWorker();
  const client = await connectUntilgreen({
    databaseUrl: world.own.url,
    temporal: { address: world.temporal.address },
    queuePrefix: world.queuePrefix,
    env: {},
  });
  onTestFinished(client.close);
  expect(await client.ensureLoops()).toEqual([world.tenant]);
  await world.until('a cycle', async () => (await world.cycle()) > 0);

  expect((await cli.run('drain', '--by', 'ana', '--json')).json()).toMatchObject({
    drained: true,
    loop: 'ending',
  });
  await world.until('the loop has ended', async () => (await running(world)) === 'COMPLETED');
  expect(await client.ensureLoops()).toEqual([]);
  expect(await running(world)).toBe('COMPLETED');
  const drained = await status(cli);
  expect(drained.json()).toMatchObject({ state: 'drained', loop: 'notRunning', nextCycleAt: null });
  const refused = await cli.run('cycle');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('untilgreen start');

  const before = await world.cycle();
  expect((await cli.run('start')).code).toBe(0);
  await world.until('cycles go on where they were', async () => (await world.cycle()) > before);

  await world.temporal.client.workflow.getHandle(tenantWorkflowId(world.tenant)).terminate('lost');
  expect((await status(cli)).json()).toMatchObject({
    loop: 'notRunning',
    notes: [expect.stringContaining('no loop runs')],
  });
  await client.ensureLoops();
  expect(await running(world)).toBe('RUNNING');

  expect((await cli.run('tenant', 'remove', world.tenant)).code).toBe(0);
  await world.until(
    'the loop of the removed tenant ends',
    async () => (await running(world)) === 'COMPLETED',
  );
  expect((await cli.run('status', world.tenant)).code).toBe(2);
});

test('without a worker: an order says what is missing with exit code 4, and a decision is written all the same', {
  timeout: 120_000,
}, async ({ onTestFinished }) => {
  const { world, cli, stop } = await steered();
  onTestFinished(stop);
  const worker = await world.startWorker();
  await cli.run('start');
  const hash = await askedHash(world, cli);
  worker.shutdown();
  await worker.finished;

  expect((await status(cli)).json()).toMatchObject({ loop: 'notAnswering', nextCycleAt: null });
  const cycle = await cli.run('cycle', '--json');
  expect(cycle.code).toBe(4);
  expect(cycle.stderr).toContain('untilgreen worker');
  const approved = await cli.run('approve', hash, '--by', 'ana', '--json');
  expect(approved.json()).toMatchObject({ through: 'store', sufficient: true });

  await world.startWorker();
  await world.until('applied', async () =>
    (await world.effects('applyMigrations')).some(({ outcome }) => outcome === 'applied'),
  );
});

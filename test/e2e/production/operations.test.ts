// OPS-1, DEPLOY-1: a person's orders on production by the command line: the same guards and records as the loop's, with the name of who ordered; nothing
// secret is shown; approvals by a maintainer's comment. On a real worker, forge, database; Railway is its SDL executed over state.
import { afterEach, expect, test } from 'vitest';
import { type Cli, createCli } from '../../support/cli.ts';
import { type Railway, startRailway } from '../../support/railway/railway.ts';
import { createWorld, type World, whole } from '../rig.ts';

type Scene = { readonly world: World; readonly cli: Cli; readonly railway: Railway };
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** By its form a token; nobody registered it. */
const planted = `ghp_${'x7Qb2'.repeat(7)}Z`;

async function scene(): Promise<Scene> {
  const railway = await startRailway();
  ends.push(() => railway.close());
  const shop = railway.world.addProject({
    project: 'shop',
    services: [
      { name: 'backend', commitSha: 'a1', domains: ['shop.example'] },
      { name: 'frontend', image: 'shop/web:1.4' },
    ],
  });
  railway.world.addLogs('backend', 'deploy', ['ready', `charge failed with key ${planted}`]);
  railway.world.setVariable({
    environmentId: shop.environmentId,
    serviceId: null,
    name: 'REGION',
    value: 'eu-secret-1',
  });
  const world = await createWorld(whole, {
    ci: null,
    drift: null,
    database: null,
    tenant: { autonomy: { default: 'act' } },
    workspace: {
      services: {
        provider: { kind: 'railway', apiUrl: railway.url },
        watch: ['backend', 'frontend'],
      },
    },
    env: { RAILWAY_TOKEN_SW_FACTORY: shop.projectToken, NEW_KEY: planted },
  });
  ends.push(() => world.stop());
  const cli = await createCli({
    DATABASE_URL: world.own.url,
    TEMPORAL_ADDRESS: world.temporal.address,
    TEMPORAL_NAMESPACE: world.temporal.namespace,
    UNTILGREEN_QUEUE_PREFIX: world.queuePrefix,
  });
  ends.push(() => cli.remove());
  await world.startWorker();
  await world.startLoop();
  return { world, cli, railway };
}

const written = (railway: Railway): readonly string[] => railway.writes().map(({ operation }) => operation);

test('OPS-1: services, logs and names of variables are shown, values and secrets never', async () => {
  const { cli, railway, world } = await scene();
  const services = await cli.run('services', '--json');
  expect(services.code).toBe(0);
  expect(services.json()).toMatchObject({
    workspace: 'shop',
    services: expect.arrayContaining([
      expect.objectContaining({ name: 'backend', status: 'running', watched: true }),
    ]),
  });
  const names = await cli.run('manage-variables', 'list');
  expect(names.stdout).toContain('REGION');
  const logs = await cli.run('view-logs', 'backend', '-n', '10');
  expect(logs.stdout).toContain('ready');
  for (const { stdout, stderr } of [services, names, logs]) {
    expect(stdout + stderr).not.toContain(planted);
    expect(stdout + stderr).not.toContain('eu-secret-1');
  }
  const wrong = await cli.run('view-logs', 'bakend');
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain('is not one of: backend, frontend');
  expect(written(railway)).toEqual([]);
  expect(
    (await world.audit()).filter(({ action }) => action.startsWith('looked.')).length,
  ).toBeGreaterThanOrEqual(3);
});

test('OPS-1, LOOP-8: a restart is one effect with a receipt and the name of who ordered; the next one is in cooldown', async () => {
  const { cli, railway, world } = await scene();
  const done = await cli.run('restart-service', 'backend', '--by', 'ana', '--json');
  expect(done.code).toBe(0);
  expect(done.json()).toMatchObject({ outcome: 'done', receipt: expect.stringMatching(/^[0-9a-f]{16}$/) });
  expect(written(railway)).toEqual(['Restart']);
  const [effect] = await world.effects('restartService');
  expect(effect).toMatchObject({ target: 'production/backend', actor: 'ana', state: 'done' });
  const again = await cli.run('restart-service', 'backend', '--by', 'bo', '--json');
  expect(again.code).toBe(3);
  expect(again.json()).toMatchObject({ outcome: 'waiting', waitingFor: expect.stringContaining('cooldown') });
  expect(written(railway)).toEqual(['Restart']);
  // SEE-5: one line in the activity issue.
  await world.until('the activity issue has the line', async () => {
    const issue = (await world.issues()).find(({ title }) => title.includes('activity'));
    return issue && (await world.comments(issue.number)).some(({ body }) => body.includes('ordered by ana'));
  });
});

test('OPS-1: a variable is set from a reference; its value is in no history, record or output', async () => {
  const { cli, railway, world } = await scene();
  const refused = await cli.run('manage-variables', 'set', 'API_KEY', '--from', planted);
  expect(refused.code).toBe(2);
  expect(refused.stdout + refused.stderr).not.toContain(planted);
  const done = await cli.run(
    'manage-variables',
    'set',
    'API_KEY',
    '--from',
    'env:NEW_KEY',
    '--service',
    'backend',
    '--json',
  );
  expect(done.json()).toMatchObject({ outcome: 'done' });
  const [write] = railway.writes();
  expect(write?.variables).toMatchObject({ input: { name: 'API_KEY', value: planted } });
  expect(JSON.stringify(railway.writes())).not.toContain('"replace":true');
  const { rows } = await world.own.pool.query(
    'select to_jsonb(e) as row from effects e union all select to_jsonb(a) from audit a',
  );
  expect(JSON.stringify(rows)).not.toContain(planted);
  const missing = await cli.run('manage-variables', 'set', 'OTHER', '--from', 'env:NOT_THERE', '--json');
  expect(missing.code).toBe(1);
  expect(missing.json()).toMatchObject({ outcome: 'failed', summary: expect.stringContaining('NOT_THERE') });
});

test('OPS-1, LOOP-13: a new service waits for a maintainer, who approves exactly it in a comment', {
  timeout: 180_000,
}, async () => {
  const { cli, railway, world } = await scene();
  const asked = await cli.run(
    'provision-infrastructure',
    'service',
    'mail',
    '--image',
    'shop/mail:1',
    '--by',
    'ana',
    '--json',
  );
  expect(asked.code).toBe(3);
  const { approval } = asked.json() as { approval: string };
  expect(approval).toMatch(/^[0-9a-f]{16}$/);
  expect(written(railway)).toEqual([]);
  const issue = await world.until('the question is on GitHub', async () => {
    const found = (await world.issues()).find(({ title }) => title.includes('activity'));
    return (
      found &&
      (await world.comments(found.number)).some(({ body }) => body.includes(approval)) &&
      found.number
    );
  });
  await world.maria.comment(issue, `/approve ${approval}`);
  await world.until('it is created', async () => written(railway).includes('CreateService'), 120_000);
  await world.until('the receipt is there', async () =>
    (await world.effects('createService')).some(({ state }) => state === 'done'),
  );
  expect(written(railway).filter((name) => name === 'CreateService')).toHaveLength(1);
  await world.replayed('operation');
});

test('GUARD-1: a service that the settings do not watch is not touched, nor one that is not there', async () => {
  const { cli, railway } = await scene();
  const { world } = railway;
  const [project] = world.rows.projects;
  expect(project).toBeDefined();
  const unknown = await cli.run('restart-service', 'nothing', '--json');
  expect(unknown.code).toBe(1);
  expect(unknown.json()).toMatchObject({
    outcome: 'failed',
    summary: expect.stringContaining('is not one of'),
  });
  const removed = await cli.run('provision-infrastructure', 'remove', 'frontend', '--json');
  expect(removed.json()).toMatchObject({
    outcome: 'waiting',
    waitingFor: expect.stringContaining('destructive'),
  });
  expect(written(railway)).toEqual([]);
});

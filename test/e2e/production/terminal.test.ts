// OPS-1, SEE-2: production on the command line: questions answered in the terminal, the response to an incident, and the shape of every --json.
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../../src/embedded/machine/ports.ts';
import { documentedShapes, shapeOf } from '../../integration/cli/documented.ts';
import { type Cli, createCli } from '../../support/cli.ts';
import { type Railway, startRailway } from '../../support/railway/railway.ts';
import { createWorld, type World, whole } from '../rig.ts';

type Scene = {
  readonly world: World;
  readonly railway: Railway;
  readonly issue: number;
  readonly environmentId: string;
};
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const planted = ['ghp', 'Zq3vR8tK1mW6xY9bN4cL7dF2hJ5sP0aG1uTe'].join('_');

async function scene(workspace: object = {}): Promise<Scene> {
  const railway = await startRailway();
  ends.push(() => railway.close());
  const shop = railway.world.addProject({
    project: 'shop',
    services: [
      { name: 'backend', commitSha: 'a1', domains: ['shop.example'] },
      { name: 'frontend', image: 'shop/web:1.4' },
    ],
  });
  railway.world.addLogs('backend', 'deploy', [
    'ready',
    `charge failed with key ${planted}`,
    'pool exhausted',
  ]);
  const world = await createWorld(whole, {
    ci: null,
    drift: null,
    tenant: { autonomy: { default: 'act' } },
    database: null,
    workspace: {
      services: { provider: { kind: 'railway', apiUrl: railway.url }, watch: ['backend', 'frontend'] },
      diagnostics: {},
      ...workspace,
    },
    env: { RAILWAY_TOKEN_SW_FACTORY: shop.projectToken, PAYMENT_KEY: planted },
  });
  ends.push(() => world.stop());
  const { number } = await world.maria.request<{ number: number }>('POST', '/issues', {
    title: 'checkout is slow',
  });
  return { world, railway, issue: number, environmentId: shop.environmentId };
}

async function cliOf(world: World): Promise<Cli> {
  const cli = await createCli({
    DATABASE_URL: world.own.url,
    TEMPORAL_ADDRESS: world.temporal.address,
    TEMPORAL_NAMESPACE: world.temporal.namespace,
    UNTILGREEN_QUEUE_PREFIX: world.queuePrefix,
  });
  ends.push(() => cli.remove());
  return cli;
}

test('OPS-1, DIAG-2: the same answer in the terminal; an incident response without incidents; a database that is not there', {
  timeout: 300_000,
}, async () => {
  const { world, railway } = await scene();
  await world.startWorker();
  await world.startLoop();
  const cli = await cliOf(world);
  const seen = await cli.run('diagnose', 'check', 'logs', 'backend', '--by', 'ana', '--json');
  expect(seen.code, seen.stderr).toBe(0);
  expect(seen.json()).toMatchObject({
    workspace: 'shop',
    diagnosis: {
      request: 'check logs backend',
      services: expect.arrayContaining([expect.objectContaining({ name: 'backend', health: 'healthy' })]),
      logs: { service: 'backend' },
      problems: [],
    },
  });
  expect(seen.stdout).toContain('pool exhausted');
  expect(seen.stdout + seen.stderr).not.toContain(planted);
  expect((await world.audit()).find(({ action }) => action === 'looked.diagnosis')).toMatchObject({
    actor: 'ana',
  });
  const none = await cli.run('diagnose', 'check', 'logs', 'bakend');
  expect(none.code).toBe(3);
  expect(none.stdout).toContain('is not one of: backend, frontend');
  // No model is set up here: free words get the list of commands.
  const free = await cli.run('diagnose', 'is', 'the', 'shop', 'well?', '--markdown');
  expect(free.stdout).toContain('needs a model');
  expect(free.stdout).toContain('check database');

  const calm = await cli.run('incident-response', '--by', 'ana', '--json');
  expect(calm.code, calm.stderr).toBe(0);
  expect(calm.json()).toMatchObject({ workspace: 'shop', open: [], ordered: [] });
  const wrong = await cli.run('db', 'connect', 'nothing');
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('is none of');
  expect(railway.writes()).toEqual([]);
  const order = await cli.run('restart-service', 'backend', '--by', 'ana', '--json');
  expect(order.code, order.stdout).toBe(0);
  expect(shapeOf(order.json())).toEqual((await documentedShapes()).get('restart-service'));
});

test('OPS-1, SEE-2: production does not answer: the incident, its issue and its remedy are shown; every --json has the documented shape', {
  timeout: 400_000,
}, async () => {
  const port = await freePort();
  const { world, railway, environmentId } = await scene({
    health: {
      checks: [
        {
          kind: 'http',
          name: 'backend',
          url: `http://127.0.0.1:${port}`,
          path: '/health',
          level: 'sev1',
          services: ['backend'],
        },
      ],
    },
  });
  railway.world.setVariable({
    environmentId,
    serviceId: null,
    name: 'REGION',
    value: 'eu',
  });
  await world.startWorker();
  await world.startLoop();
  const cli = await cliOf(world);
  const documented = await documentedShapes();
  const json = async (name: string, code: number, ...args: string[]): Promise<unknown> => {
    const result = await cli.run(...args, '--json');
    expect(result.code, `${name}: ${result.stderr}`).toBe(code);
    expect(shapeOf(result.json()), name).toEqual(documented.get(name));
    expect(result.stdout + result.stderr, name).not.toContain(planted);
    return result.json();
  };
  await world.until('the incident has its issue', async () => {
    const { rows } = await world.own.pool.query('select 1 from incidents where open and issue is not null');
    return rows.length > 0;
  });
  expect(await json('incident-response', 3, 'incident-response', 'shop', '--by', 'ana')).toMatchObject({
    open: [{ kind: 'incident', level: 'sev1', checks: [{ name: 'backend' }], services: ['backend'] }],
  });
  const text = await cli.run('incident-response');
  expect(text.stdout).toContain('untilgreen ack');
  await json('services', 0, 'services');
  await json('view-logs', 0, 'view-logs', 'backend', '-n', '10');
  await json('manage-variables list', 0, 'manage-variables', 'list');
  expect(await json('diagnose', 3, 'diagnose', 'check', 'logs', 'backend')).toMatchObject({
    diagnosis: { checks: [{ state: 'failing' }], services: [{ name: 'backend', health: 'unhealthy' }, {}] },
  });
});

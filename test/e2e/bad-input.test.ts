// Bad input at every edge of a tenant (DUR-4, LOOP-2, MIG-2): the reason is clear, the other sources go on, the loop is alive.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { tenantWorkflowId, updates } from '../../src/contract/names.ts';
import type { LastRead } from '../../src/store/status.ts';
import { createTestDatabase } from '../support/database.ts';
import { start } from './people/approving.ts';
import { createWorld, type World, whole } from './rig.ts';

const migration = (up: string, options = ''): string =>
  `-- migrate:up${options}\n${up}\n\n-- migrate:down\nselect 1;\n`;

async function read(world: World, target: string): Promise<LastRead> {
  return world.until(`${target} is read`, async () =>
    (await world.reads()).find((one) => one.target === target || one.workspace === target),
  );
}

/** What is not unknown with its reason, or says a secret. */
async function otherwise(
  world: World,
  reasons: Readonly<Record<string, RegExp>>,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const [target, reason] of Object.entries(reasons)) {
    const seen = await read(world, target);
    const said = `${target} ${seen.state}: ${seen.reason}`;
    const secret = said.includes('hush-hush-hush') || said.includes(world.agentToken);
    if (seen.state !== 'unknown' || !reason.test(seen.reason) || secret) wrong.push(said);
  }
  return wrong;
}

/** A person asks for another try: the waiting remedy need not sleep out its time. */
async function tryAgain(world: World, request: string): Promise<void> {
  const finding = await world.finding('migration');
  await world.temporal.client.workflow
    .getHandle(tenantWorkflowId(world.tenant))
    .executeUpdate(updates.remediate, {
      args: [{ by: 'ana', requestId: request, finding: finding?.fingerprint.slice(0, 16) }],
    });
}

test.concurrent('DUR-4, LOOP-2: drift commands and databases that misbehave are unknown with a reason, the rest turns green', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const stale = await createTestDatabase({ empty: true });
  const bad = (environment: string, plan: string, more: object = {}): object => ({
    environment,
    preset: 'command',
    plan,
    ...more,
  });
  const world = await createWorld(
    { ...whole, drift: 'none' },
    {
      ci: null,
      env: {
        GONE_URL: 'postgres://shop:hush-hush-hush@127.0.0.1:1/shop',
        BROKEN_URL: 'not a url at all',
        STALE_URL: stale.url,
        NOFOLDER_URL: stale.url,
      },
      workspace: {
        drift: [
          {
            environment: 'production',
            preset: 'hybrid',
            plan: 'node tools/hybrid.mjs drift-plan --env production',
            env: { SHOP_ENVIRONMENTS: 'env:SHOP_ENVIRONMENTS' },
          },
          bad('flood', 'head -c 200000000 /dev/zero | tr "\\\\0" x'),
          bad('hangs', 'sleep 600', { timeout: '2s' }),
          bad('binary', 'printf \'\\\\xff\\\\xfe{"drifted": true\'; exit 2'),
          bad('missing', 'no-such-program --plan'),
          bad('crash', 'echo "cannot reach the cloud" >&2; exit 1'),
          bad('nowhere', 'true', { directory: 'no/such/folder' }),
          bad('unset', 'true', { env: { TOKEN: 'env:NOT_SET_ANYWHERE' } }),
        ],
        databases: [
          { name: 'shop', url: 'env:SHOP_DATABASE_URL', policy: 'auto' },
          { name: 'gone', url: 'env:GONE_URL', policy: 'auto' },
          { name: 'broken', url: 'env:BROKEN_URL', policy: 'auto' },
          {
            name: 'stale',
            url: 'env:STALE_URL',
            policy: 'auto',
            backup: { command: 'echo 2020-01-01T00:00:00Z', maxAge: '1d' },
          },
          { name: 'nofolder', url: 'env:NOFOLDER_URL', policy: 'auto', migrations: 'db/none' },
        ],
      },
    },
  );
  onTestFinished(async () => {
    await world.stop();
    await stale.drop();
  });
  await start(world);
  await world.until('the good database is migrated', async () =>
    (await world.findings()).some((f) => f.target === 'shop' && f.status === 'resolved'),
  );
  const reasons: Readonly<Record<string, RegExp>> = {
    flood: /plan: printed 200000000 bytes, at most 16000000 are read; print less/,
    hangs: /timed out|longer than|within 2/i,
    missing: /not found|no-such-program/i,
    crash: /exit(ed)?( with)?( code)? 1/i,
    nowhere: /directory: "no\/such\/folder" is not a directory/,
    unset: /env:NOT_SET_ANYWHERE is not set.*set NOT_SET_ANYWHERE/,
    gone: /not reachable|cannot be reached|refused|unreachable/i,
    broken: /not a postgres:\/\/ address/,
    nofolder: /db\/none/,
  };
  expect(await otherwise(world, reasons)).toEqual([]);
  // Invalid UTF-8 with the exit code of drift is drift that cannot be read further, or not readable: never green.
  expect((await read(world, 'binary')).state).not.toBe('green');
  expect((await read(world, 'production')).state).toBe('green');
  const held = await world.until('the old backup holds', async () =>
    (await world.findings()).find((f) => f.target === 'stale' && f.status === 'waiting' && f.waitingFor),
  );
  expect(held.waitingFor).toMatch(/backup.*(old|2020|1 ?d)/i);
  // DEPLOY-4: what holds the migrations is told, once, also where nobody migrates.
  const told = await world.until('the old backup is told', async () =>
    (await world.findings()).find((f) => f.kind === 'notice' && f.target === 'backup stale'),
  );
  expect(told.title).toMatch(/^backup stale: the latest is \d+ days old/);
  const there = await stale.pool.query(`select to_regclass('public.items') as t`);
  expect(there.rows[0].t).toBeNull();
  await world.cycles(2);
});

test.concurrent('MIG-2: a failing migration is reported with the error of the database, three attempts, then a person', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld(whole, {
    ci: null,
    drift: null,
    tenant: { limits: { cooldowns: { applyMigrations: '0s' } } },
    files: {
      'db/migrations/20260105000000_bad.sql': migration(
        'create table half (id int);\nalter table no_such_table add column x int;',
      ),
    },
  });
  onTestFinished(world.stop);
  await start(world);
  for (const attempt of [1, 2]) {
    await world.until(`attempt ${attempt} failed and is waited out`, async () => {
      const finding = await world.finding('migration');
      return (
        finding?.attempts === attempt &&
        finding.status === 'waiting' &&
        finding.waitingFor?.includes('no_such_table')
      );
    });
    await tryAgain(world, `again-${attempt}`);
  }
  await world.until('escalated', async () => (await world.finding('migration'))?.status === 'escalated');
  expect((await world.finding('migration'))?.attempts).toBe(3);
  const issue = await world.until('the issue', async () =>
    (await world.issues()).find(({ title }) => title.startsWith('Needs a person')),
  );
  expect(issue.body).toContain('relation "no_such_table" does not exist');
  expect(issue.body).toContain('20260105000000_bad.sql');
  // SEE-5: what was asked for, with what came of it.
  const activity = (await world.issues()).find(({ title }) => title.startsWith('Untilgreen activity'));
  const lines = (await world.comments(activity?.number ?? 0)).map(({ body }) => body);
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(
    /^Apply 5 migrations to `shop`[\s\S]*`applyMigrations` refused \(20260105000000_bad.sql: .*no_such_table/,
  );
  // Rolled back by dbmate's transaction; those before it are applied, once.
  const { rows } = await world.shop.pool.query(
    `select to_regclass('public.half') as half, (select count(*)::int from schema_migrations) as n`,
  );
  expect(rows[0]).toEqual({ half: null, n: 4 });
  await world.cycles(2);
  expect((await world.finding('migration'))?.attempts).toBe(3);
});

test.concurrent('MIG-2: one without a transaction is never tried again by itself', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld(whole, {
    ci: null,
    drift: null,
    tenant: { limits: { cooldowns: { applyMigrations: '0s' } } },
    files: {
      'db/migrations/20260105000000_half.sql': migration(
        'create table half (id int);\nalter table no_such_table add column x int;',
        ' transaction:false',
      ),
    },
  });
  onTestFinished(world.stop);
  await start(world);
  await world.until('escalated', async () => (await world.finding('migration'))?.status === 'escalated');
  const finding = await world.finding('migration');
  expect(finding?.attempts).toBe(1);
  expect(finding?.waitingFor).toContain('without a transaction');
  await world.cycles(3);
  expect((await world.effects('applyMigrations')).filter(({ state }) => state === 'done')).toHaveLength(1);
  expect((await world.finding('migration'))?.status).toBe('escalated');
});

type Answer = { readonly status: number; readonly headers?: Record<string, string>; readonly body: string };
async function answering(answer: Answer): Promise<{ url: string; server: Server }> {
  const server = createServer((_request, response) => {
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

test.concurrent('DUR-4: a GitHub that answers nonsense, errors or limits is unknown with a reason, and the others go on', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const answers: Readonly<Record<string, Answer>> = {
    errors: { status: 500, body: '{"message": "unicorn"}' },
    garbage: { status: 200, body: '{"workflow_runs": [{"id": "' },
    shapes: { status: 200, body: '{"workflow_runs": [{"id": "seven", "name": 7}], "total_count": -1}' },
    html: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>proxy login</html>' },
    limited: {
      status: 403,
      headers: { 'retry-after': '60' },
      body: '{"message": "You have exceeded a secondary rate limit"}',
    },
    denied: { status: 401, body: '{"message": "Bad credentials"}' },
  };
  const servers = await Promise.all(
    Object.entries(answers).map(async ([name, answer]) => ({ name, ...(await answering(answer)) })),
  );
  const world = await createWorld(
    { ...whole, format: true },
    {
      drift: null,
      workspaces: servers.map(({ name, url }) => ({
        name,
        github: { repository: 'acme/other', apiUrl: url, token: 'env:SHOP_GITHUB_TOKEN' },
        ci: { branches: ['main'] },
      })),
    },
  );
  onTestFinished(async () => {
    await world.stop();
    for (const { server } of servers) {
      server.closeAllConnections();
      server.close();
    }
  });
  await start(world);
  await world.until(
    'a pull request in the good workspace',
    async () => (await world.maria.request<unknown[]>('GET', '/pulls?state=open')).length === 1,
  );
  const reasons: Readonly<Record<string, RegExp>> = {
    errors: /500.*unicorn/,
    garbage: /not JSON; check that github.apiUrl/,
    shapes: /default_branch.*expected/,
    html: /not JSON; check that github.apiUrl/,
    limited: /403.*rate limit/,
    denied: /401.*Bad credentials/,
  };
  expect(await otherwise(world, reasons)).toEqual([]);
  await world.until(
    'what comes after a waiting pull request',
    async () => (await world.finding('migration'))?.status === 'resolved',
  );
});

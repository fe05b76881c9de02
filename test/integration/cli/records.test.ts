// The command line over real records, with Temporal away: what it must still do (pause, approve, status), its exit codes, its JSON, and that
// nothing secret comes out. Every command is a process.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../../src/embedded/machine/ports.ts';
import { type Cli, createCli } from '../../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { documentedShapes, shapeOf } from './documented.ts';
import { register, type Seeded, secret, seed, tenantYaml } from './seed.ts';

const tenant = 'acme';
let database: TestDatabase;
let cli: Cli;
let seeded: Seeded;
let env: Record<string, string>;

beforeAll(async () => {
  database = await createTestDatabase();
  seeded = await seed(database.pool, tenant);
  env = {
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}`,
    SHOP_TOKEN: secret,
  };
  cli = await createCli(env);
});
afterAll(async () => {
  await cli.remove();
  await database.drop();
});

test('SEE-2: status comes from Postgres alone when Temporal is away, says so, and red is exit code 3', async () => {
  const status = await cli.run('status', '--json');
  expect(status.code).toBe(3);
  expect(status.json()).toMatchObject({
    tenant,
    state: 'red',
    cycle: 1,
    paused: false,
    nextCycleAt: null,
    loop: 'unreachable',
    breaker: { state: 'closed', failures: 0 },
    cooldowns: [{ kind: 'applyMigrations', target: 'main', until: expect.stringMatching(/T.*Z$/) }],
    notes: [expect.stringContaining('Temporal at 127.0.0.1')],
  });
  const text = await cli.run('status');
  expect(text.code).toBe(3);
  expect(text.stdout).toContain(seeded.ci.slice(0, 12));
  expect(text.stdout).toContain('note: Temporal at');
});

test('every --json is one document of the documented shape, with nothing else on stdout', async () => {
  const commands: readonly (readonly [name: string, ...args: string[]])[] = [
    ['status', 'status'],
    ['findings', 'findings'],
    ['why', 'why', seeded.migration.slice(0, 12)],
    ['history', 'history'],
    ['show cycle', 'show', '1'],
    ['show finding', 'show', seeded.ci.slice(0, 10)],
    ['show effect', 'show', seeded.effect.slice(0, 10)],
    ['show evidence', 'show', seeded.evidence],
    ['approvals', 'approvals'],
    ['ci state', 'ci', 'state'],
    ['tenant list', 'tenant', 'list'],
    ['tenant show', 'tenant', 'show'],
    ['pause', 'pause', '--reason', 'x', '--workspace', 'shop'],
    ['resume', 'resume', '--workspace', 'shop'],
  ];
  const documented = await documentedShapes();
  for (const [name, ...args] of commands) {
    const result = await cli.run(...args, '--json');
    expect([0, 3], `${name}: ${result.stderr}`).toContain(result.code);
    expect(shapeOf(result.json()), name).toEqual(documented.get(name));
    expect(result.stdout + result.stderr, name).not.toContain(secret);
    expect(result.stdout, name).not.toContain('\u001b');
  }
});

test('SEC-2: what people read has no secret and no control characters either', async () => {
  for (const args of [
    ['status'],
    ['findings'],
    ['why'],
    ['history'],
    ['show', seeded.ci.slice(0, 8)],
    ['show', seeded.evidence],
    ['ci', 'state', '--markdown'],
  ]) {
    const { code, stdout } = await cli.run(...args);
    expect([0, 3]).toContain(code);
    expect(stdout, args.join(' ')).not.toContain(secret);
    expect(stdout).not.toContain('\u001b');
    expect(stdout.length).toBeGreaterThan(10);
  }
});

test('LOOP-14: why says which guard held what, how to approve it, and what is left', async () => {
  const why = (await cli.run('why', seeded.migration.slice(0, 12), '--json')).json() as {
    findings: {
      held: unknown[];
      approvals: unknown[];
      nextStep: string;
      attemptsLeft: number;
      waitsFor: string;
    }[];
    limits: unknown;
  };
  expect(why.findings).toHaveLength(1);
  const [finding] = why.findings;
  expect(finding?.held).toContainEqual(
    expect.objectContaining({
      guard: 'approval',
      decision: 'held',
      reason: 'needs approval: the database says so',
    }),
  );
  expect(finding?.approvals).toContainEqual(
    expect.objectContaining({ hash: seeded.approval, cliSuffices: true }),
  );
  expect(finding?.nextStep).toContain(`untilgreen approve ${seeded.approval}`);
  expect(finding?.attemptsLeft).toBe(3);
  expect(why.limits).toMatchObject({ mutatingPer5Min: { limit: 5, used: 0, left: 3 } });
});

test('LOOP-10: pause works while Temporal is away, within 5 s, with an end, and lists the writes that had begun', async () => {
  const other = 'pausing';
  await register(database.pool, other);
  await database.pool.query(
    `insert into effects (key, tenant, workspace, kind, target, precondition, requester, step, digest, risk, delivery, describe, actor, state, owner, fence,
       pause_epoch, lease_until, policy_ms) values ('k1', $1, 'shop', 'pushBranch', 'acme/shop', 'p', 'r', 's', 'd', 'proposing', 'exactlyOnce', 'push a branch',
       'loop', 'applying', 'o', 1, 0, now() + interval '1 minute', 0)`,
    [other],
  );
  const paused = await cli.run(
    'pause',
    other,
    '--reason',
    'freeze',
    '--until',
    '2h',
    '--by',
    'ana',
    '--json',
  );
  expect(paused.code).toBe(0);
  expect(paused.json()).toMatchObject({
    tenant: other,
    scope: 'tenant',
    by: 'ana',
    started: [{ kind: 'pushBranch', what: 'push a branch' }],
  });
  const { rows } = await database.pool.query('select pause_epoch as epoch from guards where tenant = $1', [
    other,
  ]);
  expect(rows[0].epoch).toBe(1);
  expect((await cli.run('status', other, '--json')).json()).toMatchObject({
    paused: true,
    pauses: [{ scope: 'tenant', reason: 'freeze', by: 'ana' }],
  });
  await cli.run('pause', other, '--reason', 'only this', '--workspace', 'shop');
  const resumed = await cli.run('resume', other, '--json');
  expect(resumed.code).toBe(3);
  expect(resumed.json()).toMatchObject({ lifted: 1, stillPaused: [{ scope: 'workspace', value: 'shop' }] });
  expect((await cli.run('resume', other, '--workspace', 'shop')).code).toBe(0);
});

test('LOOP-10: a Temporal that takes connections and says nothing does not delay the acknowledgement beyond 5 s', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const hung = await createCli({ ...env, TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
  try {
    const startedMs = performance.now();
    expect((await hung.run('pause', tenant, '--reason', 'x', '--json')).code).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(5_000); // the requirement's own figure
    expect((await hung.run('resume', tenant)).code).toBe(0);
  } finally {
    silent.close();
    await hung.remove();
  }
});

test('LOOP-10: everything is paused at once, for tenants of all names', async () => {
  expect((await cli.run('pause', '--everything', '--reason', 'fire')).code).toBe(0);
  expect((await cli.run('status', tenant, '--json')).json()).toMatchObject({
    paused: true,
    pauses: [{ scope: 'everything' }],
  });
  expect((await cli.run('resume', '--everything', '--json')).json()).toMatchObject({
    tenant: null,
    lifted: 1,
  });
});

test('LOOP-13: approve without a loop writes the decision; a destructive effect needs more and exits 3; twice is over', async () => {
  const approved = await cli.run('approve', seeded.approval.slice(0, 8), '--by', 'ana', '--json');
  expect(approved.code).toBe(0);
  expect(approved.json()).toMatchObject({ hash: seeded.approval, sufficient: true, through: 'store' });
  const { rows } = await database.pool.query(
    'select state, decided_by, channel from approvals where hash = $1',
    [seeded.approval],
  );
  expect(rows[0]).toEqual({ state: 'approved', decided_by: 'ana', channel: 'cli' });

  const weak = await cli.run('approve', seeded.destructive, '--by', 'ana', '--json');
  expect(weak.code).toBe(3);
  expect(weak.json()).toMatchObject({
    sufficient: false,
    howToApprove: expect.stringContaining(`/approve ${seeded.destructive}`),
  });

  const rejected = await cli.run('reject', seeded.destructive, '--reason', 'no', '--by', 'ana');
  expect(rejected.code).toBe(0);
  const late = await cli.run('approve', seeded.destructive, '--by', 'bob', '--json');
  expect(late.code).toBe(1);
  expect(late.json()).toMatchObject({
    error: { type: 'OrderRefused', message: expect.stringContaining('rejected already') },
  });
});

test.each([
  [['status', 'acmee'], 'Did you mean "acme"'],
  [['why', 'acmee'], 'Did you mean "acme"'],
  [['show', 'ffffff000', '--tenant', 'acme'], 'untilgreen history acme'],
  [['remediate', 'ffffff000', '--tenant', 'acme'], 'untilgreen findings acme'],
  [['approve', 'ffffff000'], 'untilgreen approvals'],
  [['approve', 'xyz'], 'at least 6 of its hex digits'],
  [['pause', 'acme', '--reason', 'x', '--until', 'soon'], '--until: "soon"'],
  [['pause', 'acme', '--reason', 'x', '--effect', 'applyMigration'], 'did you mean "applyMigrations"'],
  [['pause', 'acme', '--reason', ' '], 'reason: is empty'],
  [['pause', 'acme'], '--reason'],
  [['pause', 'acme', '--everything', '--reason', 'x'], '--everything'],
  [['stauts'], 'status'],
  [['history', 'acme', '--limit', '0'], '--limit'],
  [['completion', 'tcsh'], 'bash, zsh or fish'],
])('DUR-4: %j is wrong usage: exit code 2, and says what to do', async (args, expected) => {
  const wrong = await cli.run(...args);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain(expected);
});

test('DUR-4: a tenant file is judged as a whole, before anything is connected to', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'untilgreen-cli-file-'));
  const bad = join(folder, 'bad.yaml');
  const good = join(folder, 'good.yaml');
  await writeFile(bad, `tenant: Bad Name\nworkspacs: []\n`);
  await writeFile(good, tenantYaml('fresh'));
  try {
    const alone = await createCli({});
    const refused = await alone.run('tenant', 'apply', '-f', bad, '--json');
    expect(refused.code).toBe(2);
    const { problems } = refused.json() as { problems: unknown[] };
    expect(problems.length).toBeGreaterThanOrEqual(3);
    expect((await alone.run('tenant', 'validate', good)).code).toBe(0);
    expect((await alone.run('tenant', 'apply', '-f', good)).code).toBe(4);
    await alone.remove();

    const applied = await cli.run('tenant', 'apply', '-f', good, '--json');
    expect(applied.code).toBe(0);
    expect(applied.json()).toMatchObject({ tenant: 'fresh', version: 1, changed: true, loop: 'unreachable' });
    expect((await cli.run('tenant', 'apply', good, '--json')).json()).toMatchObject({
      version: 1,
      changed: false,
    });
    expect((await cli.run('drain', 'fresh', '--json')).json()).toMatchObject({
      drained: true,
      loop: 'unreachable',
    });
    expect((await cli.run('status', 'fresh', '--json')).json()).toMatchObject({ state: 'drained' });
    expect((await cli.run('tenant', 'remove', 'fresh', '--json')).json()).toMatchObject({ removed: true });
    expect((await cli.run('status', 'fresh')).code).toBe(2);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('as a process: exit codes 0, 2, 3 and 4, and one JSON document on stdout with each', async () => {
  const away = await createCli({ ...env, DATABASE_URL: 'postgresql://user:hunter2-secret@127.0.0.1:1/db' });
  const results = [
    await cli.spawn('findings', tenant, '--json'),
    await cli.spawn('why', 'acmee', '--json'),
    await cli.spawn('status', tenant, '--json'),
    await away.spawn('status', '--json'),
  ];
  await away.remove();
  expect(results.map(({ code }) => code)).toEqual([0, 2, 3, 4]);
  for (const result of results) {
    expect(result.json()).toBeTypeOf('object');
    expect(result.stdout + result.stderr).not.toContain(secret);
    expect(result.stdout + result.stderr).not.toContain('hunter2');
  }
});

test('exit code 4: Postgres or Temporal is away, said without the password; an order that needs the loop says so', async () => {
  const away = await createCli({ ...env, DATABASE_URL: 'postgresql://user:hunter2-secret@127.0.0.1:1/db' });
  const lost = await away.run('status', '--json');
  await away.remove();
  expect(lost.code).toBe(4);
  expect(lost.json()).toMatchObject({ error: { type: 'UnreachableError', exitCode: 4 } });
  expect(lost.stdout + lost.stderr).not.toContain('hunter2');
  expect(lost.stderr).toContain('Postgres at 127.0.0.1:1/db');

  const cycle = await cli.run('cycle', tenant);
  expect(cycle.code).toBe(4);
  expect(cycle.stderr).toContain('Temporal at 127.0.0.1');
  expect((await cli.run('worker')).code).toBe(4);
});

test('an empty database is wrong usage until migrate made our tables', async () => {
  const empty = await createTestDatabase({ empty: true });
  const fresh = await createCli({ ...env, DATABASE_URL: empty.url });
  try {
    const before = await fresh.run('status');
    expect(before.code).toBe(2);
    expect(before.stderr).toContain('untilgreen migrate');
    expect((await fresh.run('migrate', '--json')).code).toBe(0);
    const after = await fresh.run('status', '--json');
    expect(after.code).toBe(0);
    expect(after.json()).toEqual({ tenants: [] });
    const doctor = await fresh.run('doctor', '--json');
    expect(doctor.code).toBe(4);
    expect(doctor.json()).toMatchObject({ ok: false });
  } finally {
    await fresh.remove();
    await empty.drop();
  }
});

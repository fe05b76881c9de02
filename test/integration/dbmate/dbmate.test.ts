// Real dbmate on a real Postgres: what the status says, what is applied, what a failure says, and who may run at once.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dbmateFailureTypes } from '../../../src/integrations/dbmate/failure.ts';
import {
  type MigrateRequest,
  migrateUnderLock,
} from '../../../src/integrations/dbmate/migrate-under-lock.ts';
import { dbmateStatus } from '../../../src/integrations/dbmate/status.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

const WORKER = new URL('migrate-worker.ts', import.meta.url).pathname;
/** An advisory lock that a migration waits for, so that a test decides when it goes on. */
const GATE = 4711;

let database: TestDatabase;
let migrationsDir: string;
let url: string;

beforeEach(async () => {
  database = await createTestDatabase({ empty: true });
  url = database.url;
  migrationsDir = await mkdtemp(join(tmpdir(), 'migrations-'));
});
afterEach(async () => {
  await database.drop();
  await rm(migrationsDir, { recursive: true, force: true });
});

async function migrations(files: Record<string, string>): Promise<string[]> {
  for (const [name, up] of Object.entries(files)) {
    const head = up.startsWith('--') ? '' : '-- migrate:up\n';
    await writeFile(join(migrationsDir, name), `${head}${up}\n-- migrate:down\n`);
  }
  return Object.keys(files);
}

function migrate(
  expectedPending: readonly string[],
  more: Partial<MigrateRequest> = {},
): ReturnType<typeof migrateUnderLock> {
  return migrateUnderLock({
    url,
    migrationsDir,
    expectedPending,
    lockTimeoutMs: 20_000,
    fence: () => {},
    ...more,
  });
}

function startWorker(
  expectedPending: readonly string[],
): ChildProcess & { readonly result: Promise<unknown> } {
  const request = { url, migrationsDir, expectedPending, lockTimeoutMs: 20_000 };
  const worker = spawn(process.execPath, [WORKER], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, MIGRATE_REQUEST: JSON.stringify(request) },
  });
  const result = text(worker.stdout).then((output) => (output === '' ? undefined : JSON.parse(output)));
  return Object.assign(worker, { result });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

async function tables(): Promise<string[]> {
  const { rows } = await database.pool.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
  );
  return rows.map(({ name }) => name);
}

/** Command lines of the dbmate processes of this test. */
async function dbmateProcesses(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.includes(migrationsDir) && line.includes('dbmate')) found.push(line);
  }
  return found;
}

/** Closes the gate; the returned function opens it. */
async function closeGate(): Promise<() => Promise<void>> {
  const client = await database.pool.connect();
  await client.query('select pg_advisory_lock($1)', [GATE]);
  return async () => {
    await client.query('select pg_advisory_unlock($1)', [GATE]);
    client.release();
  };
}

const waitingAtGate = async (): Promise<boolean> => {
  const { rowCount } = await database.pool.query(
    `select from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`,
  );
  return (rowCount ?? 0) > 0;
};

test('status tells applied, pending and what has no file any more (MIG-1)', async () => {
  const files = await migrations({
    '001_one.sql': 'select 1;',
    '002_two.sql': 'select 2;',
    '003_three.sql': 'select 3;',
  });
  expect(await dbmateStatus({ url, migrationsDir })).toMatchObject({
    applied: [],
    pending: files,
    missingOnDisk: [],
  });
  expect(await tables()).toEqual([]);
  await migrate(files);
  await rm(join(migrationsDir, '002_two.sql'));
  await migrations({ '004_four.sql': 'select 4;' });

  const status = await dbmateStatus({ url, migrationsDir });

  expect(status).toMatchObject({
    applied: ['001_one.sql', '003_three.sql'],
    pending: ['004_four.sql'],
    missingOnDisk: ['002'],
  });
  await migrations({ '004_four.sql': 'select 44;' });
  expect((await dbmateStatus({ url, migrationsDir })).pendingHash).not.toBe(status.pendingHash);
});

test('the table of a search_path in the address is the one that is read', async () => {
  await database.pool.query('create schema shop');
  url = `${database.url}?search_path=shop,public`;
  await migrate(await migrations({ '001_one.sql': 'create table one (id int);' }));
  await rm(join(migrationsDir, '001_one.sql'));
  await migrations({ '002_two.sql': 'select 2;' });

  expect(await dbmateStatus({ url, migrationsDir })).toMatchObject({
    pending: ['002_two.sql'],
    missingOnDisk: ['001'],
  });
});

test('applies what was planned, once; what changed since is stale (MIG-1, DUR-1)', async () => {
  const files = await migrations({ '001_one.sql': 'create table one (id int);' });
  const { pendingHash } = await dbmateStatus({ url, migrationsDir });

  expect(await migrate(['001_one.sql', '002_two.sql'])).toEqual({ outcome: 'stale', pending: files });
  expect(await migrate(files, { expectedPendingHash: 'other' })).toEqual({
    outcome: 'stale',
    pending: files,
  });
  expect(await migrate(files, { expectedPendingHash: pendingHash })).toEqual({
    outcome: 'applied',
    migrations: files,
  });
  expect(await migrate(files)).toEqual({ outcome: 'alreadyApplied' });
});

test('a fence that refuses leaves the database as it is (DUR-1)', async () => {
  const files = await migrations({ '001_one.sql': 'create table one (id int);' });

  const refused = migrate(files, { fence: () => Promise.reject(new Error('the lease is over')) });

  await expect(refused).rejects.toThrow('the lease is over');
  expect(await tables()).toEqual([]);
  expect(await migrate(files)).toMatchObject({ outcome: 'applied' });
});

test('a failure names the file, the reason and what was applied before, and is rolled back (MIG-2)', async () => {
  const files = await migrations({
    '001_one.sql': 'create table one (id int);',
    '002_two.sql': 'create table two (id int);\ncreate table one (id int);',
    '003_three.sql': 'create table three (id int);',
  });

  expect(await migrate(files)).toEqual({
    outcome: 'failed',
    migration: '002_two.sql',
    databaseError: 'pq: relation "one" already exists (42P07)',
    transactionOff: false,
    appliedBefore: ['001_one.sql'],
  });
  expect(await tables()).toEqual(['one', 'schema_migrations']);
});

test('a failure of a migration without transaction says so (MIG-2)', async () => {
  const files = await migrations({
    '001_one.sql': '-- migrate:up transaction:false\ncreate table one (id nonsense);',
  });

  expect(await migrate(files)).toMatchObject({
    outcome: 'failed',
    migration: '001_one.sql',
    transactionOff: true,
  });
});

test('a migration file without an up block fails by name', async () => {
  await writeFile(join(migrationsDir, '001_one.sql'), 'select 1;');

  expect(await migrate(['001_one.sql'])).toMatchObject({
    outcome: 'failed',
    migration: '001_one.sql',
    appliedBefore: [],
  });
});

test('the password is in no message, even when the database repeats it (MIG-3)', async () => {
  const password = decodeURIComponent(new URL(url).password);
  const files = await migrations({
    '001_one.sql': `do $$ begin raise 'told % and %', '${password}', '${url}'; end $$;`,
  });

  const result = JSON.stringify(await migrate(files));

  expect(result).toContain('told');
  expect(result).not.toContain(password);
});

test.each([
  ['no address', () => 'nonsense-secret', dbmateFailureTypes.badUrl, true],
  ['another database system', () => 'sqlite:/tmp/secret.db', dbmateFailureTypes.badUrl, true],
  [
    'a wrong password',
    () => changed((one) => (one.password = 'wrong-secret')),
    dbmateFailureTypes.denied,
    true,
  ],
  [
    'a database that is not there',
    () => changed((one) => (one.pathname = '/none')),
    dbmateFailureTypes.databaseNotFound,
    true,
  ],
  [
    'a server that is not there',
    () => changed((one) => (one.port = '1')),
    dbmateFailureTypes.unreachable,
    false,
  ],
])(
  '%s is a clear failure without the connection string (DUR-4, MIG-3)',
  async (_what, address, type, nonRetryable) => {
    await migrations({ '001_one.sql': 'select 1;' });
    url = address();

    const failure = await migrate(['001_one.sql']).catch((error: unknown) => error);

    expect(failure).toMatchObject({ name: 'DbmateError', type, nonRetryable });
    expect(String(failure)).not.toMatch(/secret|postgresql:\/\/untilgreen/);
  },
);

function changed(change: (url: URL) => void): string {
  const other = new URL(url);
  change(other);
  return other.href;
}

test('a directory that is not there is a clear failure', async () => {
  await expect(dbmateStatus({ url, migrationsDir: join(migrationsDir, 'none') })).rejects.toMatchObject({
    type: dbmateFailureTypes.migrationsNotFound,
    nonRetryable: true,
  });
});

test('two at once: each migration is applied once, and the other one finds it applied (MIG-1)', async () => {
  const files = await migrations({
    '001_one.sql': 'create table one (id int); select pg_sleep(0.3);',
    '002_two.sql': 'insert into one values (2); select pg_sleep(0.3);',
  });
  const workers = [startWorker(files), startWorker(files)];

  const results = await Promise.all([...workers.map(({ result }) => result), migrate(files)]);

  const outcomes = results.map((result) => (result as { outcome: string }).outcome);
  expect(outcomes.sort()).toEqual(['alreadyApplied', 'alreadyApplied', 'applied']);
  expect((await database.pool.query('select id from one')).rows).toEqual([{ id: 2 }]);
});

test('a worker killed in the middle leaves no child and no lock; the next attempt finishes (MIG-2, DUR-2)', async () => {
  const files = await migrations({
    '001_one.sql': `create table one (id int); select pg_advisory_xact_lock(${GATE});`,
  });
  const openGate = await closeGate();
  const worker = startWorker(files);
  await until(waitingAtGate);
  expect(await dbmateProcesses()).toHaveLength(1);

  worker.kill('SIGKILL');
  await once(worker, 'close');
  await until(async () => (await dbmateProcesses()).length === 0);
  await until(async () => !(await waitingAtGate())); // the server ends the orphaned statement, nobody opened the gate
  await openGate();

  expect(await migrate(files)).toEqual({ outcome: 'applied', migrations: files });
});

test('a frozen worker whose child runs on keeps others out (DUR-2)', async () => {
  const files = await migrations({
    '001_one.sql': `select pg_advisory_xact_lock(${GATE}); create table one (id int);`,
  });
  const openGate = await closeGate();
  const worker = startWorker(files);
  await until(waitingAtGate);

  worker.kill('SIGSTOP');
  expect(await migrate(files, { lockTimeoutMs: 400 })).toEqual({ outcome: 'busy' });
  await openGate();
  await until(async () => (await tables()).includes('one'));
  expect(await migrate(files, { lockTimeoutMs: 400 })).toEqual({ outcome: 'busy' });
  worker.kill('SIGCONT');

  expect(await worker.result).toEqual({ outcome: 'applied', migrations: files });
  expect(await migrate(files)).toEqual({ outcome: 'alreadyApplied' });
});

test('what a killed child left running on the server is waited for, never joined', async () => {
  const files = await migrations({ '001_one.sql': 'create table one (id int);' });
  const orphan = await createOrphan();

  expect(await migrate(files, { lockTimeoutMs: 400 })).toEqual({ outcome: 'busy' });
  await orphan.end();
  expect(await migrate(files)).toMatchObject({ outcome: 'applied' });
});

async function createOrphan(): Promise<{ end(): Promise<void> }> {
  const client = await database.pool.connect();
  await client.query(`set application_name = 'untilgreen-dbmate'`);
  return { end: async () => client.release(true) };
}

test('the child ends when the connection that holds the lock is lost', async () => {
  const files = await migrations({
    '001_one.sql': `select pg_advisory_xact_lock(${GATE}); create table one (id int);`,
  });
  const openGate = await closeGate();
  const lost = expect(migrate(files)).rejects.toMatchObject({
    type: dbmateFailureTypes.lockLost,
    nonRetryable: false,
  });
  await until(waitingAtGate);

  await database.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()
      and application_name = 'untilgreen' and pid in (select pid from pg_locks where locktype = 'advisory' and granted)`,
  );

  await lost;
  expect(await dbmateProcesses()).toEqual([]);
  await openGate();
});

test('an abort and a timeout end dbmate; its arguments hold no connection string (MIG-3)', async () => {
  const files = await migrations({
    '001_one.sql': `select pg_advisory_xact_lock(${GATE}); create table one (id int);`,
  });
  const openGate = await closeGate();
  const controller = new AbortController();
  const aborted = expect(migrate(files, { signal: controller.signal })).rejects.toMatchObject({
    type: dbmateFailureTypes.aborted,
  });
  await until(waitingAtGate);
  const lines = await dbmateProcesses();

  controller.abort();

  await aborted;
  expect(lines.join()).not.toContain('postgres');
  expect(lines.join()).not.toContain(new URL(url).password);
  expect(await migrate(files, { timeoutMs: 1_000 })).toMatchObject({
    outcome: 'failed',
    migration: '001_one.sql',
    databaseError: expect.stringMatching(/^stopped after \d+ ms/),
  });
  expect(await dbmateProcesses()).toEqual([]);
  await openGate();
});

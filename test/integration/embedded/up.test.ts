// `startEmbedded` against the real servers: start, stop, kill -9 of the owner and of each server, a second owner,
// taken ports, servers that somebody else runs.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { commandLine } from '../../../src/embedded/machine/child-process.ts';
import { tryLock } from '../../../src/embedded/machine/file-lock.ts';
import { freePort } from '../../../src/embedded/machine/ports.ts';
import { startPostgres } from '../../../src/embedded/postgres.ts';
import { postgresAccount } from '../../../src/embedded/postgres-programs.ts';
import { type EmbeddedOptions, startEmbedded } from '../../../src/embedded/up.ts';
import { createTestDatabase } from '../../support/database.ts';

const CHILD = fileURLToPath(new URL('../../support/embedded-child.ts', import.meta.url));
const UNTIL = { timeout: 60_000, interval: 50 };

const Answer = z.union([
  z.object({
    temporalAddress: z.string(),
    databaseUrl: z.string(),
    temporal: z.number(),
    postgres: z.number(),
  }),
  z.object({ error: z.string() }),
]);

let dataDir: string;
let owners: ChildProcess[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'untilgreen-up-test-')); // mode 0700, so root's Postgres cannot pass by itself
  owners = [];
});

afterEach(async () => {
  for (const owner of owners.filter((child) => child.exitCode === null && child.signalCode === null)) {
    owner.kill('SIGTERM');
    await once(owner, 'exit');
  }
  await rm(dataDir, { recursive: true, force: true });
});

// DUR-2
test('a killed owner leaves no server, and the next one finds everything that was written', async () => {
  const first = await up();
  await sql(first.databaseUrl, 'create table kept (value int); insert into kept values (42)');
  await startWorkflow(first.temporalAddress, 'kept');

  await kill(first.owner);
  await vi.waitUntil(async () => await areGone(first.temporal, first.postgres), UNTIL);
  const second = await up();

  expect((await sql(second.databaseUrl, 'select value from kept')).rows).toEqual([{ value: 42 }]);
  expect(await workflowStatus(second.temporalAddress, 'kept')).toBe('RUNNING');
});

// DUR-2
test('a stale postmaster.pid that names a live stranger is taken over', async () => {
  const first = await up();
  await kill(first.owner);
  await vi.waitUntil(async () => await areGone(first.temporal, first.postgres), UNTIL);
  const [command = '', ...args] = [...(await postgresAccount([])).prefix, 'sleep', '600'];
  const stranger = spawn(command, args, { stdio: 'ignore' });
  const pidFile = join(dataDir, 'postgres', 'cluster', 'postmaster.pid');
  await writeFile(pidFile, `${stranger.pid}\n${join(dataDir, 'postgres', 'cluster')}\n`);

  const second = await up();

  expect((await sql(second.databaseUrl, 'select 1 as one')).rows).toEqual([{ one: 1 }]);
  expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  stranger.kill('SIGKILL');
});

// DUR-2: as on a machine where the kernel does not end the children of a killed process
test('an orphaned postmaster of a killed owner is ended and its data taken over', async () => {
  const folder = join(dataDir, 'postgres');
  const orphan = await startPostgres({ dataDir: folder, port: await freePort() });
  await sql(orphan.url, 'create table kept ()');

  const next = await startPostgres({ dataDir: folder, port: await freePort() });

  expect(await commandLine(orphan.pid)).toBeUndefined();
  expect((await sql(next.url, "select to_regclass('kept') as found")).rows).toEqual([{ found: 'kept' }]);
  await next.stop();
});

// DUR-2
test('a killed Temporal and a killed Postgres are started again on the same address', async () => {
  const lines: string[] = [];
  const embedded = await startEmbedded(options({ progress: (line) => lines.push(line) }));
  const before = embedded.pids();
  await sql(embedded.databaseUrl, 'create table kept ()');
  await startWorkflow(embedded.temporalAddress, 'kept');

  for (const pid of Object.values(before)) process.kill(pid, 'SIGKILL');
  await vi.waitUntil(() => lines.filter((line) => line.endsWith('runs again')).length === 2, UNTIL);

  expect(embedded.pids()).not.toEqual(before);
  expect((await sql(embedded.databaseUrl, "select to_regclass('kept') as found")).rows).toEqual([
    { found: 'kept' },
  ]);
  expect(await workflowStatus(embedded.temporalAddress, 'kept')).toBe('RUNNING');
  await embedded.stop();
});

// DUR-4
test('a second owner of the same data is refused with the pid of the first and what to do', async () => {
  const first = await up();

  await expect(startEmbedded(options({}))).rejects.toThrow(
    new RegExp(
      `already runs on ${dataDir} \\(process ${first.owner.pid}\\).*kill ${first.owner.pid}.*--data`,
    ),
  );

  expect((await sql(first.databaseUrl, 'select 1 as one')).rows).toEqual([{ one: 1 }]);
});

// DUR-4
test.each([
  { name: 'temporal', flag: '--temporal-port', variable: 'UNTILGREEN_TEMPORAL_PORT' },
  { name: 'temporalUi', flag: '--temporal-ui-port', variable: 'UNTILGREEN_TEMPORAL_UI_PORT' },
  { name: 'postgres', flag: '--postgres-port', variable: 'UNTILGREEN_POSTGRES_PORT' },
] as const)('a taken port names itself and $flag, and nothing runs on', async ({ name, flag, variable }) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const request = options({});

  const started = startEmbedded({ ...request, ports: { ...request.ports, [name]: port } });

  await expect(started).rejects.toThrow(new RegExp(`port ${port} for .* is taken.*${flag} or ${variable}`));
  expect(await serversOn(dataDir)).toEqual([]);
  expectUnlocked();
  other.close();
});

// DUR-4
test('a server that cannot start shows its last log lines, and nothing runs on', async () => {
  const first = await startEmbedded(options({}));
  await first.stop();
  await rm(join(dataDir, 'postgres', 'cluster', 'global'), { recursive: true });

  await expect(startEmbedded(options({}))).rejects.toThrow(/Postgres did not start.*Last lines of .*global/s);

  expect(await serversOn(dataDir)).toEqual([]);
  expectUnlocked();
});

test('stop leaves no process, no lock, and the password nowhere but in its file', async () => {
  const { databaseUrl, temporal, postgres, owner } = await up();

  owner.kill('SIGTERM');
  await once(owner, 'exit');

  expect(owner.exitCode).toBe(0);
  expect(await areGone(temporal, postgres)).toBe(true);
  expect(await serversOn(dataDir)).toEqual([]);
  expectUnlocked();
  expect(await readFile(join(dataDir, 'postgres', 'postgres.log'), 'utf8')).not.toContain(
    new URL(databaseUrl).password,
  );
});

test('a throw-away folder is gone after stop', async () => {
  const embedded = await startEmbedded(options({ ephemeral: true }));
  const cluster = (await sql(embedded.databaseUrl, 'show data_directory')).rows[0].data_directory;
  expect(existsSync(cluster)).toBe(true);

  await embedded.stop();

  expect(existsSync(cluster)).toBe(false);
  expect(await readdir(dataDir)).toEqual([]);
});

test('servers that the environment names are used, and none is started', async () => {
  const database = await createTestDatabase({ empty: true });
  const env = { TEMPORAL_ADDRESS: 'temporal.example:7233', DATABASE_URL: database.url };

  const embedded = await startEmbedded(options({ env }));

  expect(embedded).toMatchObject({ temporalAddress: 'temporal.example:7233', databaseUrl: database.url });
  expect(embedded.pids()).toEqual({});
  const migrated = await database.pool.query(
    'select count(*)::int as count from untilgreen_schema_migrations',
  );
  expect(migrated.rows[0].count).toBeGreaterThan(0);
  expect(await readdir(dataDir)).toEqual([]);
  await embedded.stop();
  await database.drop();
});

function options(changes: Partial<EmbeddedOptions>): EmbeddedOptions {
  return {
    dataDir,
    ports: { temporal: 0, temporalUi: 0, temporalHttp: 0, temporalMetrics: 0, postgres: 0 },
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
    searchAttributes: { untilgreenTenant: 'Keyword' },
    progress: () => {},
    onFailure: (error) => {
      throw error;
    },
    ...changes,
  };
}

/** An owner in a process of its own, which can be killed. */
async function up() {
  const owner = spawn(process.execPath, [CHILD, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  owners.push(owner);
  const [line] = await once(createInterface(owner.stdout), 'line');
  const answer = Answer.parse(JSON.parse(String(line)));
  if ('error' in answer) throw new Error(answer.error);
  return { ...answer, owner };
}

async function kill(owner: ChildProcess): Promise<void> {
  owner.kill('SIGKILL');
  await once(owner, 'exit');
}

async function areGone(...pids: number[]): Promise<boolean> {
  const commands = await Promise.all(pids.map(commandLine));
  return commands.every((command) => command === undefined);
}

/** Command lines of live processes that mention the folder. */
async function serversOn(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const commands = await Promise.all(pids.map(commandLine));
  return commands.filter((command): command is string => command?.includes(folder) === true);
}

function expectUnlocked(): void {
  const lock = tryLock(join(dataDir, 'lock'));
  expect(lock).toBeDefined();
  lock?.release();
}

async function sql(url: string, statement: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}

async function startWorkflow(address: string, workflowId: string): Promise<void> {
  await withClient(address, async (client) => {
    await client.workflow.start('nobodyRunsIt', {
      workflowId,
      taskQueue: 'nobody',
      searchAttributes: { untilgreenTenant: ['kept'] },
    });
  });
}

function workflowStatus(address: string, workflowId: string): Promise<string> {
  return withClient(
    address,
    async (client) => (await client.workflow.getHandle(workflowId).describe()).status.name,
  );
}

async function withClient<T>(address: string, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

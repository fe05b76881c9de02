// Runs Temporal's dev server for one machine: start, readiness, retention, search attributes, stop, and taking
// over from a killed predecessor. The caller holds the lock of the data folder. Starts no worker.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
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
import { serverVersion } from './temporal-binary.ts';

const HOST = '127.0.0.1';
const NAMESPACE = 'default';
const RETENTION_MS = 30 * 24 * 3600 * 1000; // the dev server's own is one day
const READY_TIMEOUT_MS = 120_000;
const READY_POLL_MS = 100;
const STOP_GRACE_MS = 15_000;
const ORPHAN_GRACE_MS = 5_000;
const PID_FILE = 'temporal.pid';

const INDEXED_VALUE_TYPE = {
  Text: 1,
  Keyword: 2,
  Int: 3,
  Double: 4,
  Bool: 5,
  Datetime: 6,
  KeywordList: 7,
} as const;

/** Search attributes by name. At most 10 Keyword and 3 of each other type fit a dev server. */
export type SearchAttributeTypes = Readonly<Record<string, keyof typeof INDEXED_VALUE_TYPE>>;

export interface TemporalServer {
  /** `127.0.0.1:7233`, plain text, namespace `default`. */
  address: string;
  uiUrl?: string;
  metricsUrl?: string;
  pid: number;
  /** Resolves with the reason, e.g. `signal SIGKILL`, when the server is gone; never rejects. */
  exited: Promise<string>;
  /** Last lines of its log, for a message to people. */
  lastLogLines(): Promise<string>;
  stop(): Promise<void>;
}

export interface TemporalOptions {
  /** The `temporal` CLI: `ensureTemporalBinary`. */
  binary: string;
  /** Where the database and log lie; created. Without it everything is in a throw-away folder. */
  dataDir?: string;
  port: number;
  /** Without it there is no UI. */
  uiPort?: number;
  httpPort?: number;
  metricsPort?: number;
  searchAttributes?: SearchAttributeTypes;
}

/**
 * Starts the server and returns when it answers, with search attributes and retention in place (DUR-2: a server
 * that a killed process left on the same folder is ended first).
 * @throws EmbeddedStartError with the last log lines.
 */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const { binary, port, uiPort, metricsPort, searchAttributes = {} } = options;
  const throwAway = options.dataDir === undefined ? await throwAwayFolder() : undefined;
  const dataDir = resolve(options.dataDir ?? throwAway?.path ?? '');
  await mkdir(dataDir, { recursive: true });
  await stopOrphanTemporal(dataDir);
  await requireFreePorts({
    temporal: port,
    ...(uiPort !== undefined && { temporalUi: uiPort }),
    ...(options.httpPort !== undefined && { temporalHttp: options.httpPort }),
    ...(metricsPort !== undefined && { temporalMetrics: metricsPort }),
  });
  const logFile = join(dataDir, 'temporal.log');
  const database = throwAway ? undefined : await databaseFile(binary, dataDir);
  const server = await startServer(binary, commandArguments(options, database), {
    logFile,
    deathSignal: 'KILL',
    env: process.env,
  });
  const stop = async (): Promise<void> => {
    await server.stop('SIGTERM', STOP_GRACE_MS);
    await rm(join(dataDir, PID_FILE), { force: true });
    await throwAway?.remove();
  };
  const address = `${HOST}:${port}`;
  try {
    await writeFile(join(dataDir, PID_FILE), `${server.pid}\n`);
    await prepare(server, address, searchAttributes);
  } catch (error) {
    const log = await lastLogLines(logFile);
    await stop();
    const reason = error instanceof Error ? error.message : String(error);
    throw new EmbeddedStartError(`Temporal did not start: ${reason}. Last lines of ${logFile}:\n${log}`);
  }
  return {
    address,
    ...(uiPort !== undefined && { uiUrl: `http://${HOST}:${uiPort}` }),
    ...(metricsPort !== undefined && { metricsUrl: `http://${HOST}:${metricsPort}/metrics` }),
    pid: server.pid,
    exited: server.exited,
    lastLogLines: () => lastLogLines(logFile),
    stop,
  };
}

/**
 * Registers those search attributes that the namespace does not have yet. The dev server's flag does nothing on an
 * existing database file, and a server that somebody else runs knows none, so do it at every start.
 * @throws EmbeddedStartError when one exists with another type.
 */
export async function registerSearchAttributes(
  connection: Connection,
  namespace: string,
  searchAttributes: SearchAttributeTypes,
): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const wanted = Object.entries(searchAttributes);
  for (const [name, type] of wanted) {
    const existing = customAttributes[name];
    if (existing !== undefined && existing !== INDEXED_VALUE_TYPE[type]) {
      throw new EmbeddedStartError(
        `search attribute ${name} of namespace ${namespace} has another type than ${type}: remove it ` +
          `(temporal operator search-attribute remove --name ${name}) or use another namespace`,
      );
    }
  }
  const missing = wanted.filter(([name]) => customAttributes[name] === undefined);
  if (missing.length === 0) return;
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, INDEXED_VALUE_TYPE[type]])),
  });
}

function commandArguments(options: TemporalOptions, database: string | undefined): string[] {
  const { port, uiPort, httpPort, metricsPort, searchAttributes = {} } = options;
  return [
    ...['server', 'start-dev', '--ip', HOST, '--port', String(port)],
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...(httpPort === undefined ? [] : ['--http-port', String(httpPort)]),
    ...(metricsPort === undefined ? [] : ['--metrics-port', String(metricsPort)]),
    ...(database === undefined ? [] : ['--db-filename', database]),
    ...(database === undefined ? [] : ['--sqlite-pragma', 'journal_mode=WAL']),
    ...(database === undefined ? [] : ['--sqlite-pragma', 'synchronous=FULL']),
    ...['--log-format', 'json', '--log-level', 'warn'],
    ...['--dynamic-config-value', 'matching.enableFairness=true'],
    ...Object.entries(searchAttributes).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
  ];
}

/** One file per server version: the file has no migration from one version to the next, and Postgres has the truth. */
async function databaseFile(binary: string, dataDir: string): Promise<string> {
  const version = (await serverVersion(binary)) ?? 'unknown';
  return join(dataDir, `server-${version}.sqlite`);
}

async function prepare(
  server: ServerProcess,
  address: string,
  attributes: SearchAttributeTypes,
): Promise<void> {
  const connection = await connectWhenReady(server, address);
  try {
    await connection.workflowService.updateNamespace({
      namespace: NAMESPACE,
      config: { workflowExecutionRetentionTtl: msToTs(RETENTION_MS) },
    });
    await registerSearchAttributes(connection, NAMESPACE, attributes);
  } finally {
    await connection.close();
  }
}

async function connectWhenReady(server: ServerProcess, address: string): Promise<Connection> {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    if (server.hasExited()) throw new Error(`it ended with ${await server.exited}`);
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1_000 });
      try {
        await connection.workflowService.describeNamespace({ namespace: NAMESPACE });
        return connection;
      } catch (error) {
        await connection.close();
        throw error;
      }
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
      await delay(READY_POLL_MS);
    }
  }
}

/** The lock on the data folder is ours, so a server that still runs on it belongs to nobody. */
async function stopOrphanTemporal(dataDir: string): Promise<void> {
  const pid = Number.parseInt(await readFile(join(dataDir, PID_FILE), 'utf8').catch(() => ''), 10);
  if (Number.isNaN(pid)) return;
  const command = await commandLine(pid);
  if (command?.includes('start-dev') && command.includes(dataDir))
    await stopOrphan(pid, 'SIGTERM', ORPHAN_GRACE_MS);
}

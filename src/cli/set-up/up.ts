// `untilgreen up`: everything on this machine in one command: Temporal, Postgres, our tables, a worker, and a tenant's file when one is given.
// Ctrl-C stops all of it in order: the worker first, which lets go of what it does, then the servers under it.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import {
  readConnectionFile,
  removeConnectionFile,
  writeConnectionFile,
} from '../../client/connection-file.ts';
import { dataFolder } from '../../client/endpoints.ts';
import { postgresAddress, UsageError } from '../../client/errors.ts';
import type { Status } from '../../client/look/status.ts';
import { connectUntilgreen, type Untilgreen } from '../../client.ts';
import type { TenantSource } from '../../config/tenant-file.ts';
import { searchAttributes } from '../../contract/names.ts';
import type { TenantConfig } from '../../contract/tenant-config.ts';
import { lastLogLines, startServer } from '../../embedded/machine/child-process.ts';
import { type EmbeddedPorts, PORT_SETTINGS, type PortName } from '../../embedded/machine/ports.ts';
import { throwAwayFolder } from '../../embedded/machine/throw-away-folder.ts';
import { type Embedded, startEmbedded } from '../../embedded/up.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Answer, type Frame, osUser, registerUrl } from '../frame.ts';
import { changes } from '../look/watch.ts';
import { withCommon } from '../options.ts';
import { facts } from '../text/table.ts';
import { superviseWorker } from './supervise-worker.ts';
import { readTenantFile, refused } from './tenant.ts';

type UpOptions = {
  readonly json?: boolean;
  readonly data?: string;
  readonly file?: string;
  readonly ephemeral?: boolean;
} & { readonly [flag: string]: string | boolean | undefined };

const portNames = Object.keys(PORT_SETTINGS) as PortName[];
const lookEveryMs = 1_500;

export function upCommand(program: Command, frame: Frame): void {
  const command = withCommon(program.command('up'))
    .option('-f, --file <file>', 'apply this tenant file')
    .option('--ephemeral', 'keep nothing: a throw-away folder instead of the data folder');
  for (const name of portNames) {
    const { flag, listener, variable, defaultPort } = PORT_SETTINGS[name];
    command.option(
      `--${flag} <port>`,
      `port of ${listener} (${variable}, default ${defaultPort}; 0 for any)`,
    );
  }
  command
    .description('start Temporal, Postgres and a worker on this machine; Ctrl-C stops them')
    .action((options: UpOptions) => frame.run(options, () => up(frame, options)));
}

type Undo = (() => Promise<void>)[];

async function up(frame: Frame, options: UpOptions): Promise<Answer | undefined> {
  const { stopped } = frame;
  const parsed = options.file === undefined ? undefined : await readTenantFile(options.file);
  if (parsed && !parsed.ok) return refused(parsed);
  const failure = new AbortController();
  const undo: Undo = [];
  try {
    const embedded = await startEmbedded({
      env: frame.env,
      ephemeral: options.ephemeral === true,
      dataDir: dataFolder(where(frame, options)),
      ports: chosenPorts(options),
      searchAttributes: Object.fromEntries(Object.values(searchAttributes).map((name) => [name, 'Keyword'])),
      progress: frame.say,
      onFailure: (error) => failure.abort(error),
    });
    undo.push(() => embedded.stop());
    registerUrl(frame.redactor, embedded.databaseUrl);
    const folder = await workFolder(frame, options, embedded, undo);
    await publish(frame, folder, embedded, undo);
    const logFile = join(folder, 'worker.log');
    const worker = await superviseWorker({
      start: async () => {
        const started = await startWorkerProcess(frame, folder, logFile);
        frame.say(`worker runs as process ${started.pid}`);
        return started;
      },
      lastLogLines: () => lastLogLines(logFile),
      say: frame.say,
    });
    undo.push(() => worker.stop());
    const client = await connectUntilgreen({ env: frame.env, dataDir: folder });
    undo.push(() => client.close());
    if (parsed) await apply(frame, client, parsed);
    show(frame, options, embedded, folder, logFile);
    await followAll(frame, client, AbortSignal.any([stopped, failure.signal]));
    if (failure.signal.aborted) throw failure.signal.reason;
    return { json: null, text: '', exitCode: exitCodes.done };
  } finally {
    if (stopped.aborted) frame.say('stopping; Ctrl-C again stops at once');
    for (let step = undo.pop(); step; step = undo.pop()) {
      await step().catch((error: unknown) => frame.say(`while stopping: ${String(error)}`));
    }
  }
}

function where(frame: Frame, options: UpOptions): { env: NodeJS.ProcessEnv; dataDir?: string } {
  return { env: frame.env, ...(options.data === undefined ? {} : { dataDir: options.data }) };
}

/** @throws UsageError for what is no port */
function chosenPorts(options: UpOptions): Partial<EmbeddedPorts> {
  const chosen: Partial<Record<PortName, number>> = {};
  for (const name of portNames) {
    const { flag } = PORT_SETTINGS[name];
    const text = options[flag.replace(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase())];
    if (typeof text !== 'string') continue;
    if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
      throw new UsageError(
        `--${flag}: "${text.slice(0, 20)}" is no port. Fix: give a number from 0 to 65535, 0 for any free one`,
      );
    chosen[name] = Number(text);
  }
  return chosen;
}

/** Where the worker keeps its mirrors and log, and where other commands find the connection. */
async function workFolder(frame: Frame, options: UpOptions, embedded: Embedded, undo: Undo): Promise<string> {
  if (embedded.dataDir !== undefined) return embedded.dataDir;
  if (options.ephemeral !== true) return dataFolder(where(frame, options));
  const folder = await throwAwayFolder();
  undo.push(() => folder.remove());
  return folder.path;
}

/** Only what is ours: whoever named another server in the environment names it to the other commands too. */
async function publish(frame: Frame, folder: string, embedded: Embedded, undo: Undo): Promise<void> {
  const connection = {
    pid: process.pid,
    ...(frame.env.DATABASE_URL ? {} : { databaseUrl: embedded.databaseUrl }),
    ...(frame.env.TEMPORAL_ADDRESS ? {} : { temporalAddress: embedded.temporalAddress }),
    ...(embedded.uiUrl === undefined ? {} : { uiUrl: embedded.uiUrl }),
  };
  // A throw-away `up` is also found where commands look by default, unless another one runs there.
  const usual = dataFolder({ env: frame.env });
  const other = await readConnectionFile(usual);
  for (const place of new Set(other === undefined ? [folder, usual] : [folder])) {
    await writeConnectionFile(place, connection);
    undo.push(() => removeConnectionFile(place));
  }
}

function startWorkerProcess(frame: Frame, folder: string, logFile: string): ReturnType<typeof startServer> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const main = fileURLToPath(new URL(`../main.${extension}`, import.meta.url));
  return startServer(process.execPath, [main, 'worker', '--data', folder], {
    logFile,
    deathSignal: 'KILL',
    env: frame.env,
  });
}

async function apply(
  frame: Frame,
  client: Untilgreen,
  { config, source }: { readonly config: TenantConfig; readonly source: TenantSource },
): Promise<void> {
  const applied = await client.tenants.apply(config, osUser(frame.env), source);
  frame.say(`tenant ${applied.tenant}: settings version ${applied.version}, loop ${applied.loop}`);
  for (const note of applied.notes) frame.say(note);
}

function show(frame: Frame, options: UpOptions, embedded: Embedded, folder: string, logFile: string): void {
  const links = {
    ui: embedded.uiUrl ?? null,
    temporal: embedded.temporalAddress,
    metrics: embedded.metricsUrl ?? null,
    postgres: postgresAddress(embedded.databaseUrl),
    data: folder,
    workerLog: logFile,
    pid: process.pid,
  };
  if (options.json) frame.writeJson(links);
  const data = options.data === undefined ? '' : ` --data ${folder}`;
  const text = facts([
    ['Temporal UI', links.ui],
    ['Temporal', links.temporal],
    ['Postgres', links.postgres],
    ['data', options.ephemeral ? 'none is kept' : folder],
    ['worker log', logFile],
    ['look', `untilgreen status${data}, untilgreen watch${data}, untilgreen why${data}`],
    ['stop', 'Ctrl-C'],
  ]);
  for (const line of text.split('\n')) frame.say(line);
}

/** Says what changes, for every tenant, until stopped. */
async function followAll(frame: Frame, client: Untilgreen, stopped: AbortSignal): Promise<void> {
  const before = new Map<string, Status>();
  let lost = '';
  while (!stopped.aborted) {
    try {
      for (const { tenant } of await client.tenants.list()) {
        if (stopped.aborted) return;
        const status = { ...(await client.status(tenant)), notes: [] };
        for (const line of changes(before.get(tenant), status)) frame.say(line);
        before.set(tenant, status);
      }
      lost = '';
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== lost) frame.say(reason);
      lost = reason;
    }
    await delay(lookEveryMs, undefined, { signal: stopped }).catch(() => {});
  }
}

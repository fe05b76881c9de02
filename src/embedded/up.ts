// Everything that `untilgreen up` needs below the worker: Temporal and Postgres on this machine (or the ones that the
// environment names), our tables, one owner per data folder. Starts no worker and prints nothing.

import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Progress } from './machine/binary-cache.ts';
import { lockHolder, tryLock } from './machine/file-lock.ts';
import { type EmbeddedPorts, embeddedPorts } from './machine/ports.ts';
import { EmbeddedStartError } from './machine/start-error.ts';
import { throwAwayFolder } from './machine/throw-away-folder.ts';
import { startPostgres } from './postgres.ts';
import { migrateOwnSchema } from './schema.ts';
import { type Supervised, type SupervisedServer, supervise } from './supervise.ts';
import { type SearchAttributeTypes, startTemporal, type TemporalServer } from './temporal.ts';
import { ensureTemporalBinary } from './temporal-binary.ts';

export interface EmbeddedOptions {
  /** Default: {@link defaultDataFolder}. Not used when the environment names both servers. */
  dataDir?: string;
  /** A throw-away folder instead of `dataDir`, removed by `stop`. */
  ephemeral?: boolean;
  /** From flags; the rest from variables and defaults (`PORT_SETTINGS`). 0 is any free port. */
  ports?: Partial<EmbeddedPorts>;
  /** `TEMPORAL_ADDRESS` and `DATABASE_URL` name servers that somebody else runs; `UNTILGREEN_*_PORT`. */
  env: NodeJS.ProcessEnv;
  searchAttributes: SearchAttributeTypes;
  progress: Progress;
  /** A server of ours died and could not be started again. Called at most once for each. */
  onFailure: (error: Error) => void;
}

export interface Embedded {
  temporalAddress: string;
  /** Only when Temporal is ours. */
  uiUrl?: string;
  /** Only when Temporal is ours. */
  metricsUrl?: string;
  /** Holds a password: do not print it. */
  databaseUrl: string;
  /** Folder with data and logs; undefined when neither server is ours. */
  dataDir?: string;
  /** Pids of the servers that are ours, as of now. */
  pids(): { temporal?: number; postgres?: number };
  /** Stops what is ours and lets go of the data folder. Safe to call twice. */
  stop(): Promise<void>;
}

/** `$XDG_DATA_HOME/untilgreen`, else `~/.local/share/untilgreen`. */
export function defaultDataFolder(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_DATA_HOME;
  return join(base !== undefined && base !== '' ? base : join(homedir(), '.local', 'share'), 'untilgreen');
}

/**
 * Starts what the environment does not name, and brings our tables to this version. A folder left by a killed `up` is
 * taken over with whatever still runs on it (DUR-2); a live one is refused.
 * @throws EmbeddedStartError that says what to do (DUR-4); nothing of ours runs on then.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { env, progress, ephemeral = false } = options;
  const external = { temporal: nonEmpty(env.TEMPORAL_ADDRESS), databaseUrl: nonEmpty(env.DATABASE_URL) };
  const local = external.temporal === undefined || external.databaseUrl === undefined;
  const undo: Undo = [];
  const stop = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    const dataDir = local ? await ownDataFolder(options, undo) : undefined;
    const ports = await embeddedPorts(env, options.ports ?? {});
    const [postgres, temporal] = await both(
      dataDir === undefined || external.databaseUrl !== undefined
        ? undefined
        : superviseOwn(options, 'Postgres', undo, () =>
            startPostgres({ dataDir: join(dataDir, 'postgres'), port: ports.postgres }),
          ),
      dataDir === undefined || external.temporal !== undefined
        ? undefined
        : superviseOwn(options, 'Temporal', undo, () => startOwnTemporal(options, dataDir, ports)),
    );
    const databaseUrl = external.databaseUrl ?? postgres?.current().url ?? '';
    progress('bringing the tables to this version');
    await migrateOwnSchema(databaseUrl);
    const server = temporal?.current();
    return {
      temporalAddress: external.temporal ?? server?.address ?? '',
      ...(server?.uiUrl !== undefined && { uiUrl: server.uiUrl }),
      ...(server?.metricsUrl !== undefined && { metricsUrl: server.metricsUrl }),
      databaseUrl,
      ...(dataDir !== undefined && !ephemeral && { dataDir }),
      pids: () => ({
        ...(temporal && { temporal: temporal.current().pid }),
        ...(postgres && { postgres: postgres.current().pid }),
      }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Undo = (() => Promise<void>)[];

/** Our folder, locked until `undo` runs. */
async function ownDataFolder(options: EmbeddedOptions, undo: Undo): Promise<string> {
  if (options.ephemeral === true) {
    const folder = await throwAwayFolder();
    undo.push(() => folder.remove());
    return folder.path;
  }
  const folder = resolve(options.dataDir ?? defaultDataFolder(options.env));
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new EmbeddedStartError(
      `data folder ${folder} cannot be used (${String(error)}): choose one with --data`,
    );
  });
  const lockFile = join(folder, 'lock');
  const lock = tryLock(lockFile);
  if (lock === undefined) {
    const pid = lockHolder(lockFile) ?? 'unknown';
    throw new EmbeddedStartError(
      `untilgreen already runs on ${folder} (process ${pid}): use that one, stop it (kill ${pid}), ` +
        'or choose another folder with --data and other ports',
    );
  }
  undo.push(async () => lock.release());
  return folder;
}

async function startOwnTemporal(
  options: EmbeddedOptions,
  dataDir: string,
  ports: EmbeddedPorts,
): Promise<TemporalServer> {
  const { progress, env, searchAttributes } = options;
  return startTemporal({
    binary: await ensureTemporalBinary({ progress, env }),
    dataDir: join(dataDir, 'temporal'),
    port: ports.temporal,
    uiPort: ports.temporalUi,
    httpPort: ports.temporalHttp,
    metricsPort: ports.temporalMetrics,
    searchAttributes,
  });
}

async function superviseOwn<Server extends SupervisedServer>(
  options: EmbeddedOptions,
  name: string,
  undo: Undo,
  start: () => Promise<Server>,
): Promise<Supervised<Server>> {
  const { progress, onFailure } = options;
  progress(`starting ${name}`);
  const server = await supervise({ name, start, progress, onFailure });
  undo.push(() => server.stop());
  return server;
}

/** Waits for both, also when one fails: what was started has to be known before it can be stopped. */
async function both<A, B>(
  a: Promise<A> | undefined,
  b: Promise<B> | undefined,
): Promise<[A | undefined, B | undefined]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

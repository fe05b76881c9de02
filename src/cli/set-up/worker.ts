// `untilgreen worker`: the worker alone. Any number may run side by side. It starts the loops that are missing, now and every minute, so that a
// Temporal that lost its data, or a start that came just when a loop ended, is made good (LOOP-9).
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import pino from 'pino';
import { type Endpoints, findEndpoints } from '../../client/endpoints.ts';
import { asPostgresError, UnreachableError, UsageError } from '../../client/errors.ts';
import { connectUntilgreen } from '../../client.ts';
import { createPool } from '../../store/database.ts';
import { type CommonOptions, type Frame, registerUrl } from '../frame.ts';

type WorkerOptions = Pick<CommonOptions, 'data'> & {
  readonly log?: string;
  readonly dryRun?: boolean;
  readonly maxCycles?: string;
};

const ensureEveryMs = 60_000;
const ensureSoonMs = 3_000;

export function workerCommand(program: Command, frame: Frame): void {
  program
    .command('worker')
    .option('--data <dir>', 'data folder: mirrors and caches, and the "untilgreen up" to work for')
    .option('--log <level>', 'debug, info, warn or error (default: info)')
    .option('--dry-run', 'decide everything, write nothing to the outside')
    .option('--max-cycles <n>', 'cycles that read at the same time in this worker (default: 20)')
    .description('run a worker; logs are JSON lines on stderr')
    .action((options: WorkerOptions) =>
      frame.run({}, async () => {
        await runWorker(frame, options);
        return undefined;
      }),
    );
}

async function runWorker(frame: Frame, options: WorkerOptions): Promise<void> {
  const { env, stopped } = frame;
  const where = { env, ...(options.data === undefined ? {} : { dataDir: options.data }) };
  const endpoints = await findEndpoints(where);
  const { databaseUrl, temporal, dataDir, uiUrl } = endpoints;
  registerUrl(frame.redactor, databaseUrl);
  if (temporal === undefined) throw noTemporal('', 'TEMPORAL_ADDRESS is not set');
  await requirePostgres(databaseUrl);
  const maxCycles = maxCyclesOf(options);
  const level = options.log ?? (env.UNTILGREEN_LOG || 'info');
  const log = pino({ level }, pino.destination({ fd: 2, sync: true }));
  const queuePrefix = env.UNTILGREEN_QUEUE_PREFIX || undefined;
  // Loaded here: its native core is large, and no other command needs it.
  const [{ startWorker }, { installRuntime }] = await Promise.all([
    import('../../worker.ts'),
    import('../../worker-runtime.ts'),
  ]);
  installRuntime(log, env.UNTILGREEN_METRICS_ADDRESS || undefined);
  const worker = await startWorker({
    databaseUrl,
    connection: temporal,
    dataDir,
    env,
    log,
    ...(uiUrl === undefined ? {} : { uiUrl }),
    ...(queuePrefix === undefined ? {} : { queuePrefix }),
    ...(maxCycles === undefined ? {} : { maxCycles }),
    ...(options.dryRun === true ? { door: { dryRun: true } } : {}),
  }).catch((error: unknown) => {
    throw isTransport(error) ? noTemporal(temporal.address, messageOf(error)) : error;
  });
  const ended = new AbortController();
  const ensuring = keepLoops(where, AbortSignal.any([stopped, ended.signal]), (reason) =>
    log.warn({ reason: frame.redactor.redact(reason) }, 'loops could not be started, trying again'),
  );
  const stop = (): void => {
    log.info('worker stops');
    worker.shutdown();
  };
  stopped.addEventListener('abort', stop);
  if (stopped.aborted) stop();
  try {
    await worker.finished;
  } finally {
    ended.abort();
    await ensuring;
  }
}

/** @throws UsageError for what is no count */
function maxCyclesOf({ maxCycles }: WorkerOptions): number | undefined {
  if (maxCycles === undefined) return undefined;
  const count = Number(maxCycles);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000) return count;
  throw new UsageError(
    `--max-cycles: "${maxCycles.slice(0, 20)}" is no count. Fix: give a number from 1 to 1000`,
  );
}

async function keepLoops(
  where: Parameters<typeof connectUntilgreen>[0],
  stopped: AbortSignal,
  onFailure: (reason: string) => void,
): Promise<void> {
  while (!stopped.aborted) {
    let waitMs = ensureEveryMs;
    try {
      const client = await connectUntilgreen(where);
      try {
        await client.ensureLoops();
      } finally {
        await client.close();
      }
    } catch (error) {
      onFailure(messageOf(error));
      waitMs = ensureSoonMs;
    }
    await delay(waitMs, undefined, { signal: stopped }).catch(() => {});
  }
}

/** @throws UnreachableError */
async function requirePostgres(databaseUrl: Endpoints['databaseUrl']): Promise<void> {
  const pool = createPool(databaseUrl, () => {}, 1);
  try {
    await pool.query('select 1');
  } catch (error) {
    throw asPostgresError(error, databaseUrl);
  } finally {
    await pool.end();
  }
}

function isTransport(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TransportError' || /connect/i.test(error.message));
}

function noTemporal(address: string, reason: string): UnreachableError {
  return new UnreachableError(
    'Temporal',
    address,
    reason,
    'start it ("untilgreen up" does), or correct TEMPORAL_ADDRESS',
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// The demo's worker, in a process of its own so that it can be killed. Settings come in its environment, its log goes to stdout as JSON lines,
// and it dies when its standard input closes: with the demo, however that ends. It knows nothing of the demo's world.
import { writeFileSync } from 'node:fs';
import { pino } from 'pino';
import * as z from 'zod';
import { effectKinds } from '../src/contract/effect.ts';
import { type StartWorkerOptions, startWorker } from '../src/worker.ts';
import { installRuntime } from '../src/worker-runtime.ts';

const DoorTimes = z.object({ leaseMs: z.number(), writeMs: z.number(), settleMs: z.number() });

/** Given as JSON in `UNTILGREEN_DEMO_WORKER`. */
const WorkerSettings = z.object({
  databaseUrl: z.string(),
  temporalAddress: z.string(),
  queuePrefix: z.string().optional(),
  dataDir: z.string(),
  bundlePath: z.string(),
  doorTimes: DoorTimes.optional(),
  /** Kills itself once, between the write of the first effect of this kind and its receipt; `marker` is made at that moment. */
  killOnce: z.object({ kind: z.enum(effectKinds), marker: z.string() }).optional(),
});
export type WorkerSettings = z.infer<typeof WorkerSettings>;

const { UNTILGREEN_DEMO_WORKER: given, ...env } = process.env;
const settings = WorkerSettings.parse(JSON.parse(given ?? '{}'));

process.stdin.on('close', () => process.kill(process.pid, 'SIGKILL'));
process.stdin.resume();

const log = pino({ level: 'info' });
installRuntime(log);
const worker = await startWorker({
  databaseUrl: settings.databaseUrl,
  connection: { address: settings.temporalAddress },
  ...(settings.queuePrefix !== undefined && { queuePrefix: settings.queuePrefix }),
  dataDir: settings.dataDir,
  workflowBundle: { codePath: settings.bundlePath },
  env,
  log,
  door: {
    ...(settings.doorTimes && { times: settings.doorTimes }),
    ...(settings.killOnce && { atPoint: killOnceAt(settings.killOnce) }),
  },
});
process.on('SIGTERM', () => worker.shutdown());
await worker.finished;
process.exit(0);

type AtPoint = NonNullable<NonNullable<StartWorkerOptions['door']>['atPoint']>;

function killOnceAt({ kind, marker }: NonNullable<WorkerSettings['killOnce']>): AtPoint {
  return async (point, request) => {
    if (point !== 'written' || request.kind !== kind) return;
    try {
      writeFileSync(marker, JSON.stringify({ kind, target: request.target }), { flag: 'wx' });
    } catch {
      return; // it happened before
    }
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => {}); // nothing more runs while the signal is on its way
  };
}

// A worker of the night in a process of its own, which kills itself at a point of an effect, of a call of the model, or of an activity. It tells by a line that it runs, asks the rig for the
// time over HTTP, and dies with its standard input.
import { DefaultLogger, Runtime } from '@temporalio/worker';
import * as z from 'zod';
import { effectKinds } from '../../../../src/contract/effect.ts';
import { type NightWorkerSettings, startNightWorker } from './worker.ts';

const Kill = z.union([
  z.strictObject({
    kind: z.enum(effectKinds),
    /** Beginning of the step. */
    step: z.string(),
    point: z.enum(['claimed', 'fenced', 'written', 'settled']),
  }),
  /** In a call of the model. */
  z.strictObject({ model: z.enum(['reserved', 'answered', 'stored']) }),
  /** When it is done, and nobody was told. */
  z.strictObject({ activity: z.string() }),
]);
export type Kill = z.infer<typeof Kill>;

const Job = z.object({
  settings: z.custom<NightWorkerSettings>(),
  followUrl: z.url(),
  kill: Kill.nullable(),
});
export type Job = z.infer<typeof Job>;

const { NIGHT_WORKER: given, ...env } = process.env;
const { settings, followUrl, kill } = Job.parse(JSON.parse(given ?? '{}'));

process.stdin.on('close', () => process.kill(process.pid, 'SIGKILL'));
process.stdin.resume();

Runtime.install({ logger: new DefaultLogger('ERROR') });
await startNightWorker(settings, {
  env,
  follow: async () => {
    await fetch(followUrl);
  },
  atPoint: async (point, request) => {
    if (kill === null || !('kind' in kill) || point !== kill.point || request.kind !== kill.kind) return;
    if (request.step.startsWith(kill.step)) await die();
  },
  atModelPoint: async (point) => {
    if (kill !== null && 'model' in kill && kill.model === point) await die();
  },
  atEnd: async (activity) => {
    if (kill !== null && 'activity' in kill && kill.activity === activity) await die();
  },
});
process.stdout.write('runs\n');

async function die(): Promise<void> {
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => {}); // nothing more runs while the signal is on its way
}

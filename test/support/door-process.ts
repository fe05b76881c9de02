// A worker reduced to its door, in a process of its own, so that tests can kill and freeze it: the real services, all real kinds of effect
// (or scripted ones), no Temporal. Its job comes in DOOR_JOB; it prints one line of JSON with how each effect ended.
import * as z from 'zod';
import { createDoor, type DoorPoint } from '../../src/activities/effects/door.ts';
import { TryAgain } from '../../src/activities/effects/door-failure.ts';
import { createEffectDefinitions } from '../../src/activities/index.ts';
import { createServices } from '../../src/activities/services.ts';
import { createSecretResolver } from '../../src/config/secrets.ts';
import type { EffectAnswer, EffectRequest } from '../../src/contract/effect.ts';
import { createRedactor } from '../../src/logs/redact/redact-values.ts';
import { createPool } from '../../src/store/database.ts';
import { scriptedEffects } from './scripted-effects.ts';

const Job = z.object({
  databaseUrl: z.string(),
  cacheDir: z.string(),
  times: z.object({ leaseMs: z.int(), writeMs: z.int(), settleMs: z.int() }),
  requests: z.array(z.custom<EffectRequest>()).min(1),
  /** Sends itself the signal when all effects have come to this point (or to their end), and goes on if it lives. */
  stop: z
    .object({
      point: z.enum(['claimed', 'fenced', 'written', 'settled']),
      signal: z.enum(['SIGKILL', 'SIGSTOP']),
    })
    .optional(),
  /** At the same time; default all. */
  runners: z.int().min(1).optional(),
  /** A server of scripted effects, instead of all real kinds. */
  scriptedUrl: z.url().optional(),
  /** Asks each effect once, or until it has an end. */
  ask: z.enum(['once', 'untilEnded']),
});
export type DoorJob = z.infer<typeof Job>;

export type DoorEnd =
  | { readonly step: string; readonly answer: EffectAnswer }
  | { readonly step: string; readonly error: string; readonly type?: string };

const { DOOR_JOB: given, ...env } = process.env;
const job = Job.parse(JSON.parse(given ?? '{}'));

process.stdin.on('close', () => process.kill(process.pid, 'SIGKILL'));
process.stdin.resume();

let arrived = 0;
let release = (): void => {};
const released = new Promise<void>((resolve) => {
  release = resolve;
});

const redactor = createRedactor();
const pool = createPool(job.databaseUrl, () => {}, 20);
const services = createServices({
  pool,
  redactor,
  secrets: createSecretResolver({ env, redactor }),
  cacheDir: job.cacheDir,
});
const door = createDoor({
  pool,
  redactor,
  definitions:
    job.scriptedUrl === undefined
      ? createEffectDefinitions(services, () => {})
      : scriptedEffects(job.scriptedUrl),
  times: job.times,
  atPoint,
});

const ends: DoorEnd[] = [];
const waiting = [...job.requests];
await Promise.all(
  Array.from({ length: job.runners ?? job.requests.length }, async () => {
    for (let request = waiting.shift(); request !== undefined; request = waiting.shift()) {
      ends.push(await end(request));
      await arrive();
    }
  }),
);
process.stdout.write(`${JSON.stringify({ event: 'ended', ends })}\n`);
await pool.end();
process.exit(0);

async function end(request: EffectRequest): Promise<DoorEnd> {
  const { step } = request;
  for (;;) {
    try {
      return { step, answer: await door.run(request, AbortSignal.timeout(120_000)) };
    } catch (error) {
      if (job.ask === 'untilEnded' && error instanceof TryAgain) {
        await new Promise((resolve) => setTimeout(resolve, error.delayMs ?? 300));
        continue;
      }
      const type = error instanceof TryAgain ? { type: error.type } : {};
      return { step, error: error instanceof Error ? error.message : String(error), ...type };
    }
  }
}

async function atPoint(point: DoorPoint): Promise<void> {
  if (point !== job.stop?.point) return;
  await arrive();
  await released;
}

async function arrive(): Promise<void> {
  arrived += 1;
  if (job.stop === undefined || arrived !== job.requests.length) return;
  process.kill(process.pid, job.stop.signal);
  // Nothing more runs while the signal is on its way.
  if (job.stop.signal === 'SIGKILL') await new Promise(() => {});
  release();
}

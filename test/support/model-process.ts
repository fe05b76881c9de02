// A worker reduced to its calls of the model, in a process of its own, so that tests can kill it: the real services, no Temporal. Its job comes in
// MODEL_JOB; it prints one line of JSON with how each call ended.
import * as z from 'zod';
import { TryAgain } from '../../src/activities/effects/door-failure.ts';
import { createModelCaller, type ModelPoint } from '../../src/activities/model/call.ts';
import { createServices } from '../../src/activities/services.ts';
import { createSecretResolver } from '../../src/config/secrets.ts';
import type { ModelCallAnswer, ModelCallRequest } from '../../src/contract/model.ts';
import { createRedactor } from '../../src/logs/redact/redact-values.ts';
import { createPool } from '../../src/store/database.ts';

const Job = z.object({
  databaseUrl: z.string(),
  requests: z.array(z.custom<ModelCallRequest>()).min(1),
  nowMs: z.int(),
  leaseMarginMs: z.int(),
  /** Kills itself when a call comes to this point. */
  killAt: z.enum(['reserved', 'answered', 'stored']).optional(),
  /** Asks again after TryAgain, so often; default once. */
  tries: z.int().min(1).optional(),
});
export type ModelJob = z.infer<typeof Job>;

export type ModelEnd =
  | { readonly answer: ModelCallAnswer }
  | { readonly again: string; readonly type: string };

const job = Job.parse(JSON.parse(process.env.MODEL_JOB ?? '{}'));
process.stdin.on('close', () => process.kill(process.pid, 'SIGKILL'));
process.stdin.resume();

const redactor = createRedactor();
const pool = createPool(job.databaseUrl, () => {}, 20);
const secrets = createSecretResolver({ env: process.env, redactor });
const call = createModelCaller(createServices({ pool, redactor, secrets, cacheDir: 'none' }), {
  leaseMarginMs: job.leaseMarginMs,
  atPoint: async (point: ModelPoint) => {
    if (point !== job.killAt) return;
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => {});
  },
});

const ends = await Promise.all(job.requests.map(end));
process.stdout.write(`${JSON.stringify({ ends })}\n`);
await pool.end();
process.exit(0);

async function end(request: ModelCallRequest): Promise<ModelEnd> {
  for (let tries = job.tries ?? 1; ; tries -= 1) {
    try {
      const signal = AbortSignal.timeout(120_000);
      return { answer: await call(request, { signal, nowMs: job.nowMs, lastTry: false }) };
    } catch (error) {
      if (!(error instanceof TryAgain)) throw error;
      if (tries <= 1) return { again: error.message, type: error.type };
      await new Promise((resolve) => setTimeout(resolve, Math.min(error.delayMs ?? 200, 300)));
    }
  }
}

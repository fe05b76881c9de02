// Keeps the watchdog looking for as long as a worker runs.
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Door } from '../activities/effects/door.ts';
import type { Pool } from '../store/database.ts';
import { lookAtLoops } from './look.ts';

const lookEveryMs = 60_000;

/** Ends with `stopped`. Whatever fails is looked at again: it must outlive everything but its process. */
export async function keepWatching(
  parts: { readonly pool: Pool; readonly door: Door; readonly client: Client },
  log: Logger,
  stopped: AbortSignal,
): Promise<void> {
  while (!stopped.aborted) {
    await delay(lookEveryMs, undefined, { signal: stopped }).catch(() => {});
    if (stopped.aborted) return;
    try {
      for (const one of (await lookAtLoops({ ...parts, nowMs: Date.now(), signal: stopped })) ?? [])
        if (one.told !== null || one.problem !== null) log.warn({ ...one }, 'watchdog');
    } catch (error) {
      log.warn({ reason: error instanceof Error ? error.message : String(error) }, 'watchdog could not look');
    }
  }
}

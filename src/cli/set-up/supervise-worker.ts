// Keeps a worker process running beside `untilgreen up`. The worker is a process of its own, so that a crash in it (a segmentation fault of the
// native core, an isolate out of memory) takes neither the servers nor this command with it, and is repaired by starting it again: all its
// work is in Temporal and Postgres. It never gives up; it waits longer each time.
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerProcess } from '../../embedded/machine/child-process.ts';

const backoffMs = [250, 1_000, 2_000, 5_000, 10_000, 30_000];
/** A worker that lived this long was fine: the next crash starts at the shortest wait. */
const healthyMs = 60_000;
/** Longer than the worker's own grace for its activities. */
const stopGraceMs = 40_000;

export type SupervisedWorker = {
  /** Lets it finish what it is doing, and keeps it stopped. */
  readonly stop: () => Promise<void>;
};

export async function superviseWorker(options: {
  readonly start: () => Promise<ServerProcess>;
  readonly lastLogLines: () => Promise<string>;
  readonly say: (line: string) => void;
}): Promise<SupervisedWorker> {
  const { start, lastLogLines, say } = options;
  const stopping = new AbortController();
  let current: ServerProcess | undefined = await start();

  const watch = async (): Promise<void> => {
    let crashes = 0;
    for (;;) {
      const startedMs = performance.now();
      const reason = (await current?.exited) ?? 'it did not start';
      if (stopping.signal.aborted) return;
      crashes = performance.now() - startedMs > healthyMs ? 1 : crashes + 1;
      const waitMs = waitAfter(crashes);
      say(`the worker ended (${reason}); starting it again in ${waitMs / 1000} s. Last lines of its log:`);
      say(await lastLogLines());
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      current = await start().catch((error: unknown) => {
        say(`the worker cannot be started: ${error instanceof Error ? error.message : String(error)}`);
        return undefined;
      });
    }
  };
  const watching = watch();

  return {
    stop: async () => {
      stopping.abort();
      await current?.stop('SIGTERM', stopGraceMs);
      await watching;
    },
  };
}

/** In milliseconds, after so many crashes in a row. Pure. */
export function waitAfter(crashes: number): number {
  return backoffMs[Math.min(crashes, backoffMs.length) - 1] ?? 250;
}

// Keeps one embedded server running: starts it again when it dies (DUR-2), a few times, then gives up aloud.
// Knows nothing of what the server is.

import type { Progress } from './machine/binary-cache.ts';
import { EmbeddedStartError } from './machine/start-error.ts';

const MAX_RESTARTS = 5;
const WINDOW_MS = 10 * 60_000;

/** What a server must offer to be kept running. */
export interface SupervisedServer {
  exited: Promise<string>;
  lastLogLines(): Promise<string>;
  stop(): Promise<void>;
}

export interface Supervised<Server> {
  /** The server as it was last started: its pid changes when it is started again. */
  current(): Server;
  /** Stops it for good. */
  stop(): Promise<void>;
}

/** Starts a server and starts it again after each death. `onFailure` is called once, when that does not help. */
export async function supervise<Server extends SupervisedServer>(options: {
  name: string;
  start: () => Promise<Server>;
  progress: Progress;
  onFailure: (error: Error) => void;
}): Promise<Supervised<Server>> {
  const { name, start, progress, onFailure } = options;
  let server = await start();
  let stopping = false;
  const restartsMs: number[] = [];

  const watch = async (): Promise<void> => {
    for (;;) {
      const reason = await server.exited;
      if (stopping) return;
      restartsMs.push(Date.now());
      if (recent(restartsMs, Date.now()) > MAX_RESTARTS) {
        throw new EmbeddedStartError(
          `${name} ended ${MAX_RESTARTS + 1} times within ${WINDOW_MS / 60_000} minutes, now with ${reason}. ` +
            `Last lines of its log:\n${await server.lastLogLines()}`,
        );
      }
      progress(`${name} ended (${reason}); starting it again`);
      server = await start();
      if (stopping) return server.stop();
      progress(`${name} runs again`);
    }
  };
  const watching = watch().catch((error: unknown) => {
    onFailure(error instanceof Error ? error : new Error(String(error)));
  });

  return {
    current: () => server,
    stop: async () => {
      stopping = true;
      await server.stop();
      await watching; // it may just be starting again, and then stops by itself
    },
  };
}

/** How many of these times lie in the window that ends at `nowMs`. */
function recent(timesMs: readonly number[], nowMs: number): number {
  return timesMs.filter((timeMs) => nowMs - timeMs < WINDOW_MS).length;
}

// A program whose process group dies with the forge, also when the forge is killed: a guard in the group waits on a pipe that only the
// forge holds. Standard error goes where standard output goes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const GUARDED = `( cat <&3 >/dev/null; kill -KILL 0 ) >/dev/null 2>&1 &
exec "$@" 3<&- 2>&1`;

/**
 * Runs it to its end, or kills it when the signal fires; `read` must take its output to the end. Gives the exit code; null when a signal
 * ended it. Throws when it cannot be started, e.g. for a directory that does not exist.
 */
export async function runGuarded(
  command: readonly string[],
  how: {
    readonly directory: string;
    /** The whole environment. */
    readonly environment: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
    readonly read: (output: NodeJS.ReadableStream) => Promise<void>;
  },
): Promise<number | null> {
  const { directory, environment, signal, read } = how;
  if (signal.aborted) return null;
  const child = spawn('bash', ['-c', GUARDED, 'forge-step', ...command], {
    cwd: directory,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  });
  child.on('error', () => undefined);
  const group = child.pid;
  if (group === undefined) throw new Error(`the step could not be started in ${directory}`);
  const kill = (): void => {
    try {
      process.kill(-group, 'SIGKILL');
    } catch {
      // The group is gone already.
    }
  };
  signal.addEventListener('abort', kill, { once: true });
  const exited = once(child, 'exit').then(([code]) => {
    kill();
    return typeof code === 'number' ? code : null;
  });
  if (child.stdout !== null) await read(child.stdout);
  signal.removeEventListener('abort', kill);
  return await exited;
}

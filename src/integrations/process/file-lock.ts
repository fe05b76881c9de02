// A lock on a file between processes of one machine, by flock(1): the kernel frees it when its holder dies, however that ends. The holder is a child
// that waits for the end of its input, which is the end of this process at the latest.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cleanEnvironment } from './run-command.ts';

const program = 'flock';

export type FileLock = { readonly release: () => Promise<void> };

export type FileLockRequest = {
  /** Made when it is not there; its folder must exist. */
  readonly path: string;
  readonly mode: 'shared' | 'exclusive';
  readonly signal?: AbortSignal | undefined;
};

/** Waits for the lock. @throws the signal's reason; Error without flock(1), or for a path that cannot be locked */
export async function holdLock(request: FileLockRequest): Promise<FileLock> {
  const lock = await take(request, []);
  if (lock === undefined) throw new Error(`lock: ${request.path} cannot be locked`);
  return lock;
}

/** The lock, or undefined when another holds it. @throws Error without flock(1) */
export function tryLock(request: FileLockRequest): Promise<FileLock | undefined> {
  return take(request, ['-n']);
}

async function take(request: FileLockRequest, options: readonly string[]): Promise<FileLock | undefined> {
  request.signal?.throwIfAborted();
  const mode = request.mode === 'shared' ? '-s' : '-x';
  const holder = spawn(
    program,
    [mode, ...options, request.path, 'sh', '-c', 'echo held; exec cat > /dev/null'],
    { env: { PATH: cleanEnvironment().PATH }, stdio: ['pipe', 'pipe', 'ignore'], detached: true },
  );
  holder.stdin.on('error', () => {});
  const ended = new Promise<'ended'>((resolve, reject) => {
    holder.once('close', () => resolve('ended'));
    holder.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new Error('flock is not installed: install util-linux') : error),
    );
  });
  const stop = (): void => void holder.kill('SIGKILL');
  request.signal?.addEventListener('abort', stop);
  try {
    const first = await Promise.race([once(holder.stdout, 'data'), ended]);
    request.signal?.throwIfAborted();
    if (first === 'ended') return undefined;
  } catch (error) {
    holder.stdin.destroy();
    throw error;
  } finally {
    request.signal?.removeEventListener('abort', stop);
  }
  return {
    release: async () => {
      holder.stdin.end();
      await ended;
    },
  };
}

// Programs that are fetched or built once per user: the cache folder, and the rule that only one process
// makes an entry at a time and that an entry appears whole or not at all. Knows nothing of what is made.

import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { waitForLock } from './file-lock.ts';

/** One line for people about what is going on; shown on stderr. */
export type Progress = (line: string) => void;

/** `$XDG_CACHE_HOME/untilgreen`, else `~/.cache/untilgreen`. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CACHE_HOME;
  return join(base !== undefined && base !== '' ? base : join(homedir(), '.cache'), 'untilgreen');
}

/**
 * Path of `<folder>/<file>`, made by `make(work, out)` when it is not there: `work` is a scratch folder,
 * `out` where the program must end up. A second caller waits; a maker that died is taken over.
 */
export async function cachedProgram(entry: {
  folder: string;
  file: string;
  progress: Progress;
  make: (work: string, out: string) => Promise<void>;
}): Promise<string> {
  const { folder, file, progress, make } = entry;
  const path = join(folder, file);
  if (existsSync(path)) return path;
  const lock = await waitForLock(join(folder, 'lock'), (pid) =>
    progress(`waiting for process ${pid ?? 'unknown'}, which is preparing ${file}`),
  );
  try {
    if (existsSync(path)) return path;
    const scratch = join(folder, 'work');
    await rm(scratch, { recursive: true, force: true }); // what a killed maker left
    await mkdir(scratch, { recursive: true });
    const work = await mkdtemp(join(scratch, 'make-'));
    try {
      const out = join(work, file);
      await make(work, out);
      await chmod(out, 0o755);
      await rename(out, path);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    return path;
  } finally {
    lock.release();
  }
}

// A lock on a path that the kernel lets go of when its holder dies, however it dies: an exclusive SQLite
// transaction held open. There is no stale lock, no clock and no re-used process id to judge.
// The holder's pid lies beside it in a readable file; that file informs people and decides nothing.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';

const SQLITE_BUSY = 5;
const POLL_MS = 500;

export interface FileLock {
  /** Lets go of the lock. Safe to call twice. */
  release(): void;
}

/** The lock at `path`, or `undefined` when a live process (this one too) holds it. Creates the folder. */
export function tryLock(path: string): FileLock | undefined {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('pragma journal_mode = delete; begin exclusive');
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  writeFileSync(holderFile(path), `${process.pid}\n`);
  return {
    release: () => {
      if (database.isOpen) database.close();
    },
  };
}

/** Waits until the lock is free. `onWait` is called once, with the holder's pid, when there is a wait. */
export async function waitForLock(
  path: string,
  onWait: (pid: number | undefined) => void,
): Promise<FileLock> {
  for (let waited = false; ; waited = true) {
    const lock = tryLock(path);
    if (lock) return lock;
    if (!waited) onWait(lockHolder(path));
    await delay(POLL_MS);
  }
}

/** The pid that last took the lock; meaningful only while {@link tryLock} says it is held. */
export function lockHolder(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(holderFile(path), 'utf8'), 10);
    return Number.isNaN(pid) ? undefined : pid;
  } catch {
    return undefined;
  }
}

function holderFile(path: string): string {
  return `${path}.pid`;
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

// Temporary folders that are gone after use, also when their user was killed: each is locked while in use, and making
// one removes those whose lock nobody holds.

import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryLock } from './file-lock.ts';

const PREFIX = 'untilgreen-throw-away-';
const LOCK = 'lock';
const BEING_MADE_MS = 3600_000;

export interface ThrowAwayFolder {
  path: string;
  /** Removes the folder and all in it. Safe to call twice. */
  remove(): Promise<void>;
}

/** A new empty folder (but for the lock file) in the system's temporary folder. */
export async function throwAwayFolder(): Promise<ThrowAwayFolder> {
  await removeAbandoned();
  const path = await mkdtemp(join(tmpdir(), PREFIX));
  const lock = tryLock(join(path, LOCK));
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true });
      lock?.release();
    },
  };
}

async function removeAbandoned(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const path of names.filter((name) => name.startsWith(PREFIX)).map((name) => join(tmpdir(), name))) {
    await removeIfAbandoned(path).catch(() => {}); // another user's, or just being removed
  }
}

async function removeIfAbandoned(path: string): Promise<void> {
  if (!existsSync(join(path, LOCK)) && Date.now() - (await stat(path)).mtimeMs < BEING_MADE_MS) return;
  const lock = tryLock(join(path, LOCK));
  if (lock === undefined) return;
  await rm(path, { recursive: true, force: true });
  lock.release();
}

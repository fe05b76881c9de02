// What set-ups left behind, kept in the worker's cache: copied out and in, never linked, so that no later command changes what is kept. An entry appears
// in one rename when it is whole; locks of the kernel make sure that one process writes or removes it, and what a killed one left is cleared.
// The copied files were made by strangers: no link is followed, neither where they are taken from nor where they are put.
import { lstat, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeFolder } from '../git/worktree.ts';
import { type FileLock, holdLock, tryLock } from '../process/file-lock.ts';
import { cleanEnvironment, runCommand } from '../process/run-command.ts';

export type SetUpCache = {
  /** Folder of the cache; nothing of it is ever shown to a sandbox. */
  readonly dir: string;
  /** Of one entry, and of all together; the entries that were not used for longest go first. */
  readonly maxEntryBytes: number;
  readonly maxBytes: number;
};

/** A checkout and the home of its commands. */
export type Place = { readonly tree: string; readonly home: string };

/** Relative paths of what a set-up made, without slashes at their ends. */
export type Made = { readonly tree: readonly string[]; readonly home: readonly string[] };

type Entry = { readonly made: Made; readonly bytes: number };

const entryFile = 'entry.json';
const maxPaths = 2_000;
const parts = ['tree', 'home'] as const;

/** The lock of an entry: shared to copy from it, exclusive to make it. Throws the signal's reason. */
export async function lockEntry(
  cache: SetUpCache,
  key: string,
  mode: 'shared' | 'exclusive',
  signal: AbortSignal | undefined,
): Promise<FileLock> {
  await mkdir(join(cache.dir, 'locks'), { recursive: true, mode: 0o700 });
  return holdLock({ path: lockPath(cache, key), mode, signal });
}

/** Copies an entry into a place. False when there is none, or when it does not fit: then nothing was copied. Needs the lock. */
export async function putBack(cache: SetUpCache, key: string, place: Place): Promise<boolean> {
  const folder = join(cache.dir, key);
  const entry = await readEntry(folder);
  if (entry === undefined) return false;
  for (const part of parts)
    for (const path of entry.made[part]) if (!(await isFree(place[part], path))) return false;
  for (const part of parts) {
    const made = entry.made[part];
    for (const path of made) await mkdir(dirname(join(place[part], path)), { recursive: true });
    await copyAll(join(folder, part), place[part], made);
  }
  const now = new Date();
  await utimes(join(folder, entryFile), now, now);
  return true;
}

/** Keeps what a set-up made. Returns why it does not, or undefined. Needs the exclusive lock. */
export async function keep(
  cache: SetUpCache,
  key: string,
  place: Place,
  made: Made,
): Promise<string | undefined> {
  const count = made.tree.length + made.home.length;
  if (count > maxPaths) return `it made ${count} files beside each other, at most ${maxPaths} are kept`;
  for (const part of parts)
    for (const path of made[part])
      if (!(await hasRealParents(place[part], path))) return `${path} lies behind a link`;
  const making = join(cache.dir, `.making-${key}`);
  await removeFolder(making);
  try {
    const bytes = await sizeOf(place, made);
    if (bytes > cache.maxEntryBytes) return `it made ${bytes} bytes, at most ${cache.maxEntryBytes} are kept`;
    for (const part of parts) {
      await mkdir(join(making, part), { recursive: true, mode: 0o700 });
      for (const path of made[part]) await mkdir(dirname(join(making, part, path)), { recursive: true });
      await copyAll(place[part], join(making, part), made[part]);
    }
    await writeFile(join(making, entryFile), JSON.stringify({ made, bytes } satisfies Entry));
    // A machine that loses power must not find an entry with empty files.
    await run(['sync', '-f', making]);
    await removeFolder(join(cache.dir, key));
    await rename(making, join(cache.dir, key));
    return undefined;
  } catch (error) {
    await removeFolder(making);
    return `it cannot be copied: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Removes what dead processes left, and the entries not used for longest while there is too much. What somebody uses now stays. */
export async function prune(cache: SetUpCache): Promise<void> {
  const entries: { readonly key: string; readonly bytes: number; readonly usedMs: number }[] = [];
  for (const name of await readdir(cache.dir)) {
    const left = /^\.(?:making|gone)-(\w+)$/.exec(name)?.[1];
    if (left !== undefined) await unlessUsed(cache, left, () => removeFolder(join(cache.dir, name)));
    if (!/^[0-9a-f]{64}$/.test(name)) continue;
    const entry = await readEntry(join(cache.dir, name));
    const used = await lstat(join(cache.dir, name, entryFile)).catch(() => null);
    entries.push({ key: name, bytes: entry?.bytes ?? 0, usedMs: used?.mtimeMs ?? 0 });
  }
  let total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { key, bytes } of entries.toSorted((a, b) => a.usedMs - b.usedMs)) {
    if (total <= cache.maxBytes) return;
    const gone = join(cache.dir, `.gone-${key}`);
    await unlessUsed(cache, key, async () => {
      await removeFolder(gone);
      await rename(join(cache.dir, key), gone);
      total -= bytes;
      await removeFolder(gone);
    });
  }
}

/** Removes files of the home that only downloads need: the result is there without them. */
export async function dropDownloads(home: string): Promise<void> {
  for (const path of ['.npm', '.cache/pip', '.cache/yarn', '.cache/uv', '.cache/go-build', '.cache/node-gyp'])
    if (await hasRealParents(home, path)) await rm(join(home, path), { recursive: true, force: true });
}

function lockPath(cache: SetUpCache, key: string): string {
  return join(cache.dir, 'locks', key.slice(0, 2)); // few files for ever; keys that share one wait for each other
}

async function unlessUsed(cache: SetUpCache, key: string, work: () => Promise<void>): Promise<void> {
  const lock = await tryLock({ path: lockPath(cache, key), mode: 'exclusive' });
  if (lock === undefined) return;
  try {
    await work();
  } finally {
    await lock.release();
  }
}

async function readEntry(folder: string): Promise<Entry | undefined> {
  const text = await readFile(join(folder, entryFile), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Entry);
}

/** True when all folders above the path are folders: no link leads out. Those that are not there are no trouble. */
async function hasRealParents(root: string, path: string): Promise<boolean> {
  const names = path.split('/');
  if (names.some((name) => name === '' || name === '.' || name === '..')) return false;
  for (let depth = 1; depth < names.length; depth += 1) {
    const found = await lstat(join(root, ...names.slice(0, depth))).catch(() => null);
    if (found !== null && !found.isDirectory()) return false;
  }
  return true;
}

async function isFree(root: string, path: string): Promise<boolean> {
  return (await hasRealParents(root, path)) && (await lstat(join(root, path)).catch(() => null)) === null;
}

async function sizeOf(place: Place, made: Made): Promise<number> {
  let bytes = 0;
  for (const part of parts)
    for (const some of inGroups(made[part])) {
      const said = await run(['du', '-sk', '--', ...some.map((path) => join(place[part], path))]);
      for (const line of said.split('\n')) bytes += 1024 * (Number.parseInt(line, 10) || 0);
    }
  return bytes;
}

/** Copies paths from below one folder to the same paths below another. Links stay links; no file is shared with the original. */
async function copyAll(from: string, to: string, paths: readonly string[]): Promise<void> {
  const copy =
    process.platform === 'linux'
      ? ['cp', '-dR', '--preserve=mode,timestamps,links', '--reflink=auto']
      : ['cp', '-RPp'];
  for (const [parent, inside] of Map.groupBy(paths, dirname))
    for (const some of inGroups(inside))
      await run([...copy, '--', ...some.map((path) => join(from, path)), join(to, parent, '/')]);
}

function inGroups(paths: readonly string[]): readonly (readonly string[])[] {
  const size = 200;
  return Array.from({ length: Math.ceil(paths.length / size) }, (_, index) =>
    paths.slice(index * size, (index + 1) * size),
  );
}

async function run(argv: readonly string[]): Promise<string> {
  const { PATH } = cleanEnvironment();
  const done = await runCommand({
    argv,
    cwd: '/',
    env: { PATH, LC_ALL: 'C' },
    timeoutMs: 15 * 60_000,
    maxOutputBytes: 1_000_000,
  });
  if (done.exitCode === 0) return done.stdout;
  throw new Error(`${argv[0]}: ${done.stderr.trim().split('\n').at(-1)?.slice(0, 300) || done.end}`);
}

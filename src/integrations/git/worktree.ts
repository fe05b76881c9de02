// A checked-out commit for a repository's own commands, and what they changed in it. The checkout has a small `.git`
// of its own, so that `git diff` works for the commands, but that one is theirs: our git never reads it. Ours uses an
// index and an object store beside the checkout, out of their reach, and throws both away with it.
import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment, runCommand } from '../process/run-command.ts';
import { checkSha, GitError, git } from './git-command.ts';
import type { Mirror } from './mirror.ts';

/** A checkout at `baseSha`; `path` is the folder that commands may write. */
export type Worktree = {
  readonly path: string;
  readonly baseSha: string;
  readonly mirror: Mirror;
  /** Folder with our index, objects and scratch files; never given to a sandbox. */
  readonly privateDir: string;
  /** Home of the commands, beside the checkout: what set-up puts there (`~/.cargo`, `~/go`) is there for the next command. Empty at first. */
  readonly homeDir: string;
  readonly remove: () => Promise<void>;
};

/** A change as a value: any worker can rebuild it from these three. The patch is text (binary parts are base85). */
export type WorktreeValue = { readonly baseSha: string; readonly patch: string; readonly treeSha: string };

/** Bounds on what a command may leave to be captured; more than that is no fix (DUR-4). */
const MAX_CHANGED_FILES = 2_000;
const MAX_CHANGED_BYTES = 50_000_000;
const MAX_PATCH_BYTES = 1_000_000;

const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
const THIS_PROCESS = randomBytes(4).toString('hex');

/**
 * Checks out one commit (depth 1) in a new folder under the cache, and clears what dead workers of this host left.
 *
 * @throws GitError when the mirror does not have the commit.
 */
export async function createWorktree(request: { mirror: Mirror; sha: string }): Promise<Worktree> {
  const { mirror, sha } = request;
  checkSha('sha', sha);
  const parent = join(mirror.cacheDir, 'worktrees');
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await removeAbandoned(parent);
  const root = await mkdtemp(join(parent, `${HOST}-${process.pid}-${THIS_PROCESS}-`));
  const path = join(root, 'tree');
  const privateDir = join(root, 'private');
  const homeDir = join(root, 'home');
  const remove = (): Promise<void> => removeFolder(root);
  try {
    await mkdir(path);
    await mkdir(homeDir);
    await mkdir(join(privateDir, 'objects'), { recursive: true });
    const own = { GIT_DIR: join(path, '.git'), GIT_WORK_TREE: path };
    await git({ args: ['init', '--quiet', '--template='], cwd: path, env: own });
    const from = `file://${mirror.path}`;
    await git({
      args: ['fetch', '--quiet', '--depth=1', '--no-tags', '--no-write-fetch-head', from, sha],
      cwd: path,
      env: own,
    });
    await git({ args: ['checkout', '--quiet', '--detach', sha], cwd: path, env: own });
    const worktree: Worktree = { path, baseSha: sha, mirror, privateDir, homeDir, remove };
    await privateGit(worktree, ['read-tree', sha]);
    await privateGit(worktree, ['update-index', '-q', '--refresh'], { okExitCodes: [0, 1] });
    return worktree;
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * What the worktree now holds over its base: tracked and new files, without those the repository ignores.
 *
 * @throws GitError `tooLarge` when more than 2,000 files or 50 MB changed, or the patch is over 1 MB.
 */
export async function captureWorktree(worktree: Worktree): Promise<WorktreeValue> {
  const treeSha = await captureTree(worktree);
  return { baseSha: worktree.baseSha, treeSha, patch: await diffTrees(worktree, worktree.baseSha, treeSha) };
}

/**
 * Writes the worktree's present content as a tree object and returns its SHA. Throws like `captureWorktree`.
 *
 * No `git add`: it asks each repository inside of the worktree for its state, and a repository that a command made there names the
 * programs (filters) that answering would run, outside of the sandbox.
 */
export async function captureTree(worktree: Worktree): Promise<string> {
  await privateGit(worktree, ['update-index', '-q', '--refresh'], { okExitCodes: [0, 1] });
  const listed = await privateGit(worktree, [
    'ls-files',
    '-z',
    '--modified',
    '--deleted',
    '--others',
    '--exclude-standard',
  ]);
  const { gone, there } = await lookedAt(worktree, new Set(listed.split('\0').filter(Boolean)));
  const update = (how: readonly string[], names: readonly string[]): Promise<string> =>
    privateGit(worktree, ['update-index', '-z', ...how, '--stdin'], {
      stdin: names.map((name) => `${name}\0`).join(''),
    });
  await update(['--force-remove'], gone);
  await update(['--add', '--replace'], there);
  return (await privateGit(worktree, ['write-tree'])).trim();
}

/** Names of the files that differ between two trees or commits. */
export async function changedPaths(worktree: Worktree, from: string, to: string): Promise<readonly string[]> {
  const names = await privateGit(worktree, [
    'diff-tree',
    '-r',
    '-z',
    '--no-renames',
    '--name-only',
    from,
    to,
  ]);
  return names.split('\0').filter((name) => name !== '');
}

/** The tree of the worktree's base. */
export async function baseTree(worktree: Worktree): Promise<string> {
  return (await privateGit(worktree, ['rev-parse', '--verify', `${worktree.baseSha}^{tree}`])).trim();
}

/** Files of a tree or commit with their mode and content's SHA. */
export async function listTree(
  worktree: Worktree,
  tree: string,
): Promise<readonly { readonly mode: string; readonly sha: string; readonly path: string }[]> {
  const listed = await privateGit(worktree, ['ls-tree', '-r', '-z', '--full-tree', tree]);
  return listed
    .split('\0')
    .filter(Boolean)
    .map((entry) => {
      const tab = entry.indexOf('\t');
      const [mode = '', , sha = ''] = entry.slice(0, tab).split(' ');
      return { mode, sha, path: entry.slice(tab + 1) };
    });
}

/** Names of the mirror's branches that a commit is on. */
export async function branchesWith(mirror: Mirror, sha: string): Promise<readonly string[]> {
  const { stdout } = await git({
    args: [
      '--git-dir',
      mirror.path,
      'for-each-ref',
      `--contains=${sha}`,
      '--format=%(refname:strip=2)',
      'refs/heads',
    ],
    cwd: mirror.path,
  });
  return stdout.split('\n').filter(Boolean);
}

/** What a command made (files, and folders with a slash at their end, ignored ones too), and which tracked files it changed. */
export async function leftBehind(
  worktree: Worktree,
): Promise<{ readonly made: readonly string[]; readonly changed: readonly string[] }> {
  await privateGit(worktree, ['update-index', '-q', '--refresh'], { okExitCodes: [0, 1] });
  const made = await privateGit(worktree, ['ls-files', '-z', '--others', '--directory']);
  const changed = await privateGit(worktree, ['ls-files', '-z', '--modified', '--deleted']);
  return { made: made.split('\0').filter(Boolean), changed: changed.split('\0').filter(Boolean) };
}

/** A tree like `onto`, in which each of `paths` is as in `from` (changed, added or gone). Returns its SHA. */
export async function treeWithPaths(
  worktree: Worktree,
  onto: string,
  from: string,
  paths: readonly string[],
): Promise<string> {
  const env = { GIT_INDEX_FILE: join(worktree.privateDir, 'scratch-index') };
  await privateGit(worktree, ['read-tree', onto], { env });
  const wanted = new Set(paths);
  const listed = await privateGit(worktree, ['ls-tree', '-r', '-z', '--full-tree', from]);
  const entries = listed.split('\0').filter((entry) => wanted.has(entry.slice(entry.indexOf('\t') + 1)));
  const present = new Set(entries.map((entry) => entry.slice(entry.indexOf('\t') + 1)));
  const gone = paths
    .filter((path) => !present.has(path))
    .map((path) => `0 ${'0'.repeat(onto.length)}\t${path}`);
  await privateGit(worktree, ['update-index', '-z', '--index-info'], {
    env,
    stdin: [...gone, ...entries, ''].join('\0'),
  });
  return (await privateGit(worktree, ['write-tree'], { env })).trim();
}

/** The patch between two trees or commits, as text; files that are not UTF-8 appear as binary. */
export async function diffTrees(worktree: Worktree, from: string, to: string): Promise<string> {
  const output = join(worktree.privateDir, 'patch');
  for (const asText of [true, false]) {
    const attributes = asText ? [] : ['-c', `core.attributesFile=${await binaryAttributes(worktree)}`];
    // no work tree here: attributes of the repository must not decide what a reviewer sees
    await git({
      args: [
        ...attributes,
        '--git-dir',
        worktree.mirror.path,
        'diff-tree',
        '-r',
        '-p',
        '--binary',
        '--full-index',
        '--no-renames',
        '--no-ext-diff',
        '--no-textconv',
        '--no-color',
        '--src-prefix=a/',
        '--dst-prefix=b/',
        '--submodule=short',
        '-U3',
        `--output=${output}`,
        from,
        to,
      ],
      cwd: worktree.privateDir,
      env: objectsOf(worktree),
    });
    if ((await lstat(output)).size > MAX_PATCH_BYTES)
      throw new GitError('tooLarge', `the patch is over ${MAX_PATCH_BYTES} bytes`);
    const bytes = await readFile(output);
    const text = bytes.toString('utf8');
    if (Buffer.from(text, 'utf8').equals(bytes)) return text;
  }
  throw new GitError('failed', 'the patch is not UTF-8 even in its binary form (file names?)');
}

/** Puts a value's change into a fresh worktree at its base, and makes sure that the result is the value's tree. */
export async function applyValue(worktree: Worktree, value: WorktreeValue): Promise<void> {
  if (worktree.baseSha !== value.baseSha) throw new Error('applyValue: the worktree is at another base');
  if (value.patch !== '')
    await privateGit(worktree, ['apply', '--index', '--binary', '--whitespace=nowarn', '-'], {
      stdin: value.patch,
    });
  const treeSha = (await privateGit(worktree, ['write-tree'])).trim();
  if (treeSha !== value.treeSha)
    throw new GitError('failed', `the patch gives tree ${treeSha}, not ${value.treeSha}`);
}

async function privateGit(
  worktree: Worktree,
  args: readonly string[],
  options: { env?: Record<string, string>; stdin?: string; okExitCodes?: readonly number[] } = {},
): Promise<string> {
  const env = {
    GIT_DIR: worktree.mirror.path,
    GIT_WORK_TREE: worktree.path,
    GIT_INDEX_FILE: join(worktree.privateDir, 'index'),
    ...objectsOf(worktree),
    ...options.env,
  };
  return (await git({ ...options, args, cwd: worktree.path, env })).stdout;
}

function objectsOf(worktree: Worktree): Record<string, string> {
  return {
    GIT_OBJECT_DIRECTORY: join(worktree.privateDir, 'objects'),
    GIT_ALTERNATE_OBJECT_DIRECTORIES: join(worktree.mirror.path, 'objects'),
  };
}

async function binaryAttributes(worktree: Worktree): Promise<string> {
  const path = join(worktree.privateDir, 'attributes');
  await writeFile(path, '* -diff\n');
  return path;
}

/** Which of the changed names are no files any more, and which are there. Throws for more than a fix may change. */
async function lookedAt(
  worktree: Worktree,
  names: ReadonlySet<string>,
): Promise<{ gone: readonly string[]; there: readonly string[] }> {
  if (names.size > MAX_CHANGED_FILES)
    throw new GitError(
      'tooLarge',
      `${names.size} changed files, at most ${MAX_CHANGED_FILES}: are build results ignored by .gitignore?`,
    );
  const gone: string[] = [];
  const there: string[] = [];
  let bytes = 0;
  for (const listed of names) {
    // A repository inside of the checkout is listed with a slash; it counts as a submodule, which the gate leaves to a person.
    const name = listed.replace(/\/$/, '');
    const path = join(worktree.path, name);
    const stats = await lstat(path).catch(() => null);
    bytes += stats?.size ?? 0;
    if (stats === null || stats.isDirectory()) gone.push(name);
    if (stats !== null && (!stats.isDirectory() || (await isThere(join(path, '.git'))))) there.push(name);
  }
  if (bytes > MAX_CHANGED_BYTES)
    throw new GitError(
      'tooLarge',
      `${bytes} bytes in changed files, at most ${MAX_CHANGED_BYTES}: are build results ignored by .gitignore?`,
    );
  return { gone, there };
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}

/** Removes worktrees of processes of this host that are gone; others (a shared cache) are left alone. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const [host, pid, owner] = name.split('-');
    if (host !== HOST || owner === THIS_PROCESS || (Number(pid) !== process.pid && isAlive(Number(pid))))
      continue;
    // What cannot be removed only takes space: it must not keep work from being done.
    await removeFolder(join(parent, name)).catch(() => {});
  }
}

/** Also what a command made unreadable for its own user, or so deep that no path can name it: the programs go down folder by folder. */
export async function removeFolder(path: string): Promise<void> {
  const rest = {
    cwd: '/',
    env: { PATH: cleanEnvironment().PATH },
    timeoutMs: 15 * 60_000,
    maxOutputBytes: 10_000,
  };
  await rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(async () => {
    // What is gone meanwhile is no trouble: a removal that failed goes on in other folders for a moment.
    await runCommand({ ...rest, argv: ['chmod', '-R', 'u+rwx', '--', path] });
    const { exitCode, stderr } = await runCommand({ ...rest, argv: ['rm', '-rf', '--', path] });
    if (exitCode !== 0) throw new Error(`cannot remove ${path}: ${stderr.trim().slice(-300)}`);
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

// Reads and writes bare repositories with the real git. Every function names its repository by path.
// Must not know of pull requests, CI or HTTP.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const ZERO_SHA = '0'.repeat(40);

export interface GitResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface CommitFacts {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: { readonly name: string; readonly email: string; readonly date: string };
  readonly committer: { readonly name: string; readonly email: string; readonly date: string };
  readonly message: string;
}

export interface FileChange {
  readonly path: string;
  readonly previousPath: string | null;
  readonly status: 'added' | 'removed' | 'modified' | 'renamed';
  readonly additions: number;
  readonly deletions: number;
  readonly patch: string | null;
  readonly blob: string;
}

/** The environment for git without this machine's own configuration. */
export function gitEnvironment(extra: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: '/nonexistent',
    LANG: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    ...extra,
  };
}

/** Runs git to its end; a nonzero code is a result, not an error. */
export async function tryGit(
  directory: string,
  args: readonly string[],
  options: { input?: string; environment?: Record<string, string> } = {},
): Promise<GitResult> {
  return await new Promise((resolve, reject) => {
    const child = spawn('git', args, { cwd: directory, env: gitEnvironment(options.environment) });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({
        code: code ?? 255,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString('utf8'),
      });
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

/** Runs git and gives its output, trimmed at the end; throws with git's message on failure. */
export async function git(
  directory: string,
  args: readonly string[],
  options: { input?: string; environment?: Record<string, string> } = {},
): Promise<string> {
  const result = await tryGit(directory, args, options);
  if (result.code !== 0)
    throw new Error(`git ${args[0] ?? ''} failed (${result.code}): ${result.stderr.trim()}`);
  return result.stdout.toString('utf8').trimEnd();
}

export async function createBare(path: string, defaultBranch: string): Promise<void> {
  await git('/', ['init', '--quiet', '--bare', `--initial-branch=${defaultBranch}`, path]);
  for (const [key, value] of [
    ['http.receivepack', 'true'],
    ['uploadpack.allowAnySHA1InWant', 'true'],
    ['uploadpack.allowFilter', 'true'],
    ['gc.auto', '0'],
    ['receive.autogc', 'false'],
  ] as const) {
    await git(path, ['config', key, value]);
  }
}

/** Refs under a prefix with what they point to. */
export async function listRefs(path: string, prefix = 'refs/'): Promise<Map<string, string>> {
  const output = await git(path, ['for-each-ref', '--format=%(objectname) %(refname)', prefix]);
  const refs = new Map<string, string>();
  for (const line of output.split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) refs.set(line.slice(space + 1), line.slice(0, space));
  }
  return refs;
}

/** The full SHA of a commit named by SHA, branch or tag; null where there is none. */
export async function resolveCommit(path: string, name: string): Promise<string | null> {
  if (name.startsWith('-')) return null;
  for (const candidate of [`refs/heads/${name}`, name, `refs/tags/${name}`]) {
    const result = await tryGit(path, [
      'rev-parse',
      '--verify',
      '--quiet',
      '--end-of-options',
      `${candidate}^{commit}`,
    ]);
    if (result.code === 0) return result.stdout.toString('utf8').trim();
  }
  return null;
}

/** Moves a ref if it still is at `oldSha` (zeros: must not exist); false where it is not. */
export async function moveRef(path: string, ref: string, newSha: string, oldSha: string): Promise<boolean> {
  const args = newSha === ZERO_SHA ? ['update-ref', '-d', ref, oldSha] : ['update-ref', ref, newSha, oldSha];
  return (await tryGit(path, args)).code === 0;
}

export async function isAncestor(path: string, ancestor: string, descendant: string): Promise<boolean> {
  return (await tryGit(path, ['merge-base', '--is-ancestor', ancestor, descendant])).code === 0;
}

/** Commits in `git log` order; `range` is anything that git log takes. */
export async function readCommits(path: string, range: readonly string[]): Promise<CommitFacts[]> {
  const format = '%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x01';
  const output = await git(path, ['log', `--format=${format}`, ...range, '--']);
  return output
    .split('\x01')
    .map((record) => record.replace(/^\n/, '').split('\0'))
    .filter((fields) => fields.length === 10)
    .map((fields) => {
      const field = (index: number): string => fields[index] ?? '';
      const utc = (iso: string): string => new Date(iso).toISOString().replace(/\.\d{3}Z$/, 'Z');
      return {
        sha: field(0),
        tree: field(1),
        parents: field(2).split(' ').filter(Boolean),
        author: { name: field(3), email: field(4), date: utc(field(5)) },
        committer: { name: field(6), email: field(7), date: utc(field(8)) },
        message: field(9).trimEnd(),
      };
    });
}

const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

/** What changed between two commits (`base` null: everything is new). */
export async function readChanges(path: string, base: string | null, head: string): Promise<FileChange[]> {
  const range = [base ?? EMPTY_TREE, head];
  const raw = await git(path, ['diff', '--raw', '-z', '--no-abbrev', '--find-renames', ...range]);
  const numbers = await git(path, ['diff', '--numstat', '-z', '--find-renames', ...range]);
  const counts = numstat(numbers);
  const fields = raw.split('\0');
  const changes: FileChange[] = [];
  for (let index = 0; index < fields.length; ) {
    const meta = /^:\d+ \d+ [0-9a-f]+ ([0-9a-f]+) ([A-Z])/.exec(fields[index] ?? '');
    if (meta === null) break;
    const letter = meta[2] ?? 'M';
    const renamed = letter === 'R' || letter === 'C';
    const first = fields[index + 1] ?? '';
    const file = renamed ? (fields[index + 2] ?? '') : first;
    index += renamed ? 3 : 2;
    const diff = await git(path, ['diff', '--find-renames', ...range, '--', file]);
    const hunk = diff.indexOf('\n@@');
    const count = counts.get(file) ?? { additions: 0, deletions: 0 };
    changes.push({
      path: file,
      previousPath: renamed ? first : null,
      status: letter === 'A' ? 'added' : letter === 'D' ? 'removed' : renamed ? 'renamed' : 'modified',
      ...count,
      patch: hunk === -1 ? null : diff.slice(hunk + 1),
      blob: meta[1] ?? ZERO_SHA,
    });
  }
  return changes;
}

function numstat(output: string): Map<string, { additions: number; deletions: number }> {
  const counts = new Map<string, { additions: number; deletions: number }>();
  const fields = output.split('\0');
  for (let index = 0; index < fields.length; index += 1) {
    const match = /^(\d+|-)\t(\d+|-)\t(.*)$/s.exec(fields[index] ?? '');
    if (match === null) continue;
    let file = match[3] ?? '';
    if (file === '') {
      file = fields[index + 2] ?? '';
      index += 2;
    }
    counts.set(file, { additions: Number(match[1]) || 0, deletions: Number(match[2]) || 0 });
  }
  return counts;
}

/** The tree of a merge; null where the sides conflict. */
export async function mergeTree(path: string, base: string, head: string): Promise<string | null> {
  const result = await tryGit(path, ['merge-tree', '--write-tree', base, head]);
  if (result.code === 1) return null;
  if (result.code !== 0) throw new Error(`git merge-tree failed (${result.code}): ${result.stderr.trim()}`);
  return result.stdout.toString('utf8').split('\n')[0] ?? null;
}

export async function writeCommit(
  path: string,
  commit: { tree: string; parents: readonly string[]; message: string; login: string; timeMs: number },
): Promise<string> {
  const date = `${Math.floor(commit.timeMs / 1000)} +0000`;
  const email = `${commit.login}@users.noreply.github.com`;
  return await git(path, ['commit-tree', commit.tree, ...commit.parents.flatMap((sha) => ['-p', sha])], {
    input: commit.message,
    environment: {
      GIT_AUTHOR_NAME: commit.login,
      GIT_AUTHOR_EMAIL: email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: commit.login,
      GIT_COMMITTER_EMAIL: email,
      GIT_COMMITTER_DATE: date,
    },
  });
}

/** The tree of `parent` (null: an empty one) with files written (null: removed). */
export async function writeTree(
  path: string,
  parent: string | null,
  files: Readonly<Record<string, string | null>>,
  executable: readonly string[] = [],
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'forge-index-'));
  const environment = { GIT_INDEX_FILE: join(directory, 'index') };
  try {
    if (parent !== null) await git(path, ['read-tree', parent], { environment });
    const lines: string[] = [];
    for (const [file, content] of Object.entries(files)) {
      if (content === null) {
        lines.push(`0 ${ZERO_SHA}\t${file}`);
        continue;
      }
      const known = parent === null ? '' : await git(path, ['ls-tree', parent, '--', file]);
      const mode = executable.includes(file) || known.startsWith('100755') ? '100755' : '100644';
      const blob = await git(path, ['hash-object', '-w', '--stdin'], { input: content });
      lines.push(`${mode} ${blob}\t${file}`);
    }
    await git(path, ['update-index', '--index-info'], { environment, input: `${lines.join('\n')}\n` });
    return await git(path, ['write-tree'], { environment });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The workflow files of a commit. */
export async function workflowFiles(path: string, sha: string): Promise<{ path: string; text: string }[]> {
  const listing = await tryGit(path, ['ls-tree', '-r', '-z', '--name-only', sha, '--', '.github/workflows']);
  const paths = listing.stdout
    .toString('utf8')
    .split('\0')
    .filter((file) => /\.ya?ml$/.test(file));
  const files: { path: string; text: string }[] = [];
  for (const file of paths) {
    const blob = await tryGit(path, ['cat-file', 'blob', `${sha}:${file}`]);
    if (blob.code === 0) files.push({ path: file, text: blob.stdout.toString('utf8') });
  }
  return files;
}

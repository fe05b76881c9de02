// A bare copy of each repository in the worker's cache, so that a worktree costs no download. Fetches take a lock that
// the kernel frees when its holder dies; what a killed fetch left behind is cleared by the next one. Everything in it
// can be thrown away at any time.
import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkRemoteUrl, checkSha, GitError, git } from './git-command.ts';

/** A repository in the cache. `path` is a bare git directory; `cacheDir` also holds the worktrees made from it. */
export type Mirror = { readonly path: string; readonly cacheDir: string; readonly url: string };

export type MirrorRequest = {
  readonly cacheDir: string;
  readonly url: string;
  readonly token?: string | undefined;
  /** With it, nothing is fetched when the mirror already has this commit. */
  readonly sha?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
};

const FETCH_TIMEOUT_MS = 600_000;
const LOCK_TIMEOUT_EXIT = 75;

// $1 the mirror; the rest fetches. Ref locks found here are of dead processes: refs change only under our own lock.
const FETCH_SCRIPT = `
set -e
find "$1" -name '*.lock' ! -path "$1/untilgreen.lock" -delete
find "$1" -name 'tmp_*' -type f -mmin +60 -delete
find "$1" -maxdepth 1 -name 'commit-*' -mmin +60 -exec rm -rf {} +
git init --quiet --bare --template= -- "$1"
git --git-dir="$1" config uploadpack.allowAnySHA1InWant true
shift
exec git "$@"
`;

/**
 * Makes or refreshes the mirror of a repository: all branches, or nothing when `sha` is already there.
 *
 * @throws GitError (`notFound` also when the remote does not have `sha`); Error for an address that is not allowed.
 */
export async function ensureMirror(request: MirrorRequest): Promise<Mirror> {
  checkRemoteUrl(request.url);
  if (request.sha !== undefined) checkSha('sha', request.sha);
  // A commit that is there is given without asking the remote: so only to whoever has the credential that fetched it. Another tenant who names the
  // same address has a mirror of its own.
  const access = request.token === undefined ? request.url : `${request.url}\0${request.token}`;
  const id = createHash('sha256').update(access).digest('hex').slice(0, 24);
  const path = join(request.cacheDir, 'mirrors', `${id}.git`);
  const mirror: Mirror = { path, cacheDir: request.cacheDir, url: request.url };
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (request.sha !== undefined && (await hasCommit(mirror, request.sha))) return mirror;
  const branches = '+refs/heads/*:refs/heads/*';
  try {
    await fetchInto(mirror, request, branches, ['--prune']);
  } catch (error) {
    if (
      !(error instanceof GitError) ||
      !/corrupt|bad object|unable to read|not a git repository|unresolved delta|loose object/i.test(
        error.message,
      )
    )
      throw error;
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true, mode: 0o700 });
    await fetchInto(mirror, request, branches, ['--prune']);
  }
  if (request.sha === undefined || (await hasCommit(mirror, request.sha))) return mirror;
  await fetchInto(mirror, request, request.sha);
  if (await hasCommit(mirror, request.sha)) return mirror;
  throw new GitError('notFound', `git fetch: the remote does not have commit ${request.sha}`);
}

/** True when the mirror holds the commit with everything needed to check it out. */
export async function hasCommit(mirror: Mirror, sha: string): Promise<boolean> {
  const found = await git({
    args: ['--git-dir', mirror.path, 'cat-file', '-e', `${sha}^{tree}`],
    cwd: mirror.path,
    okExitCodes: [0, 1, 128],
  });
  return found.exitCode === 0;
}

async function fetchInto(
  mirror: Mirror,
  request: MirrorRequest,
  refspec: string,
  options: readonly string[] = [],
): Promise<void> {
  const timeoutMs = request.timeoutMs ?? FETCH_TIMEOUT_MS;
  const lock = [
    'flock',
    '-E',
    String(LOCK_TIMEOUT_EXIT),
    '-w',
    String(Math.ceil(timeoutMs / 1000)),
    join(mirror.path, 'untilgreen.lock'),
  ];
  const fetch = [
    '--git-dir',
    mirror.path,
    'fetch',
    '--quiet',
    '--no-tags',
    '--no-auto-gc',
    '--no-write-fetch-head',
    '--no-recurse-submodules',
    ...options,
    '--',
    request.url,
    refspec,
  ];
  // `sh -c SCRIPT git MIRROR …`: git() appends its own name, which becomes the script's $0
  await git({
    name: 'git fetch',
    prefix: [...lock, 'sh', '-c', FETCH_SCRIPT],
    args: [mirror.path, ...fetch],
    cwd: mirror.cacheDir,
    remote: { url: request.url, token: request.token },
    timeoutMs,
    signal: request.signal,
  });
}

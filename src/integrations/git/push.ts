// Turns a worktree value into a commit and puts it on a remote branch under the remote's own condition (DUR-1).
// The commit depends on nothing but its inputs, so that every worker makes the same SHA. It must never write a branch
// that is not at the expected commit.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkSha, GitError, git } from './git-command.ts';
import type { Mirror } from './mirror.ts';

export type CommitRequest = {
  readonly mirror: Mirror;
  readonly baseSha: string;
  readonly patch: string;
  /** Subject, empty line, body; ends up with exactly one newline at its end. */
  readonly message: string;
  readonly author: { readonly name: string; readonly email: string };
  /** ISO 8601; seconds count, the commit's time zone is UTC. */
  readonly dateIso: string;
};

/**
 * Makes the commit `base + patch` in the mirror. Same inputs, same SHA, on every worker.
 *
 * @throws GitError when the patch does not apply or changes nothing; Error for a bad date, author or SHA.
 */
export async function commitValue(request: CommitRequest): Promise<{ commitSha: string; treeSha: string }> {
  checkSha('baseSha', request.baseSha);
  const seconds = Math.floor(Date.parse(request.dateIso) / 1000);
  if (!Number.isFinite(seconds)) throw new Error(`dateIso: "${request.dateIso}" is not an ISO 8601 time`);
  const { name, email } = request.author;
  if (name.trim() === '' || /[<>\n\0]/.test(`${name}${email}`))
    throw new Error('author: needs a name, and no < > or line ends');
  const scratch = await mkdtemp(join(request.mirror.path, 'commit-'));
  const date = `@${seconds} +0000`;
  const env = {
    GIT_DIR: request.mirror.path,
    GIT_INDEX_FILE: join(scratch, 'index'),
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: date,
  };
  const run = async (args: readonly string[], stdin?: string): Promise<string> =>
    (await git({ args, cwd: scratch, env, ...(stdin === undefined ? {} : { stdin }) })).stdout.trim();
  try {
    await run(['read-tree', request.baseSha]);
    await run(['apply', '--cached', '--binary', '--whitespace=nowarn', '-'], request.patch);
    const treeSha = await run(['write-tree']);
    if (treeSha === (await run(['rev-parse', '--verify', `${request.baseSha}^{tree}`])))
      throw new GitError('failed', 'commitValue: the patch changes nothing');
    const commitSha = await run(
      ['commit-tree', '-p', request.baseSha, '-F', '-', treeSha],
      `${request.message.trimEnd()}\n`,
    );
    return { commitSha, treeSha };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

export type PushRequest = {
  readonly mirror: Mirror;
  readonly remoteUrl: string;
  readonly token?: string | undefined;
  /** Name without `refs/heads/`. */
  readonly branch: string;
  readonly commitSha: string;
  /** What the remote branch must be at; null: it must not exist. */
  readonly expectedOldSha: string | null;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
};

export type PushResult = {
  readonly outcome: 'pushed' | 'alreadyThere' | 'rejected';
  /** Where the remote branch is now; null when there is none. */
  readonly remoteSha: string | null;
  /** The remote's words when it rejected. */
  readonly reason?: string;
};

/**
 * Pushes a commit to a branch if the branch is at `expectedOldSha` (or absent), which the remote itself checks.
 *
 * @throws GitError when the remote could not be asked or went away; then the push may have happened: probe with
 *   `remoteBranchSha` before anything else.
 */
export async function pushCommit(request: PushRequest): Promise<PushResult> {
  checkSha('commitSha', request.commitSha);
  if (request.expectedOldSha !== null) checkSha('expectedOldSha', request.expectedOldSha);
  const ref = branchRef(request.branch);
  const remote = { url: request.remoteUrl, token: request.token };
  const pushed = await git({
    args: [
      '--git-dir',
      request.mirror.path,
      'push',
      '--porcelain',
      '--no-verify',
      '--no-follow-tags',
      '--recurse-submodules=no',
      `--force-with-lease=${ref}:${request.expectedOldSha ?? ''}`,
      '--',
      request.remoteUrl,
      `${request.commitSha}:${ref}`,
    ],
    cwd: request.mirror.path,
    remote,
    timeoutMs: request.timeoutMs,
    signal: request.signal,
    okExitCodes: [0, 1],
  });
  const row = pushed.stdout.split('\n').find((line) => line.split('\t')[1]?.endsWith(`:${ref}`));
  if (row?.startsWith('=')) return { outcome: 'alreadyThere', remoteSha: request.commitSha };
  if (pushed.exitCode === 0 && row !== undefined) return { outcome: 'pushed', remoteSha: request.commitSha };
  if (row === undefined || !row.startsWith('!'))
    throw new GitError('failed', 'git push: ended without saying what happened');
  const remoteSha = await remoteBranchSha(request);
  if (remoteSha === request.commitSha) return { outcome: 'alreadyThere', remoteSha };
  return { outcome: 'rejected', remoteSha, reason: row.split('\t')[2] ?? 'rejected' };
}

/** Where a branch of the remote is now; null when there is none. Throws GitError when the remote cannot be asked. */
export async function remoteBranchSha(request: {
  remoteUrl: string;
  token?: string | undefined;
  branch: string;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}): Promise<string | null> {
  const ref = branchRef(request.branch);
  const listed = await git({
    args: ['ls-remote', '--quiet', '--', request.remoteUrl, ref],
    cwd: '/',
    remote: { url: request.remoteUrl, token: request.token },
    timeoutMs: request.timeoutMs,
    signal: request.signal,
  });
  for (const row of listed.stdout.split('\n')) {
    const [sha, name] = row.split('\t');
    if (name === ref && sha !== undefined) return sha;
  }
  return null;
}

function branchRef(branch: string): string {
  const legal =
    /^[A-Za-z0-9][\w./+@#-]*$/.test(branch) && !/\.\.|\/\/|@\{|\.lock(\/|$)|[./]$|\/\./.test(branch);
  if (!legal) throw new Error(`branch: "${branch}" is not a branch name`);
  return `refs/heads/${branch}`;
}

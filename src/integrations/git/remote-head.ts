// The default branch of a remote and its commit, asked by git itself: it costs nothing of GitHub's rate limit.
import { GitError, type GitRemote, git } from './git-command.ts';

/** @throws GitError when the remote cannot be asked, or has no commit yet */
export async function remoteHead(
  remote: GitRemote & { readonly signal?: AbortSignal },
): Promise<{ readonly branch: string; readonly sha: string }> {
  const { stdout } = await git({
    args: ['ls-remote', '--symref', '--', remote.url, 'HEAD'],
    cwd: '/',
    remote: { url: remote.url, token: remote.token },
    timeoutMs: 60_000,
    ...(remote.signal === undefined ? {} : { signal: remote.signal }),
  });
  const branch = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(stdout)?.[1];
  const sha = /^([0-9a-f]{40,64})\tHEAD$/m.exec(stdout)?.[1];
  if (branch === undefined || sha === undefined)
    throw new GitError('notFound', 'git ls-remote: the repository has no default branch with a commit');
  return { branch, sha };
}

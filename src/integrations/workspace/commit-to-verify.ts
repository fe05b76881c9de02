// A fix as a commit, as CI would check it out: checks that compare with git must not see it as a change.
import { GitError } from '../git/git-command.ts';
import type { Mirror } from '../git/mirror.ts';
import { commitValue } from '../git/push.ts';
import type { WorktreeValue } from '../git/worktree.ts';

/** @throws GitError when the patch does not give the tree that it was made of */
export async function commitToVerify(mirror: Mirror, value: WorktreeValue): Promise<string> {
  const { baseSha, patch, treeSha } = value;
  const commit = await commitValue({
    mirror,
    baseSha,
    patch,
    message: 'fix',
    author: { name: 'verifier', email: 'verifier@localhost' },
    dateIso: '2000-01-01T00:00:00Z',
  });
  if (commit.treeSha !== treeSha) throw new GitError('failed', 'the patch does not rebuild the fix');
  return commit.commitSha;
}

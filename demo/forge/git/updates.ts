// What follows when refs change, whoever changed them: the journal, the heads of pull requests, CI.
// All changes of refs go through `changeRefs`, one at a time per repository.
import type { JournalWrite } from '../operations.ts';
import type { ForgeState, Issue, Repository, User } from '../state.ts';
import { isAncestor, listRefs, moveRef, tryGit, ZERO_SHA } from './bare.ts';

/** How a ref moved; a merge is journalled as `pullMerged` and not as a ref. */
type Via = NonNullable<JournalWrite['via']> | 'merge';

interface RefChange {
  readonly ref: string;
  readonly oldSha: string;
  readonly newSha: string;
}

/** Runs a change of refs alone and then draws the consequences of what really moved. */
export async function changeRefs<T>(
  state: ForgeState,
  repository: Repository,
  by: { readonly actor: User; readonly via: Via },
  change: () => Promise<T>,
): Promise<T> {
  return await repository.exclusively(async () => {
    const before = await listRefs(repository.path);
    const result = await change();
    const after = await listRefs(repository.path);
    const changes: RefChange[] = [];
    for (const [ref, newSha] of after) {
      const oldSha = before.get(ref) ?? ZERO_SHA;
      if (oldSha !== newSha && !ref.startsWith('refs/pull/')) changes.push({ ref, oldSha, newSha });
    }
    for (const [ref, oldSha] of before) {
      if (!after.has(ref) && !ref.startsWith('refs/pull/')) changes.push({ ref, oldSha, newSha: ZERO_SHA });
    }
    for (const moved of changes) await refMoved(state, repository, by, moved);
    return result;
  });
}

async function refMoved(
  state: ForgeState,
  repository: Repository,
  by: { readonly actor: User; readonly via: Via },
  change: RefChange,
): Promise<void> {
  if (by.via !== 'merge') {
    const { actor, via } = by;
    state.journal.write({
      kind: 'refUpdated',
      actor: actor.login,
      repository: repository.fullName,
      via,
      ...change,
    });
  }
  if (!change.ref.startsWith('refs/heads/')) return;
  const branch = change.ref.slice('refs/heads/'.length);
  if (change.newSha !== ZERO_SHA) {
    await state.ci.pushed(repository, {
      branch,
      oldSha: change.oldSha,
      newSha: change.newSha,
      actor: by.actor,
    });
  }
  for (const issue of repository.issues.values()) {
    const pull = issue.pull;
    if (pull === null || issue.state !== 'open') continue;
    if (pull.baseRef === branch && change.newSha !== ZERO_SHA) {
      pull.baseSha = change.newSha;
      if (by.via !== 'merge' && (await isAncestor(repository.path, pull.headSha, change.newSha))) {
        closePull(state, issue, by.actor);
        pull.mergedAt = state.now();
        pull.mergedBy = by.actor;
        pull.mergeCommitSha = change.newSha;
      }
    }
    if (pull.headRef === branch && pull.mergedAt === null)
      await headMoved(state, repository, issue, by.actor, change.newSha);
  }
}

async function headMoved(
  state: ForgeState,
  repository: Repository,
  issue: Issue,
  actor: User,
  newSha: string,
): Promise<void> {
  if (issue.pull === null) return;
  if (newSha === ZERO_SHA) {
    closePull(state, issue, actor);
    return;
  }
  issue.pull.headSha = newSha;
  issue.updatedAt = state.now();
  await publishHead(repository, issue);
  await state.ci.pullChanged(repository, issue, 'synchronize', actor);
}

/** Keeps `refs/pull/<number>/head` where the pull request's head is. */
export async function publishHead(repository: Repository, issue: Issue): Promise<void> {
  if (issue.pull === null) return;
  await tryGit(repository.path, ['update-ref', `refs/pull/${issue.number}/head`, issue.pull.headSha]);
}

export function closePull(state: ForgeState, issue: Issue, actor: User): void {
  issue.state = 'closed';
  issue.closedAt = state.now();
  issue.closedBy = actor;
  issue.updatedAt = issue.closedAt;
}

/** Moves a branch from `oldSha`, as one change; false where it was not there any more. */
export async function moveBranch(
  state: ForgeState,
  repository: Repository,
  by: { readonly actor: User; readonly via: Via },
  move: RefChange,
): Promise<boolean> {
  return await changeRefs(state, repository, by, async () => {
    return await moveRef(repository.path, move.ref, move.newSha, move.oldSha);
  });
}

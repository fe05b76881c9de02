// REST: pull requests with real heads and real merges on the bare repository; reviews; and the one GraphQL mutation
// that REST lacks (ready for review). Heads in forks are not supported.
import {
  git,
  isAncestor,
  listRefs,
  mergeTree,
  moveRef,
  readChanges,
  readCommits,
  writeCommit,
} from '../git/bare.ts';
import { changeRefs, closePull, publishHead } from '../git/updates.ts';
import {
  ApiError,
  bodyOf,
  type Call,
  json,
  optionalText,
  page,
  param,
  type Route,
  requiredText,
  route,
  validationFailed,
} from '../http/route.ts';
import { commitJson, fileJson, pullJson, reviewJson, userJson } from '../shapes.ts';
import {
  type ForgeState,
  findIssue,
  type Issue,
  nextNumber,
  type Pull,
  type Repository,
  type Review,
  requireWrite,
  takeId,
} from '../state.ts';
import { applyIssuePatch, sorted } from './issues.ts';
import { repositoryOf } from './repositories.ts';

function pullOf(call: Call): { repository: Repository; issue: Issue; pull: Pull } {
  const repository = repositoryOf(call);
  const issue = findIssue(repository, param(call, 'number'));
  if (issue.pull === null) throw new ApiError(404, 'Not Found');
  return { repository, issue, pull: issue.pull };
}

async function mergeBase(repository: Repository, pull: Pull): Promise<string> {
  return await git(repository.path, ['merge-base', pull.baseSha, pull.headSha]);
}

async function detailed(
  call: Call,
  repository: Repository,
  issue: Issue,
  pull: Pull,
): Promise<Record<string, unknown>> {
  const { state, actor } = call;
  const from = await mergeBase(repository, pull);
  const changes = await readChanges(repository.path, from, pull.headSha);
  const commits = Number(await git(repository.path, ['rev-list', '--count', `${from}..${pull.headSha}`]));
  const open = issue.state === 'open';
  const mergeable = open ? (await mergeTree(repository.path, pull.baseSha, pull.headSha)) !== null : null;
  return {
    ...pullJson(state, repository, issue, actor),
    merged: pull.mergedAt !== null,
    merged_by: pull.mergedBy === null ? null : userJson(state, pull.mergedBy),
    mergeable,
    rebaseable: mergeable,
    mergeable_state: !open ? 'unknown' : mergeable !== true ? 'dirty' : pull.draft ? 'draft' : 'clean',
    comments: [...repository.comments.values()].filter((comment) => comment.issue === issue).length,
    review_comments: 0,
    maintainer_can_modify: false,
    commits,
    additions: changes.reduce((sum, change) => sum + change.additions, 0),
    deletions: changes.reduce((sum, change) => sum + change.deletions, 0),
    changed_files: changes.length,
  };
}

function ownBranch(repository: Repository, head: string): string | null {
  const [owner, ...rest] = head.split(':');
  if (rest.length === 0) return head;
  return owner === repository.owner ? rest.join(':') : null;
}

function journalPull(call: Call, repository: Repository, issue: Issue, body?: string): void {
  call.state.journal.write({
    kind: 'pullUpdated',
    actor: call.actor.login,
    repository: repository.fullName,
    number: issue.number,
    title: issue.title,
    state: issue.state,
    ...(body === undefined ? {} : { body }),
  });
}

async function createPull(call: Call): Promise<Issue> {
  const { state, actor } = call;
  const repository = repositoryOf(call);
  requireWrite(repository, actor);
  const body = bodyOf(call);
  const title = requiredText(body, 'PullRequest', 'title');
  const headRef = ownBranch(repository, requiredText(body, 'PullRequest', 'head'));
  const baseRef = requiredText(body, 'PullRequest', 'base');
  return await repository.exclusively(async () => {
    const branches = await listRefs(repository.path, 'refs/heads/');
    const headSha = headRef === null ? undefined : branches.get(`refs/heads/${headRef}`);
    const baseSha = branches.get(`refs/heads/${baseRef}`);
    if (headRef === null || headSha === undefined) throw validationFailed('PullRequest', 'head', 'invalid');
    if (baseSha === undefined) throw validationFailed('PullRequest', 'base', 'invalid');
    const existing = [...repository.issues.values()].find(
      (issue) => issue.state === 'open' && issue.pull?.headRef === headRef && issue.pull.baseRef === baseRef,
    );
    if (existing !== undefined) {
      const message = `A pull request already exists for ${repository.owner}:${headRef}.`;
      throw new ApiError(422, 'Validation Failed', [{ resource: 'PullRequest', code: 'custom', message }]);
    }
    if (await isAncestor(repository.path, headSha, baseSha)) {
      const message = `No commits between ${baseRef} and ${headRef}`;
      throw new ApiError(422, 'Validation Failed', [{ resource: 'PullRequest', code: 'custom', message }]);
    }
    const now = state.now();
    const issue: Issue = {
      id: takeId(state),
      number: nextNumber(repository),
      user: actor,
      createdAt: now,
      pull: {
        headRef,
        headSha,
        baseRef,
        baseSha,
        draft: body.draft === true,
        mergedAt: null,
        mergedBy: null,
        mergeCommitSha: null,
      },
      title,
      body: optionalText(body, 'body') ?? null,
      state: 'open',
      stateReason: null,
      labels: [],
      updatedAt: now,
      closedAt: null,
      closedBy: null,
    };
    repository.issues.set(issue.number, issue);
    await publishHead(repository, issue);
    state.journal.write({
      kind: 'pullCreated',
      actor: actor.login,
      repository: repository.fullName,
      number: issue.number,
      title,
      body: issue.body ?? '',
      ref: headRef,
      newSha: headSha,
    });
    await state.ci.pullChanged(repository, issue, 'opened', actor);
    return issue;
  });
}

async function mergePull(call: Call): Promise<string> {
  const { state, actor } = call;
  const { repository, issue, pull } = pullOf(call);
  requireWrite(repository, actor);
  const body = bodyOf(call);
  const method = optionalText(body, 'merge_method') ?? 'merge';
  if (method !== 'merge' && method !== 'squash')
    throw new ApiError(405, `${method} merges are not allowed on this repository.`);
  return await changeRefs(state, repository, { actor, via: 'merge' }, async () => {
    if (issue.state !== 'open' || pull.mergedAt !== null)
      throw new ApiError(405, 'Pull Request is not mergeable');
    if (pull.draft) throw new ApiError(405, 'Pull Request is still a draft');
    const expected = optionalText(body, 'sha');
    if (expected !== undefined && expected !== pull.headSha) {
      throw new ApiError(409, 'Head branch was modified. Review and try the merge again.');
    }
    const { baseSha, headSha } = pull;
    const tree = await mergeTree(repository.path, baseSha, headSha);
    if (tree === null) throw new ApiError(405, 'Pull Request is not mergeable');
    const heading =
      method === 'merge'
        ? `Merge pull request #${issue.number} from ${repository.owner}/${pull.headRef}`
        : `${issue.title} (#${issue.number})`;
    const message = [
      optionalText(body, 'commit_title') ?? heading,
      optionalText(body, 'commit_message') ?? (method === 'merge' ? issue.title : ''),
    ];
    const sha = await writeCommit(repository.path, {
      tree,
      parents: method === 'merge' ? [baseSha, headSha] : [baseSha],
      message: `${message.filter(Boolean).join('\n\n')}\n`,
      login: actor.login,
      timeMs: state.now(),
    });
    if (!(await moveRef(repository.path, `refs/heads/${pull.baseRef}`, sha, baseSha))) {
      throw new ApiError(405, 'Base branch was modified. Review and try the merge again.');
    }
    closePull(state, issue, actor);
    pull.mergedAt = state.now();
    pull.mergedBy = actor;
    pull.mergeCommitSha = sha;
    state.journal.write({
      kind: 'pullMerged',
      actor: actor.login,
      repository: repository.fullName,
      number: issue.number,
      title: issue.title,
      ref: `refs/heads/${pull.baseRef}`,
      oldSha: baseSha,
      newSha: sha,
    });
    return sha;
  });
}

const REVIEW_STATES: Record<string, Review['state']> = {
  APPROVE: 'APPROVED',
  REQUEST_CHANGES: 'CHANGES_REQUESTED',
  COMMENT: 'COMMENTED',
};

export const pullRoutes: readonly Route[] = [
  route('GET', '/repos/:owner/:repo/pulls', (call) => {
    const repository = repositoryOf(call);
    const { query } = call.request;
    const state = query.get('state') ?? 'open';
    const head = query.get('head');
    const headRef = head === null ? null : ownBranch(repository, head);
    const base = query.get('base');
    const matching = [...repository.issues.values()].filter(
      ({ pull, state: current }) =>
        pull !== null &&
        (state === 'all' || current === state) &&
        (head === null || pull.headRef === headRef) &&
        (base === null || pull.baseRef === base),
    );
    const { items, headers } = page(call, sorted(call, matching, 'desc'));
    return json(
      items.map((issue) => pullJson(call.state, repository, issue, call.actor)),
      200,
      headers,
    );
  }),
  route('POST', '/repos/:owner/:repo/pulls', async (call) => {
    const issue = await createPull(call);
    const repository = repositoryOf(call);
    if (issue.pull === null) throw new ApiError(404, 'Not Found');
    return json(await detailed(call, repository, issue, issue.pull), 201);
  }),
  route('GET', '/repos/:owner/:repo/pulls/:number', async (call) => {
    const { repository, issue, pull } = pullOf(call);
    return json(await detailed(call, repository, issue, pull));
  }),
  route('PATCH', '/repos/:owner/:repo/pulls/:number', async (call) => {
    const { repository, issue, pull } = pullOf(call);
    requireWrite(repository, call.actor);
    const body = bodyOf(call);
    if (pull.mergedAt !== null && body.state === 'open')
      throw validationFailed('PullRequest', 'state', 'invalid');
    const branches = await listRefs(repository.path, 'refs/heads/');
    const headSha = branches.get(`refs/heads/${pull.headRef}`);
    const reopened = body.state === 'open' && issue.state === 'closed';
    if (reopened && headSha === undefined) throw validationFailed('PullRequest', 'state', 'invalid');
    const base = optionalText(body, 'base');
    const baseSha = branches.get(`refs/heads/${base ?? pull.baseRef}`);
    if (base !== undefined && baseSha === undefined) throw validationFailed('PullRequest', 'base', 'invalid');
    applyIssuePatch(call, issue, body);
    if (base !== undefined) pull.baseRef = base;
    if (issue.state === 'open') pull.baseSha = baseSha ?? pull.baseSha;
    if (reopened && headSha !== undefined) {
      pull.headSha = headSha;
      await publishHead(repository, issue);
      await call.state.ci.pullChanged(repository, issue, 'reopened', call.actor);
    }
    journalPull(call, repository, issue, optionalText(body, 'body'));
    return json(await detailed(call, repository, issue, pull));
  }),
  route('GET', '/repos/:owner/:repo/pulls/:number/files', async (call) => {
    const { repository, pull } = pullOf(call);
    const changes = await readChanges(repository.path, await mergeBase(repository, pull), pull.headSha);
    const { items, headers } = page(call, changes);
    return json(
      items.map((change) => fileJson(call.state, repository, pull.headSha, change)),
      200,
      headers,
    );
  }),
  route('GET', '/repos/:owner/:repo/pulls/:number/commits', async (call) => {
    const { repository, pull } = pullOf(call);
    const range = `${await mergeBase(repository, pull)}..${pull.headSha}`;
    const { items, headers } = page(call, await readCommits(repository.path, ['--reverse', range]));
    return json(
      items.map((commit) => commitJson(call.state, repository, commit)),
      200,
      headers,
    );
  }),
  route('GET', '/repos/:owner/:repo/pulls/:number/merge', (call) => {
    const { pull } = pullOf(call);
    if (pull.mergedAt === null) throw new ApiError(404, 'Not Found');
    return { status: 204, headers: {}, body: Buffer.alloc(0) };
  }),
  route('PUT', '/repos/:owner/:repo/pulls/:number/merge', async (call) => {
    const sha = await mergePull(call);
    return json({ sha, merged: true, message: 'Pull Request successfully merged' });
  }),
  route('GET', '/repos/:owner/:repo/pulls/:number/reviews', (call) => {
    const { repository, issue } = pullOf(call);
    const { items, headers } = page(
      call,
      repository.reviews.filter((review) => review.issue === issue),
    );
    return json(
      items.map((review) => reviewJson(call.state, repository, review)),
      200,
      headers,
    );
  }),
  route('POST', '/repos/:owner/:repo/pulls/:number/reviews', (call) => {
    const { repository, issue, pull } = pullOf(call);
    const body = bodyOf(call);
    const state = REVIEW_STATES[requiredText(body, 'PullRequestReview', 'event')];
    if (state === undefined) throw validationFailed('PullRequestReview', 'event', 'invalid');
    if (state !== 'COMMENTED' && issue.user === call.actor) {
      throw new ApiError(422, 'Unprocessable Entity', [
        'Can not approve or request changes on your own pull request',
      ]);
    }
    const review: Review = {
      id: takeId(call.state),
      issue,
      user: call.actor,
      body: optionalText(body, 'body') ?? '',
      state,
      commitSha: optionalText(body, 'commit_id') ?? pull.headSha,
      submittedAt: call.state.now(),
    };
    repository.reviews.push(review);
    call.state.journal.write({
      kind: 'reviewCreated',
      actor: call.actor.login,
      repository: repository.fullName,
      number: issue.number,
      state,
      body: review.body,
    });
    return json(reviewJson(call.state, repository, review));
  }),
  route('POST', '/graphql', (call) => {
    const body = bodyOf(call);
    const query = requiredText(body, 'Query', 'query');
    const mutation = /\b(markPullRequestReadyForReview|convertPullRequestToDraft)\b/.exec(query)?.[1];
    const found = findPullByNode(call.state, `${JSON.stringify(body.variables ?? {})} ${query}`);
    if (mutation === undefined || found === null) throw new ApiError(404, 'Not Found');
    const { repository, issue, pull } = found;
    requireWrite(repository, call.actor);
    pull.draft = mutation === 'convertPullRequestToDraft';
    issue.updatedAt = call.state.now();
    journalPull(call, repository, issue);
    return json({ data: { [mutation]: { pullRequest: { isDraft: pull.draft, number: issue.number } } } });
  }),
];

function findPullByNode(
  state: ForgeState,
  text: string,
): { repository: Repository; issue: Issue; pull: Pull } | null {
  const id = Number(/\bPR_(\d+)\b/.exec(text)?.[1]);
  for (const repository of state.repositories.values()) {
    for (const issue of repository.issues.values()) {
      if (issue.id === id && issue.pull !== null) return { repository, issue, pull: issue.pull };
    }
  }
  return null;
}

// REST: issues, their comments and labels. Pull requests are issues here, as on GitHub.
import {
  ApiError,
  bodyOf,
  type Call,
  empty,
  json,
  namesOf,
  optionalText,
  page,
  param,
  type Route,
  requiredText,
  route,
  updatedSince,
} from '../http/route.ts';
import { commentJson, issueJson, labelJson } from '../shapes.ts';
import {
  addLabels,
  type Comment,
  findIssue,
  type Issue,
  mayWrite,
  nextNumber,
  type Repository,
  requireWrite,
  takeId,
} from '../state.ts';
import { repositoryOf } from './repositories.ts';

function issueOf(call: Call): { repository: Repository; issue: Issue } {
  const repository = repositoryOf(call);
  return { repository, issue: findIssue(repository, param(call, 'number')) };
}

function commentOf(call: Call): { repository: Repository; comment: Comment } {
  const repository = repositoryOf(call);
  const comment = repository.comments.get(Number(param(call, 'id')));
  if (comment === undefined) throw new ApiError(404, 'Not Found');
  return { repository, comment };
}

function labelList(call: Call, repository: Repository, issue: Issue): unknown[] {
  return issue.labels.flatMap((name) => {
    const label = repository.labels.get(name);
    return label === undefined ? [] : [labelJson(call.state, repository, label)];
  });
}

/** Sorts by `sort` (created, updated) and `direction`, newest first unless told otherwise. */
export function sorted<
  T extends { readonly createdAt: number; readonly updatedAt: number; readonly id: number },
>(call: Call, items: readonly T[], fallback: 'asc' | 'desc'): T[] {
  const { query } = call.request;
  const key = query.get('sort') === 'updated' ? 'updatedAt' : 'createdAt';
  const sign = (query.get('direction') ?? fallback) === 'asc' ? 1 : -1;
  return [...items].sort((left, right) => sign * (left[key] - right[key] || left.id - right.id));
}

function listIssues(call: Call): readonly Issue[] {
  const { query } = call.request;
  const state = query.get('state') ?? 'open';
  const labels = (query.get('labels') ?? '').split(',').filter(Boolean);
  const creator = query.get('creator');
  const matching = [...repositoryOf(call).issues.values()].filter(
    (issue) =>
      (state === 'all' || issue.state === state) &&
      labels.every((label) => issue.labels.includes(label)) &&
      (creator === null || issue.user.login === creator),
  );
  return sorted(call, updatedSince(call, matching), 'desc');
}

function patchIssue(call: Call): { repository: Repository; issue: Issue } {
  const { repository, issue } = issueOf(call);
  if (issue.user !== call.actor) requireWrite(repository, call.actor);
  const body = bodyOf(call);
  applyIssuePatch(call, issue, body);
  if (Array.isArray(body.labels)) {
    issue.labels = [];
    addLabels(call.state, repository, issue, namesOf(body.labels));
  }
  const text = optionalText(body, 'body');
  call.state.journal.write({
    kind: issue.pull === null ? 'issueUpdated' : 'pullUpdated',
    actor: call.actor.login,
    repository: repository.fullName,
    number: issue.number,
    title: issue.title,
    state: issue.state,
    ...(text === undefined ? {} : { body: text }),
  });
  return { repository, issue };
}

/** Title, body and state of an issue or pull request out of a PATCH body. */
export function applyIssuePatch(call: Call, issue: Issue, body: Record<string, unknown>): void {
  const { state } = body;
  if (state !== undefined && state !== 'open' && state !== 'closed') {
    throw new ApiError(422, 'Validation Failed', [{ resource: 'Issue', field: 'state', code: 'invalid' }]);
  }
  issue.title = optionalText(body, 'title') ?? issue.title;
  issue.body = body.body === null ? null : (optionalText(body, 'body') ?? issue.body);
  if (state !== undefined && state !== issue.state) {
    issue.state = state;
    issue.closedAt = state === 'closed' ? call.state.now() : null;
    issue.closedBy = state === 'closed' ? call.actor : null;
    issue.stateReason = state === 'closed' ? (optionalText(body, 'state_reason') ?? 'completed') : 'reopened';
  }
  issue.updatedAt = call.state.now();
}

export const issueRoutes: readonly Route[] = [
  route('GET', '/repos/:owner/:repo/issues', (call) => {
    const { items, headers } = page(call, listIssues(call));
    const repository = repositoryOf(call);
    return json(
      items.map((issue) => issueJson(call.state, repository, issue)),
      200,
      headers,
    );
  }),
  route('POST', '/repos/:owner/:repo/issues', (call) => {
    const { state, actor } = call;
    const repository = repositoryOf(call);
    const body = bodyOf(call);
    const now = state.now();
    const issue: Issue = {
      id: takeId(state),
      number: nextNumber(repository),
      user: actor,
      createdAt: now,
      pull: null,
      title: requiredText(body, 'Issue', 'title'),
      body: optionalText(body, 'body') ?? null,
      state: 'open',
      stateReason: null,
      labels: [],
      updatedAt: now,
      closedAt: null,
      closedBy: null,
    };
    repository.issues.set(issue.number, issue);
    // GitHub drops labels of people who may not push, without a word.
    if (mayWrite(repository, actor)) addLabels(state, repository, issue, namesOf(body.labels));
    state.journal.write({
      kind: 'issueOpened',
      actor: actor.login,
      repository: repository.fullName,
      number: issue.number,
      title: issue.title,
      body: issue.body ?? '',
      labels: [...issue.labels],
    });
    return json(issueJson(state, repository, issue), 201);
  }),
  route('GET', '/repos/:owner/:repo/issues/comments', (call) => {
    const repository = repositoryOf(call);
    const all = sorted(call, updatedSince(call, [...repository.comments.values()]), 'asc');
    const { items, headers } = page(call, all);
    return json(
      items.map((comment) => commentJson(call.state, repository, comment)),
      200,
      headers,
    );
  }),
  route('GET', '/repos/:owner/:repo/issues/comments/:id', (call) => {
    const { repository, comment } = commentOf(call);
    return json(commentJson(call.state, repository, comment));
  }),
  route('PATCH', '/repos/:owner/:repo/issues/comments/:id', (call) => {
    const { repository, comment } = commentOf(call);
    if (comment.user !== call.actor) requireWrite(repository, call.actor);
    comment.body = requiredText(bodyOf(call), 'IssueComment', 'body');
    comment.updatedAt = call.state.now();
    call.state.journal.write({
      kind: 'commentUpdated',
      actor: call.actor.login,
      repository: repository.fullName,
      number: comment.issue.number,
      commentId: comment.id,
      body: comment.body,
    });
    return json(commentJson(call.state, repository, comment));
  }),
  route('DELETE', '/repos/:owner/:repo/issues/comments/:id', (call) => {
    const { repository, comment } = commentOf(call);
    if (comment.user !== call.actor) requireWrite(repository, call.actor);
    repository.comments.delete(comment.id);
    call.state.journal.write({
      kind: 'commentDeleted',
      actor: call.actor.login,
      repository: repository.fullName,
      number: comment.issue.number,
      commentId: comment.id,
    });
    return empty(204);
  }),
  route('GET', '/repos/:owner/:repo/issues/:number', (call) => {
    const { repository, issue } = issueOf(call);
    return json(issueJson(call.state, repository, issue));
  }),
  route('PATCH', '/repos/:owner/:repo/issues/:number', (call) => {
    const { repository, issue } = patchIssue(call);
    return json(issueJson(call.state, repository, issue));
  }),
  route('GET', '/repos/:owner/:repo/issues/:number/comments', (call) => {
    const { repository, issue } = issueOf(call);
    const all = [...repository.comments.values()].filter((comment) => comment.issue === issue);
    const { items, headers } = page(call, updatedSince(call, all));
    return json(
      items.map((comment) => commentJson(call.state, repository, comment)),
      200,
      headers,
    );
  }),
  route('POST', '/repos/:owner/:repo/issues/:number/comments', (call) => {
    const { repository, issue } = issueOf(call);
    const body = requiredText(bodyOf(call), 'IssueComment', 'body');
    const now = call.state.now();
    const comment: Comment = {
      id: takeId(call.state),
      issue,
      user: call.actor,
      createdAt: now,
      body,
      updatedAt: now,
    };
    repository.comments.set(comment.id, comment);
    issue.updatedAt = now;
    call.state.journal.write({
      kind: 'commentCreated',
      actor: call.actor.login,
      repository: repository.fullName,
      number: issue.number,
      commentId: comment.id,
      body,
    });
    return json(commentJson(call.state, repository, comment), 201);
  }),
  route('GET', '/repos/:owner/:repo/issues/:number/labels', (call) => {
    const { repository, issue } = issueOf(call);
    return json(labelList(call, repository, issue));
  }),
  route('POST', '/repos/:owner/:repo/issues/:number/labels', (call) => {
    const { repository, issue } = issueOf(call);
    requireWrite(repository, call.actor);
    const body = bodyOf(call);
    const labels = namesOf(body.labels ?? body.items);
    addLabels(call.state, repository, issue, labels);
    issue.updatedAt = call.state.now();
    const { actor, state } = call;
    const { number } = issue;
    state.journal.write({
      kind: 'labelsAdded',
      actor: actor.login,
      repository: repository.fullName,
      number,
      labels,
    });
    return json(labelList(call, repository, issue));
  }),
  route('DELETE', '/repos/:owner/:repo/issues/:number/labels/:name', (call) => {
    const { repository, issue } = issueOf(call);
    requireWrite(repository, call.actor);
    const name = param(call, 'name');
    if (!issue.labels.includes(name)) throw new ApiError(404, 'Label does not exist');
    issue.labels = issue.labels.filter((label) => label !== name);
    issue.updatedAt = call.state.now();
    const { actor, state } = call;
    const { number } = issue;
    state.journal.write({
      kind: 'labelRemoved',
      actor: actor.login,
      repository: repository.fullName,
      number,
      labels: [name],
    });
    return json(labelList(call, repository, issue));
  }),
];

// GitHub's JSON for what the forge knows, with the fields that Octokit's users read.
import { type Attempt, type Job, latestAttempt, type Run } from './ci/runs.ts';
import type { CommitFacts, FileChange } from './git/bare.ts';
import { isoTime } from './http/route.ts';
import type { Comment, ForgeState, Issue, Label, Repository, Review, User } from './state.ts';
import { permissionOf } from './state.ts';

type Json = Record<string, unknown>;

function time(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}

export function userJson(state: ForgeState, user: User): Json {
  return {
    login: user.login,
    id: user.id,
    node_id: `U_${user.id}`,
    avatar_url: `${state.url}/avatars/${user.id}`,
    url: `${state.url}/users/${user.login}`,
    html_url: `${state.url}/${user.login}`,
    type: user.app === null ? 'User' : 'Bot',
    site_admin: false,
  };
}

function repositoryUrl(state: ForgeState, repository: Repository): string {
  return `${state.url}/repos/${repository.fullName}`;
}

export function webUrl(state: ForgeState, repository: Repository): string {
  return `${state.url}/${repository.fullName}`;
}

export function repositoryJson(state: ForgeState, repository: Repository, viewer: User): Json {
  const owner = state.users.get(repository.owner);
  const permission = permissionOf(repository, viewer);
  const atLeast = (...of: string[]): boolean => of.includes(permission);
  return {
    id: repository.id,
    node_id: `R_${repository.id}`,
    name: repository.name,
    full_name: repository.fullName,
    private: false,
    visibility: 'public',
    owner: owner === undefined ? null : userJson(state, owner),
    html_url: webUrl(state, repository),
    url: repositoryUrl(state, repository),
    clone_url: `${webUrl(state, repository)}.git`,
    git_url: `${webUrl(state, repository)}.git`,
    description: null,
    fork: false,
    archived: false,
    disabled: false,
    default_branch: repository.defaultBranch,
    has_issues: true,
    open_issues_count: [...repository.issues.values()].filter(({ state: open }) => open === 'open').length,
    allow_merge_commit: true,
    allow_squash_merge: true,
    allow_rebase_merge: false,
    delete_branch_on_merge: false,
    created_at: isoTime(repository.createdAt),
    updated_at: isoTime(repository.createdAt),
    permissions: {
      admin: permission === 'admin',
      maintain: atLeast('admin', 'maintain'),
      push: atLeast('admin', 'maintain', 'write'),
      triage: atLeast('admin', 'maintain', 'write', 'triage'),
      pull: permission !== 'none',
    },
  };
}

export function labelJson(state: ForgeState, repository: Repository, label: Label): Json {
  return {
    ...label,
    node_id: `LA_${label.id}`,
    url: `${repositoryUrl(state, repository)}/labels/${encodeURIComponent(label.name)}`,
    default: false,
  };
}

function labelsOf(state: ForgeState, repository: Repository, issue: Issue): Json[] {
  return issue.labels.flatMap((name) => {
    const label = repository.labels.get(name);
    return label === undefined ? [] : [labelJson(state, repository, label)];
  });
}

function association(repository: Repository, user: User): string {
  if (user.login === repository.owner) return 'OWNER';
  return ['admin', 'maintain', 'write'].includes(permissionOf(repository, user)) ? 'COLLABORATOR' : 'NONE';
}

export function issueJson(state: ForgeState, repository: Repository, issue: Issue): Json {
  const kind = issue.pull === null ? 'issues' : 'pull';
  const url = repositoryUrl(state, repository);
  const comments = [...repository.comments.values()].filter((comment) => comment.issue === issue).length;
  return {
    id: issue.id,
    node_id: `${issue.pull === null ? 'I' : 'PR'}_${issue.id}`,
    number: issue.number,
    url: `${url}/issues/${issue.number}`,
    repository_url: url,
    comments_url: `${url}/issues/${issue.number}/comments`,
    html_url: `${webUrl(state, repository)}/${kind}/${issue.number}`,
    title: issue.title,
    body: issue.body,
    state: issue.state,
    state_reason: issue.stateReason,
    user: userJson(state, issue.user),
    author_association: association(repository, issue.user),
    labels: labelsOf(state, repository, issue),
    assignee: null,
    assignees: [],
    milestone: null,
    locked: false,
    comments,
    created_at: isoTime(issue.createdAt),
    updated_at: isoTime(issue.updatedAt),
    closed_at: time(issue.closedAt),
    closed_by: issue.closedBy === null ? null : userJson(state, issue.closedBy),
    performed_via_github_app: null,
    ...(issue.pull === null
      ? {}
      : {
          draft: issue.pull.draft,
          pull_request: {
            url: `${url}/pulls/${issue.number}`,
            html_url: `${webUrl(state, repository)}/pull/${issue.number}`,
            merged_at: time(issue.pull.mergedAt),
          },
        }),
  };
}

export function commentJson(state: ForgeState, repository: Repository, comment: Comment): Json {
  const issue = comment.issue;
  const kind = issue.pull === null ? 'issues' : 'pull';
  return {
    id: comment.id,
    node_id: `IC_${comment.id}`,
    url: `${repositoryUrl(state, repository)}/issues/comments/${comment.id}`,
    html_url: `${webUrl(state, repository)}/${kind}/${issue.number}#issuecomment-${comment.id}`,
    issue_url: `${repositoryUrl(state, repository)}/issues/${issue.number}`,
    user: userJson(state, comment.user),
    body: comment.body,
    author_association: association(repository, comment.user),
    created_at: isoTime(comment.createdAt),
    updated_at: isoTime(comment.updatedAt),
    performed_via_github_app: comment.user.app === null ? null : { id: comment.user.app },
  };
}

/** A pull request as in lists; `pulls.get` adds what is computed. */
export function pullJson(state: ForgeState, repository: Repository, issue: Issue, viewer: User): Json {
  const { pull } = issue;
  if (pull === null) throw new Error(`#${issue.number} is no pull request`);
  const {
    pull_request: _link,
    comments: _comments,
    closed_by: _closedBy,
    state_reason: _reason,
    ...shared
  } = issueJson(state, repository, issue);
  const url = `${repositoryUrl(state, repository)}/pulls/${issue.number}`;
  const side = (ref: string, sha: string): Json => ({
    label: `${repository.owner}:${ref}`,
    ref,
    sha,
    user: shared.user,
    repo: repositoryJson(state, repository, viewer),
  });
  return {
    ...shared,
    url,
    issue_url: `${repositoryUrl(state, repository)}/issues/${issue.number}`,
    html_url: `${webUrl(state, repository)}/pull/${issue.number}`,
    diff_url: `${webUrl(state, repository)}/pull/${issue.number}.diff`,
    draft: pull.draft,
    merged_at: time(pull.mergedAt),
    merge_commit_sha: pull.mergeCommitSha,
    head: side(pull.headRef, pull.headSha),
    base: side(pull.baseRef, pull.baseSha),
    requested_reviewers: [],
    requested_teams: [],
    auto_merge: null,
  };
}

export function reviewJson(state: ForgeState, repository: Repository, review: Review): Json {
  return {
    id: review.id,
    node_id: `PRR_${review.id}`,
    user: userJson(state, review.user),
    body: review.body,
    state: review.state,
    html_url: `${webUrl(state, repository)}/pull/${review.issue.number}#pullrequestreview-${review.id}`,
    commit_id: review.commitSha,
    submitted_at: isoTime(review.submittedAt),
    author_association: association(repository, review.user),
  };
}

export function commitJson(state: ForgeState, repository: Repository, commit: CommitFacts): Json {
  const url = `${repositoryUrl(state, repository)}/commits/${commit.sha}`;
  const account = (name: string): Json | null => {
    const user = state.users.get(name);
    return user === undefined ? null : userJson(state, user);
  };
  return {
    sha: commit.sha,
    node_id: `C_${commit.sha}`,
    url,
    html_url: `${webUrl(state, repository)}/commit/${commit.sha}`,
    commit: {
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      tree: { sha: commit.tree, url: `${repositoryUrl(state, repository)}/git/trees/${commit.tree}` },
      comment_count: 0,
      verification: { verified: false, reason: 'unsigned', signature: null, payload: null },
    },
    author: account(commit.author.name),
    committer: account(commit.committer.name),
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${repositoryUrl(state, repository)}/commits/${sha}`,
    })),
  };
}

export function fileJson(state: ForgeState, repository: Repository, head: string, change: FileChange): Json {
  return {
    sha: change.blob,
    filename: change.path,
    status: change.status,
    additions: change.additions,
    deletions: change.deletions,
    changes: change.additions + change.deletions,
    contents_url: `${repositoryUrl(state, repository)}/contents/${encodeURIComponent(change.path)}?ref=${head}`,
    ...(change.previousPath === null ? {} : { previous_filename: change.previousPath }),
    ...(change.patch === null ? {} : { patch: change.patch }),
  };
}

/** A run as of one of its attempts (default: the latest). */
export function runJson(state: ForgeState, run: Run, attempt: Attempt = latestAttempt(run)): Json {
  const url = `${repositoryUrl(state, run.repository)}/actions/runs/${run.id}`;
  return {
    id: run.id,
    node_id: `WFR_${run.id}`,
    name: run.workflow.name,
    display_title: run.title,
    head_branch: run.branch,
    head_sha: run.sha,
    path: run.workflow.path,
    run_number: run.number,
    run_attempt: attempt.number,
    event: run.event,
    status: attempt.status,
    conclusion: attempt.conclusion,
    workflow_id: run.workflow.id,
    check_suite_id: run.id,
    url,
    html_url: `${webUrl(state, run.repository)}/actions/runs/${run.id}`,
    pull_requests: run.pulls.map((number) => ({ number })),
    created_at: isoTime(run.createdAt),
    updated_at: isoTime(attempt.updatedAt),
    run_started_at: isoTime(attempt.startedAt),
    actor: userJson(state, run.actor),
    triggering_actor: userJson(state, attempt.actor),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    rerun_url: `${url}/rerun`,
    cancel_url: `${url}/cancel`,
    workflow_url: `${repositoryUrl(state, run.repository)}/actions/workflows/${run.workflow.id}`,
    head_commit: { id: run.sha, message: run.title },
  };
}

export function jobJson(state: ForgeState, run: Run, job: Job): Json {
  const url = `${repositoryUrl(state, run.repository)}/actions/jobs/${job.id}`;
  return {
    id: job.id,
    node_id: `CR_${job.id}`,
    run_id: run.id,
    run_url: `${repositoryUrl(state, run.repository)}/actions/runs/${run.id}`,
    run_attempt: job.attempt,
    workflow_name: run.workflow.name,
    head_branch: run.branch,
    head_sha: run.sha,
    url,
    html_url: `${webUrl(state, run.repository)}/actions/runs/${run.id}/job/${job.id}`,
    name: job.name,
    status: job.status,
    conclusion: job.conclusion,
    created_at: isoTime(job.createdAt),
    started_at: isoTime(job.startedAt ?? job.createdAt),
    completed_at: time(job.completedAt),
    steps: job.steps.map((step) => ({
      name: step.name,
      status: step.status,
      conclusion: step.conclusion,
      number: step.number,
      started_at: time(step.startedAt),
      completed_at: time(step.completedAt),
    })),
    labels: ['ubuntu-latest'],
    runner_id: job.startedAt === null ? null : 1,
    runner_name: job.startedAt === null ? null : 'forge',
    check_run_url: `${repositoryUrl(state, run.repository)}/check-runs/${job.id}`,
  };
}

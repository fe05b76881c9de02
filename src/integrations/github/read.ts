// What remedies and effects read from GitHub: runs, jobs, logs, files, branches, pull requests, issues, permissions. Reads only; each answer
// is plain data. All of it was written by others: data to judge, never instructions (SEC-1).
import type { Call, GitHub } from './client.ts';
import { GitHubError, isNotFound } from './errors.ts';
import {
  type Comment,
  CommentPage,
  ComparedShape,
  ContentShape,
  type Issue,
  IssuePage,
  IssueShape,
  isOwnHead,
  type Job,
  JobPage,
  PermissionShape,
  type PullListed,
  PullPage,
  PullShape,
  RefShape,
  RepositoryShape,
  type Run,
  RunPage,
  RunShape,
} from './shapes.ts';

/** A repository (`owner/name`) as seen by a client, and how long its answers are waited for. */
export type Place = { readonly github: GitHub; readonly repository: string; readonly signal: AbortSignal };

export type PullRequestState = {
  readonly number: number;
  readonly state: 'open' | 'closed';
  readonly merged: boolean;
  readonly draft: boolean;
  readonly headRef: string;
  readonly headSha: string;
  /** False when the head is in a fork. */
  readonly ownHead: boolean;
  readonly baseRef: string;
  readonly baseSha: string;
  readonly mergeCommitSha: string | null;
  /** Null while GitHub is still finding out. */
  readonly mergeable: boolean | null;
  readonly author: string | null;
  readonly url: string;
};

const maxFileBytes = 1_000_000;

/** `owner` and `repo` of `owner/name`, as GitHub's routes want them. */
export function ownerAndName(repository: string): { readonly owner: string; readonly repo: string } {
  const [owner = '', repo = ''] = repository.split('/');
  return { owner, repo };
}

function call<T>(
  place: Place,
  path: string,
  params: { readonly [name: string]: unknown },
  schema: Call<T>['schema'],
): Call<T> {
  const route = `GET /repos/{owner}/{repo}${path}`;
  return { route, params: { ...ownerAndName(place.repository), ...params }, schema, signal: place.signal };
}

/** The run as of its latest attempt; null when there is none. */
export function readRun(place: Place, runId: number): Promise<Run | null> {
  return place.github.readOrNull(call(place, '/actions/runs/{run_id}', { run_id: runId }, RunShape));
}

/** All jobs of one attempt, those that it took over from earlier ones included; at most 500. */
export async function readJobs(place: Place, runId: number, attempt: number): Promise<readonly Job[]> {
  const path = '/actions/runs/{run_id}/attempts/{attempt_number}/jobs';
  const params = { run_id: runId, attempt_number: attempt };
  const { items } = await place.github.list(call(place, path, params, JobPage), (page) => page.jobs, 5);
  return items;
}

/** Newest first, at most 100: whether and how CI ran for a commit (CI-8). */
export async function readRunsOfSha(place: Place, sha: string): Promise<readonly Run[]> {
  const page = await place.github.read(
    call(place, '/actions/runs', { head_sha: sha, per_page: 100 }, RunPage),
  );
  return page.workflow_runs;
}

/** The newest run of a workflow for a commit; null when it did not start. */
export async function readLatestRun(place: Place, sha: string, workflowPath: string): Promise<Run | null> {
  const runs = await readRunsOfSha(place, sha);
  const own = runs.filter((run) => run.path === workflowPath && !run.fork);
  return own.reduce<Run | null>(
    (newest, run) => (newest === null || run.id > newest.id ? run : newest),
    null,
  );
}

const runsPerPage = 100;

/** The runs of a branch, newest first, page by page; `more`: there may be older ones. */
export async function readRunsOfBranch(
  place: Place,
  branch: string,
  page = 1,
): Promise<{ readonly runs: readonly Run[]; readonly more: boolean }> {
  const params = { branch, per_page: runsPerPage, page };
  const { workflow_runs } = await place.github.read(call(place, '/actions/runs', params, RunPage));
  return { runs: workflow_runs.filter((run) => !run.fork), more: workflow_runs.length >= runsPerPage };
}

/**
 * The bytes of a job's log, ended without an error after `maxBytes`. Stop reading early by leaving the loop.
 * @throws GitHubError `notFound` when there is no log (yet, or any more)
 */
export async function* streamJobLog(
  place: Place,
  jobId: number,
  maxBytes = 250_000_000,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { owner, repo } = ownerAndName(place.repository);
  const body = await place.github.download(
    `/repos/${owner}/${repo}/actions/jobs/${jobId}/logs`,
    place.signal,
  );
  let left = maxBytes;
  for await (const chunk of body) {
    if (chunk.length >= left) {
      yield chunk.subarray(0, left);
      return;
    }
    left -= chunk.length;
    yield chunk;
  }
}

/** The end of a job's log as text, at most `maxBytes` of it; what failed stands at the end. Null when there is no log. */
export async function readJobLog(place: Place, jobId: number, maxBytes = 4_000_000): Promise<string | null> {
  let kept: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of streamJobLog(place, jobId)) {
      kept.push(chunk);
      size += chunk.length;
      while (kept.length > 1 && size - (kept[0]?.length ?? 0) >= maxBytes) {
        size -= kept[0]?.length ?? 0;
        kept = kept.slice(1);
      }
    }
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
  const bytes = Buffer.concat(kept);
  return bytes.subarray(Math.max(0, bytes.length - maxBytes)).toString('utf8');
}

/** A file's text at a ref; null when there is none. Throws for folders and for more than 1 MB. */
export async function readFileAt(place: Place, path: string, ref: string): Promise<string | null> {
  const content = await place.github.readOrNull(call(place, '/contents/{path}', { path, ref }, ContentShape));
  if (content === null) return null;
  if (content.type !== 'file' || content.encoding !== 'base64' || content.content === undefined)
    throw new GitHubError(
      'invalid',
      `GitHub contents: "${path}" is not a file of at most ${maxFileBytes} bytes`,
    );
  return Buffer.from(content.content, 'base64').toString('utf8');
}

export async function readPullRequest(place: Place, number: number): Promise<PullRequestState | null> {
  const pull = await place.github.readOrNull(
    call(place, '/pulls/{pull_number}', { pull_number: number }, PullShape),
  );
  if (pull === null) return null;
  return {
    number: pull.number,
    state: pull.state,
    merged: pull.merged,
    draft: pull.draft === true,
    headRef: pull.head.ref,
    headSha: pull.head.sha,
    ownHead: isOwnHead(pull),
    baseRef: pull.base.ref,
    baseSha: pull.base.sha,
    mergeCommitSha: pull.merged ? (pull.merge_commit_sha ?? null) : null,
    mergeable: pull.mergeable,
    author: pull.user?.login ?? null,
    url: pull.html_url,
  };
}

/** Pull requests from a branch of this repository, open and closed, newest first, at most 100. */
export async function readPullRequestsFrom(
  place: Place,
  branch: string,
  base?: string,
): Promise<readonly PullListed[]> {
  const { owner } = ownerAndName(place.repository);
  const params = {
    head: `${owner}:${branch}`,
    state: 'all',
    per_page: 100,
    ...(base === undefined ? {} : { base }),
  };
  const pulls = await place.github.read(call(place, '/pulls', params, PullPage));
  return pulls.filter((pull) => pull.head.ref === branch);
}

/** Open pull requests whose head is in this repository, newest first, at most 500. */
export async function readOpenPullRequests(place: Place): Promise<readonly PullListed[]> {
  const { items } = await place.github.list(
    call(place, '/pulls', { state: 'open' }, PullPage),
    (page) => page,
    5,
  );
  return items.filter(isOwnHead);
}

export async function readDefaultBranch(place: Place): Promise<string> {
  return (await place.github.read(call(place, '', {}, RepositoryShape))).default_branch;
}

/** The head of a branch; null when there is none. */
export async function readBranchSha(place: Place, branch: string): Promise<string | null> {
  const ref = await place.github.readOrNull(
    call(place, '/git/ref/{ref}', { ref: `heads/${branch}` }, RefShape),
  );
  return ref?.object.sha ?? null;
}

/** True when a commit is the head of a branch or before it. False when GitHub does not know the commit or the branch. */
export async function isInBranch(place: Place, sha: string, branch: string): Promise<boolean> {
  const compared = await place.github.readOrNull(
    call(place, '/compare/{basehead}', { basehead: `${sha}...${branch}`, per_page: 1 }, ComparedShape),
  );
  return compared?.status === 'identical' || compared?.status === 'ahead';
}

/** What an account may do: `admin`, `maintain`, `write`, `triage`, `read` or `none`. */
export async function readPermission(place: Place, login: string): Promise<string> {
  const found = await place.github.readOrNull(
    call(place, '/collaborators/{username}/permission', { username: login }, PermissionShape),
  );
  // A custom role has its own name; what it may do is in `permission`.
  const role = found?.role_name ?? '';
  return ['maintain', 'triage'].includes(role) ? role : (found?.permission ?? 'none');
}

/** An issue or pull request; null when there is none. */
export function readIssue(place: Place, number: number): Promise<Issue | null> {
  return place.github.readOrNull(call(place, '/issues/{issue_number}', { issue_number: number }, IssueShape));
}

/** Issues that an account opened, newest first, open and closed, at most 500. */
export async function readIssuesBy(place: Place, login: string): Promise<readonly Issue[]> {
  const params = { creator: login, state: 'all', sort: 'created', direction: 'desc' };
  const { items } = await place.github.list(call(place, '/issues', params, IssuePage), (page) => page, 5);
  return items.filter((issue) => issue.pull_request === undefined);
}

/** The latest comments of an issue or pull request, oldest first: all of up to 500, else the first 100 and the last 500. */
export function readComments(place: Place, number: number): Promise<readonly Comment[]> {
  return place.github.listEnd(
    call(place, '/issues/{issue_number}/comments', { issue_number: number }, CommentPage),
    5,
  );
}

// What a person sees who opens a link of the forge in a browser: issues, pull requests and runs as plain text.
// Read only, needs no token, says nothing that the API would not tell.
import { jobsAsOf, latestAttempt, type Run } from '../ci/runs.ts';
import type { ForgeState, Issue, Repository } from '../state.ts';
import type { ForgeRequest, ForgeResponse } from './route.ts';

/** The page of a web address; null for any other request. */
export function servePage(state: ForgeState, request: ForgeRequest): ForgeResponse | null {
  const match = /^\/([^/]+)\/([^/]+)(?:\/(issues|pull|pulls|actions\/runs)(?:\/(\d+))?(?:\/.*)?)?$/.exec(
    request.path,
  );
  const repository = state.repositories.get(`${match?.[1]}/${match?.[2]}`.toLowerCase());
  if (request.method !== 'GET' || match === null || repository === undefined) return null;
  const number = Number(match[4]);
  let text: string | null;
  if (match[3] === undefined) text = overview(state, repository);
  else if (match[3] === 'actions/runs') {
    const run = state.ci.runs(repository).find(({ id }) => id === number);
    text = run === undefined ? null : runText(run);
  } else {
    const issue = repository.issues.get(number);
    text = issue === undefined ? null : issueText(repository, issue);
  }
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  return { status: text === null ? 404 : 200, headers, body: Buffer.from(text ?? 'Not found\n') };
}

function line(issue: Issue): string {
  const kind =
    issue.pull === null ? 'issue' : issue.pull.mergedAt === null ? 'pull request' : 'merged pull request';
  return `#${issue.number} ${issue.title} (${kind}, ${issue.state}, ${issue.user.login})`;
}

function overview(state: ForgeState, repository: Repository): string {
  const runs = state.ci.runs(repository).map((run) => runText(run).split('\n')[0]);
  const issues = [...repository.issues.values()].reverse().map(line);
  return [repository.fullName, '', 'Issues and pull requests', ...issues, '', 'Runs', ...runs, ''].join('\n');
}

function issueText(repository: Repository, issue: Issue): string {
  const comments = [...repository.comments.values()].filter((comment) => comment.issue === issue);
  const parts = comments.map(({ user, body }) => `\n---- ${user.login}\n${body}\n`);
  const labels = issue.labels.length === 0 ? '' : `Labels: ${issue.labels.join(', ')}\n`;
  return `${line(issue)}\n${labels}\n${issue.body ?? ''}\n${parts.join('')}`;
}

function runText(run: Run): string {
  const { status, conclusion, number } = latestAttempt(run);
  const jobs = jobsAsOf(run).flatMap((job) => [
    `${job.name}: ${job.conclusion ?? job.status}`,
    ...job.steps.map((step) => `  ${step.name}: ${step.conclusion ?? step.status}`),
  ]);
  const state = conclusion ?? status;
  const title = `run ${run.id} ${run.workflow.name} on ${run.branch} at ${run.sha.slice(0, 7)}: ${state} (attempt ${number})`;
  return [title, '', ...jobs, ''].join('\n');
}

// REST: workflows, runs with their attempts, jobs, logs, reruns. What executes is the CI engine's part.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Job, jobsAsOf, latestAttempt, type Run } from '../ci/runs.ts';
import {
  ApiError,
  type Call,
  empty,
  type ForgeResponse,
  isoTime,
  json,
  page,
  param,
  type Route,
  route,
} from '../http/route.ts';
import { jobJson, runJson } from '../shapes.ts';
import { type ForgeState, type Repository, requireWrite } from '../state.ts';
import { repositoryOf } from './repositories.ts';

function runOf(call: Call): Run {
  const id = Number(param(call, 'id'));
  const run = call.state.ci.runs(repositoryOf(call)).find((candidate) => candidate.id === id);
  if (run === undefined) throw new ApiError(404, 'Not Found');
  return run;
}

function findJob(state: ForgeState, repository: Repository, id: number): { run: Run; job: Job } {
  for (const run of state.ci.runs(repository)) {
    const job = run.jobs.find((candidate) => candidate.id === id);
    if (job !== undefined) return { run, job };
  }
  throw new ApiError(404, 'Not Found');
}

function jobOf(call: Call): { run: Run; job: Job } {
  return findJob(call.state, repositoryOf(call), Number(param(call, 'id')));
}

/** `2025-01-01`, `>=2025-01-01T00:00:00Z`, `2025-01-01..2025-02-01`, as the `created` filter takes them. */
function createdFilter(text: string): (run: Run) => boolean {
  const [from, to] = text.includes('..') ? text.split('..') : [text, null];
  const match = /^(>=|<=|>|<)?(.+)$/.exec(from ?? '');
  const at = Date.parse(match?.[2] ?? '');
  if (Number.isNaN(at)) throw new ApiError(422, 'Validation Failed', [{ field: 'created', code: 'invalid' }]);
  const second = (run: Run): number => Date.parse(isoTime(run.createdAt));
  if (to != null) return (run) => second(run) >= at && second(run) <= Date.parse(to);
  if (match?.[1] === '>=') return (run) => second(run) >= at;
  if (match?.[1] === '>') return (run) => second(run) > at;
  if (match?.[1] === '<=') return (run) => second(run) <= at;
  if (match?.[1] === '<') return (run) => second(run) < at;
  return (run) => isoTime(run.createdAt).startsWith(match?.[2] ?? '');
}

function listRuns(call: Call, only: (run: Run) => boolean): ForgeResponse {
  const { query } = call.request;
  const status = query.get('status');
  const created = query.get('created');
  const isCreated = created === null ? () => true : createdFilter(created);
  const equal = (name: string, value: string): boolean =>
    query.get(name) === null || query.get(name) === value;
  const runs = call.state.ci.runs(repositoryOf(call)).filter((run) => {
    const attempt = latestAttempt(run);
    return (
      only(run) &&
      equal('branch', run.branch) &&
      equal('event', run.event) &&
      equal('head_sha', run.sha) &&
      equal('actor', run.actor.login) &&
      (status === null || attempt.status === status || attempt.conclusion === status) &&
      isCreated(run)
    );
  });
  const { items, headers } = page(call, runs);
  return json(
    { total_count: runs.length, workflow_runs: items.map((run) => runJson(call.state, run)) },
    200,
    headers,
  );
}

function listJobs(call: Call, run: Run, jobs: readonly Job[]): ForgeResponse {
  const { items, headers } = page(call, jobs);
  return json(
    { total_count: jobs.length, jobs: items.map((job) => jobJson(call.state, run, job)) },
    200,
    headers,
  );
}

function workflowJson(call: Call, workflow: Run['workflow']): Record<string, unknown> {
  const repository = repositoryOf(call);
  return {
    ...workflow,
    node_id: `W_${workflow.id}`,
    state: 'active',
    created_at: isoTime(repository.createdAt),
    updated_at: isoTime(repository.createdAt),
    url: `${call.state.url}/repos/${repository.fullName}/actions/workflows/${workflow.id}`,
    html_url: `${call.state.url}/${repository.fullName}/blob/${repository.defaultBranch}/${workflow.path}`,
  };
}

function startRerun(call: Call, run: Run, which: 'all' | 'failed' | { readonly job: Job }): ForgeResponse {
  const { state, actor } = call;
  requireWrite(run.repository, actor);
  state.ci.rerun(run, which, actor);
  const attempt = latestAttempt(run).number;
  state.journal.write({
    kind: 'runRerun',
    actor: actor.login,
    repository: run.repository.fullName,
    runId: run.id,
    attempt,
  });
  return json({}, 201);
}

/** Where a job's log can be fetched without a token; the answer to `logSignature`. */
function logSignature(job: Job): string {
  return createHash('sha256').update(`${job.id} ${job.logPath}`).digest('hex').slice(0, 32);
}

/** `GET /_logs/<owner>/<repo>/<job>?sig=…`: the log behind GitHub's redirect; plain text, no token. */
export async function serveLog(
  state: ForgeState,
  path: string,
  signature: string | null,
): Promise<ForgeResponse | null> {
  const match = /^\/_logs\/(\d+)$/.exec(path);
  if (match === null) return null;
  for (const repository of state.repositories.values()) {
    for (const run of state.ci.runs(repository)) {
      const job = run.jobs.find(({ id }) => id === Number(match[1]));
      if (job === undefined || signature !== logSignature(job)) continue;
      const body = await readFile(job.logPath).catch(() => Buffer.alloc(0));
      return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
    }
  }
  return empty(404);
}

export const actionRoutes: readonly Route[] = [
  route('GET', '/repos/:owner/:repo/actions/workflows', (call) => {
    const workflows = call.state.ci.workflows(repositoryOf(call));
    const { items, headers } = page(call, workflows);
    const list = items.map((workflow) => workflowJson(call, workflow));
    return json({ total_count: workflows.length, workflows: list }, 200, headers);
  }),
  route('GET', '/repos/:owner/:repo/actions/workflows/:workflow/runs', (call) => {
    const wanted = param(call, 'workflow');
    return listRuns(
      call,
      ({ workflow }) => String(workflow.id) === wanted || workflow.path.endsWith(`/${wanted}`),
    );
  }),
  route('GET', '/repos/:owner/:repo/actions/workflows/:workflow', (call) => {
    const wanted = param(call, 'workflow');
    const workflow = call.state.ci
      .workflows(repositoryOf(call))
      .find(({ id, path }) => String(id) === wanted || path.endsWith(`/${wanted}`));
    if (workflow === undefined) throw new ApiError(404, 'Not Found');
    return json(workflowJson(call, workflow));
  }),
  route('GET', '/repos/:owner/:repo/actions/runs', (call) => listRuns(call, () => true)),
  route('GET', '/repos/:owner/:repo/actions/runs/:id', (call) => json(runJson(call.state, runOf(call)))),
  route('GET', '/repos/:owner/:repo/actions/runs/:id/jobs', (call) => {
    const run = runOf(call);
    return listJobs(call, run, call.request.query.get('filter') === 'all' ? run.jobs : jobsAsOf(run));
  }),
  route('GET', '/repos/:owner/:repo/actions/runs/:id/attempts/:attempt', (call) => {
    const run = runOf(call);
    const attempt = run.attempts[Number(param(call, 'attempt')) - 1];
    if (attempt === undefined) throw new ApiError(404, 'Not Found');
    return json(runJson(call.state, run, attempt));
  }),
  route('GET', '/repos/:owner/:repo/actions/runs/:id/attempts/:attempt/jobs', (call) => {
    const run = runOf(call);
    const number = Number(param(call, 'attempt'));
    if (run.attempts[number - 1] === undefined) throw new ApiError(404, 'Not Found');
    return listJobs(call, run, jobsAsOf(run, number));
  }),
  route('GET', '/repos/:owner/:repo/actions/jobs/:id', (call) => {
    const { run, job } = jobOf(call);
    return json(jobJson(call.state, run, job));
  }),
  route('GET', '/repos/:owner/:repo/actions/jobs/:id/logs', (call) => {
    const { job } = jobOf(call);
    if (job.status !== 'completed' || job.conclusion === 'skipped') throw new ApiError(404, 'Not Found');
    return empty(302, { location: `${call.state.url}/_logs/${job.id}?sig=${logSignature(job)}` });
  }),
  route('POST', '/repos/:owner/:repo/actions/runs/:id/rerun-failed-jobs', (call) =>
    startRerun(call, runOf(call), 'failed'),
  ),
  route('POST', '/repos/:owner/:repo/actions/runs/:id/rerun', (call) => startRerun(call, runOf(call), 'all')),
  route('POST', '/repos/:owner/:repo/actions/jobs/:id/rerun', (call) => {
    const { run, job } = jobOf(call);
    return startRerun(call, run, { job });
  }),
  route('POST', '/repos/:owner/:repo/actions/runs/:id/cancel', (call) => {
    const run = runOf(call);
    requireWrite(run.repository, call.actor);
    call.state.ci.cancel(run);
    const { actor, state } = call;
    state.journal.write({
      kind: 'runCancelled',
      actor: actor.login,
      repository: run.repository.fullName,
      runId: run.id,
    });
    return json({}, 202);
  }),
];

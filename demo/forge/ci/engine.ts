// Starts workflow runs for pushes, pull requests and repository_dispatch, executes their jobs in the order of `needs`, and keeps attempts.
// Runs made by hand are only data. At most two jobs execute at once.
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { listRefs, readChanges, readCommits, tryGit, workflowFiles, ZERO_SHA } from '../git/bare.ts';
import { ApiError } from '../http/route.ts';
import type { Conclusion, JobFailure, RunPatch, RunSpec } from '../operations.ts';
import { createSlots, type ForgeState, type Issue, type Repository, type User } from '../state.ts';
import { executeJobByAct } from './act/runner.ts';
import { createRegistry, createRunByHand, finishRerunByHand, setRunByHand } from './registry.ts';
import { executeJob, type JobInput } from './runner.ts';
import {
  concludeRun,
  githubVariables,
  isNeeded,
  type Job,
  jobsAsOf,
  latestAttempt,
  type Run,
  withDependents,
} from './runs.ts';
import {
  type EventName,
  evaluateCondition,
  eventValue,
  isTriggered,
  type JobDefinition,
  parseWorkflow,
  type WorkflowDefinition,
} from './workflow.ts';

export interface CiEngine {
  pushed(
    repository: Repository,
    push: { branch: string; oldSha: string; newSha: string; actor: User },
  ): Promise<void>;
  pullChanged(
    repository: Repository,
    issue: Issue,
    action: 'opened' | 'synchronize' | 'reopened',
    actor: User,
  ): Promise<void>;
  /** @param event as the steps find it at GITHUB_EVENT_PATH; `action` is its type */
  dispatched(repository: Repository, event: DispatchEvent, actor: User): Promise<void>;
  /** Newest first. */
  runs(repository: Repository): Run[];
  workflows(repository: Repository): Run['workflow'][];
  /** Starts a new attempt; `failed` only for the jobs that did not succeed. 403 while the run goes on. */
  rerun(run: Run, which: 'all' | 'failed' | { readonly job: Job }, actor: User): void;
  cancel(run: Run): void;
  createRun(spec: RunSpec): Promise<Run>;
  setRun(patch: RunPatch): Run;
  failJob(failure: JobFailure): void;
  waitIdle(): Promise<void>;
  /** Kills everything that executes and waits for its end. */
  stop(): Promise<void>;
}

export type DispatchEvent = Readonly<Record<string, unknown>> & { readonly action: string };

const JOBS_AT_ONCE = 2;

export function createCiEngine(state: ForgeState): CiEngine {
  const failures: JobFailure[] = [];
  const executing = new Map<Run, { abort: AbortController; done: Promise<void> }>();
  const slots = createSlots(JOBS_AT_ONCE);
  let stopped = false;

  const registry = createRegistry(state);
  const { runs, addRun, addJobs, workflowOf, finishJob } = registry;

  const settle = (run: Run, status: 'in_progress' | 'completed', conclusion: Conclusion | null): void => {
    const attempt = latestAttempt(run);
    attempt.status = status;
    attempt.conclusion = conclusion;
    attempt.updatedAt = state.now();
  };

  const execute = (run: Run, definition: WorkflowDefinition): void => {
    const abort = new AbortController();
    const done = executeRun(run, definition, abort.signal)
      .catch(() => settle(run, 'completed', 'failure'))
      .finally(() => executing.delete(run));
    executing.set(run, { abort, done });
  };

  const executeRun = async (run: Run, definition: WorkflowDefinition, signal: AbortSignal): Promise<void> => {
    const running = new Map<Job, Promise<void>>();
    while (true) {
      const jobs = jobsAsOf(run);
      const waiting = jobs.filter((job) => job.status === 'queued' && !running.has(job));
      for (const job of waiting) {
        const jobDefinition = definition.jobs.find(({ key }) => key === job.key);
        if (jobDefinition === undefined) continue;
        const needed = jobs.filter(({ key }) => jobDefinition.needs.some((need) => isNeeded(need, key)));
        if (needed.some(({ status }) => status !== 'completed')) continue;
        const needsFailed = needed.some(({ conclusion }) => conclusion !== 'success');
        const task = slots(async () => {
          settle(run, 'in_progress', null);
          await runJob(run, job, jobDefinition, needsFailed, signal);
        })
          .catch((error: unknown) => {
            writeFileSync(job.logPath, `##[error]${messageOf(error)}\n`);
            finishJob(job, 'failure');
          })
          .finally(() => running.delete(job));
        running.set(job, task);
      }
      if (running.size === 0) break;
      await Promise.race(running.values());
    }
    for (const job of jobsAsOf(run)) if (job.status !== 'completed') finishJob(job, 'skipped');
    settle(run, 'completed', signal.aborted ? 'cancelled' : concludeRun(jobsAsOf(run)));
  };

  const runJob = async (
    run: Run,
    job: Job,
    definition: JobDefinition,
    needsFailed: boolean,
    signal: AbortSignal,
  ): Promise<void> => {
    const github = githubVariables(state.url, run, definition);
    const lookUp = (context: string): string =>
      context.startsWith('github.event.')
        ? eventValue(run.payload, context.slice('github.event.'.length))
        : (github[`GITHUB_${context.replace(/^github\./, '').toUpperCase()}`] ?? '');
    const status = { failed: needsFailed, cancelled: signal.aborted };
    if (signal.aborted) return finishJob(job, 'cancelled');
    if (!evaluateCondition(definition.condition, status, lookUp)) return finishJob(job, 'skipped');
    job.status = 'in_progress';
    job.startedAt = state.now();
    const forced = failures.find(
      ({ owner, repo, job: name, attempts }) =>
        `${owner}/${repo}` === run.repository.fullName &&
        (name === definition.key || name === definition.name) &&
        job.attempt <= attempts,
    );
    const input: JobInput = {
      job,
      definition,
      directory: join(state.dataDir, 'work', String(job.id)),
      repositoryName: run.repository.name,
      repositoryPath: run.repository.path,
      gitUrl: `${state.url}/${run.repository.fullName}.git`,
      sha: run.sha,
      github,
      event: run.payload,
      needsFailed: false,
      forcedFailure:
        forced === undefined ? null : (forced.output ?? 'Error: connect ECONNRESET 127.0.0.1:443'),
      signal,
      now: state.now,
    };
    // What fails on order is printed by the forge itself.
    const byAct = state.act !== null && forced === undefined;
    finishJob(job, byAct ? await executeJobByAct(state.act, input) : await executeJob(input));
  };

  const startRuns = async (
    repository: Repository,
    sha: string,
    start: {
      name: EventName;
      action?: string;
      filterBranch: string;
      branch: string;
      baseSha: string | null;
      actor: User;
      pulls: readonly number[];
      event?: DispatchEvent;
    },
  ): Promise<void> => {
    if (!repository.ci || stopped) return;
    const { event } = start;
    const message = (await readCommits(repository.path, ['-1', sha]))[0]?.message ?? '';
    const title = event === undefined ? message : event.action;
    if (event === undefined && /\[(skip ci|ci skip|no ci|skip actions|actions skip)\]/.test(message)) return;
    const files = await workflowFiles(repository.path, sha);
    if (files.length === 0) return;
    const paths = (await readChanges(repository.path, start.baseSha, sha)).map(({ path }) => path);
    for (const { path, text } of files) {
      const fields = {
        repository,
        rerunConclusion: null,
        problem: null,
        event: start.name,
        payload: event ?? null,
        branch: start.branch,
        sha,
        title: title.split('\n')[0] ?? '',
        actor: start.actor,
        pulls: start.pulls,
        createdAt: state.now(),
      };
      let definition: WorkflowDefinition;
      try {
        definition = parseWorkflow(path, text);
      } catch (error) {
        // That a file is none is said to whoever pushed it.
        if (event !== undefined) continue;
        const run = addRun({
          ...fields,
          definition: null,
          problem: messageOf(error),
          workflow: workflowOf(repository, path, path),
        });
        settle(run, 'completed', 'failure');
        continue;
      }
      const { name, action, filterBranch: branch } = start;
      if (!isTriggered(definition, { name, branch, paths, ...(action === undefined ? {} : { action }) }))
        continue;
      const run = addRun({ ...fields, definition, workflow: workflowOf(repository, path, definition.name) });
      addJobs(run, definition.jobs);
      execute(run, definition);
    }
  };

  return {
    pushed: async (repository, { branch, oldSha, newSha, actor }) => {
      const known =
        oldSha !== ZERO_SHA && (await tryGit(repository.path, ['cat-file', '-e', oldSha])).code === 0;
      const main = (await listRefs(repository.path, `refs/heads/${repository.defaultBranch}`))
        .values()
        .next().value;
      const baseSha = known ? oldSha : branch === repository.defaultBranch ? null : (main ?? null);
      await startRuns(repository, newSha, {
        name: 'push',
        filterBranch: branch,
        branch,
        baseSha,
        actor,
        pulls: [],
      });
    },
    pullChanged: async (repository, issue, action, actor) => {
      if (issue.pull === null) return;
      const { headSha, headRef, baseRef, baseSha } = issue.pull;
      await startRuns(repository, headSha, {
        name: 'pull_request',
        action,
        filterBranch: baseRef,
        branch: headRef,
        baseSha,
        actor,
        pulls: [issue.number],
      });
    },
    dispatched: async (repository, event, actor) => {
      const branch = repository.defaultBranch;
      const ref = `refs/heads/${branch}`;
      const sha = (await listRefs(repository.path, ref)).get(ref);
      if (sha === undefined) return;
      await startRuns(repository, sha, {
        name: 'repository_dispatch',
        action: event.action,
        filterBranch: branch,
        branch,
        baseSha: sha,
        actor,
        pulls: [],
        event,
      });
    },
    runs: (repository) =>
      runs
        .filter((run) => run.repository === repository)
        .sort((left, right) => right.createdAt - left.createdAt || right.id - left.id),
    workflows: registry.workflows,
    rerun: (run, which, actor) => {
      if (latestAttempt(run).status !== 'completed') {
        throw new ApiError(403, 'This workflow run cannot be rerun because it is already running');
      }
      const jobs = jobsAsOf(run);
      const chosen = jobs.filter((job) => {
        if (which === 'all') return true;
        if (which === 'failed') return job.conclusion !== 'success' && job.conclusion !== 'skipped';
        return job === which.job;
      });
      if (which === 'failed' && chosen.length === 0) {
        throw new ApiError(403, 'This workflow run cannot be rerun because it has no failed jobs');
      }
      const now = state.now();
      const number = run.attempts.length + 1;
      run.attempts.push({
        number,
        actor,
        startedAt: now,
        status: 'queued',
        conclusion: null,
        updatedAt: now,
      });
      let keys = new Set(chosen.map(({ key }) => key));
      if (run.definition !== null) keys = withDependents(run.definition, keys);
      addJobs(
        run,
        jobs.filter(({ key }) => keys.has(key)),
      );
      if (run.definition !== null) execute(run, run.definition);
      else if (run.rerunConclusion !== null) {
        finishRerunByHand(registry, run, run.rerunConclusion);
        settle(run, 'completed', run.rerunConclusion);
      }
    },
    cancel: (run) => {
      if (latestAttempt(run).status === 'completed') {
        throw new ApiError(409, 'Cannot cancel a workflow run that is completed.');
      }
      const execution = executing.get(run);
      if (execution !== undefined) execution.abort.abort();
      else {
        for (const job of jobsAsOf(run)) if (job.status !== 'completed') finishJob(job, 'cancelled');
        settle(run, 'completed', 'cancelled');
      }
    },
    createRun: (spec) => createRunByHand(state, registry, spec),
    setRun: (patch) => setRunByHand(state, registry, patch),
    failJob: (failure) => {
      failures.unshift(failure);
    },
    waitIdle: async () => {
      while (executing.size > 0) await Promise.all([...executing.values()].map(({ done }) => done));
    },
    stop: async () => {
      stopped = true;
      const open = [...executing.values()];
      for (const { abort } of open) abort.abort();
      await Promise.all(open.map(({ done }) => done));
      await rm(join(state.dataDir, 'work'), { recursive: true, force: true });
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

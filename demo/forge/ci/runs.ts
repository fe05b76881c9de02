// Workflow runs, their attempts and jobs: the data and what follows from it. Pure; executing is the engine's part.
import type { Conclusion, RunInfo, RunStatus } from '../operations.ts';
import type { Repository, User } from '../state.ts';
import type { JobDefinition, WorkflowDefinition } from './workflow.ts';

export interface Step {
  readonly number: number;
  readonly name: string;
  status: RunStatus;
  conclusion: Conclusion | null;
  startedAt: number | null;
  completedAt: number | null;
}

export interface Job {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly attempt: number;
  readonly createdAt: number;
  readonly steps: Step[];
  /** File with the log in GitHub's format. */
  readonly logPath: string;
  status: RunStatus;
  conclusion: Conclusion | null;
  startedAt: number | null;
  completedAt: number | null;
}

export interface Attempt {
  readonly number: number;
  readonly actor: User;
  readonly startedAt: number;
  status: RunStatus;
  conclusion: Conclusion | null;
  updatedAt: number;
}

export interface Run {
  readonly id: number;
  readonly number: number;
  readonly repository: Repository;
  readonly workflow: { readonly id: number; readonly path: string; readonly name: string };
  /** Null for a run made by hand: nothing is executed. */
  readonly definition: WorkflowDefinition | null;
  readonly rerunConclusion: Conclusion | null;
  /** Why the workflow file could not be run. */
  readonly problem: string | null;
  readonly event: string;
  /** What the steps find at GITHUB_EVENT_PATH; null: no such file. */
  readonly payload: Readonly<Record<string, unknown>> | null;
  readonly branch: string;
  readonly sha: string;
  readonly title: string;
  readonly actor: User;
  readonly pulls: readonly number[];
  readonly createdAt: number;
  readonly attempts: Attempt[];
  /** Jobs of all attempts; one that was not run again belongs to its last attempt. */
  readonly jobs: Job[];
}

export function latestAttempt(run: Run): Attempt {
  const attempt = run.attempts.at(-1);
  if (attempt === undefined) throw new Error(`run ${run.id} has no attempt`);
  return attempt;
}

export function openStep(job: Job, name: string, now: number): Step {
  const number = job.steps.length + 1;
  const step: Step = {
    number,
    name,
    status: 'in_progress',
    conclusion: null,
    startedAt: now,
    completedAt: null,
  };
  job.steps.push(step);
  return step;
}

export function closeStep(step: Step, conclusion: Conclusion, now: number): void {
  step.status = 'completed';
  step.conclusion = conclusion;
  step.completedAt = now;
}

/** For each job its last execution up to an attempt (default: the latest). */
export function jobsAsOf(run: Run, attempt = run.attempts.length): Job[] {
  const jobs = new Map<string, Job>();
  for (const job of run.jobs) if (job.attempt <= attempt) jobs.set(job.key, job);
  return [...jobs.values()];
}

/** The conclusion of a run whose jobs are all completed. */
export function concludeRun(jobs: readonly Job[]): Conclusion {
  const has = (conclusion: Conclusion): boolean => jobs.some((job) => job.conclusion === conclusion);
  if (has('failure') || has('timed_out')) return 'failure';
  if (has('cancelled')) return 'cancelled';
  if (jobs.length > 0 && jobs.every((job) => job.conclusion === 'skipped')) return 'skipped';
  return 'success';
}

/** Keys of the jobs to run again: these, and all that need them. */
export function withDependents(definition: WorkflowDefinition, keys: ReadonlySet<string>): Set<string> {
  const result = new Set(keys);
  for (let size = -1; size !== result.size; ) {
    size = result.size;
    for (const job of definition.jobs) {
      if (job.needs.some((need) => [...result].some((key) => isNeeded(need, key)))) result.add(job.key);
    }
  }
  return result;
}

/** Whether a job's key is the needed job, or one of its matrix. */
export function isNeeded(need: string, key: string): boolean {
  return key === need || key.startsWith(`${need} (`);
}

export function runInfo(run: Run): RunInfo {
  const { status, conclusion, number } = latestAttempt(run);
  const { id, event, branch, sha } = run;
  return {
    id,
    number: run.number,
    workflow: run.workflow.path,
    event,
    branch,
    sha,
    status,
    conclusion,
    attempt: number,
    ...(run.problem === null ? {} : { problem: run.problem }),
  };
}

/** The `GITHUB_*` variables of a job; `url` is the forge's root. */
export function githubVariables(url: string, run: Run, definition: JobDefinition): Record<string, string> {
  const pull = run.pulls[0];
  return {
    GITHUB_ACTOR: run.actor.login,
    GITHUB_API_URL: url,
    GITHUB_SERVER_URL: url,
    GITHUB_EVENT_NAME: run.event,
    GITHUB_HEAD_REF: pull === undefined ? '' : run.branch,
    GITHUB_JOB: definition.key.replace(/ \(.*/, ''),
    GITHUB_REF: pull === undefined ? `refs/heads/${run.branch}` : `refs/pull/${pull}/merge`,
    GITHUB_REF_NAME: pull === undefined ? run.branch : `${pull}/merge`,
    GITHUB_REPOSITORY: run.repository.fullName,
    GITHUB_RUN_ATTEMPT: String(latestAttempt(run).number),
    GITHUB_RUN_ID: String(run.id),
    GITHUB_RUN_NUMBER: String(run.number),
    GITHUB_SHA: run.sha,
    GITHUB_WORKFLOW: run.workflow.name,
  };
}

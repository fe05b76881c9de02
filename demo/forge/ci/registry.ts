// The list of all runs: makes runs and jobs with their ids, also those made by hand. Executes nothing.
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listRefs } from '../git/bare.ts';
import { ApiError } from '../http/route.ts';
import type { Conclusion, RunPatch, RunSpec } from '../operations.ts';
import { type ForgeState, findRepository, type Repository, takeId } from '../state.ts';
import { type Job, jobsAsOf, latestAttempt, type Run } from './runs.ts';

export interface Registry {
  readonly runs: readonly Run[];
  workflows(repository: Repository): Run['workflow'][];
  workflowOf(repository: Repository, path: string, name: string): Run['workflow'];
  addRun(fields: Omit<Run, 'id' | 'number' | 'attempts' | 'jobs'>): Run;
  /** Queues jobs for the run's latest attempt. */
  addJobs(run: Run, names: readonly { key: string; name: string }[]): void;
  finishJob(job: Job, conclusion: Conclusion): void;
}

export function createRegistry(state: ForgeState): Registry {
  const runs: Run[] = [];
  const workflowIds = new Map<string, Run['workflow']>();

  const workflowOf = (repository: Repository, path: string, name: string): Run['workflow'] => {
    const key = `${repository.id} ${path}`;
    const known = workflowIds.get(key) ?? { id: takeId(state), path, name };
    const workflow = { ...known, name };
    workflowIds.set(key, workflow);
    return workflow;
  };

  const addJobs = (run: Run, names: readonly { key: string; name: string }[]): void => {
    const attempt = latestAttempt(run).number;
    for (const { key, name } of names) {
      const id = takeId(state);
      run.jobs.push({
        id,
        key,
        name,
        attempt,
        createdAt: state.now(),
        steps: [],
        logPath: join(state.dataDir, 'logs', `${id}.txt`),
        status: 'queued',
        conclusion: null,
        startedAt: null,
        completedAt: null,
      });
    }
  };

  const addRun = (fields: Omit<Run, 'id' | 'number' | 'attempts' | 'jobs'>): Run => {
    const number = runs.filter((run) => run.workflow.id === fields.workflow.id).length + 1;
    const startedAt = fields.createdAt;
    const first = {
      number: 1,
      actor: fields.actor,
      startedAt,
      status: 'queued',
      conclusion: null,
      updatedAt: startedAt,
    } as const;
    const run: Run = { ...fields, id: takeId(state), number, attempts: [{ ...first }], jobs: [] };
    runs.push(run);
    return run;
  };

  return {
    runs,
    workflows: (repository) =>
      [...workflowIds.entries()]
        .filter(([key]) => key.startsWith(`${repository.id} `))
        .map(([, workflow]) => workflow),
    workflowOf,
    addRun,
    addJobs,
    finishJob: (job, conclusion) => {
      job.status = 'completed';
      job.conclusion = conclusion;
      job.startedAt ??= state.now();
      job.completedAt = state.now();
    },
  };
}

/** Makes a run that nobody executes. */
export async function createRunByHand(state: ForgeState, registry: Registry, spec: RunSpec): Promise<Run> {
  const repository = findRepository(state, spec.owner, spec.repo);
  const branch = spec.branch ?? repository.defaultBranch;
  const sha = spec.sha ?? (await listRefs(repository.path, 'refs/heads/')).get(`refs/heads/${branch}`);
  if (sha === undefined) throw new ApiError(422, `No branch "${branch}": give sha or an existing branch`);
  const actor = state.users.get(repository.owner);
  if (actor === undefined) throw new ApiError(422, `No user "${repository.owner}"`);
  const path = spec.workflow ?? '.github/workflows/ci.yml';
  const run = registry.addRun({
    repository,
    definition: null,
    problem: null,
    rerunConclusion: spec.rerunConclusion ?? null,
    workflow: registry.workflowOf(repository, path, spec.name ?? 'CI'),
    event: spec.event ?? 'push',
    payload: null,
    branch,
    sha,
    title: spec.name ?? 'CI',
    actor,
    pulls: [],
    createdAt: spec.createdAt === undefined ? state.now() : Date.parse(spec.createdAt),
  });
  const attempt = latestAttempt(run);
  attempt.status = spec.status ?? 'completed';
  attempt.conclusion = attempt.status === 'completed' ? (spec.conclusion ?? 'success') : null;
  const jobs = spec.jobs ?? [{ name: 'test', status: attempt.status, conclusion: attempt.conclusion }];
  registry.addJobs(
    run,
    jobs.map(({ name }) => ({ key: name, name })),
  );
  for (const [index, job] of run.jobs.entries()) {
    const given = jobs[index];
    if (given === undefined) continue;
    writeFileSync(job.logPath, given.log ?? '');
    job.status = given.status ?? attempt.status;
    if (job.status === 'completed')
      registry.finishJob(job, given.conclusion ?? attempt.conclusion ?? 'success');
    for (const [at, step] of (given.steps ?? []).entries()) {
      const times = { startedAt: job.startedAt, completedAt: job.completedAt };
      job.steps.push({
        number: at + 1,
        name: step.name,
        status: 'completed',
        conclusion: step.conclusion,
        ...times,
      });
    }
  }
  return run;
}

/** Ends the jobs of its latest attempt; what fails again does so in the same step, with the same log. */
export function finishRerunByHand(registry: Registry, run: Run, conclusion: Conclusion): void {
  for (const job of run.jobs.filter(({ attempt }) => attempt === latestAttempt(run).number)) {
    registry.finishJob(job, conclusion);
    const before = run.jobs.findLast(({ key, attempt }) => key === job.key && attempt < job.attempt);
    if (before === undefined || before.conclusion !== conclusion) continue;
    copyFileSync(before.logPath, job.logPath);
    const { startedAt, completedAt } = job;
    job.steps.push(...before.steps.map((step) => ({ ...step, startedAt, completedAt })));
  }
}

/** Sets state and conclusion of a run made by hand; jobs still open take the run's conclusion. */
export function setRunByHand(state: ForgeState, registry: Registry, patch: RunPatch): Run {
  const run = registry.runs.find(({ id }) => id === patch.id);
  if (run === undefined) throw new ApiError(404, `No run ${patch.id}`);
  if (run.definition !== null)
    throw new ApiError(422, `Run ${patch.id} is executed for real and cannot be set by hand`);
  const attempt = latestAttempt(run);
  for (const job of jobsAsOf(run)) {
    const conclusion = patch.jobs?.[job.name];
    if (conclusion !== undefined) registry.finishJob(job, conclusion);
    else if (patch.conclusion != null && job.status !== 'completed')
      registry.finishJob(job, patch.conclusion);
  }
  attempt.status = patch.status ?? (patch.conclusion == null ? attempt.status : 'completed');
  attempt.conclusion = patch.conclusion === undefined ? attempt.conclusion : patch.conclusion;
  attempt.updatedAt = state.now();
  return run;
}

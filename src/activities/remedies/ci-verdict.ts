// What a job of a workflow says on a branch now: by the newest run in which it said anything. What was cancelled or skipped says nothing, in a run
// as in a job; several jobs may have one name, and the name is green when all of them are.
import type { CiDetail } from '../../contract/finding.ts';
import {
  type Place,
  readBranchSha,
  readFileAt,
  readJobs,
  readRun,
  readRunsOfBranch,
} from '../../integrations/github/read.ts';
import type { Job, Run } from '../../integrations/github/shapes.ts';
import { countsAsCi, noJob, stableName, verdictOf } from '../../policy/ci/ci-runs.ts';
import { verdictOfName } from '../../policy/ci/job-verdicts.ts';
import { lookBackRuns } from '../../policy/ci/lane-failures.ts';

export type JobVerdict =
  | { readonly state: 'running'; readonly run: Run }
  /** `job` null: the run failed without it. `jobs`: all of the run. */
  | { readonly state: 'red'; readonly run: Run; readonly job: Job | null; readonly jobs?: readonly Job[] }
  | { readonly state: 'green'; readonly run: Run; readonly why: string }
  /** The branch, or its workflow, is not there any more. */
  | { readonly state: 'gone'; readonly why: string }
  /** The branch is there, and none of its latest runs says anything of this workflow. */
  | { readonly state: 'silent' };

/** Runs of other workflows may lie between those of this one. */
const maxPages = 5;

export async function verdictOfJob(place: Place, detail: CiDetail): Promise<JobVerdict> {
  const { branch } = detail;
  const runs = await runsThatCount(place, detail);
  const [newest] = runs;
  if (newest === undefined) {
    if ((await readBranchSha(place, branch)) !== null) return { state: 'silent' };
    return { state: 'gone', why: `branch ${branch} is not there any more` };
  }
  if (newest.status !== 'completed') return { state: 'running', run: newest };
  const ended = runs.filter((run) => run.status === 'completed').slice(0, lookBackRuns);
  const said = (await lastWord(place, ended, detail)) ?? (await asItWas(place, newest, detail));
  if (said.state === 'red' && (await isDeleted(place, newest, detail)))
    return { state: 'gone', why: `${detail.workflowPath} is not in ${branch} any more` };
  return said;
}

/** Of the newest of these runs that says anything of the job; null: none does. */
async function lastWord(
  place: Place,
  ended: readonly Run[],
  detail: CiDetail,
): Promise<Extract<JobVerdict, { state: 'red' | 'green' }> | null> {
  const isNamed = ({ name }: Job): boolean => stableName(name) === stableName(detail.job);
  for (const latest of ended) {
    // Its rerun was cancelled: the attempt before still counts.
    const run = verdictOf(latest) === null ? { ...latest, attempt: detail.runAttempt } : latest;
    const jobs = await readJobs(place, run.id, run.attempt);
    const passed = verdictOf(run) === 'green';
    if (detail.job === noJob) {
      if (!passed && failedOf(jobs) === null) return { state: 'red', run, job: null, jobs };
      return { state: 'green', run, why: `run ${run.id} started its jobs` };
    }
    switch (verdictOfName(jobs, detail.job)) {
      case 'red':
        return { state: 'red', run, job: failedOf(jobs.filter(isNamed)), jobs };
      case 'green':
        return { state: 'green', run, why: `job ${detail.job} passes in run ${run.id}` };
      case 'gone':
        return { state: 'green', run, why: `run ${run.id} has no job ${detail.job} any more` };
      case 'silent':
        // A green run without jobs leaves none open.
        if (passed && jobs.length === 0)
          return { state: 'green', run, why: `run ${run.id} ended ${run.conclusion ?? ''}` };
    }
  }
  return null;
}

/** It was skipped or cancelled in all of the latest runs: what is known of it is what its own run says. */
async function asItWas(
  place: Place,
  newest: Run,
  detail: CiDetail,
): Promise<Extract<JobVerdict, { state: 'red' }>> {
  const own = await readRun(place, detail.runId);
  const jobs = own === null ? [] : await readJobs(place, own.id, Math.min(own.attempt, detail.runAttempt));
  const job = failedOf(jobs.filter(({ name }) => stableName(name) === stableName(detail.job)));
  return own !== null && job !== null
    ? { state: 'red', run: { ...own, attempt: Math.min(own.attempt, detail.runAttempt) }, job }
    : { state: 'red', run: newest, job: null };
}

/** A workflow that was deleted or renamed never runs again. Pull requests may run a file of their base. */
async function isDeleted(place: Place, newest: Run, detail: CiDetail): Promise<boolean> {
  if (detail.pullRequest !== undefined) return false;
  const head = await readBranchSha(place, detail.branch);
  if (head === null || head === newest.sha) return false;
  return (await readFileAt(place, detail.workflowPath, head)) === null;
}

/** The failed one of the jobs that have the same name; null: none failed. */
export function failedOf(named: readonly Job[]): Job | null {
  return named.find((job) => verdictOf(job) === 'red') ?? null;
}

/** Newest first, those under way and those that said something, of the first page that has any. */
async function runsThatCount(place: Place, detail: CiDetail): Promise<readonly Run[]> {
  for (let page = 1; page <= maxPages; page += 1) {
    const { runs, more } = await readRunsOfBranch(place, detail.branch, page);
    const counting = runs.filter(
      (run) =>
        run.path === detail.workflowPath &&
        countsAsCi(run.event) &&
        (run.status !== 'completed' || verdictOf(run) !== null || isOwnRerun(run, detail)),
    );
    if (counting.length > 0) return counting;
    if (!more) return [];
  }
  return [];
}

/** A later attempt of the run that the finding is about, which ended without a word. */
function isOwnRerun(run: Run, detail: CiDetail): boolean {
  return run.id === detail.runId && run.attempt > detail.runAttempt;
}

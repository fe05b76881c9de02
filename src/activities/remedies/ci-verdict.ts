// What a job of a workflow says on a branch now: by the newest run in which it said anything. What was cancelled or skipped says nothing, in a run
// as in a job; several jobs may have one name, and the name is green when all of them are.
import type { CiDetail } from '../../contract/finding.ts';
import { type Place, readBranchSha, readJobs, readRunsOfBranch } from '../../integrations/github/read.ts';
import type { Job, Run } from '../../integrations/github/shapes.ts';
import { countsAsCi, verdictOf } from '../../policy/ci/ci-runs.ts';

export type JobVerdict =
  | { readonly state: 'running'; readonly run: Run }
  /** `job` null: the run failed without it. */
  | { readonly state: 'red'; readonly run: Run; readonly job: Job | null }
  | { readonly state: 'green'; readonly run: Run; readonly why: string }
  | { readonly state: 'gone' }
  /** The branch is there, and none of its latest runs says anything of this workflow. */
  | { readonly state: 'silent' };

/** Runs of other workflows may lie between those of this one. */
const maxPages = 5;
/** Runs in which the job was skipped or cancelled, before it counts as red. */
const maxSilentRuns = 4;

export async function verdictOfJob(place: Place, detail: CiDetail): Promise<JobVerdict> {
  const runs = await runsThatCount(place, detail);
  const [newest] = runs;
  if (newest === undefined)
    return (await readBranchSha(place, detail.branch)) === null ? { state: 'gone' } : { state: 'silent' };
  if (newest.status !== 'completed') return { state: 'running', run: newest };
  const ended = runs.filter((run) => run.status === 'completed').slice(0, maxSilentRuns);
  for (const run of ended) {
    if (verdictOf(run) === 'green')
      return { state: 'green', run, why: `run ${run.id} ended ${run.conclusion ?? 'without a conclusion'}` };
    const named = (await readJobs(place, run.id, run.attempt)).filter((job) => job.name === detail.job);
    const job = failedOf(named);
    if (named.length === 0 || job !== null) return { state: 'red', run, job };
    if (named.some((one) => verdictOf(one) === 'green'))
      return { state: 'green', run, why: `job ${detail.job} passes in run ${run.id}` };
  }
  return { state: 'red', run: newest, job: null };
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
        (run.status !== 'completed' || verdictOf(run) !== null),
    );
    if (counting.length > 0) return counting;
    if (!more) return [];
  }
  return [];
}

// What the runs around a failing job say (CI-3): whether the same job passed on the same commit, and how the runs of its branch went. Reads only.
import { type Place, readJobs, readRunsOfBranch, readRunsOfSha } from '../../../integrations/github/read.ts';
import type { Job, Run } from '../../../integrations/github/shapes.ts';
import { countsAsCi, verdictOf } from '../../../policy/ci/ci-runs.ts';

/** A failing job in one attempt of a run. */
export type FailedJobRef = {
  readonly runId: number;
  readonly runAttempt: number;
  readonly headSha: string;
  readonly workflowPath: string;
  readonly job: string;
};

const maxAttempts = 5;
const maxOtherRuns = 4;

/**
 * What runs of these events test is more than their commit: the branch it would be merged into, inputs of a person. Another run of the same
 * commit is another test then; another attempt is the same.
 */
const moreThanTheCommit: readonly string[] = ['pull_request', 'workflow_dispatch', 'repository_dispatch'];

/** In words, where the job passed on its commit without a change of code; null: nowhere that is known. */
export async function passedOnSameCommit(place: Place, failed: FailedJobRef): Promise<string | null> {
  const runs = (await readRunsOfSha(place, failed.headSha)).filter(
    (run) => run.path === failed.workflowPath && !run.fork,
  );
  const own = runs.find((run) => run.id === failed.runId);
  if (own === undefined) return null;
  const attempts = Array.from({ length: own.attempt }, (_, index) => own.attempt - index)
    .filter((attempt) => attempt !== failed.runAttempt)
    .slice(0, maxAttempts)
    .map((attempt) => ({ run: own, attempt, words: `attempt ${attempt} of run ${own.id}` }));
  const others = moreThanTheCommit.includes(own.event)
    ? []
    : runs
        .filter((run) => run.id !== own.id && run.event === own.event && verdictOf(run) !== null)
        .slice(0, maxOtherRuns)
        .map((run) => ({ run, attempt: run.attempt, words: `run ${run.id}` }));
  for (const { run, attempt, words } of [...attempts, ...others]) {
    const jobs = await readJobs(place, run.id, attempt);
    // A rerun of some jobs lists the others as they were: only what passed counts. Of several jobs with one name, all of them.
    const named = jobs.filter((job) => job.name === failed.job);
    if (named.length > 0 && named.every((job) => verdictOf(job) === 'green')) return words;
  }
  return null;
}

export type BranchRuns = {
  /** Runs of the workflow that ended green or red. */
  readonly ended: readonly number[];
  /** Failed ones since the last green one, on different commits. */
  readonly redCommits: number;
  readonly newestGreen: Run | null;
  /** So many runs of the branch were read, no green one among them, and there are more; null: all that is needed was read. */
  readonly cut: number | null;
};

/** Pages of 100 runs, of all workflows of the branch. */
const maxRunPages = 5;
/** So many runs of the workflow tell how it goes. */
const enoughRuns = 50;

/** Page by page until the last green run is there, and enough runs to measure a rate against. */
export async function readBranchRuns(
  place: Place,
  branch: string,
  workflowPath: string,
): Promise<BranchRuns> {
  const found = new Map<number, Run>();
  const ended = (): readonly Run[] => [...found.values()].filter((run) => verdictOf(run) !== null);
  const isEnough = (): boolean =>
    ended().length >= enoughRuns && ended().some((run) => verdictOf(run) === 'green');
  let read = 0;
  let more = true;
  for (let page = 1; page <= maxRunPages && more && !isEnough(); page += 1) {
    const next = await readRunsOfBranch(place, branch, page);
    read += next.runs.length;
    more = next.more;
    // A run that began meanwhile moves the others to the next page.
    for (const run of next.runs)
      if (run.path === workflowPath && countsAsCi(run.event)) found.set(run.id, run);
  }
  const runs = ended();
  const green = runs.findIndex((run) => verdictOf(run) === 'green');
  const red = green === -1 ? runs : runs.slice(0, green);
  return {
    ended: runs.map(({ id }) => id),
    redCommits: new Set(red.map(({ sha }) => sha)).size,
    newestGreen: runs[green] ?? null,
    cut: more && green === -1 ? read : null,
  };
}

/** Where the same job passed last; null: not known. */
export async function passingJobId(place: Place, runs: BranchRuns, job: string): Promise<number | null> {
  const { newestGreen } = runs;
  if (newestGreen === null) return null;
  const jobs = await readJobs(place, newestGreen.id, newestGreen.attempt);
  return jobs.find((one) => one.name === job && verdictOf(one) === 'green')?.id ?? null;
}

/** The failed jobs of one attempt. */
export async function failedJobs(
  place: Place,
  runId: number,
  attempt: number,
): Promise<{ readonly all: number; readonly failed: readonly Job[] }> {
  const jobs = await readJobs(place, runId, attempt);
  return { all: jobs.length, failed: jobs.filter((job) => verdictOf(job) === 'red') };
}

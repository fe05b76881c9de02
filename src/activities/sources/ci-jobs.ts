// CI-1: which jobs fail on the branches that are watched, and whether their workflows are still there. What a run that is over says of its jobs does
// not change: it is read once. Reads only.
import { isNotFound } from '../../integrations/github/errors.ts';
import { type Place, readJobs } from '../../integrations/github/read.ts';
import { ContentShape, type Job } from '../../integrations/github/shapes.ts';
import {
  type FailedJob,
  isRed,
  type KnownRun,
  type Lane,
  laneKey,
  verdictOf,
} from '../../policy/ci/ci-runs.ts';
import { silentNames } from '../../policy/ci/job-verdicts.ts';
import { type KnownFailure, laneFailures, type RunSays } from '../../policy/ci/lane-failures.ts';
import { type CiMemory, jobsKey, maxFailedJobs, maxLaneFailures, maxSilentJobs } from './ci-memory.ts';
import { inTurn, route } from './ci-requests.ts';

export type Failing = { readonly lane: Lane; readonly failures: readonly KnownFailure[] };

/** By lane what fails; with what is remembered of it. */
export async function readFailing(
  place: Place,
  before: CiMemory,
  lanes: readonly Lane[],
  nowMs: number,
): Promise<{ readonly failing: readonly Failing[]; readonly memory: Pick<CiMemory, 'jobs' | 'lanes'> }> {
  const said = new Map<string, RunSays | null>();
  const found = new Map<Lane, readonly KnownFailure[]>();
  await inTurn(lanes, async (lane) => {
    for (;;) {
      const look = laneFailures(lane, (run) => said.get(jobsKey(run)), before.lanes[laneKey(lane)], nowMs);
      if ('failures' in look) {
        found.set(lane, look.failures.slice(0, maxLaneFailures));
        return;
      }
      const key = jobsKey(look.unread);
      said.set(key, before.jobs[key] ?? (await readSays(place, look.unread)));
    }
  });
  const failing = lanes.map((lane) => ({ lane, failures: found.get(lane) ?? [] }));
  return { failing, memory: { jobs: kept(said), lanes: remembered(failing) } };
}

async function readSays(place: Place, run: KnownRun): Promise<RunSays | null> {
  try {
    const jobs = await readJobs(place, run.id, run.verdict?.attempt ?? run.attempt);
    // A green run without jobs leaves none open.
    const silent = jobs.length === 0 && !isRed(run) ? [] : silentNames(jobs);
    return {
      failed: jobs.flatMap(failedJob).slice(0, maxFailedJobs),
      silent: silent.map((name) => name.slice(0, 300)).slice(0, maxSilentJobs),
    };
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return null;
  }
}

function failedJob(job: Job): readonly FailedJob[] {
  if (verdictOf(job) !== 'red') return [];
  const step = job.steps.find(({ conclusion }) => conclusion === 'failure' || conclusion === 'timed_out');
  return [
    {
      id: job.id,
      name: job.name.slice(0, 300),
      step: step?.name.slice(0, 300) ?? null,
      stepNumber: step?.number ?? null,
      url: job.url,
    },
  ];
}

function kept(said: ReadonlyMap<string, RunSays | null>): CiMemory['jobs'] {
  const jobs: CiMemory['jobs'] = {};
  for (const [key, says] of said)
    if (says !== null) jobs[key] = { failed: [...says.failed], silent: [...says.silent] };
  return jobs;
}

function remembered(failing: readonly Failing[]): CiMemory['lanes'] {
  const lanes: CiMemory['lanes'] = {};
  for (const { lane, failures } of failing) {
    const newest = lane.deciding?.id;
    if (newest !== undefined) lanes[laneKey(lane)] = { newest, failures: [...failures] };
  }
  return lanes;
}

/** Lanes of whose failures nobody knows yet whether they are over: red, or red before. */
export function openLanes(before: CiMemory, lanes: readonly Lane[]): readonly Lane[] {
  return lanes.filter(
    (lane) =>
      (lane.deciding !== null && isRed(lane.deciding)) ||
      (before.lanes[laneKey(lane)]?.failures.length ?? 0) > 0,
  );
}

/**
 * Whether the workflows of these lanes are still in their branches: one that was deleted or renamed never runs again. Asked once for each head
 * of a branch, and not where the newest run is of the head itself. Pull requests have an end of their own, and may run a file of their base.
 */
export async function readFiles(
  place: Place,
  before: CiMemory,
  lanes: readonly Lane[],
  branches: CiMemory['branches'],
): Promise<CiMemory['files']> {
  const files: CiMemory['files'] = {};
  await inTurn(lanes, async (lane) => {
    const head = branches[lane.branch];
    if (lane.pullRequest !== undefined || head?.exists !== true || lane.deciding?.sha === head.sha) return;
    if (!lane.path.startsWith('.github/workflows/')) return;
    const key = laneKey(lane);
    const known = before.files[key];
    if (known?.sha === head.sha) {
      files[key] = known;
      return;
    }
    const params = { path: lane.path, ref: head.sha };
    const file = await place.github.readOrNull({
      ...route(place, '/contents/{path}', params),
      schema: ContentShape,
    });
    files[key] = { sha: head.sha, exists: file !== null };
  });
  return files;
}

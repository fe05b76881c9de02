// What the CI source keeps between two reads: ETags with what they stand for, and the runs that matter. Data from Postgres: it is parsed,
// and what does not fit is dropped, which costs one full read. Bounded, whatever the repository does.
import * as z from 'zod';
import type { Json } from '../../contract/effect.ts';
import type { KnownRun, Lane } from '../../policy/ci/ci-runs.ts';
import { lookBackRuns } from '../../policy/ci/lane-failures.ts';

export const maxFailedJobs = 50;
export const maxSilentJobs = 500;
export const maxLaneFailures = 100;
const Etag = z.string().max(256).nullable();
const Run = z.object({
  id: z.int(),
  attempt: z.int(),
  status: z.string(),
  conclusion: z.string().nullable(),
  branch: z.string(),
  sha: z.string(),
  path: z.string(),
  name: z.string(),
  url: z.string(),
  verdict: z.object({ attempt: z.int(), red: z.boolean() }).nullable(),
});
const Job = z.object({
  id: z.int(),
  name: z.string(),
  step: z.string().nullable(),
  stepNumber: z.int().nullable(),
  url: z.string(),
});
const Failure = z.object({ job: Job, run: Run, silentSinceMs: z.number().nullable() });

const Memory = z.object({
  version: z.literal(2),
  /** API and repository: another one starts anew. */
  identity: z.string(),
  defaultBranch: z.object({ etag: Etag, branch: z.string() }),
  /** By page of open pull requests. */
  pulls: z
    .array(
      z.object({
        etag: Etag,
        more: z.boolean(),
        items: z.array(z.object({ number: z.int(), branch: z.string() })).max(100),
      }),
    )
    .max(5),
  /** The first page of runs. */
  page: z.object({ etag: Etag, ids: z.array(z.int()).max(100) }),
  runs: z.array(Run).max(1_000),
  /** ETags of runs read by id. */
  runTags: z.record(z.string(), Etag),
  /** By `run/attempt`: what failed, and what neither failed nor passed. */
  jobs: z.record(
    z.string(),
    z.object({ failed: z.array(Job).max(maxFailedJobs), silent: z.array(z.string()).max(maxSilentJobs) }),
  ),
  /** By lane: its newest run that said anything, and what fails. */
  lanes: z.record(z.string(), z.object({ newest: z.int(), failures: z.array(Failure).max(maxLaneFailures) })),
  /** By name; `sha`: its head. */
  branches: z.record(z.string(), z.object({ etag: Etag, exists: z.boolean(), sha: z.string() })),
  /** By lane: whether the workflow's file is in the branch at this head. */
  files: z.record(z.string(), z.object({ sha: z.string(), exists: z.boolean() })),
});
export type CiMemory = z.output<typeof Memory>;

const recentRuns = 300;
const laneRuns = 300;

export function emptyCiMemory(identity: string): CiMemory {
  return {
    version: 2,
    identity,
    defaultBranch: { etag: null, branch: 'main' },
    pulls: [],
    page: { etag: null, ids: [] },
    runs: [],
    runTags: {},
    jobs: {},
    lanes: {},
    branches: {},
    files: {},
  };
}

/** Null for what is not a memory of ours. */
export function parseCiMemory(memory: Json): CiMemory | null {
  return Memory.safeParse(memory).data ?? null;
}

export function jobsKey(run: KnownRun): string {
  return `${run.id}/${run.verdict?.attempt ?? run.attempt}`;
}

/**
 * The newest runs of all branches (a pull request may be opened for one later), and whatever its age what decides on a watched branch, or said last
 * that something fails there.
 */
export function trimmed(memory: CiMemory, lanes: readonly Lane[]): Json {
  const newestFirst = (ids: readonly number[]): readonly number[] => [...ids].sort((a, b) => b - a);
  const deciding = lanes.flatMap((lane) => [lane.running, lane.deciding].flatMap((run) => run?.id ?? []));
  const failing = Object.values(memory.lanes).flatMap(({ failures }) => failures.map(({ run }) => run.id));
  const before = lanes.flatMap(({ history }) => history.slice(1, lookBackRuns).map(({ id }) => id));
  const wanted = [...newestFirst([...deciding, ...failing]), ...newestFirst(before)];
  const kept = new Set([...new Set(wanted)].slice(0, laneRuns));
  const newest = [...memory.runs].sort((a, b) => b.id - a.id);
  for (const run of newest.slice(0, recentRuns)) kept.add(run.id);
  return { ...memory, runs: newest.filter((run) => kept.has(run.id)) };
}

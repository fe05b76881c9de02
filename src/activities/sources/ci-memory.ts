// What the CI source keeps between two reads: ETags with what they stand for, and the runs that matter. Data from Postgres: it is parsed,
// and what does not fit is dropped, which costs one full read. Bounded, whatever the repository does.
import * as z from 'zod';
import type { Json } from '../../contract/effect.ts';
import { type KnownRun, type Lane, redRuns } from '../../policy/ci/ci-runs.ts';

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

const Memory = z.object({
  version: z.literal(1),
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
  /** Failed jobs by `run/attempt`. */
  jobs: z.record(z.string(), z.array(Job).max(50)),
  branches: z.record(z.string(), z.object({ etag: Etag, exists: z.boolean() })),
});
export type CiMemory = z.output<typeof Memory>;

const recentRuns = 300;
const laneRuns = 300;

export function emptyCiMemory(identity: string): CiMemory {
  return {
    version: 1,
    identity,
    defaultBranch: { etag: null, branch: 'main' },
    pulls: [],
    page: { etag: null, ids: [] },
    runs: [],
    runTags: {},
    jobs: {},
    branches: {},
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
 * The newest runs of all branches (a pull request may be opened for one later), and whatever its age what decides on a watched branch.
 */
export function trimmed(memory: CiMemory, lanes: readonly Lane[]): Json {
  const wanted = lanes
    .flatMap(({ running, deciding }) => [running, deciding])
    .flatMap((run) => (run === null ? [] : [run.id]))
    .sort((a, b) => b - a)
    .slice(0, laneRuns);
  const kept = new Set(wanted);
  const newest = [...memory.runs].sort((a, b) => b.id - a.id);
  for (const run of newest.slice(0, recentRuns)) kept.add(run.id);
  const jobKeys = redRuns(lanes).map(jobsKey).slice(0, laneRuns);
  const jobs = Object.fromEntries(
    jobKeys.flatMap((key) => (memory.jobs[key] ? [[key, memory.jobs[key]]] : [])),
  );
  return { ...memory, runs: newest.filter((run) => kept.has(run.id)), jobs };
}

// What fails on a branch now (CI-1, CI-10): each job by the newest run in which it said anything. A run in which it was skipped or cancelled leaves
// it as it was, so that its finding is not resolved by silence. Pure; which jobs of a run are not known yet is said, and read by the source.
import {
  type FailedJob,
  isRed,
  type KnownRun,
  type Lane,
  type LaneFailure,
  noJob,
  stableName,
} from './ci-runs.ts';
import { everyJob, standsFor } from './job-verdicts.ts';

/** `silent`: names of jobs that neither failed nor passed. */
export type RunSays = { readonly failed: readonly FailedJob[]; readonly silent: readonly string[] };

/** A failing job, and since when no run says anything of it (policy time); null: the newest one says that it fails. */
export type KnownFailure = LaneFailure & { readonly silentSinceMs: number | null };

/** What was known after the last look: all that runs up to `newest` say. */
export type LaneMemory = { readonly newest: number; readonly failures: readonly KnownFailure[] };

/** So many runs are looked through for the last word of a job. */
export const lookBackRuns = 5;
/** A job that was skipped in more runs than that, and for so long, is not a part of its workflow any more. */
const silentEndMs = 7 * 86_400_000;

/**
 * @param says what the jobs of a run say; null: GitHub does not know them any more; undefined: not read yet
 * @returns `unread`: read the jobs of this run, and ask again
 */
export function laneFailures(
  lane: Lane,
  says: (run: KnownRun) => RunSays | null | undefined,
  before: LaneMemory | undefined,
  nowMs: number,
): { readonly unread: KnownRun } | { readonly failures: readonly KnownFailure[] } {
  const known = before?.failures ?? [];
  const runs = examined(lane, before);
  if (isAllGreen(runs, before)) return { failures: [] };
  const found = new Map<string, KnownFailure[]>();
  // Names that no newer run said anything about.
  let asked: readonly string[] = [everyJob];
  const take = (failures: readonly LaneFailure[], place: number): void => {
    const wanted = failures.filter(
      ({ job }) => asked.some((name) => standsFor(name, job.name)) && !found.has(stableName(job.name)),
    );
    for (const { job, run } of wanted) {
      const name = stableName(job.name);
      const same = known.find((one) => isSameJob(one.job, job));
      const silentSinceMs = place === 0 ? null : (same?.silentSinceMs ?? nowMs);
      const ended = place >= lookBackRuns && nowMs - (silentSinceMs ?? nowMs) >= silentEndMs;
      found.set(name, [...(found.get(name) ?? []), ...(ended ? [] : [{ job, run, silentSinceMs }])]);
    }
  };
  for (const { run, place } of runs) {
    if (asked.length === 0) break;
    const said = says(run);
    if (said === undefined) return { unread: run };
    if (said !== null) {
      // Of a run that was looked at before, only what still failed then: its other jobs have ended since.
      const ended = (job: FailedJob): boolean =>
        before !== undefined && run.id < before.newest && !known.some((one) => isSameJob(one.job, job));
      take(
        failuresIn(run, said).flatMap((job) => (ended(job) ? [] : [{ job, run }])),
        place,
      );
      asked = narrowed(asked, said.silent);
    }
    // An earlier attempt of the same run said it.
    take(
      known.filter((one) => one.run.id === run.id),
      Math.max(1, place),
    );
  }
  const ids = new Set(runs.map(({ run }) => run.id));
  take(
    known.filter((one) => !ids.has(one.run.id)),
    lookBackRuns,
  );
  return { failures: [...found.values()].flat() };
}

function isSameJob(one: FailedJob, other: FailedJob): boolean {
  return stableName(one.name) === stableName(other.name);
}

type Examined = { readonly run: KnownRun; readonly place: number };

/** What is new since the last look, and what it had found: that may have been run again. */
function examined(lane: Lane, before: LaneMemory | undefined): readonly Examined[] {
  const foundIn = new Set(before?.failures.map(({ run }) => run.id));
  return lane.history
    .map((run, place) => ({ run, place }))
    .filter(
      ({ run, place }) =>
        place === 0 ||
        foundIn.has(run.id) ||
        (place < lookBackRuns && (before === undefined || run.id >= before.newest)),
    );
}

/** The jobs of a green run are of interest only where something failed before it. */
function isAllGreen(runs: readonly Examined[], before: LaneMemory | undefined): boolean {
  const [newest, ...older] = runs;
  if (newest === undefined || isRed(newest.run)) return false;
  if (before === undefined) return true;
  return before.failures.length === 0 && !older.some(({ run }) => isRed(run) && run.id > before.newest);
}

function failuresIn(run: KnownRun, said: RunSays): readonly FailedJob[] {
  if (!isRed(run)) return [];
  if (said.failed.length > 0) return said.failed;
  return [{ id: 0, name: noJob, step: null, stepNumber: null, url: run.url }];
}

/** Of two names that mean the same job the one that says more. */
function narrowed(asked: readonly string[], silent: readonly string[]): readonly string[] {
  const names = silent.flatMap((said) =>
    asked.flatMap((name) => (standsFor(name, said) ? [said] : standsFor(said, name) ? [name] : [])),
  );
  return [...new Set(names)];
}

// The ledger of flakes (CI-3): failures of tests in runs whose commit passed the same job, and the runs that a rate is measured against. A test
// without a flaky failure for 7 days leaves it. Main and release branches are one lane, pull requests another: what anybody's pull request does
// never counts for main. Times are policy time.
import type { LedgerEntry } from '../../policy/ci/ci-triage.ts';
import { type Queryable, storable } from '../database.ts';

export type FlakeLane = 'branches' | 'pulls';

export type FlakyJob = {
  readonly tenant: string;
  readonly repository: string;
  readonly workflowPath: string;
  readonly lane: FlakeLane;
  readonly job: string;
};

export type FlakyFailure = {
  readonly runId: number;
  readonly runAttempt: number;
  readonly headSha: string;
  readonly signature: string | null;
  /** The line that says it, redacted. */
  readonly line: string;
  readonly passedIn: string;
};

const cleanMs = 7 * 86_400_000;
const seenMs = 30 * 86_400_000;

/** One line per test and run, however often it is told. @param tests empty: the log names none, so the job itself */
export async function addFlake(
  db: Queryable,
  job: FlakyJob,
  tests: readonly string[],
  failure: FlakyFailure,
  nowMs: number,
): Promise<void> {
  await forgetClean(db, job, nowMs);
  await db.query(
    `insert into ci_flakes (tenant, repository, workflow_path, job, test, run_id, run_attempt, head_sha, signature, line, passed_in, at_ms, lane)
     select $1, $2, $3, $4, test, $6, $7, $8, $9, $10, $11, $12, $13 from unnest($5::text[]) as test on conflict do nothing`,
    [
      job.tenant,
      job.repository,
      job.workflowPath,
      job.job,
      (tests.length === 0 ? [''] : tests).map(storable),
      failure.runId,
      failure.runAttempt,
      failure.headSha,
      failure.signature,
      storable(failure.line),
      failure.passedIn,
      Math.round(nowMs),
      job.lane,
    ],
  );
}

/** What is in the ledger of a job now, in these lanes. */
export async function readLedger(
  db: Queryable,
  job: FlakyJob,
  nowMs: number,
  lanes: readonly FlakeLane[] = [job.lane],
): Promise<readonly LedgerEntry[]> {
  const { rows } = await db.query(
    `select test, count(*) as failures, min(at_ms) as "firstMs", max(at_ms) as "lastMs",
       coalesce(array_agg(distinct signature) filter (where signature is not null), '{}') as signatures
     from ci_flakes where tenant = $1 and repository = $2 and workflow_path = $3 and job = $4 and lane = any($6)
     group by test having max(at_ms) > $5 order by test`,
    [job.tenant, job.repository, job.workflowPath, job.job, Math.round(nowMs - cleanMs), lanes],
  );
  return rows;
}

/** The failures of one test, the first first; at most 20. */
export async function readFlakyFailures(
  db: Queryable,
  job: FlakyJob,
  test: string,
): Promise<readonly (FlakyFailure & { readonly atMs: number })[]> {
  const { rows } = await db.query(
    `select run_id as "runId", run_attempt as "runAttempt", head_sha as "headSha", signature, line, passed_in as "passedIn", at_ms as "atMs"
     from ci_flakes where tenant = $1 and repository = $2 and workflow_path = $3 and job = $4 and test = $5 and lane = $6
     order by at_ms, run_id limit 20`,
    [job.tenant, job.repository, job.workflowPath, job.job, test, job.lane],
  );
  return rows;
}

/** Seven clean days: the next failure of it is a first one again, and may be proposed for quarantine again. */
async function forgetClean(db: Queryable, job: FlakyJob, nowMs: number): Promise<void> {
  const gone = `(select repository, workflow_path, lane, job, test from ci_flakes where tenant = $1
    group by repository, workflow_path, lane, job, test having max(at_ms) <= $2)`;
  const values = [job.tenant, Math.round(nowMs - cleanMs)];
  await db.query(
    `delete from ci_quarantines where tenant = $1 and (repository, workflow_path, lane, job, test) in ${gone}`,
    values,
  );
  await db.query(
    `delete from ci_flakes where tenant = $1 and (repository, workflow_path, lane, job, test) in ${gone}`,
    values,
  );
}

/** Runs that ended green or red, each once; drops what is older than 30 days. */
export async function noteRuns(
  db: Queryable,
  job: FlakyJob,
  runIds: readonly number[],
  nowMs: number,
): Promise<void> {
  await db.query('delete from ci_runs_seen where tenant = $1 and at_ms < $2', [
    job.tenant,
    Math.round(nowMs - seenMs),
  ]);
  await db.query(
    `insert into ci_runs_seen (tenant, repository, workflow_path, run_id, at_ms, lane)
     select $1, $2, $3, run_id, $5, $6 from unnest($4::bigint[]) as run_id on conflict do nothing`,
    [job.tenant, job.repository, job.workflowPath, runIds, Math.round(nowMs), job.lane],
  );
}

export async function countRuns(db: Queryable, job: FlakyJob): Promise<number> {
  const { rows } = await db.query(
    'select count(*) as count from ci_runs_seen where tenant = $1 and repository = $2 and workflow_path = $3 and lane = $4',
    [job.tenant, job.repository, job.workflowPath, job.lane],
  );
  return rows[0]?.count ?? 0;
}

/** The proposal to quarantine a test: the run whose failure made it, and what its issue says. */
export type Quarantine = {
  readonly runId: number;
  /** The rate that people were told last, and the run that was told of; null: not known. */
  readonly toldRate: number | null;
  readonly toldRun: number | null;
};

const quarantineColumns = 'run_id as "runId", told_rate as "toldRate", told_run as "toldRun"';
const quarantineKey = `tenant = $1 and repository = $2 and workflow_path = $3 and lane = $4 and job = $5 and test = $6`;

/** Proposes it, or gives the proposal that there is: it is the asker's own when its run is. */
export async function proposeOnce(
  db: Queryable,
  job: FlakyJob,
  test: string,
  by: { readonly runId: number; readonly rate: number },
  nowMs: number,
): Promise<Quarantine> {
  const { rows } = await db.query(
    `insert into ci_quarantines (tenant, repository, workflow_path, lane, job, test, run_id, told_rate, told_run, at_ms)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $7, $9)
     on conflict (tenant, repository, workflow_path, lane, job, test) do update set at_ms = ci_quarantines.at_ms returning ${quarantineColumns}`,
    [...quarantineOf(job, test), by.runId, by.rate, Math.round(nowMs)],
  );
  return rows[0];
}

/** Writes down that people are told of a higher rate; false when somebody else did so since `before` was read. */
export async function tellRate(
  db: Queryable,
  job: FlakyJob,
  test: string,
  before: Quarantine,
  by: { readonly runId: number; readonly rate: number },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update ci_quarantines set told_rate = $7, told_run = $8 where ${quarantineKey} and told_run is not distinct from $9`,
    [...quarantineOf(job, test), by.rate, by.runId, before.toldRun],
  );
  return rowCount === 1;
}

/** The issue that a proposal opened, by its receipt; null: none (yet). */
export async function quarantineIssue(db: Queryable, job: FlakyJob, test: string): Promise<number | null> {
  const { rows } = await db.query(
    `select (e.result ->> 'number')::int as number from effects e
     join findings f on f.tenant = e.tenant and f.fingerprint = e.fingerprint and f.occurrence = e.occurrence
     join ci_quarantines q on q.tenant = e.tenant and e.policy_ms >= q.at_ms
     where q.tenant = $1 and q.repository = $2 and q.workflow_path = $3 and q.lane = $4 and q.job = $5 and q.test = $6
       and e.kind = 'openIssue' and e.target = $2 || '/flakes' and e.precondition = $7 and e.outcome in ('applied', 'alreadyApplied')
       and f.detail ->> 'workflowPath' = $3 and f.detail ->> 'job' = $5 and (f.detail ? 'pullRequest') = ($4 = 'pulls')
     order by e.created_at desc limit 1`,
    [...quarantineOf(job, test), test === '' ? job.job : test],
  );
  return rows[0]?.number ?? null;
}

function quarantineOf(job: FlakyJob, test: string): readonly string[] {
  return [job.tenant, job.repository, job.workflowPath, job.lane, job.job, test];
}

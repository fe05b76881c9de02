// The ledger of flakes (CI-3): failures of tests in runs whose commit passed the same job, and the runs that a rate is measured against. A test
// without a flaky failure for 7 days leaves it. Times are policy time.
import type { LedgerEntry } from '../../policy/ci/ci-triage.ts';
import { type Queryable, storable } from '../database.ts';

export type FlakyJob = {
  readonly tenant: string;
  readonly repository: string;
  readonly workflowPath: string;
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
    `insert into ci_flakes (tenant, repository, workflow_path, job, test, run_id, run_attempt, head_sha, signature, line, passed_in, at_ms)
     select $1, $2, $3, $4, test, $6, $7, $8, $9, $10, $11, $12 from unnest($5::text[]) as test on conflict do nothing`,
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
    ],
  );
}

/** What is in the ledger of a job now. */
export async function readLedger(
  db: Queryable,
  job: FlakyJob,
  nowMs: number,
): Promise<readonly LedgerEntry[]> {
  const { rows } = await db.query(
    `select test, count(*) as failures, min(at_ms) as "firstMs", max(at_ms) as "lastMs",
       coalesce(array_agg(distinct signature) filter (where signature is not null), '{}') as signatures
     from ci_flakes where tenant = $1 and repository = $2 and workflow_path = $3 and job = $4
     group by test having max(at_ms) > $5 order by test`,
    [job.tenant, job.repository, job.workflowPath, job.job, Math.round(nowMs - cleanMs)],
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
     from ci_flakes where tenant = $1 and repository = $2 and workflow_path = $3 and job = $4 and test = $5 order by at_ms, run_id limit 20`,
    [job.tenant, job.repository, job.workflowPath, job.job, test],
  );
  return rows;
}

/** Seven clean days: the next failure of it is a first one again, and may be proposed for quarantine again. */
async function forgetClean(db: Queryable, job: FlakyJob, nowMs: number): Promise<void> {
  const gone = `(select repository, workflow_path, job, test from ci_flakes where tenant = $1
    group by repository, workflow_path, job, test having max(at_ms) <= $2)`;
  const values = [job.tenant, Math.round(nowMs - cleanMs)];
  await db.query(
    `delete from ci_quarantines where tenant = $1 and (repository, workflow_path, job, test) in ${gone}`,
    values,
  );
  await db.query(
    `delete from ci_flakes where tenant = $1 and (repository, workflow_path, job, test) in ${gone}`,
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
    `insert into ci_runs_seen (tenant, repository, workflow_path, run_id, at_ms)
     select $1, $2, $3, run_id, $5 from unnest($4::bigint[]) as run_id on conflict do nothing`,
    [job.tenant, job.repository, job.workflowPath, runIds, Math.round(nowMs)],
  );
}

export async function countRuns(db: Queryable, job: FlakyJob): Promise<number> {
  const { rows } = await db.query(
    'select count(*) as count from ci_runs_seen where tenant = $1 and repository = $2 and workflow_path = $3',
    [job.tenant, job.repository, job.workflowPath],
  );
  return rows[0]?.count ?? 0;
}

/** True for the one run whose failure proposes to quarantine this test, however often it asks. */
export async function mayPropose(
  db: Queryable,
  job: FlakyJob,
  test: string,
  runId: number,
  nowMs: number,
): Promise<boolean> {
  const { rows } = await db.query(
    `insert into ci_quarantines (tenant, repository, workflow_path, job, test, run_id, at_ms) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (tenant, repository, workflow_path, job, test) do update set at_ms = ci_quarantines.at_ms returning run_id = $6 as mine`,
    [job.tenant, job.repository, job.workflowPath, job.job, test, runId, Math.round(nowMs)],
  );
  return rows[0]?.mine === true;
}

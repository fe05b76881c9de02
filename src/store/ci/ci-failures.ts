// What is known of failed jobs, read once per run, attempt and job; and from it who saw the same error when (CI-2, CI-4). Times are policy time.
import type { CiClass } from '../../contract/triage.ts';
import type { MassFailure } from '../../policy/ci/ci-triage.ts';
import { type Queryable, storable, storableJson } from '../database.ts';

export type FailureKey = {
  readonly tenant: string;
  readonly repository: string;
  readonly runId: number;
  readonly runAttempt: number;
  readonly job: string;
};

export type FailureRow = {
  readonly class: CiClass;
  /** 0 to 1. */
  readonly confidence: number;
  readonly signature: string | null;
  readonly headline: string | null;
  /** The first ones; `testsFailed` counts all. */
  readonly failedTests: readonly string[];
  readonly testsFailed: number;
  readonly testsRan: number | null;
  /** Best first. */
  readonly evidence: readonly { readonly n: number; readonly text: string }[];
  /** Address of the reduced log; null: there is none. */
  readonly reduced: string | null;
  /** The workflow file is wrong: no job ran, or the log names the file. */
  readonly workflowFile: boolean;
  /** Where the same job passed on the same commit, in words. */
  readonly passedIn: string | null;
  /** Failed runs since the last green one, on different commits. */
  readonly redCommits: number;
  /** There may be more of them: so many runs of the branch were read, and none was a green one; null: all were read. */
  readonly runsCut: number | null;
  readonly mass: MassFailure | null;
  readonly atMs: number;
};

const columns = `class, confidence, signature, headline, failed_tests as "failedTests", tests_failed as "testsFailed", tests_ran as "testsRan",
  evidence, reduced, workflow_file as "workflowFile", passed_in as "passedIn", red_commits as "redCommits", runs_cut as "runsCut", mass, at_ms as "atMs"`;
const keptMs = 30 * 86_400_000;

export async function readFailure(db: Queryable, key: FailureKey): Promise<FailureRow | undefined> {
  const { rows } = await db.query(
    `select ${columns} from ci_failures where tenant = $1 and repository = $2 and run_id = $3 and run_attempt = $4 and job = $5`,
    [key.tenant, key.repository, key.runId, key.runAttempt, key.job],
  );
  return rows[0];
}

/** Keeps what is there already, so that all who read it judge by the same; drops what is older than 30 days. */
export async function saveFailure(db: Queryable, key: FailureKey, row: FailureRow): Promise<FailureRow> {
  await db.query('delete from ci_failures where tenant = $1 and at_ms < $2', [
    key.tenant,
    Math.round(row.atMs - keptMs),
  ]);
  await db.query(
    `insert into ci_failures (tenant, repository, run_id, run_attempt, job, class, confidence, signature, headline, failed_tests, tests_failed,
       tests_ran, evidence, reduced, workflow_file, passed_in, red_commits, mass, at_ms, runs_cut)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) on conflict do nothing`,
    [
      key.tenant,
      key.repository,
      key.runId,
      key.runAttempt,
      key.job,
      row.class,
      row.confidence,
      row.signature,
      row.headline === null ? null : storable(row.headline),
      JSON.stringify(storableJson(row.failedTests)),
      row.testsFailed,
      row.testsRan,
      JSON.stringify(storableJson(row.evidence)),
      row.reduced,
      row.workflowFile,
      row.passedIn,
      row.redCommits,
      row.mass === null ? null : JSON.stringify(storableJson(row.mass)),
      Math.round(row.atMs),
      row.runsCut,
    ],
  );
  return (await readFailure(db, key)) ?? row;
}

/** Who saw an error since `sinceMs`, over all tenants that are at work. */
export async function whoSaw(
  db: Queryable,
  signature: string,
  sinceMs: number,
): Promise<readonly { readonly tenant: string; readonly atMs: number }[]> {
  const { rows } = await db.query(
    `select f.tenant, f.at_ms as "atMs" from ci_failures f join tenants t using (tenant)
     where f.signature = $1 and f.at_ms >= $2 and t.enabled and t.removed_at is null and t.drained_at is null order by f.at_ms`,
    [signature, Math.round(sinceMs)],
  );
  return rows;
}

/** Tenants that are at work. */
export async function countTenants(db: Queryable): Promise<number> {
  const { rows } = await db.query(
    'select count(*) as count from tenants where enabled and removed_at is null and drained_at is null',
  );
  return rows[0]?.count ?? 0;
}

// Whether the agent has rerun a workflow run: once per run, whichever of its failing jobs asked for it (CI-5).
import type { Queryable } from '../database.ts';

/** @param memory of the finding of one of its failing jobs */
export async function rerunUsed(
  db: Queryable,
  tenant: string,
  memory: { readonly [name: string]: unknown },
  run: { readonly repository: string; readonly runId: number },
): Promise<boolean> {
  if (memory.rerunUsed === true) return true;
  const { rows } = await db.query(
    `select 1 from effects where tenant = $1 and kind = 'rerunFailedJobs' and target = $2 and state = 'done'
       and outcome in ('applied', 'alreadyApplied') limit 1`,
    [tenant, `${run.repository}/runs/${run.runId}`],
  );
  return rows.length > 0;
}

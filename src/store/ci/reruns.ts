// Whether the agent has rerun a workflow run: once per run, whichever of its failing jobs asked for it (CI-5).
import type { Queryable } from '../database.ts';

/** @param target as the effect names it: `owner/name/runs/4711` */
export async function wasRerun(db: Queryable, tenant: string, target: string): Promise<boolean> {
  const { rows } = await db.query(
    `select 1 from effects where tenant = $1 and kind = 'rerunFailedJobs' and target = $2 and state = 'done'
       and outcome in ('applied', 'alreadyApplied') limit 1`,
    [tenant, target],
  );
  return rows.length > 0;
}

// What the model used, for people: by day, and by finding. Reads only; what limits is in model-calls.ts.
import type { BudgetGroup } from '../../policy/model/model-budget.ts';
import type { Queryable } from '../database.ts';

export type DayUsage = {
  /** Settled, and reserved by attempts whose lease is over. */
  readonly tokens: number;
  readonly microUsd: number;
  /** Reserved by calls under way. */
  readonly held: number;
};

export async function usageOfDay(db: Queryable, tenant: string, day: string): Promise<DayUsage> {
  const live = 'outcome is null and lease_until > clock_timestamp()';
  const { rows } = await db.query(
    `select coalesce(sum(coalesce(tokens, reserved_tokens)) filter (where not (${live})), 0) as tokens,
       coalesce(sum(coalesce(micro_usd, reserved_micro_usd)) filter (where not (${live})), 0) as "microUsd",
       coalesce(sum(reserved_tokens) filter (where ${live}), 0) as held
     from model_attempts where tenant = $1 and day = $2`,
    [tenant, day],
  );
  return rows[0];
}

export type RunUsage = {
  readonly fingerprint: string;
  readonly occurrence: number;
  readonly budget: BudgetGroup;
  /** What is reserved counts as used. */
  readonly tokens: number;
  readonly microUsd: number;
};

export async function usageOfRuns(
  db: Queryable,
  tenant: string,
  fingerprints: readonly string[],
): Promise<readonly RunUsage[]> {
  const { rows } = await db.query(
    `select fingerprint, occurrence, budget, sum(coalesce(tokens, reserved_tokens)) as tokens,
       sum(coalesce(micro_usd, reserved_micro_usd)) as "microUsd"
     from model_attempts where tenant = $1 and fingerprint = any($2) group by fingerprint, occurrence, budget`,
    [tenant, fingerprints],
  );
  return rows;
}

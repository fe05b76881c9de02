// What came of each attempt to fix a finding, as lines of its trail: `why` shows them, the next attempt learns from them (CI-9).
import type { FindingRef } from '../../contract/activities.ts';
import type { Queryable } from '../database.ts';

export type FixAttempt = {
  readonly attempt: number;
  /** As in CiFixOutcome. */
  readonly result: string;
  readonly reason: string;
  readonly headSha: string;
  readonly turns: number;
  readonly tokens: number;
  /** Address of what was run and drafted; null: nothing was. */
  readonly report: string | null;
};

/** One line per attempt and commit, however often it is told. `reason` is redacted by the caller. */
export async function recordFixAttempt(
  db: Queryable,
  line: FindingRef & FixAttempt & { readonly atMs: number; readonly actor: string; readonly subject: string },
): Promise<void> {
  const { attempt, result, headSha, turns, tokens, report, occurrence } = line;
  await db.query(
    `insert into audit (tenant, at_ms, actor, action, workspace, fingerprint, subject, reason, detail)
     select $1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb where not exists (
       select 1 from audit where tenant = $1 and fingerprint = $6 and action = $4
         and detail @> $9::jsonb - 'report' - 'turns' - 'tokens')`,
    [
      line.tenant,
      Math.round(line.atMs),
      line.actor,
      `fix.${result}`,
      line.workspace,
      line.fingerprint,
      line.subject,
      line.reason,
      JSON.stringify({ attempt, headSha, occurrence, turns, tokens, report }),
    ],
  );
}

/** Of one occurrence, oldest first, at most the last 20. */
export async function readFixAttempts(
  db: Queryable,
  ref: Omit<FindingRef, 'workspace'>,
): Promise<readonly FixAttempt[]> {
  const { rows } = await db.query(
    `select (detail ->> 'attempt')::int as attempt, substr(action, 5) as result, reason, detail ->> 'headSha' as "headSha",
       (detail ->> 'turns')::int as turns, (detail ->> 'tokens')::int as tokens, detail ->> 'report' as report
     from audit where tenant = $1 and fingerprint = $2 and action like 'fix.%' and (detail ->> 'occurrence')::int = $3
     order by id desc limit 20`,
    [ref.tenant, ref.fingerprint, ref.occurrence],
  );
  return rows.reverse();
}

// Open findings of one repository as storms see them, the one that is being fixed, and pull requests of fixes as their claims count them
// (CI-12). Times are policy time.
import type { OpenFailure, PullRequestCounts } from '../../policy/ci/ci-storm.ts';
import type { Queryable } from '../database.ts';

/** Neither resolved, watched nor with a person; `asker` also where it was watched until now. */
export async function openFailures(
  db: Queryable,
  tenant: string,
  /** Failures of pull requests and of watched branches are storms of their own. */
  place: { readonly repository: string; readonly ofPulls: boolean },
  asker: string,
): Promise<readonly OpenFailure[]> {
  const { rows } = await db.query(
    `select f.fingerprint, f.title, f.first_seen_ms as "firstSeenMs", f.severity = 'critical' as critical,
       f.memory -> 'triage' ->> 'signature' as signature,
       case when f.memory ->> 'patchedSha' = f.detail ->> 'headSha' then 'other' else f.memory -> 'triage' ->> 'wants' end as wants
     from findings f where f.tenant = $1 and f.kind = 'ci' and f.detail ->> 'repository' = $2 and (f.detail ? 'pullRequest') = $4 and (f.status in ('open', 'working', 'waiting') or f.status = 'watched' and f.fingerprint = $3)
     order by f.first_seen_ms, f.fingerprint`,
    [tenant, place.repository, asker, place.ofPulls],
  );
  return rows;
}

/** When a finding of the repository was last resolved after an attempt; null: never. */
export async function lastProvedMs(
  db: Queryable,
  tenant: string,
  repository: string,
): Promise<number | null> {
  const { rows } = await db.query(
    `select max(resolved_ms) as at from findings
     where tenant = $1 and kind = 'ci' and detail ->> 'repository' = $2 and status = 'resolved' and attempts > 0`,
    [tenant, repository],
  );
  return rows[0]?.at ?? null;
}

/** Locks the storm of a repository until the end of the transaction. @returns the finding that is being fixed */
export async function lockStorm(
  tx: Queryable,
  tenant: string,
  repository: string,
  nowMs: number,
): Promise<string | null> {
  const { rows } = await tx.query(
    `insert into ci_storms (tenant, repository, since_ms) values ($1, $2, $3)
     on conflict (tenant, repository) do update set since_ms = ci_storms.since_ms returning fingerprint`,
    [tenant, repository, Math.round(nowMs)],
  );
  return rows[0]?.fingerprint ?? null;
}

/** Call it under `lockStorm`. */
export async function holdStorm(
  tx: Queryable,
  tenant: string,
  repository: string,
  fingerprint: string,
  nowMs: number,
): Promise<void> {
  await tx.query(
    `update ci_storms set fingerprint = $3, since_ms = case when fingerprint is not distinct from $3 then since_ms else $4 end
     where tenant = $1 and repository = $2`,
    [tenant, repository, fingerprint, Math.round(nowMs)],
  );
}

/** Branches of CI fixes begin so. */
export const fixBranchPrefix = 'untilgreen/ci-';

/**
 * Pull requests of CI fixes by their claims, that of `target` left out. Open: one that is being written, and one whose finding is neither
 * resolved nor with a person and remembers it (or has had no time to). Under the lock on the guard row no two claims see the same count.
 */
export async function countFixPullRequests(
  db: Queryable,
  tenant: string,
  target: { readonly repository: string; readonly target: string },
  nowMs: number,
): Promise<PullRequestCounts> {
  const { rows } = await db.query(
    `select e.target, max(e.policy_ms) as at,
       bool_or(e.state in ('claimed', 'applying', 'doubt') or f.status in ('open', 'working', 'waiting') and (f.memory ->> 'pullRequest' = e.result ->> 'number'
         or e.settled_at > clock_timestamp() - interval '5 minutes')) as open
     from effects e left join findings f on f.tenant = e.tenant and f.fingerprint = e.fingerprint and f.occurrence = e.occurrence
     where e.tenant = $1 and e.kind = 'openPullRequest' and starts_with(e.target, $2) and e.target <> $3
       and e.state <> 'freed' and coalesce(e.outcome, '') not in ('stale', 'refused')
     group by e.target`,
    [tenant, `${target.repository}@${fixBranchPrefix}`, target.target],
  );
  const found: readonly { at: number; open: boolean | null }[] = rows;
  return {
    open: found.filter(({ open }) => open === true).length,
    newMs: found
      .map(({ at }) => at)
      .filter((at) => at > nowMs - 3_600_000)
      .sort((a, b) => a - b),
  };
}

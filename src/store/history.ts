// What `history`, `show`, `why` and `ci state` read of effects, cycles and the audit trail (SEE-5). Reads only.
import type { Json } from '../contract/effect.ts';
import type { CiClass } from '../contract/triage.ts';
import type { Approval } from './approvals.ts';
import type { AuditRecord } from './audit.ts';
import type { CycleRow } from './cycles.ts';
import type { Queryable } from './database.ts';
import type { FindingMemory } from './findings.ts';

export type EffectRow = {
  readonly key: string;
  readonly workspace: string;
  readonly kind: string;
  readonly target: string;
  readonly describe: string;
  readonly risk: string;
  readonly delivery: string;
  readonly precondition: string;
  readonly requester: string;
  readonly actor: string;
  readonly fingerprint: string | null;
  readonly state: 'claimed' | 'applying' | 'doubt' | 'freed' | 'done';
  readonly attempts: number;
  readonly outcome: string | null;
  readonly reason: string | null;
  /** The receipt: what the remote gave back. */
  readonly result: { readonly [key: string]: Json } | null;
  readonly approvalHash: string | null;
  readonly createdMs: number;
  readonly settledMs: number | null;
};

const effectColumns = `key, workspace, kind, target, describe, risk, delivery, precondition, requester, actor, fingerprint, state, attempts, outcome,
  reason, result, approval_hash as "approvalHash", (extract(epoch from created_at) * 1000)::bigint as "createdMs",
  (extract(epoch from settled_at) * 1000)::bigint as "settledMs"`;

export type HistoryFilter = {
  readonly tenant: string;
  readonly fingerprint?: string | undefined;
  readonly sinceMs?: number | undefined;
  readonly limit: number;
};

/** Newest first. */
export async function listEffects(db: Queryable, filter: HistoryFilter): Promise<readonly EffectRow[]> {
  const { rows } = await db.query(
    `select ${effectColumns} from effects where tenant = $1 and ($2::text is null or fingerprint = $2)
       and ($3::bigint is null or policy_ms >= $3) order by created_at desc, key limit $4`,
    [filter.tenant, filter.fingerprint ?? null, filter.sinceMs ?? null, filter.limit],
  );
  return rows;
}

/** By the beginning of its key, at most two. */
export async function findEffect(
  db: Queryable,
  tenant: string,
  prefix: string,
): Promise<readonly EffectRow[]> {
  const { rows } = await db.query(
    `select ${effectColumns} from effects where tenant = $1 and starts_with(key, $2) order by key limit 2`,
    [tenant, prefix],
  );
  return rows;
}

/** What was planned from the start of a cycle until the next one started. */
export async function effectsOfCycle(
  db: Queryable,
  tenant: string,
  cycle: number,
): Promise<readonly EffectRow[]> {
  const { rows } = await db.query(
    `select ${effectColumns} from effects where tenant = $1
       and policy_ms >= (select started_ms from cycles where tenant = $1 and cycle = $2)
       and policy_ms < coalesce((select min(started_ms) from cycles where tenant = $1 and cycle > $2), 9223372036854775807)
     order by created_at, key`,
    [tenant, cycle],
  );
  return rows;
}

export async function readCycle(db: Queryable, tenant: string, cycle: number): Promise<CycleRow | undefined> {
  const { rows } = await db.query(
    `select cycle, trigger, state, outcome, summary, observations, findings, decisions, tokens, cost_usd as "costUsd", started_ms as "startedMs",
       finished_ms as "finishedMs", run_id as "runId" from cycles where tenant = $1 and cycle = $2`,
    [tenant, cycle],
  );
  return rows[0];
}

/** Newest first; lines that concern all tenants are among them. */
export async function listAudit(db: Queryable, filter: HistoryFilter): Promise<readonly AuditRecord[]> {
  const { rows } = await db.query(
    `select id, tenant, at_ms as "atMs", actor, action, workspace, fingerprint, subject, reason, detail from audit
     where (tenant = $1 or tenant is null) and ($2::text is null or fingerprint = $2) and ($3::bigint is null or at_ms >= $3)
     order by id desc limit $4`,
    [filter.tenant, filter.fingerprint ?? null, filter.sinceMs ?? null, filter.limit],
  );
  return rows;
}

/** The latest word on each effect that did not pass: held or refused, and nothing since. Newest first. */
export async function openHolds(
  db: Queryable,
  tenant: string,
  fingerprints: readonly string[],
): Promise<readonly AuditRecord[]> {
  const { rows } = await db.query(
    `select * from (
       select distinct on (detail ->> 'key') id, tenant, at_ms as "atMs", actor, action, workspace, fingerprint, subject, reason, detail from audit
       where tenant = $1 and fingerprint = any($2) and action like 'effect.%' order by detail ->> 'key', id desc
     ) latest where action in ('effect.held', 'effect.refused') order by id desc`,
    [tenant, fingerprints],
  );
  return rows;
}

export type FindingFacts = {
  readonly fingerprint: string;
  readonly occurrence: number;
  readonly memory: FindingMemory;
  /** What its failing run was found to be (CI-2). */
  readonly class: CiClass | null;
  /** The latest effect of this occurrence. */
  readonly lastAction: {
    readonly key: string;
    readonly kind: string;
    readonly describe: string;
    readonly state: string;
    readonly outcome: string | null;
    readonly atMs: number;
  } | null;
  /** What the receipt of the latest pull request says. */
  readonly pullRequest: { readonly [key: string]: Json } | null;
};

export async function findingFacts(
  db: Queryable,
  tenant: string,
  fingerprints: readonly string[],
): Promise<readonly FindingFacts[]> {
  const { rows } = await db.query(
    `select f.fingerprint, f.occurrence, f.memory,
       (select c.class from ci_failures c where f.kind = 'ci' and c.tenant = f.tenant and c.repository = f.detail ->> 'repository'
            and c.run_id = (f.detail ->> 'runId')::bigint and c.job = f.detail ->> 'job' order by c.run_attempt desc limit 1) as class,
       (select jsonb_build_object('key', e.key, 'kind', e.kind, 'describe', e.describe, 'state', e.state, 'outcome', e.outcome,
            'atMs', (extract(epoch from coalesce(e.settled_at, e.created_at)) * 1000)::bigint)
          from effects e where e.tenant = f.tenant and e.fingerprint = f.fingerprint and (e.occurrence is null or e.occurrence = f.occurrence)
            and e.risk <> 'safe' order by e.created_at desc limit 1) as "lastAction",
       (select e.result from effects e where e.tenant = f.tenant and e.fingerprint = f.fingerprint
            and (e.occurrence is null or e.occurrence = f.occurrence) and e.kind = 'openPullRequest' and e.result is not null
          order by e.created_at desc limit 1) as "pullRequest"
     from findings f where f.tenant = $1 and f.fingerprint = any($2)`,
    [tenant, fingerprints],
  );
  return rows;
}

/** By the beginning of its hash, in whatever state. */
export async function findApproval(
  db: Queryable,
  tenant: string,
  hash: string,
): Promise<Approval | undefined> {
  const { rows } = await db.query(
    `select tenant, hash, workspace, kind, target, precondition, risk, describe, requester, fingerprint, state, asked_ms as "askedMs",
       expires_ms as "expiresMs", decided_by as "decidedBy", channel, reason from approvals where tenant = $1 and starts_with(hash, $2) limit 1`,
    [tenant, hash],
  );
  return rows[0];
}

/** The tenants that have an approval whose hash begins so. */
export async function tenantsOfApproval(db: Queryable, hash: string): Promise<readonly string[]> {
  const { rows } = await db.query(
    `select distinct tenant from approvals where starts_with(hash, $1) order by tenant`,
    [hash],
  );
  return rows.map((row: { tenant: string }) => row.tenant);
}

// The claim table behind the door for effects (DUR-1): who may write what, since when, and what came of it. SQL only: the protocol is
// in src/activities/effects/door.ts, the judgement in src/policy/guard.ts. Leases are by the database's clock, policy by the caller's.
import type { EffectKind, EffectOutcome, EffectRequest, Json, Receipt, Risk } from '../contract/effect.ts';
import type { ApprovalRow, GuardState, PauseRow } from '../policy/guard.ts';
import { canonicalJson, type Queryable, sha256 } from './database.ts';

export type ClaimState = 'claimed' | 'applying' | 'doubt' | 'freed' | 'done';

export type ClaimRow = {
  readonly key: string;
  readonly digest: string;
  readonly kind: EffectKind;
  readonly state: ClaimState;
  readonly owner: string;
  readonly fence: number;
  readonly leaseLeftMs: number;
  /** Since when in doubt, in ms ago by the database's clock; null when not. */
  readonly doubtAgeMs: number | null;
  readonly risk: Risk;
  readonly outcome: EffectOutcome | null;
  readonly reason: string | null;
  readonly result: { readonly [key: string]: Json } | null;
};

/** `sha256(tenant, kind, target, precondition, requester, step)` (DUR-1). */
export function effectKey(request: Omit<EffectRequest, 'input' | 'nowMs' | 'actor' | 'workspace'>): string {
  const { tenant, kind, target, precondition, requester, step } = request;
  return sha256(canonicalJson([tenant, kind, target, precondition, requester, step]));
}

/** What is written, to notice one key used for two contents. */
export function effectDigest(request: Pick<EffectRequest, 'workspace' | 'input'>): string {
  return sha256(canonicalJson([request.workspace, request.input]));
}

/** What a person approves: the exact effect, with its precondition (LOOP-13). */
export function approvalHash(key: string, digest: string): string {
  return sha256(`${key}:${digest}`).slice(0, 16);
}

const claimColumns = `key, digest, kind, state, owner, fence, risk, outcome, reason, result,
  (extract(epoch from lease_until - clock_timestamp()) * 1000)::float8 as "leaseLeftMs",
  (extract(epoch from clock_timestamp() - doubt_since) * 1000)::float8 as "doubtAgeMs"`;

export async function readClaim(db: Queryable, key: string, lock: boolean): Promise<ClaimRow | undefined> {
  const { rows } = await db.query(
    `select ${claimColumns} from effects where key = $1 ${lock ? 'for update' : ''}`,
    [key],
  );
  return rows[0];
}

export type GuardRow = {
  readonly pauseEpoch: number;
  readonly breakerState: 'closed' | 'open' | 'halfOpen';
  readonly breakerFailures: number;
  readonly breakerSinceMs: number | null;
  readonly breakerReason: string | null;
  readonly breakerProbeKey: string | null;
};

/** Locks the tenant's guard row: every claim of a tenant is judged one after the other. */
export async function lockGuard(tx: Queryable, tenant: string): Promise<GuardRow | undefined> {
  const { rows } = await tx.query(
    `select pause_epoch as "pauseEpoch", breaker_state as "breakerState", breaker_failures as "breakerFailures",
       breaker_since_ms as "breakerSinceMs", breaker_reason as "breakerReason", breaker_probe_key as "breakerProbeKey"
     from guards where tenant = $1 for update`,
    [tenant],
  );
  return rows[0];
}

export async function livePauses(db: Queryable, tenant: string): Promise<readonly PauseRow[]> {
  const { rows } = await db.query(
    `select scope, scope_value as "scopeValue", reason, until_ms as "untilMs" from pauses
     where lifted_at is null and (tenant = $1 or tenant is null) order by id`,
    [tenant],
  );
  return rows;
}

/** The rows the guard judges by; call it under `lockGuard`. */
export async function readGuardState(
  tx: Queryable,
  effect: { readonly key: string; readonly request: EffectRequest; readonly hash: string },
  row: GuardRow,
  tenantEnabled: boolean,
): Promise<GuardState> {
  const { key, request } = effect;
  const cooldown = await tx.query(
    'select until_ms from cooldowns where tenant = $1 and target = $2 and kind = $3 and set_by_key <> $4',
    [request.tenant, request.target, request.kind, key],
  );
  const recent = await tx.query(
    `select policy_ms from effects where tenant = $1 and risk in ('mutating', 'destructive') and policy_ms > $2 and key <> $3
       and state <> 'freed' and coalesce(outcome, '') not in ('stale', 'refused') order by policy_ms`,
    [request.tenant, request.nowMs - 5 * 60_000, key],
  );
  const held = await tx.query(
    `select describe from effects where tenant = $1 and workspace = $2 and target = $3 and key <> $4 and risk in ('mutating', 'destructive')
       and (state in ('applying', 'doubt') and lease_until > clock_timestamp() - interval '10 minutes'
         or state = 'claimed' and lease_until > clock_timestamp()) limit 1`,
    [request.tenant, request.workspace, request.target, key],
  );
  return {
    tenantEnabled,
    pauses: await livePauses(tx, request.tenant),
    breaker: {
      state: row.breakerState,
      reason: row.breakerReason,
      sinceMs: row.breakerSinceMs,
      probeTaken: row.breakerProbeKey !== null && row.breakerProbeKey !== key,
    },
    cooldownUntilMs: cooldown.rows[0]?.until_ms ?? null,
    recentMutatingMs: recent.rows.map((r: { policy_ms: number }) => r.policy_ms),
    targetHeldBy: held.rows[0]?.describe ?? null,
    approval: await readApproval(tx, request.tenant, effect.hash, key),
  };
}

/** Policy times of what changed something, or may have: claims of these kinds but this one. */
export async function changesOf(
  tx: Queryable,
  request: EffectRequest,
  of: { readonly kinds: readonly EffectKind[]; readonly sinceMs: number },
): Promise<readonly number[]> {
  const { rows } = await tx.query(
    `select policy_ms from effects where tenant = $1 and kind = any($2) and policy_ms > $3 and key <> $4
       and risk in ('mutating', 'destructive') and state <> 'freed' and coalesce(outcome, '') not in ('stale', 'refused')`,
    [request.tenant, of.kinds, Math.round(of.sinceMs), effectKey(request)],
  );
  return rows.map((row: { policy_ms: number }) => row.policy_ms);
}

async function readApproval(
  tx: Queryable,
  tenant: string,
  hash: string,
  key: string,
): Promise<ApprovalRow | null> {
  // An approval that this very effect used before it was interrupted still counts for it.
  const { rows } = await tx.query(
    `select case when state = 'used' and used_key = $3 then 'approved' else state end as state, channel,
       decided_by as "decidedBy", reason, expires_ms as "expiresMs" from approvals where tenant = $1 and hash = $2`,
    [tenant, hash, key],
  );
  return rows[0] ?? null;
}

export type NewClaim = {
  readonly key: string;
  readonly digest: string;
  readonly request: EffectRequest;
  readonly risk: Risk;
  readonly delivery: string;
  readonly describe: string;
  readonly owner: string;
  readonly leaseMs: number;
  readonly pauseEpoch: number;
  readonly approvalHash: string | null;
};

/** Inserts the claim, or takes over a freed or overdue one, with a higher fence. */
export async function writeClaim(tx: Queryable, claim: NewClaim): Promise<{ readonly fence: number }> {
  const { request } = claim;
  const { rows } = await tx.query(
    `insert into effects (key, tenant, workspace, kind, target, precondition, requester, step, digest, risk, delivery, describe, actor,
       fingerprint, occurrence, state, owner, fence, pause_epoch, lease_until, policy_ms, approval_hash)
     values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,'claimed',$16,1,$17, clock_timestamp() + $18 * interval '1 millisecond',$19,$20)
     on conflict (key) do update set state = 'claimed', owner = excluded.owner, fence = effects.fence + 1, pause_epoch = excluded.pause_epoch,
       lease_until = excluded.lease_until, policy_ms = excluded.policy_ms, doubt_since = null, attempts = effects.attempts + 1,
       approval_hash = excluded.approval_hash, risk = excluded.risk
     returning fence`,
    [
      claim.key,
      request.tenant,
      request.workspace,
      request.kind,
      request.target,
      request.precondition,
      request.requester,
      request.step,
      claim.digest,
      claim.risk,
      claim.delivery,
      claim.describe,
      request.actor,
      request.fingerprint ?? null,
      request.occurrence ?? null,
      claim.owner,
      claim.pauseEpoch,
      claim.leaseMs,
      Math.round(request.nowMs),
      claim.approvalHash,
    ],
  );
  return { fence: rows[0].fence };
}

/** Takes over a claim that is in doubt, to probe; keeps since when it is in doubt. */
export async function takeOverInDoubt(
  tx: Queryable,
  key: string,
  owner: string,
  leaseMs: number,
): Promise<{ readonly fence: number }> {
  const { rows } = await tx.query(
    `update effects set state = 'doubt', doubt_since = coalesce(doubt_since, lease_until), owner = $2, fence = fence + 1,
       lease_until = clock_timestamp() + $3 * interval '1 millisecond', attempts = attempts + 1
     where key = $1 returning fence`,
    [key, owner, leaseMs],
  );
  return { fence: rows[0].fence };
}

export type Held = { readonly key: string; readonly owner: string; readonly fence: number };

/**
 * The fence: right before the write, in one statement, is this attempt still the owner with a live lease, and did no pause come since the
 * guard judged? The lease starts anew. `for share` makes a pause that is being raised come either before (seen) or after (in its list).
 */
export async function passFence(
  db: Queryable,
  held: Held,
  leaseMs: number,
  ignorePause: boolean,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `with gate as (select g.pause_epoch from guards g join effects e on e.tenant = g.tenant where e.key = $1 for share of g)
     update effects set state = 'applying', lease_until = clock_timestamp() + $4 * interval '1 millisecond'
     where key = $1 and owner = $2 and fence = $3 and state = 'claimed' and lease_until > clock_timestamp()
       and ($5 or pause_epoch = (select pause_epoch from gate))`,
    [held.key, held.owner, held.fence, leaseMs, ignorePause],
  );
  return rowCount === 1;
}

/** Moves the end of a live lease; false when the claim was lost. */
export async function renewLease(db: Queryable, held: Held, leaseMs: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `update effects set lease_until = clock_timestamp() + $4 * interval '1 millisecond'
     where key = $1 and owner = $2 and fence = $3 and state in ('applying', 'doubt', 'claimed') and lease_until > clock_timestamp()`,
    [held.key, held.owner, held.fence, leaseMs],
  );
  return rowCount === 1;
}

/** A write whose answer says nothing: since now in doubt, and free for the next attempt to probe. */
export async function markDoubt(db: Queryable, held: Held, reason: string): Promise<void> {
  await db.query(
    `update effects set state = 'doubt', doubt_since = coalesce(doubt_since, clock_timestamp()), lease_until = clock_timestamp(), reason = $4
     where key = $1 and owner = $2 and fence = $3`,
    [held.key, held.owner, held.fence, reason],
  );
}

/** Certainly not written: gives back the claim and all it reserved. Guard before claim, as everybody locks them. */
export async function freeClaim(tx: Queryable, held: Held, reason: string): Promise<boolean> {
  await tx.query(
    'select 1 from guards g join effects e on e.tenant = g.tenant where e.key = $1 for update of g',
    [held.key],
  );
  const { rowCount } = await tx.query(
    `update effects set state = 'freed', lease_until = clock_timestamp(), doubt_since = null, reason = $4
     where key = $1 and owner = $2 and fence = $3 and state <> 'done'`,
    [held.key, held.owner, held.fence, reason],
  );
  if (rowCount !== 1) return false;
  await giveBackLimits(tx, held.key);
  await tx.query(
    `update approvals set state = 'approved', used_key = null where used_key = $1 and state = 'used'`,
    [held.key],
  );
  return true;
}

/** What certainly wrote nothing starts no cooldown, and is no probe of the breaker. Its place under the cap goes by its outcome. */
export async function giveBackLimits(tx: Queryable, key: string): Promise<void> {
  await tx.query('delete from cooldowns where set_by_key = $1', [key]);
  await tx.query(
    `update guards set breaker_probe_key = null
     where tenant = (select tenant from effects where key = $1) and breaker_probe_key = $1`,
    [key],
  );
}

/** Writes the receipt; false when the claim was lost meanwhile, so that the new owner finds out by its probe. */
export async function settleClaim(
  tx: Queryable,
  held: Held,
  receipt: Pick<Receipt, 'outcome' | 'reason' | 'result'>,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update effects set state = 'done', outcome = $4, reason = $5, result = $6, settled_at = clock_timestamp(), lease_until = clock_timestamp(),
       doubt_since = null where key = $1 and owner = $2 and fence = $3 and state <> 'done'`,
    [held.key, held.owner, held.fence, receipt.outcome, receipt.reason, JSON.stringify(receipt.result)],
  );
  return rowCount === 1;
}

export async function reserveCooldown(
  tx: Queryable,
  request: EffectRequest,
  key: string,
  cooldownMs: number,
): Promise<void> {
  if (cooldownMs <= 0) return;
  await tx.query(
    `insert into cooldowns (tenant, target, kind, until_ms, set_by_key) values ($1, $2, $3, $4, $5)
     on conflict (tenant, target, kind) do update set until_ms = excluded.until_ms, set_by_key = excluded.set_by_key`,
    [request.tenant, request.target, request.kind, Math.round(request.nowMs + cooldownMs), key],
  );
}

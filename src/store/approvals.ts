// Approvals (LOOP-13): asked by the door when the guard wants a person, decided over a channel, used once, void when what they were bound
// to changed. The hash binds to the exact effect with its precondition.
import type { EffectRequest, Risk } from '../contract/effect.ts';
import type { TenantConfig } from '../contract/tenant-config.ts';
import { appendAudit } from './audit.ts';
import { type Pool, type Queryable, transaction } from './database.ts';

export type Approval = {
  readonly tenant: string;
  readonly hash: string;
  readonly workspace: string;
  readonly kind: string;
  readonly target: string;
  readonly precondition: string;
  readonly risk: Risk;
  readonly describe: string;
  readonly requester: string;
  readonly fingerprint: string | null;
  readonly state: 'asked' | 'approved' | 'rejected' | 'void' | 'expired' | 'used';
  readonly askedMs: number;
  readonly expiresMs: number;
  readonly decidedBy: string | null;
  readonly channel: string | null;
  readonly reason: string | null;
};

const columns = `tenant, hash, workspace, kind, target, precondition, risk, describe, requester, fingerprint, state,
  asked_ms as "askedMs", expires_ms as "expiresMs", decided_by as "decidedBy", channel, reason`;

/** Asks once; asking again gives the same question. `wakeMs`: when to remind, then when it expires. */
export async function askApproval(
  tx: Queryable,
  question: {
    readonly request: EffectRequest;
    readonly hash: string;
    readonly risk: Risk;
    readonly describe: string;
  },
  config: TenantConfig | undefined,
): Promise<{ readonly wakeMs: number; readonly expiresAtMs: number }> {
  const { request, hash } = question;
  const expiresMs = request.nowMs + (config?.approvals.expireAfterMs ?? 7 * 86_400_000);
  const remindMs = request.nowMs + (config?.approvals.remindAfterMs ?? 3_600_000);
  const { rows } = await tx.query(
    `insert into approvals (tenant, hash, workspace, kind, target, precondition, risk, describe, requester, fingerprint, state, asked_ms, expires_ms, remind_ms)
     values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,'asked',$11,$12,$13)
     on conflict (tenant, hash) do update set requester = excluded.requester
     returning expires_ms as "expiresMs", remind_ms as "remindMs"`,
    [
      request.tenant,
      hash,
      request.workspace,
      request.kind,
      request.target,
      request.precondition,
      question.risk,
      question.describe,
      request.requester,
      request.fingerprint ?? null,
      Math.round(request.nowMs),
      Math.round(expiresMs),
      Math.round(remindMs),
    ],
  );
  const row = rows[0] as { expiresMs: number; remindMs: number };
  return { wakeMs: row.remindMs > request.nowMs ? row.remindMs : row.expiresMs, expiresAtMs: row.expiresMs };
}

export async function useApproval(tx: Queryable, tenant: string, hash: string, key: string): Promise<void> {
  await tx.query(
    `update approvals set state = 'used', used_key = $3 where tenant = $1 and hash = $2 and state in ('approved', 'used')`,
    [tenant, hash, key],
  );
}

export type ApprovalDecision = {
  readonly tenant: string;
  /** Given: approvals of other workspaces are not there for this decision. */
  readonly workspace?: string;
  /** The whole hash or an unambiguous beginning of at least 6 characters. */
  readonly hash: string;
  readonly decision: 'approve' | 'reject';
  readonly by: string;
  readonly channel: 'cli' | 'ui' | 'github' | 'slack';
  readonly reason: string;
  readonly nowMs: number;
};

export type DecisionResult =
  | { readonly result: 'decided'; readonly approval: Approval }
  | {
      readonly result: 'unknown' | 'ambiguous' | 'over';
      readonly message: string;
      readonly approval?: Approval;
    };

/** Writes a decision. A verified channel may raise a decision that came over an unverified one. */
export async function decideApproval(pool: Pool, decision: ApprovalDecision): Promise<DecisionResult> {
  if (!/^[0-9a-f]{6,64}$/.test(decision.hash)) {
    return {
      result: 'unknown',
      message: `hash "${decision.hash.slice(0, 40)}" is not one: give at least 6 of its hex digits`,
    };
  }
  return transaction(pool, async (tx): Promise<DecisionResult> => {
    const { rows } = await tx.query(
      `select ${columns} from approvals where tenant = $1 and hash like $2 || '%' and ($3::text is null or workspace = $3) for update`,
      [decision.tenant, decision.hash, decision.workspace ?? null],
    );
    const approval = rows[0] as Approval | undefined;
    if (!approval)
      return {
        result: 'unknown',
        message: `no approval ${decision.hash} is open for tenant ${decision.tenant}`,
      };
    if (rows.length > 1)
      return {
        result: 'ambiguous',
        message: `${decision.hash} is the beginning of ${rows.length} hashes: give more of it`,
      };
    const verified = decision.channel === 'github' || decision.channel === 'slack';
    const decidable =
      approval.state === 'asked' ||
      (approval.state === 'approved' && verified) ||
      (approval.state === 'approved' && decision.decision === 'reject');
    if (!decidable)
      return { result: 'over', message: `approval ${approval.hash} is ${approval.state} already`, approval };
    if (approval.expiresMs <= decision.nowMs)
      return { result: 'over', message: `approval ${approval.hash} expired`, approval };
    const state = decision.decision === 'approve' ? 'approved' : 'rejected';
    await tx.query(
      'update approvals set state = $3, decided_by = $4, decided_ms = $5, channel = $6, reason = $7 where tenant = $1 and hash = $2',
      [
        decision.tenant,
        approval.hash,
        state,
        decision.by,
        Math.round(decision.nowMs),
        decision.channel,
        decision.reason,
      ],
    );
    await appendAudit(tx, {
      tenant: decision.tenant,
      atMs: decision.nowMs,
      actor: decision.by,
      action: `approval.${state}`,
      workspace: approval.workspace,
      fingerprint: approval.fingerprint ?? undefined,
      subject: approval.describe,
      reason: decision.reason || `over ${decision.channel}`,
      detail: { hash: approval.hash, channel: decision.channel },
    });
    return {
      result: 'decided',
      approval: {
        ...approval,
        state,
        decidedBy: decision.by,
        channel: decision.channel,
        reason: decision.reason,
      },
    };
  });
}

/** What an open approval was bound to changed: it approves nothing any more. */
export async function voidApprovals(
  db: Queryable,
  which: {
    readonly tenant: string;
    readonly requester: string;
    readonly keepPrecondition: string;
    readonly kinds: readonly string[];
    readonly reason: string;
  },
): Promise<number> {
  const { rowCount } = await db.query(
    `update approvals set state = 'void', reason = $5 where tenant = $1 and requester = $2 and kind = any($4) and precondition <> $3 and state in ('asked', 'approved')`,
    [which.tenant, which.requester, which.keepPrecondition, which.kinds, which.reason],
  );
  return rowCount ?? 0;
}

export async function openApprovals(db: Queryable, tenant: string): Promise<readonly Approval[]> {
  const { rows } = await db.query(
    `select ${columns} from approvals where tenant = $1 and state in ('asked', 'approved') order by asked_ms`,
    [tenant],
  );
  return rows;
}

/** Ends what nobody answered in time. */
export async function expireApprovals(db: Queryable, tenant: string, nowMs: number): Promise<void> {
  await db.query(
    `update approvals set state = 'expired' where tenant = $1 and state in ('asked', 'approved') and expires_ms <= $2`,
    [tenant, Math.round(nowMs)],
  );
}

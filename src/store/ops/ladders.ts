// One ladder per service (DEPLOY-3): how the service was since its fault began, what was answered to the steps that were asked for. What was
// done is not kept twice: it is the receipts of the door.
import type { EffectKind, EffectOutcome, Json } from '../../contract/effect.ts';
import type { Queryable } from '../database.ts';

export type LadderKey = {
  readonly tenant: string;
  readonly workspace: string;
  readonly environment: string;
  readonly service: string;
};

export type LadderRow = {
  /** Null: the service is well. */
  readonly sinceMs: number | null;
  readonly requester: string | null;
  readonly state: Json;
};

/** Made when there is none, and locked. Take several in the order of their names. */
export async function lockLadder(tx: Queryable, key: LadderKey): Promise<LadderRow> {
  const of = [key.tenant, key.workspace, key.environment, key.service];
  await tx.query(
    `insert into ladders (tenant, workspace, environment, service, state) values ($1, $2, $3, $4, '{}') on conflict do nothing`,
    of,
  );
  const { rows } = await tx.query(
    `select since_ms as "sinceMs", requester, state from ladders
     where tenant = $1 and workspace = $2 and environment = $3 and service = $4 for update`,
    of,
  );
  return rows[0];
}

export async function keepLadder(tx: Queryable, key: LadderKey, row: LadderRow): Promise<void> {
  await tx.query(
    `update ladders set since_ms = $5, requester = $6, state = $7 where tenant = $1 and workspace = $2 and environment = $3 and service = $4`,
    [
      key.tenant,
      key.workspace,
      key.environment,
      key.service,
      row.sinceMs === null ? null : Math.round(row.sinceMs),
      row.requester,
      JSON.stringify(row.state),
    ],
  );
}

export type ServiceReceipt = {
  readonly key: string;
  readonly kind: EffectKind;
  readonly precondition: string;
  readonly step: string;
  readonly atMs: number;
  readonly outcome: EffectOutcome;
  readonly reason: string;
};

/** What was done to a service since its fault began, by whomever, oldest first. @param target `<environment>/<service>` */
export async function receiptsOnService(
  db: Queryable,
  question: {
    readonly tenant: string;
    readonly workspace: string;
    readonly target: string;
    readonly kinds: readonly EffectKind[];
    readonly sinceMs: number;
  },
): Promise<readonly ServiceReceipt[]> {
  const { rows } = await db.query(
    `select key, kind, precondition, step, policy_ms as "atMs", outcome, coalesce(reason, '') as reason from effects
     where tenant = $1 and workspace = $2 and target = $3 and kind = any($4) and policy_ms >= $5 and state = 'done' order by policy_ms`,
    [question.tenant, question.workspace, question.target, question.kinds, Math.round(question.sinceMs)],
  );
  return rows;
}

/** Ends of the cooldowns of a service, by kind of effect. */
export async function cooldownsOf(
  db: Queryable,
  tenant: string,
  target: string,
): Promise<{ readonly [kind in EffectKind]?: number }> {
  const { rows } = await db.query(
    'select kind, until_ms as "untilMs" from cooldowns where tenant = $1 and target = $2',
    [tenant, target],
  );
  return Object.fromEntries(rows.map((row: { kind: string; untilMs: number }) => [row.kind, row.untilMs]));
}

/** How a question to people stands; null: it was not asked. */
export async function approvalState(
  db: Queryable,
  tenant: string,
  hash: string,
): Promise<{ readonly state: string; readonly decidedMs: number | null } | null> {
  const { rows } = await db.query(
    'select state, decided_ms as "decidedMs" from approvals where tenant = $1 and hash = $2',
    [tenant, hash],
  );
  return rows[0] ?? null;
}

/** What it is bound to is not so any more: it approves nothing (LOOP-13). */
export async function voidApproval(
  db: Queryable,
  tenant: string,
  hash: string,
  reason: string,
): Promise<void> {
  await db.query(
    `update approvals set state = 'void', reason = $3 where tenant = $1 and hash = $2 and state in ('asked', 'approved')`,
    [tenant, hash, reason],
  );
}

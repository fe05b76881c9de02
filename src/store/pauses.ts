// Pauses (LOOP-10). Raising one bumps the pause epoch of every guard row it reaches, so that each claim judged before must be judged
// again, and answers with the writes that had passed the fence by then and have no end yet, those in doubt too (they may still land):
// nothing outside that list writes afterwards.
import { appendAudit } from './audit.ts';
import { type Pool, type Queryable, transaction } from './database.ts';

export type PauseScope = 'everything' | 'tenant' | 'workspace' | 'effect';

export type PauseRequest = {
  /** Null with scope `everything`. */
  readonly tenant: string | null;
  readonly scope: PauseScope;
  readonly scopeValue: string | null;
  readonly reason: string;
  readonly by: string;
  readonly untilMs: number | null;
  readonly nowMs: number;
  /** Of an order that may be given again when its answer was lost: raised once, also when it was lifted since. */
  readonly requestId?: string;
};

export type StartedWrite = {
  readonly key: string;
  readonly tenant: string;
  readonly kind: string;
  readonly target: string;
  readonly describe: string;
};

export type Pause = {
  readonly id: number;
  readonly tenant: string | null;
  readonly scope: PauseScope;
  readonly scopeValue: string | null;
  readonly reason: string;
  readonly by: string;
  readonly untilMs: number | null;
};

export async function raisePause(
  pool: Pool,
  pause: PauseRequest,
): Promise<{ readonly id: number; readonly started: readonly StartedWrite[] }> {
  return transaction(pool, async (tx) => {
    const requestId = pause.requestId ?? null;
    const raised = await tx.query(
      `insert into pauses (tenant, scope, scope_value, reason, raised_by, until_ms, request_id) values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (request_id) do nothing returning id`,
      [pause.tenant, pause.scope, pause.scopeValue, pause.reason, pause.by, pause.untilMs, requestId],
    );
    const isNew = raised.rows.length > 0;
    const { rows } = isNew
      ? raised
      : await tx.query('select id from pauses where request_id = $1', [requestId]);
    // Waits for fences that are passing right now; later ones see the new epoch.
    if (isNew)
      await tx.query(
        'update guards set pause_epoch = pause_epoch + 1 where $1::text is null or tenant = $1',
        [pause.tenant],
      );
    const started = await tx.query(
      `select key, tenant, kind, target, describe from effects
       where ($1::text is null or tenant = $1) and risk <> 'safe' and state in ('applying', 'doubt')
         and ($2 not in ('workspace', 'effect') or $3 = (case $2 when 'workspace' then workspace else kind end)) order by created_at`,
      [pause.tenant, pause.scope, pause.scopeValue],
    );
    if (isNew) await audit(tx, pause, 'pause.raised');
    return { id: rows[0].id, started: started.rows };
  });
}

/** Lifts every live pause of exactly this scope. */
export async function liftPause(
  pool: Pool,
  lift: Pick<PauseRequest, 'tenant' | 'scope' | 'scopeValue' | 'by' | 'nowMs'> & { readonly reason: string },
): Promise<number> {
  return transaction(pool, async (tx) => {
    const { rowCount } = await tx.query(
      `update pauses set lifted_by = $4, lifted_at = now() where lifted_at is null and tenant is not distinct from $1 and scope = $2
         and scope_value is not distinct from $3`,
      [lift.tenant, lift.scope, lift.scopeValue, lift.by],
    );
    if (rowCount) await audit(tx, lift, 'pause.lifted');
    return rowCount ?? 0;
  });
}

/** Pauses that stop something of this tenant at `nowMs`. */
export async function listPauses(db: Queryable, tenant: string, nowMs: number): Promise<readonly Pause[]> {
  const { rows } = await db.query(
    `select id, tenant, scope, scope_value as "scopeValue", reason, raised_by as by, until_ms as "untilMs" from pauses
     where lifted_at is null and (tenant = $1 or tenant is null) and (until_ms is null or until_ms > $2) order by id`,
    [tenant, Math.round(nowMs)],
  );
  return rows;
}

async function audit(
  tx: Queryable,
  pause: Pick<PauseRequest, 'tenant' | 'scope' | 'scopeValue' | 'by' | 'nowMs' | 'reason'>,
  action: string,
): Promise<void> {
  await appendAudit(tx, {
    tenant: pause.tenant,
    atMs: pause.nowMs,
    actor: pause.by,
    action,
    subject: pause.scopeValue === null ? pause.scope : `${pause.scope} ${pause.scopeValue}`,
    reason: pause.reason,
  });
}

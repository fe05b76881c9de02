// The audit trail (SEE-5): append-only lines of who or what did what, why, with what result. Read by `why` and `history`.
import type { Json } from '../contract/effect.ts';
import type { Queryable } from './database.ts';

export type AuditLine = {
  readonly tenant: string | null;
  readonly atMs: number;
  readonly actor: string;
  /** `effect.applied`, `effect.held`, `pause.raised`, `cycle.failed`, `finding.resolved`, … */
  readonly action: string;
  readonly workspace?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly subject: string;
  readonly reason: string;
  readonly detail?: { readonly [key: string]: Json };
};

export type AuditRecord = AuditLine & { readonly id: number };

export async function appendAudit(db: Queryable, line: AuditLine): Promise<void> {
  await db.query(
    `insert into audit (tenant, at_ms, actor, action, workspace, fingerprint, subject, reason, detail)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      line.tenant,
      Math.round(line.atMs),
      line.actor,
      line.action,
      line.workspace ?? null,
      line.fingerprint ?? null,
      line.subject,
      line.reason,
      JSON.stringify(line.detail ?? {}),
    ],
  );
}

/** Newest first. */
export async function readAudit(
  db: Queryable,
  filter: { readonly tenant: string; readonly fingerprint?: string | undefined; readonly limit: number },
): Promise<readonly AuditRecord[]> {
  const { rows } = await db.query(
    `select id, tenant, at_ms as "atMs", actor, action, workspace, fingerprint, subject, reason, detail from audit
     where (tenant = $1 or tenant is null) and ($2::text is null or fingerprint = $2) order by id desc limit $3`,
    [filter.tenant, filter.fingerprint ?? null, filter.limit],
  );
  return rows;
}

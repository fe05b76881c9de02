// Which incidents of a workspace tell of which services, and how one goes on with the record of another (INC-2).
import type { Queryable } from '../database.ts';
import type { FindingKey } from '../findings.ts';
import type { OpeningKey } from './operator.ts';

/** Until the end of the transaction: who tells of a service is judged by one at a time, before there is any row to lock. */
export async function lockStories(
  tx: Queryable,
  { tenant, workspace }: { readonly tenant: string; readonly workspace: string },
): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
    `untilgreen incidents ${tenant}/${workspace}`,
  ]);
}

export type NearRow = {
  readonly fingerprint: string;
  readonly services: readonly string[];
  readonly isRed: boolean;
  readonly isOpen: boolean;
  readonly issue: number | null;
};

/** Incidents of health checks that appeared, or are not over. */
export async function incidentsNear(
  db: Queryable,
  { tenant, workspace }: { readonly tenant: string; readonly workspace: string },
): Promise<readonly NearRow[]> {
  const { rows } = await db.query(
    `select f.fingerprint, f.detail -> 'services' as services, f.status <> 'resolved' as "isRed", coalesce(i.open, false) as "isOpen", i.issue
     from findings f left join incidents i using (tenant, fingerprint, occurrence)
     where tenant = $1 and f.workspace = $2 and f.kind = 'incident' and (f.status <> 'resolved' or i.open)
     order by f.first_seen_ms, f.fingerprint`,
    [tenant, workspace],
  );
  return rows;
}

/** Open records of services that are down, the oldest first, locked. */
export async function lockRecordsOfServices(
  tx: Queryable,
  of: { readonly tenant: string; readonly workspace: string; readonly services: readonly string[] },
): Promise<readonly OpeningKey[]> {
  const { rows } = await tx.query(
    `select i.tenant, i.fingerprint, i.occurrence, i.opening from incidents i join findings f using (tenant, fingerprint, occurrence)
     where tenant = $1 and i.workspace = $2 and i.open and f.kind = 'deployment' and f.detail ->> 'service' = any($3)
     order by i.detected_ms, i.fingerprint for update of i`,
    [of.tenant, of.workspace, of.services],
  );
  return rows;
}

/** The timeline goes along. @param told keys of events whose comment is on its way already */
export async function copyEvents(
  tx: Queryable,
  from: OpeningKey,
  to: OpeningKey,
  told: readonly string[],
): Promise<void> {
  await tx.query(
    `insert into incident_events (tenant, fingerprint, occurrence, opening, key, at_ms, kind, text, comment, commented)
     select tenant, $5, $6, $7, key, at_ms, kind, text, comment, commented or key = any($8) from incident_events
     where tenant = $1 and fingerprint = $2 and occurrence = $3 and opening = $4 order by id
     on conflict do nothing`,
    [
      from.tenant,
      from.fingerprint,
      from.occurrence,
      from.opening,
      to.fingerprint,
      to.occurrence,
      to.opening,
      told,
    ],
  );
}

/** An issue belongs to one record: whoever acknowledges on it means that one. */
export async function leaveIssue(tx: Queryable, key: FindingKey): Promise<void> {
  await tx.query(
    'update incidents set issue = null where tenant = $1 and fingerprint = $2 and occurrence = $3',
    [key.tenant, key.fingerprint, key.occurrence],
  );
}

/** Questions to people that wait for an answer: who goes on with the record is told of it. */
export async function passQuestions(tx: Queryable, from: FindingKey, to: string): Promise<void> {
  await tx.query(
    `update approvals set fingerprint = $3 where tenant = $1 and fingerprint = $2 and state in ('asked', 'approved')`,
    [from.tenant, from.fingerprint, to],
  );
}

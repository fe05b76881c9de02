// What is broken in a workspace's production now, as people look at it (OPS-1): findings of incidents and deployments with what is known of their
// incident. Reads only.
import type { FindingDetail, FindingStatus } from '../../contract/finding.ts';
import type { Queryable } from '../database.ts';

export type OpenIncident = {
  readonly fingerprint: string;
  readonly occurrence: number;
  readonly kind: 'incident' | 'deployment';
  readonly title: string;
  readonly status: FindingStatus;
  readonly detail: FindingDetail;
  readonly waitingFor: string | null;
  readonly firstSeenMs: number;
  /** Null: its remedy has not begun. */
  readonly detectedMs: number | null;
  readonly issue: number | null;
  readonly level: string | null;
  readonly acknowledgedBy: string | null;
};

/** Also one that healed and is watched for a while: it is over when its incident is. */
export async function readOpenIncidents(
  db: Queryable,
  tenant: string,
  workspace: string,
): Promise<readonly OpenIncident[]> {
  const { rows } = await db.query(
    `select f.fingerprint, f.occurrence, f.kind, f.title, f.status, f.detail, f.waiting_for as "waitingFor", f.first_seen_ms as "firstSeenMs",
       i.detected_ms as "detectedMs", i.issue, i.state #>> '{severity,level}' as level, i.acknowledged_by as "acknowledgedBy"
     from findings f left join incidents i using (tenant, fingerprint, occurrence)
     where tenant = $1 and f.workspace = $2 and f.kind in ('incident', 'deployment') and (f.status <> 'resolved' or i.open)
     order by f.kind desc, f.first_seen_ms, f.fingerprint`,
    [tenant, workspace],
  );
  return rows;
}

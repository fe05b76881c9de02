// Incidents and their timelines (INC-2 to INC-4): one row per occurrence of a finding, its events, who acknowledged it. What is in `state` is
// the activities' business; here it is data.
import type { Json } from '../../contract/effect.ts';
import { remedyWorkflowId } from '../../contract/names.ts';
import type { TimelineEntry } from '../../contract/ops/incident.ts';
import { appendAudit } from '../audit.ts';
import { type Pool, type Queryable, transaction } from '../database.ts';
import type { FindingKey } from '../findings.ts';

export type IncidentRow = {
  readonly workspace: string;
  /** 1 for the first time; one more each time it begins anew after it was over. */
  readonly opening: number;
  readonly open: boolean;
  readonly detectedMs: number;
  readonly closedMs: number | null;
  readonly issue: number | null;
  readonly state: Json;
  readonly acknowledgedBy: string | null;
  readonly acknowledgedMs: number | null;
};

export type IncidentEvent = TimelineEntry & {
  /** The same event noted again has the same one. */
  readonly key: string;
  /** Markdown for the issue; null: it is not told there. */
  readonly comment: string | null;
  readonly commented: boolean;
};

const columns = `workspace, opening, open, detected_ms as "detectedMs", closed_ms as "closedMs", issue, state,
  acknowledged_by as "acknowledgedBy", acknowledged_ms as "acknowledgedMs"`;

/** Locks it: all who work on an incident do so one after the other. */
export async function lockIncident(tx: Queryable, key: FindingKey): Promise<IncidentRow | null> {
  const { rows } = await tx.query(
    `select ${columns} from incidents where tenant = $1 and fingerprint = $2 and occurrence = $3 for update`,
    [key.tenant, key.fingerprint, key.occurrence],
  );
  return rows[0] ?? null;
}

/** Begins an incident, or begins it anew. @param issue that of the time before, when it is to be opened again */
export async function openIncident(
  tx: Queryable,
  key: FindingKey,
  begin: {
    readonly workspace: string;
    readonly opening: number;
    readonly detectedMs: number;
    readonly issue: number | null;
    readonly state: Json;
  },
): Promise<void> {
  await tx.query(
    `insert into incidents (tenant, fingerprint, occurrence, workspace, opening, open, detected_ms, issue, state)
     values ($1, $2, $3, $4, $5, true, $6, $7, $8)
     on conflict (tenant, fingerprint, occurrence) do update set opening = excluded.opening, open = true, detected_ms = excluded.detected_ms,
       closed_ms = null, issue = excluded.issue, state = excluded.state, acknowledged_by = null, acknowledged_ms = null`,
    [
      key.tenant,
      key.fingerprint,
      key.occurrence,
      begin.workspace,
      begin.opening,
      Math.round(begin.detectedMs),
      begin.issue,
      JSON.stringify(begin.state),
    ],
  );
}

export async function keepIncident(
  tx: Queryable,
  key: FindingKey,
  now: { readonly state: Json; readonly issue: number | null; readonly closedMs: number | null },
): Promise<void> {
  await tx.query(
    `update incidents set state = $4, issue = $5, closed_ms = $6, open = $6::bigint is null
     where tenant = $1 and fingerprint = $2 and occurrence = $3`,
    [
      key.tenant,
      key.fingerprint,
      key.occurrence,
      JSON.stringify(now.state),
      now.issue,
      now.closedMs === null ? null : Math.round(now.closedMs),
    ],
  );
}

/** Once per key: what is noted again stays as it was. */
export async function addEvent(
  tx: Queryable,
  key: FindingKey,
  opening: number,
  event: Omit<IncidentEvent, 'commented'>,
): Promise<void> {
  await tx.query(
    `insert into incident_events (tenant, fingerprint, occurrence, opening, key, at_ms, kind, text, comment)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
    [
      key.tenant,
      key.fingerprint,
      key.occurrence,
      opening,
      event.key,
      Math.round(event.atMs),
      event.kind,
      event.text,
      event.comment,
    ],
  );
}

export async function markCommented(
  tx: Queryable,
  key: FindingKey,
  opening: number,
  events: readonly string[],
): Promise<void> {
  await tx.query(
    `update incident_events set commented = true where tenant = $1 and fingerprint = $2 and occurrence = $3 and opening = $4 and key = any($5)`,
    [key.tenant, key.fingerprint, key.occurrence, opening, events],
  );
}

/** Of one time that it was open, oldest first. */
export async function readEvents(
  db: Queryable,
  key: FindingKey,
  opening: number,
): Promise<readonly IncidentEvent[]> {
  const { rows } = await db.query(
    `select key, at_ms as "atMs", kind, text, comment, commented from incident_events
     where tenant = $1 and fingerprint = $2 and occurrence = $3 and opening = $4 order by id`,
    [key.tenant, key.fingerprint, key.occurrence, opening],
  );
  return rows;
}

/** Keys of incidents that are not over: their remedies are adopted, whatever their findings say. */
export async function openIncidents(db: Queryable, tenant: string): Promise<readonly FindingKey[]> {
  const { rows } = await db.query(
    'select tenant, fingerprint, occurrence from incidents where tenant = $1 and open order by fingerprint',
    [tenant],
  );
  return rows;
}

/** Workspaces in whose comments somebody may acknowledge something. */
export async function workspacesToAcknowledge(db: Queryable, tenant: string): Promise<readonly string[]> {
  const { rows } = await db.query(
    `select distinct workspace from incidents where tenant = $1 and open and issue is not null and acknowledged_ms is null`,
    [tenant],
  );
  return rows.map((row: { workspace: string }) => row.workspace);
}

export type Acknowledgement = {
  readonly tenant: string;
  /** By the issue it was written on, or by the beginning of the finding's fingerprint. */
  readonly incident:
    | { readonly workspace: string; readonly issue: number }
    | { readonly fingerprint: string };
  readonly by: string;
  readonly channel: 'cli' | 'ui' | 'github';
  readonly nowMs: number;
};

export type AcknowledgeResult =
  | {
      readonly result: 'acknowledged' | 'already';
      /** Of its remedy, to be nudged. */
      readonly workflowId: string;
      readonly message: string;
    }
  | { readonly result: 'unknown' | 'ambiguous'; readonly message: string };

const acknowledged = `select i.tenant, i.fingerprint, i.occurrence, i.workspace, f.kind, i.acknowledged_by as by
  from incidents i join findings f using (tenant, fingerprint, occurrence) where tenant = $1 and i.open`;

/** Somebody has it (INC-4). Said again, it counts again: for what became worse since. */
export async function acknowledgeIncident(pool: Pool, ack: Acknowledgement): Promise<AcknowledgeResult> {
  const { incident } = ack;
  return transaction(pool, async (tx): Promise<AcknowledgeResult> => {
    const { rows } = await tx.query(
      'issue' in incident
        ? `${acknowledged} and i.workspace = $2 and i.issue = $3 for update of i`
        : `${acknowledged} and starts_with(i.fingerprint, $2) for update of i`,
      'issue' in incident
        ? [ack.tenant, incident.workspace, incident.issue]
        : [ack.tenant, incident.fingerprint],
    );
    const named = 'issue' in incident ? `issue #${incident.issue}` : incident.fingerprint;
    const [row] = rows;
    if (!row) return { result: 'unknown', message: `no open incident of ${ack.tenant} is ${named}` };
    if (rows.length > 1)
      return {
        result: 'ambiguous',
        message: `${named} is the beginning of ${rows.length} incidents: give more of it`,
      };
    const key = { tenant: row.tenant, fingerprint: row.fingerprint, occurrence: row.occurrence };
    await tx.query(
      `update incidents set acknowledged_by = $4, acknowledged_ms = $5 where tenant = $1 and fingerprint = $2 and occurrence = $3`,
      [key.tenant, key.fingerprint, key.occurrence, ack.by, Math.round(ack.nowMs)],
    );
    await appendAudit(tx, {
      tenant: ack.tenant,
      atMs: ack.nowMs,
      actor: ack.by,
      action: 'incident.acknowledged',
      workspace: row.workspace,
      fingerprint: key.fingerprint,
      subject: `incident ${key.fingerprint.slice(0, 12)}`,
      reason: `over ${ack.channel}`,
    });
    return {
      result: row.by === ack.by ? 'already' : 'acknowledged',
      workflowId: remedyWorkflowId({ ...key, kind: row.kind }),
      message: `incident ${key.fingerprint.slice(0, 12)} acknowledged by ${ack.by}`,
    };
  });
}

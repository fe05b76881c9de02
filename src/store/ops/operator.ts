// What the operator model was asked and what it asked for, per incident (MODEL-2): what limits it is here, not in a workflow. Reads of limits that its
// state message shows, too.
import type { EffectKind } from '../../contract/effect.ts';
import type { DueEffect } from '../../contract/ops/activities.ts';
import type { Queryable } from '../database.ts';
import type { FindingKey } from '../findings.ts';
import type { LadderKey, LadderRow } from './ladders.ts';

/** One time that an incident was open. */
export type OpeningKey = FindingKey & { readonly opening: number };

export type OperatorCallRow = {
  readonly call: string;
  readonly tool: string;
  readonly subject: string;
  readonly verdict: 'passed' | 'refused';
  readonly mutating: boolean;
  readonly reason: string;
  readonly effect: DueEffect | null;
};

const of = (key: OpeningKey): readonly unknown[] => [
  key.tenant,
  key.fingerprint,
  key.occurrence,
  key.opening,
];

/** Null: this state was not asked about. */
export async function readConsultation(
  db: Queryable,
  key: OpeningKey,
  state: string,
): Promise<{ readonly steps: number; readonly outcome: string | null } | null> {
  const { rows } = await db.query(
    `select steps, outcome from operator_consultations
     where tenant = $1 and fingerprint = $2 and occurrence = $3 and opening = $4 and state = $5`,
    [...of(key), state],
  );
  return rows[0] ?? null;
}

export async function openConsultation(
  db: Queryable,
  key: OpeningKey,
  state: string,
  nowMs: number,
): Promise<void> {
  await db.query(
    `insert into operator_consultations (tenant, fingerprint, occurrence, opening, state, at_ms)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [...of(key), state, Math.round(nowMs)],
  );
}

export async function closeConsultation(
  db: Queryable,
  key: OpeningKey,
  state: string,
  end: { readonly steps: number; readonly outcome: string },
): Promise<void> {
  await db.query(
    `update operator_consultations set steps = greatest(steps, $6), outcome = $7
     where tenant = $1 and fingerprint = $2 and occurrence = $3 and opening = $4 and state = $5`,
    [...of(key), state, end.steps, end.outcome],
  );
}

/** Answers of the model in all consultations but this one. */
export async function stepsOfOthers(db: Queryable, key: OpeningKey, state: string): Promise<number> {
  const { rows } = await db.query(
    `select coalesce(sum(steps), 0)::float8 as steps from operator_consultations
     where tenant = $1 and fingerprint = $2 and occurrence = $3 and opening = $4 and state <> $5`,
    [...of(key), state],
  );
  return rows[0].steps;
}

/** Once per call: what is noted again stays as it was. */
export async function noteCall(
  db: Queryable,
  key: OpeningKey,
  row: OperatorCallRow,
  nowMs: number,
): Promise<void> {
  await db.query(
    `insert into operator_calls (tenant, fingerprint, occurrence, opening, call, tool, subject, verdict, mutating, reason, effect, at_ms)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing`,
    [
      ...of(key),
      row.call,
      row.tool,
      row.subject,
      row.verdict,
      row.mutating,
      row.reason,
      row.effect === null ? null : JSON.stringify(row.effect),
      Math.round(nowMs),
    ],
  );
}

/** Oldest first. */
export async function readCalls(db: Queryable, key: OpeningKey): Promise<readonly OperatorCallRow[]> {
  const { rows } = await db.query(
    `select call, tool, subject, verdict, mutating, reason, effect from operator_calls
     where tenant = $1 and fingerprint = $2 and occurrence = $3 and opening = $4 order by at_ms, call`,
    [...of(key)],
  );
  return rows;
}

/** Ladders of the services of an environment that are not well. */
export async function openLadders(
  db: Queryable,
  { tenant, workspace, environment }: Omit<LadderKey, 'service'>,
): Promise<readonly (LadderRow & { readonly service: string })[]> {
  const { rows } = await db.query(
    `select service, since_ms as "sinceMs", requester, state from ladders
     where tenant = $1 and workspace = $2 and environment = $3 and since_ms is not null order by service`,
    [tenant, workspace, environment],
  );
  return rows;
}

/** Changes of a tenant since a time, as the caps count them. @param kinds absent: all */
export async function countChanges(
  db: Queryable,
  tenant: string,
  sinceMs: number,
  kinds?: readonly EffectKind[],
): Promise<number> {
  const { rows } = await db.query(
    `select count(*)::float8 as n from effects where tenant = $1 and policy_ms > $2 and ($3::text[] is null or kind = any($3))
       and risk in ('mutating', 'destructive') and state <> 'freed' and coalesce(outcome, '') not in ('stale', 'refused')`,
    [tenant, Math.round(sinceMs), kinds ?? null],
  );
  return rows[0].n;
}

/** Whether a code agent was started, or is being started, for an incident. */
export async function startedCodeAgent(db: Queryable, { tenant, fingerprint }: FindingKey): Promise<boolean> {
  const { rows } = await db.query(
    `select 1 from effects where tenant = $1 and fingerprint = $2 and kind = 'startCodeAgent' and state <> 'freed'
       and coalesce(outcome, '') not in ('stale', 'refused') limit 1`,
    [tenant, fingerprint],
  );
  return rows.length > 0;
}

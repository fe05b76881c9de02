// The rows behind a call of the model: whether it was answered, who asks now, what each attempt reserved and used. SQL only: the protocol is in
// src/activities/model, the arithmetic in src/policy/model/model-budget.ts. Leases are by the database's clock, days by the caller's.
import type { ModelPurpose, ToolCall } from '../../contract/model.ts';
import type { BudgetGroup, Spent, TokenUsage } from '../../policy/model/model-budget.ts';
import type { Queryable } from '../database.ts';

export type CallRow = {
  readonly state: 'open' | 'reserved' | 'answered' | 'failed';
  readonly owner: string;
  readonly leaseLeftMs: number;
  readonly unknownEnds: number;
  readonly answeredConversation: string | null;
  readonly stopReason: string | null;
  readonly toolCalls: readonly ToolCall[] | null;
  readonly reason: string | null;
};

export type Question = {
  readonly key: string;
  readonly tenant: string;
  readonly workspace: string;
  readonly fingerprint: string;
  readonly occurrence: number;
  readonly purpose: ModelPurpose;
  readonly model: string;
  readonly conversation: string;
};

export type Run = {
  readonly tenant: string;
  readonly fingerprint: string;
  readonly occurrence: number;
  readonly budget: BudgetGroup;
};

/**
 * Every reservation and settlement of a tenant comes one after the other, whatever their day: a finding's budget may last from one day into the
 * next. Until the end of the transaction.
 */
export async function lockDay(tx: Queryable, tenant: string, day: string): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('untilgreen model budget ' || $1, 0))`, [
    tenant,
  ]);
  await tx.query('insert into model_days (tenant, day) values ($1, $2) on conflict do nothing', [
    tenant,
    day,
  ]);
}

/** Attempts whose lease is over are settled in full. */
export async function settleLapsed(tx: Queryable, tenant: string): Promise<void> {
  await tx.query(
    `update model_attempts set outcome = 'lapsed', tokens = reserved_tokens, micro_usd = reserved_micro_usd, settled_at = clock_timestamp(),
       reason = 'its lease ended without a word'
     where tenant = $1 and outcome is null and lease_until <= clock_timestamp()`,
    [tenant],
  );
}

export async function readCall(db: Queryable, key: string): Promise<CallRow | undefined> {
  const { rows } = await db.query(
    `select state, owner, unknown_ends as "unknownEnds", answered_conversation as "answeredConversation", stop_reason as "stopReason",
       tool_calls as "toolCalls", reason, (extract(epoch from lease_until - clock_timestamp()) * 1000)::float8 as "leaseLeftMs"
     from model_calls where key = $1`,
    [key],
  );
  return rows[0];
}

const spentColumns = `coalesce(sum(tokens), 0) as settled, coalesce(sum(reserved_tokens) filter (where outcome is null), 0) as pending`;

export async function spentOfDay(db: Queryable, tenant: string, day: string): Promise<Spent> {
  const { rows } = await db.query(
    `select ${spentColumns} from model_attempts where tenant = $1 and day = $2`,
    [tenant, day],
  );
  return rows[0];
}

/** By findings of pull requests. */
export async function spentOfPulls(db: Queryable, tenant: string, day: string): Promise<Spent> {
  const { rows } = await db.query(
    `select ${spentColumns} from model_attempts where tenant = $1 and day = $2 and of_pull`,
    [tenant, day],
  );
  return rows[0];
}

/** Whether the finding is of a pull request. */
export async function isOfPull(db: Queryable, run: Omit<Run, 'budget'>): Promise<boolean> {
  const { rows } = await db.query(
    `select 1 from findings where tenant = $1 and fingerprint = $2 and occurrence = $3 and detail ? 'pullRequest'`,
    [run.tenant, run.fingerprint, run.occurrence],
  );
  return rows.length > 0;
}

export async function spentOfRun(db: Queryable, run: Run): Promise<Spent> {
  const { rows } = await db.query(
    `select ${spentColumns} from model_attempts where tenant = $1 and fingerprint = $2 and occurrence = $3 and budget = $4`,
    [run.tenant, run.fingerprint, run.occurrence, run.budget],
  );
  return rows[0];
}

/** What the call used whose answer is this conversation, input and output; undefined: there was none with this model. */
export async function tokensOfAnswer(
  db: Queryable,
  answer: { readonly tenant: string; readonly model: string; readonly conversation: string },
): Promise<number | undefined> {
  const { rows } = await db.query(
    `select max(a.tokens) as tokens from model_calls c join model_attempts a on a.key = c.key and a.outcome = 'answered'
     where c.tenant = $1 and c.answered_conversation = $2 and c.model = $3 and c.state = 'answered'`,
    [answer.tenant, answer.conversation, answer.model],
  );
  return rows[0]?.tokens ?? undefined;
}

export type Reservation = {
  readonly question: Question;
  readonly owner: string;
  readonly leaseMs: number;
  readonly unknownEnds: number;
  readonly budget: BudgetGroup;
  readonly ofPull: boolean;
  readonly day: string;
  readonly tokens: number;
  readonly microUsd: number;
};

/** Takes the call and writes what it may use; gives the attempt's id. */
export async function writeReservation(tx: Queryable, reservation: Reservation): Promise<number> {
  const { question, owner, leaseMs, unknownEnds, budget, day } = reservation;
  await tx.query(
    `insert into model_calls (key, tenant, workspace, fingerprint, occurrence, purpose, model, conversation, state, owner, lease_until, unknown_ends)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'reserved', $9, clock_timestamp() + $10 * interval '1 millisecond', $11)
     on conflict (key) do update set state = 'reserved', owner = excluded.owner, lease_until = excluded.lease_until,
       unknown_ends = excluded.unknown_ends, answered_conversation = null, reason = null`,
    [
      question.key,
      question.tenant,
      question.workspace,
      question.fingerprint,
      question.occurrence,
      question.purpose,
      question.model,
      question.conversation,
      owner,
      leaseMs,
      unknownEnds,
    ],
  );
  const { rows } = await tx.query(
    `insert into model_attempts (tenant, key, fingerprint, occurrence, budget, purpose, model, day, reserved_tokens, reserved_micro_usd, lease_until, of_pull)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock_timestamp() + $11 * interval '1 millisecond', $12) returning id`,
    [
      question.tenant,
      question.key,
      question.fingerprint,
      question.occurrence,
      budget,
      question.purpose,
      question.model,
      day,
      reservation.tokens,
      reservation.microUsd,
      leaseMs,
      reservation.ofPull,
    ],
  );
  return rows[0].id;
}

export type AttemptEnd =
  | {
      readonly outcome: 'answered';
      readonly usage: TokenUsage;
      readonly tokens: number;
      readonly microUsd: number;
    }
  | { readonly outcome: 'rejected' | 'unknown'; readonly reason: string };

/** Settles an attempt, once: one that has lapsed stays settled in full. */
export async function settleAttempt(tx: Queryable, id: number, end: AttemptEnd): Promise<void> {
  const [tokens, microUsd] = end.outcome === 'answered' ? [end.tokens, end.microUsd] : [null, null];
  await tx.query(
    `update model_attempts set outcome = $2, settled_at = clock_timestamp(), usage = $3, reason = $4,
       tokens = case $2 when 'answered' then $5::bigint when 'rejected' then 0 else reserved_tokens end,
       micro_usd = case $2 when 'answered' then $6::bigint when 'rejected' then 0 else reserved_micro_usd end
     where id = $1 and outcome is null`,
    [
      id,
      end.outcome,
      end.outcome === 'answered' ? JSON.stringify(end.usage) : null,
      end.outcome === 'answered' ? null : end.reason,
      tokens,
      microUsd,
    ],
  );
}

export type CallEnd =
  | {
      readonly state: 'answered';
      readonly conversation: string;
      readonly stopReason: string;
      readonly toolCalls: readonly ToolCall[];
    }
  | { readonly state: 'failed'; readonly reason: string }
  /** May be asked again. `unknown`: this attempt may have been answered. */
  | { readonly state: 'open'; readonly unknown: boolean; readonly reason: string };

/** True when the call was still this owner's, whatever its lease says: nobody has taken it over. */
export async function endCall(tx: Queryable, key: string, owner: string, end: CallEnd): Promise<boolean> {
  const answered = end.state === 'answered' ? end : undefined;
  const { rowCount } = await tx.query(
    `update model_calls set state = $3, answered_conversation = $4, stop_reason = $5, tool_calls = $6, reason = $7,
       unknown_ends = unknown_ends + $8, ended_at = clock_timestamp()
     where key = $1 and owner = $2 and state = 'reserved'`,
    [
      key,
      owner,
      end.state,
      answered?.conversation ?? null,
      answered?.stopReason ?? null,
      answered === undefined ? null : JSON.stringify(answered.toolCalls),
      end.state === 'answered' ? null : end.reason,
      end.state === 'open' && end.unknown ? 1 : 0,
    ],
  );
  return rowCount === 1;
}

/** A call that nobody may take any more. */
export async function failCall(tx: Queryable, key: string, reason: string): Promise<void> {
  await tx.query(
    `update model_calls set state = 'failed', reason = $2, ended_at = clock_timestamp() where key = $1`,
    [key, reason],
  );
}

/** True for the first who says so of this day. */
export async function markWarned(tx: Queryable, tenant: string, day: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    'update model_days set warned_at = clock_timestamp() where tenant = $1 and day = $2 and warned_at is null',
    [tenant, day],
  );
  return rowCount === 1;
}

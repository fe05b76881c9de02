// Before a call: one transaction that finds the stored answer, or takes the call and reserves what it may use at most (MODEL-3).
import { randomUUID } from 'node:crypto';
import type { ModelCallAnswer, ToolCall } from '../../contract/model.ts';
import { failures } from '../../contract/names.ts';
import type { ModelSettings } from '../../contract/tenant-config.ts';
import { judgeCall, utcDay } from '../../policy/model/model-budget.ts';
import { type Pool, type Queryable, transaction } from '../../store/database.ts';
import { loadEvidence } from '../../store/evidence.ts';
import {
  type CallRow,
  failCall,
  isOfPull,
  lockDay,
  readCall,
  settleLapsed,
  spentOfDay,
  spentOfPulls,
  spentOfRun,
  writeReservation,
} from '../../store/model/model-calls.ts';
import { TryAgain } from '../effects/door-failure.ts';
import type { Asked } from './question.ts';

/** Attempts whose end nobody knows: the first, and one repetition. */
export const maxUnknownEnds = 2;
const waitMs = 5_000;

export type Taken = {
  readonly owner: string;
  readonly attempt: number;
  readonly day: string;
  readonly unknownEnds: number;
};

/** An answer that is known already; undefined: it has to be asked. */
export async function knownAnswer(
  db: Queryable,
  tenant: string,
  row: CallRow | undefined,
): Promise<ModelCallAnswer | undefined> {
  if (row?.state === 'failed') return { result: 'failed', reason: row.reason ?? 'it failed before' };
  if (row?.state !== 'answered' || row.answeredConversation === null) return undefined;
  // Evidence has an end: then the answer is gone, too.
  if ((await loadEvidence(db, tenant, row.answeredConversation)) === undefined) return undefined;
  return {
    result: 'answered',
    conversation: row.answeredConversation,
    stopReason: stopReasonOf(row.stopReason),
    toolCalls: row.toolCalls ?? [],
    tokens: 0,
    costMicroUsd: 0,
  };
}

export type StopReason = Extract<ModelCallAnswer, { result: 'answered' }>['stopReason'];

export function stopReasonOf(said: string | null): StopReason {
  const known: readonly StopReason[] = ['end_turn', 'tool_use', 'max_tokens', 'refusal'];
  return known.find((one) => one === said) ?? 'other';
}

/** Without inputs, which stay in the conversation. */
export function toolCallsOf(content: readonly { readonly type: string }[]): readonly ToolCall[] {
  return content.flatMap((block) =>
    block.type === 'tool_use' && 'id' in block && 'name' in block
      ? [{ id: String(block.id), name: String(block.name) }]
      : [],
  );
}

/** @throws TryAgain while somebody else asks the same, or calls under way hold what is left */
export function reserve(
  pool: Pool,
  asked: Asked,
  settings: ModelSettings,
  times: { readonly nowMs: number; readonly leaseMs: number },
): Promise<Taken | ModelCallAnswer> {
  const { question, budget } = asked;
  const { tenant } = question;
  const day = utcDay(times.nowMs);
  return transaction(pool, async (tx): Promise<Taken | ModelCallAnswer> => {
    await lockDay(tx, tenant, day);
    await settleLapsed(tx, tenant);
    const row = await readCall(tx, question.key);
    const known = await knownAnswer(tx, tenant, row);
    if (known !== undefined) return known;
    if (row?.state === 'reserved' && row.leaseLeftMs > 0)
      throw new TryAgain(failures.modelBusy, 'somebody asks the same', Math.min(row.leaseLeftMs, waitMs));
    // One that was reserved and whose lease is over ended without a word: its process was killed.
    const unknownEnds = (row?.unknownEnds ?? 0) + (row?.state === 'reserved' ? 1 : 0);
    if (unknownEnds >= maxUnknownEnds) {
      const reason = `${unknownEnds} attempts ended without an answer that could be stored; it is not asked again`;
      await failCall(tx, question.key, reason);
      return { result: 'failed', reason };
    }
    const ofPull = await isOfPull(tx, question);
    const verdict = judgeCall({
      tokens: asked.tokens,
      group: budget,
      day: await spentOfDay(tx, tenant, day),
      dayOfPulls: ofPull ? await spentOfPulls(tx, tenant, day) : undefined,
      run: await spentOfRun(tx, { ...question, budget }),
      budgets: settings.budgets,
      nowMs: times.nowMs,
    });
    if (verdict.verdict === 'refuse')
      return { result: 'unavailable', reason: verdict.reason, untilMs: verdict.untilMs };
    if (verdict.verdict === 'wait') throw new TryAgain(failures.modelBudgetBusy, verdict.reason, waitMs);
    const owner = randomUUID();
    const attempt = await writeReservation(tx, {
      question,
      owner,
      leaseMs: times.leaseMs,
      unknownEnds,
      budget,
      ofPull,
      day,
      tokens: asked.tokens,
      microUsd: asked.microUsd,
    });
    return { owner, attempt, day, unknownEnds };
  });
}

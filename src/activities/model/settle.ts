// After a call: its answer as evidence and what it used, in one transaction; or why there is none, and what that leaves open.
import type { ModelCallAnswer } from '../../contract/model.ts';
import type { ModelSettings } from '../../contract/tenant-config.ts';
import type { ClaudeAnswer } from '../../integrations/anthropic/answer.ts';
import type { Conversation } from '../../integrations/anthropic/conversation.ts';
import { costMicroUsd, isMostlyUsed, totalTokens } from '../../policy/model/model-budget.ts';
import { appendAudit } from '../../store/audit.ts';
import { type Pool, type Queryable, transaction } from '../../store/database.ts';
import {
  type ConversationStore,
  ConversationTooLarge,
  openConversation,
} from '../../store/model/conversations.ts';
import {
  endCall,
  lockDay,
  markWarned,
  settleAttempt,
  settleLapsed,
  spentOfDay,
} from '../../store/model/model-calls.ts';
import type { Asked } from './question.ts';
import { maxUnknownEnds, stopReasonOf, type Taken, toolCallsOf } from './reserve.ts';

export type Place = {
  readonly pool: Pool;
  readonly evidence: Omit<ConversationStore, 'db'>;
  readonly asked: Asked;
  readonly taken: Taken;
  readonly settings: ModelSettings;
  readonly nowMs: number;
};

/** Undefined: somebody has taken the call over meanwhile; what it used is counted all the same. */
export function settleAnswer(place: Place, answer: ClaudeAnswer): Promise<ModelCallAnswer | undefined> {
  const { asked, taken, settings } = place;
  const { question } = asked;
  const tokens = totalTokens(answer.usage);
  const price = settings.prices[question.model];
  const costMicro = price === undefined ? 0 : costMicroUsd(answer.usage, price);
  return transaction(place.pool, async (tx): Promise<ModelCallAnswer | undefined> => {
    await lockDay(tx, question.tenant, taken.day);
    await settleLapsed(tx, question.tenant);
    const used = { outcome: 'answered', usage: answer.usage, tokens, microUsd: costMicro } as const;
    await settleAttempt(tx, taken.attempt, used);
    const warning = await warnOnce(tx, place);
    const stored = await storeTurn(tx, place, answer);
    if ('reason' in stored) {
      await endCall(tx, question.key, taken.owner, { state: 'failed', reason: stored.reason });
      return { result: 'failed', reason: stored.reason };
    }
    const toolCalls = toolCallsOf(answer.content);
    const end = {
      state: 'answered',
      conversation: stored.address,
      stopReason: answer.stopReason,
      toolCalls,
    } as const;
    if (!(await endCall(tx, question.key, taken.owner, end))) return undefined;
    return {
      result: 'answered',
      conversation: stored.address,
      stopReason: stopReasonOf(answer.stopReason),
      toolCalls,
      tokens,
      costMicroUsd: costMicro,
      ...(warning === undefined ? {} : { warning }),
    };
  });
}

async function storeTurn(
  tx: Queryable,
  { asked, evidence }: Place,
  answer: ClaudeAnswer,
): Promise<{ readonly address: string } | { readonly reason: string }> {
  const { messages, ...rest } = asked.conversation;
  const turn: Conversation['messages'][number] = { role: 'assistant', content: answer.content };
  try {
    const address = await openConversation({ ...evidence, db: tx }, asked.question.tenant, {
      ...rest,
      messages: [...messages, turn],
    });
    return { address };
  } catch (error) {
    if (error instanceof ConversationTooLarge) return { reason: error.message };
    throw error;
  }
}

/** `rejected`: it cost nothing. `unknown`: it is settled in full, and asked once more at most. */
export function settleFailure(
  place: Pick<Place, 'pool' | 'asked' | 'taken'>,
  failure: { readonly outcome: 'rejected' | 'unknown'; readonly reason: string; readonly forGood: boolean },
): Promise<{ readonly mayAskAgain: boolean; readonly reason: string }> {
  const { asked, taken } = place;
  const { key, tenant } = asked.question;
  const unknown = failure.outcome === 'unknown';
  const spent = taken.unknownEnds + (unknown ? 1 : 0) >= maxUnknownEnds;
  const mayAskAgain = !failure.forGood && !spent;
  const reason = spent ? `${failure.reason}; the answer of an attempt before was lost, too` : failure.reason;
  return transaction(place.pool, async (tx) => {
    await lockDay(tx, tenant, taken.day);
    await settleAttempt(tx, taken.attempt, { outcome: failure.outcome, reason: failure.reason });
    await endCall(
      tx,
      key,
      taken.owner,
      mayAskAgain ? { state: 'open', unknown, reason } : { state: 'failed', reason },
    );
    return { mayAskAgain, reason };
  });
}

/** Once per tenant and day, when so much is used. */
async function warnOnce(
  tx: Queryable,
  { asked, taken, settings, nowMs }: Place,
): Promise<string | undefined> {
  const { tenant, workspace } = asked.question;
  const { settled } = await spentOfDay(tx, tenant, taken.day);
  const { budgets } = settings;
  if (!isMostlyUsed(settled, budgets) || !(await markWarned(tx, tenant, taken.day))) return undefined;
  const share = Math.floor((settled * 100) / budgets.tokensPerDay);
  const reason = `${share} % of the model budget of ${taken.day} is used: ${settled} of ${budgets.tokensPerDay} tokens`;
  const subject = `model.budgets.tokensPerDay ${taken.day}`;
  await appendAudit(tx, {
    tenant,
    atMs: nowMs,
    actor: 'model',
    action: 'budget.warning',
    workspace,
    subject,
    reason,
  });
  return reason;
}

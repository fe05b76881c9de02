// What exactly is asked, for how much at most: the key of a call, its bounds, the time it may take.
import type { ModelCallRequest } from '../../contract/model.ts';
import type { ModelSettings } from '../../contract/tenant-config.ts';
import type { Conversation } from '../../integrations/anthropic/conversation.ts';
import { requestOf } from '../../integrations/anthropic/request.ts';
import type { Redactor } from '../../logs/redact/redact-values.ts';
import { type BudgetGroup, budgetGroup, costBound, inputBound } from '../../policy/model/model-budget.ts';
import { canonicalJson, type Queryable, sha256 } from '../../store/database.ts';
import { conversationAddress } from '../../store/model/conversations.ts';
import { type Question, tokensOfAnswer } from '../../store/model/model-calls.ts';

export type Asked = {
  readonly question: Question;
  readonly conversation: Conversation;
  readonly budget: BudgetGroup;
  readonly maxTokens: number;
  /** The most it may use, input and output, and what that costs. */
  readonly tokens: number;
  readonly microUsd: number;
};

/** The same purpose, model, parameters and conversation of a tenant are the same call (MODEL-3). */
export function questionOf(request: ModelCallRequest, settings: ModelSettings): Question {
  const { tenant, workspace, fingerprint, occurrence, purpose, conversation } = request;
  const model = settings.models[purpose];
  const parameters = { maxTokens: settings.maxTokens[purpose] };
  const key = sha256(canonicalJson([tenant, purpose, model, parameters, conversation]));
  return { key, tenant, workspace, fingerprint, occurrence, purpose, model, conversation };
}

/** With its bounds: where the model's last turn is in the conversation, what that call used is known. */
export async function boundsOf(
  db: Queryable,
  redactor: Redactor,
  question: Question,
  conversation: Conversation,
  settings: ModelSettings,
): Promise<Asked> {
  const { purpose, model, tenant } = question;
  const maxTokens = settings.maxTokens[purpose];
  const body = requestOf(conversation, { model, maxTokens });
  const before = { ...conversation, messages: conversation.messages.slice(0, -1) };
  const tokens =
    before.messages.length === 0
      ? undefined
      : await tokensOfAnswer(db, { tenant, model, conversation: conversationAddress(redactor, before) });
  const known = tokens === undefined ? undefined : { tokens, newBytes: bytesOf(body.messages.at(-1)) };
  const input = inputBound({ bytes: bytesOf(body), known });
  const price = settings.prices[model] ?? { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  return {
    question,
    conversation,
    budget: budgetGroup(purpose),
    maxTokens,
    tokens: input + maxTokens,
    microUsd: costBound({ input, output: maxTokens }, price),
  };
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

// Conversations with the model as evidence: redacted, addressed by their content, so that the same question has the same address (MODEL-3).
import type { Json } from '../contract/effect.ts';
import type { AssistantBlock, Conversation, Message } from '../integrations/anthropic/conversation.ts';
import type { Redactor } from '../logs/redact-values.ts';
import { canonicalJson, type Queryable, sha256, storableJson } from './database.ts';
import { loadEvidence, saveEvidence } from './evidence.ts';

export type ConversationStore = {
  readonly db: Queryable;
  readonly redactor: Redactor;
  readonly retentionMs: number;
};

const maxBytes = 1_048_576;

/** Over what evidence may hold; the message says by how much. */
export class ConversationTooLarge extends Error {
  override readonly name = 'ConversationTooLarge';
}

/** Its retention is over, or it was never there. */
export class ConversationGone extends Error {
  override readonly name = 'ConversationGone';
}

/**
 * Stores a conversation and gives its address.
 * @throws ConversationTooLarge over 1 MB
 */
export async function openConversation(
  store: ConversationStore,
  tenant: string,
  conversation: Conversation,
): Promise<string> {
  const { redactor, retentionMs } = store;
  const body = conversationBody(redactor, conversation);
  const bytes = Buffer.byteLength(body);
  if (bytes > maxBytes)
    throw new ConversationTooLarge(
      `the conversation has ${bytes} bytes, over the limit of ${maxBytes}. Fix: show the model less of the log or of the files`,
    );
  return saveEvidence(store.db, { tenant, kind: 'conversation', body, retentionMs });
}

/** The address that a conversation has, or would have. */
export function conversationAddress(redactor: Redactor, conversation: Conversation): string {
  return sha256(conversationBody(redactor, conversation));
}

/** @throws ConversationGone */
export async function readConversation(
  store: Pick<ConversationStore, 'db'>,
  tenant: string,
  address: string,
): Promise<Conversation> {
  const body = await loadEvidence(store.db, tenant, address);
  if (body === undefined)
    throw new ConversationGone(
      `conversation ${address.slice(0, 12)} is not stored any more; see retention.evidence`,
    );
  return JSON.parse(body) as Conversation;
}

function conversationBody(redactor: Redactor, { system, tools, messages }: Conversation): string {
  const clean = <T>(value: T): T => redactor.redactDeep(storableJson(value as Json)) as T;
  return canonicalJson({
    system: clean(system),
    tools: clean(tools),
    messages: messages.map((message): Message => {
      if (message.role === 'user' || typeof message.content === 'string') return clean(message);
      return { role: 'assistant', content: message.content.flatMap((block) => cleanBlock(clean, block)) };
    }),
  });
}

/** Signed thinking cannot be changed: one that holds a secret goes as a whole. */
function cleanBlock(clean: <T>(value: T) => T, block: AssistantBlock): readonly AssistantBlock[] {
  if (block.type === 'redacted_thinking') return [block];
  if (block.type === 'thinking') return clean(block.thinking) === block.thinking ? [block] : [];
  return [clean(block)];
}

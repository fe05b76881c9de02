// Conversations with the model as evidence: redacted, addressed by their content, so that the same question has the same address (MODEL-3).
import type { Json } from '../../contract/effect.ts';
import type {
  AssistantBlock,
  Conversation,
  Message,
  UserBlock,
} from '../../integrations/anthropic/conversation.ts';
import { redactText } from '../../logs/redact/redact-text.ts';
import type { Redactor } from '../../logs/redact/redact-values.ts';
import { canonicalJson, type Queryable, sha256, storable, storableJson } from '../database.ts';
import { EvidenceTooLarge, loadEvidence, saveEvidence } from '../evidence.ts';

export type ConversationStore = {
  readonly db: Queryable;
  readonly redactor: Redactor;
  readonly retentionMs: number;
};

const maxBytes = 1_048_576;

/** Over what evidence may hold; the message says by how much. */
export class ConversationTooLarge extends EvidenceTooLarge {
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
    throw new ConversationTooLarge('conversation', bytes, 'show the model less of the log or of the files');
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

/** As it may leave: without what became known as a secret after it was stored. */
export function cleanConversation(redactor: Redactor, conversation: Conversation): Conversation {
  return JSON.parse(conversationBody(redactor, conversation)) as Conversation;
}

function conversationBody(redactor: Redactor, { system, tools, messages }: Conversation): string {
  const clean = (text: string): string => redactText(storable(text), redactor);
  return canonicalJson({
    system: clean(system),
    // Ours, but for values that a setting may bring in.
    tools: redactor.redactDeep(storableJson(tools as unknown as Json)),
    messages: messages.map(({ role, content }): Message => {
      if (typeof content === 'string') return { role, content: clean(content) };
      return role === 'user'
        ? { role, content: content.map((block) => cleanUser(clean, block)) }
        : { role, content: content.flatMap((block) => cleanAssistant(clean, block)) };
    }),
  });
}

type Clean = (text: string) => string;

/** Ids stay as they are: calls and results find each other by them. */
function cleanUser(clean: Clean, block: UserBlock): UserBlock {
  return block.type === 'text'
    ? { ...block, text: clean(block.text) }
    : { ...block, content: clean(block.content) };
}

/** Signed thinking cannot be changed: one that holds a secret goes as a whole. */
function cleanAssistant(clean: Clean, block: AssistantBlock): readonly AssistantBlock[] {
  switch (block.type) {
    case 'redacted_thinking':
      return [block];
    case 'thinking':
      return clean(block.thinking) === block.thinking ? [block] : [];
    case 'text':
      return [{ ...block, text: clean(block.text) }];
    case 'tool_use':
      return [{ ...block, input: cleanDeep(clean, block.input) }];
  }
}

function cleanDeep(clean: Clean, value: unknown): unknown {
  if (typeof value === 'string') return clean(value);
  if (typeof value === 'number' && clean(String(value)) !== String(value)) return clean(String(value));
  if (Array.isArray(value)) return value.map((item) => cleanDeep(clean, item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [clean(key), cleanDeep(clean, item)]));
}

// What is said to Claude, as plain JSON that can be stored and addressed: the SDK's own types, narrowed to what we send and keep. Pure.
import type {
  RedactedThinkingBlockParam,
  TextBlockParam,
  ThinkingBlockParam,
  Tool,
  ToolBash20250124,
  ToolResultBlockParam,
  ToolTextEditor20250728,
  ToolUseBlockParam,
} from '@anthropic-ai/sdk/resources/messages';

/** A tool of ours with its schema, or one of Anthropic's own types that the model was trained with. None runs at the provider. */
export type ToolDefinition =
  | Pick<Tool, 'name' | 'description' | 'input_schema'>
  | Pick<ToolBash20250124, 'name' | 'type'>
  | Pick<ToolTextEditor20250728, 'name' | 'type' | 'max_characters'>;

export type UserBlock =
  | Pick<TextBlockParam, 'type' | 'text'>
  | (Pick<ToolResultBlockParam, 'type' | 'tool_use_id' | 'is_error'> & { readonly content: string });

/** Thinking goes back unchanged: the provider checks its signature. */
export type AssistantBlock =
  | Pick<TextBlockParam, 'type' | 'text'>
  | Pick<ToolUseBlockParam, 'type' | 'id' | 'name' | 'input'>
  | Pick<ThinkingBlockParam, 'type' | 'thinking' | 'signature'>
  | Pick<RedactedThinkingBlockParam, 'type' | 'data'>;

export type Message =
  | { readonly role: 'user'; readonly content: string | readonly UserBlock[] }
  | { readonly role: 'assistant'; readonly content: string | readonly AssistantBlock[] };

/** JSON-safe. Begins with a user turn; who calls the model ends it with one. Text from outside in it went through `asData` (SEC-1). */
export type Conversation = {
  readonly system: string;
  readonly tools: readonly ToolDefinition[];
  readonly messages: readonly Message[];
};

/** What the model asked for in its last turn, inputs as it wrote them: they are judged before anything is done with them. */
export function lastToolCalls(
  conversation: Conversation,
): readonly { readonly id: string; readonly name: string; readonly input: unknown }[] {
  return lastBlocks(conversation)
    .filter((block) => block.type === 'tool_use')
    .map(({ id, name, input }) => ({ id, name, input }));
}

/** The words of the model's last turn, without its thinking; empty when the last turn is not the model's. */
export function lastText(conversation: Conversation): string {
  return lastBlocks(conversation)
    .filter((block) => block.type === 'text')
    .map(({ text }) => text)
    .join('\n');
}

function lastBlocks({ messages }: Conversation): readonly AssistantBlock[] {
  const last = messages.at(-1);
  if (last?.role !== 'assistant') return [];
  return typeof last.content === 'string' ? [{ type: 'text', text: last.content }] : last.content;
}

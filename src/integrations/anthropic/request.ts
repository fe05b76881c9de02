// A conversation as a request of the Messages API, with the marks of the prompt cache. Pure.
import type {
  MessageCreateParamsStreaming,
  MessageParam,
  TextBlockParam,
  ToolResultBlockParam,
  ToolUnion,
} from '@anthropic-ai/sdk/resources/messages';
import type { Conversation, Message, UserBlock } from './conversation.ts';

const mark = { cache_control: { type: 'ephemeral' } } as const;

/**
 * Marks, of the four that are allowed: one behind tools and system prompt (they come first, and are the same for every finding), and one on each
 * of the last two user turns: the later is written, the earlier was written by the call before and is read.
 */
export function requestOf(
  conversation: Conversation,
  options: { readonly model: string; readonly maxTokens: number },
): MessageCreateParamsStreaming {
  const { system, tools, messages } = conversation;
  const marked = new Set(messages.flatMap(({ role }, index) => (role === 'user' ? [index] : [])).slice(-2));
  const last = tools.length - 1;
  return {
    model: options.model,
    max_tokens: options.maxTokens,
    stream: true,
    ...(system === '' ? {} : { system: [{ type: 'text', text: system, ...mark }] }),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(
            (tool, index): ToolUnion => (system === '' && index === last ? { ...tool, ...mark } : tool),
          ),
        }),
    messages: messages.map((message, index) => messageParam(message, marked.has(index))),
  };
}

function messageParam(message: Message, marked: boolean): MessageParam {
  if (message.role === 'assistant') {
    const { content } = message;
    return { role: 'assistant', content: typeof content === 'string' ? content : [...content] };
  }
  const given: readonly UserBlock[] =
    typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content;
  // The API wants results before anything else, and no empty text.
  const blocks = [
    ...given.filter(({ type }) => type === 'tool_result'),
    ...given.filter(({ type }) => type === 'text'),
  ].map((block): TextBlockParam | ToolResultBlockParam =>
    block.type === 'text' && block.text === '' ? { type: 'text', text: '(empty)' } : block,
  );
  return {
    role: 'user',
    content: blocks.map((block, index) =>
      marked && index === blocks.length - 1 ? { ...block, ...mark } : block,
    ),
  };
}

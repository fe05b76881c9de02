// A streamed answer, event by event, as one turn of a conversation with its usage. Own rather than the SDK's helper, which throws away a whole
// answer (and what it cost) when the model writes a tool call that is no JSON. Pure; parses what it reads (DUR-4).
import * as z from 'zod';
import type { TokenUsage } from '../../policy/model/model-budget.ts';
import type { AssistantBlock } from './conversation.ts';

export type ClaudeAnswer = {
  /** Never empty. */
  readonly content: readonly AssistantBlock[];
  readonly stopReason: string;
  readonly usage: TokenUsage;
};

const count = z.int().min(0).nullish();
const Usage = z.object({
  input_tokens: count,
  cache_creation_input_tokens: count,
  cache_read_input_tokens: count,
  output_tokens: count,
});
const index = z.int().min(0);
const Event = z.discriminatedUnion('type', [
  z.object({ type: z.literal('message_start'), message: z.object({ usage: Usage }) }),
  z.object({
    type: z.literal('content_block_start'),
    index,
    content_block: z.looseObject({
      type: z.string(),
      id: z.string().optional(),
      name: z.string().optional(),
    }),
  }),
  z.object({
    type: z.literal('content_block_delta'),
    index,
    delta: z.looseObject({ type: z.string() }),
  }),
  z.object({
    type: z.literal('message_delta'),
    delta: z.object({ stop_reason: z.string().nullish() }),
    usage: Usage,
  }),
  z.object({ type: z.literal('message_stop') }),
]);
const known: ReadonlySet<string> = new Set(Event.options.map(({ shape }) => shape.type.value));

type Draft = { readonly start: { readonly [field: string]: unknown }; readonly text: Map<string, string> };

/** An answer that ended before its end, or that is not what the API documents. */
export class AnswerBroken extends Error {
  override readonly name = 'AnswerBroken';
}

/** @throws AnswerBroken */
export async function readAnswer(events: AsyncIterable<unknown>): Promise<ClaudeAnswer> {
  const drafts = new Map<number, Draft>();
  let usage: z.output<typeof Usage> = {};
  let stopReason: string | null | undefined;
  let stopped = false;
  for await (const raw of events) {
    // Kinds of event that we do not know may be added at any time.
    if (!isKnown(raw)) continue;
    const parsed = Event.safeParse(raw);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new AnswerBroken(
        `an event of the answer is not readable: ${issue?.path.join('.')}: ${issue?.message}`,
      );
    }
    const event = parsed.data;
    switch (event.type) {
      case 'message_start':
        usage = event.message.usage;
        break;
      case 'content_block_start':
        drafts.set(event.index, { start: event.content_block, text: new Map() });
        break;
      case 'content_block_delta':
        add(drafts.get(event.index), event.delta);
        break;
      case 'message_delta':
        stopReason = event.delta.stop_reason ?? stopReason;
        usage = { ...usage, ...present(event.usage) };
        break;
      case 'message_stop':
        stopped = true;
        break;
    }
  }
  if (!stopped || typeof stopReason !== 'string') throw new AnswerBroken('the answer ended before its end');
  if (typeof usage.input_tokens !== 'number' || typeof usage.output_tokens !== 'number')
    throw new AnswerBroken('the answer does not say what it used');
  const content = [...drafts].sort(([a], [b]) => a - b).flatMap(([, draft]) => blockOf(draft));
  return {
    content: content.length > 0 ? content : [{ type: 'text', text: '(no answer)' }],
    stopReason,
    usage: {
      input: usage.input_tokens,
      cacheRead: usage.cache_read_input_tokens ?? 0,
      cacheWrite: usage.cache_creation_input_tokens ?? 0,
      output: usage.output_tokens,
    },
  };
}

function isKnown(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null || !('type' in raw))
    throw new AnswerBroken('an event of the answer has no type');
  return known.has(String(raw.type));
}

function present(usage: z.output<typeof Usage>): z.output<typeof Usage> {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => typeof value === 'number'));
}

/** Pieces are `{ type: 'text_delta', text }` and the like: the field is named as in the block. */
function add(draft: Draft | undefined, { type: _, ...pieces }: { readonly [field: string]: unknown }): void {
  for (const [field, piece] of Object.entries(pieces)) {
    if (typeof piece === 'string') draft?.text.set(field, (draft.text.get(field) ?? '') + piece);
  }
}

/** Kinds that we never asked for are left out. */
function blockOf({ start, text }: Draft): readonly AssistantBlock[] {
  const whole = (field: string): string => `${textOf(start[field])}${text.get(field) ?? ''}`;
  switch (start.type) {
    case 'text':
      return whole('text') === '' ? [] : [{ type: 'text', text: whole('text') }];
    case 'thinking':
      return [{ type: 'thinking', thinking: whole('thinking'), signature: whole('signature') }];
    case 'redacted_thinking':
      return [{ type: 'redacted_thinking', data: whole('data') }];
    case 'tool_use':
      return [
        {
          type: 'tool_use',
          id: textOf(start.id),
          name: textOf(start.name),
          input: inputOf(text.get('partial_json') ?? ''),
        },
      ];
    default:
      return [];
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** An input goes back to the API as an object; what the model wrote instead stays readable for whoever refuses it. */
function inputOf(json: string): object {
  try {
    const value: unknown = JSON.parse(json === '' ? '{}' : json);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Told below.
  }
  return { INVALID_JSON: json };
}

// An answer as the Messages API streams it: events of server-sent text, in the order and with the fields that the SDK reads.
import type { InputUsage } from './prompt-cache.ts';

export type AnswerBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature: string }
  /** `json`: the input as the model writes it, which may be no JSON. */
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly json: string };

export type Answer = {
  readonly id: string;
  readonly model: string;
  readonly content: readonly AnswerBlock[];
  readonly stopReason: string;
  readonly usage: InputUsage & { readonly output_tokens: number };
};

/** The events, each a complete piece of text. */
export function eventsOf(answer: Answer): readonly string[] {
  const { id, model, content, stopReason, usage } = answer;
  const events: { readonly type: string }[] = [
    start({ ...messageOf(id, model), stop_reason: null, usage: { ...usage, output_tokens: 1 } }),
  ];
  for (const [index, block] of content.entries()) {
    const [empty, deltas] = pieces(block);
    events.push({ type: 'content_block_start', ...{ index, content_block: empty } });
    for (const delta of deltas) events.push({ type: 'content_block_delta', ...{ index, delta } });
    events.push({ type: 'content_block_stop', ...{ index } });
  }
  const end = { delta: { stop_reason: stopReason, stop_sequence: null }, usage };
  events.push({ type: 'message_delta', ...end }, { type: 'message_stop' });
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

function start(message: object): { readonly type: string } {
  return { type: 'message_start', ...{ message } };
}

function messageOf(id: string, model: string): object {
  return { id, type: 'message', role: 'assistant', model, content: [], stop_sequence: null };
}

/** A block as it begins, and what is added to it. */
function pieces(block: AnswerBlock): readonly [object, readonly object[]] {
  switch (block.type) {
    case 'text':
      return [{ type: 'text', text: '' }, halves(block.text).map((text) => ({ type: 'text_delta', text }))];
    case 'thinking':
      return [
        { type: 'thinking', thinking: '', signature: '' },
        [
          { type: 'thinking_delta', thinking: block.thinking },
          { type: 'signature_delta', signature: block.signature },
        ],
      ];
    case 'tool_use':
      return [
        { type: 'tool_use', id: block.id, name: block.name, input: {} },
        halves(block.json).map((partial_json) => ({ type: 'input_json_delta', partial_json })),
      ];
  }
}

function halves(text: string): readonly string[] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}

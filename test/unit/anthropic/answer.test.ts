// DUR-4: a streamed answer becomes one turn, or an error that says what is wrong with it; never half of a turn.
import { describe, expect, it } from 'vitest';
import { readAnswer } from '../../../src/integrations/anthropic/answer.ts';
import { kindOfStatus } from '../../../src/integrations/anthropic/errors.ts';

async function* events(...list: readonly unknown[]): AsyncIterable<unknown> {
  yield* list;
}
const start = {
  type: 'message_start',
  message: { usage: { input_tokens: 7, cache_read_input_tokens: 3, output_tokens: 1 } },
};
const end = [
  {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn' },
    usage: { output_tokens: 9, input_tokens: null },
  },
  { type: 'message_stop' },
];
const block = (content_block: object, ...deltas: readonly object[]) => [
  { type: 'content_block_start', index: 0, content_block },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
  { type: 'content_block_stop', index: 0 },
];
const input = (...pieces: readonly string[]) =>
  block(
    { type: 'tool_use', id: 't1', name: 'bash', input: {} },
    ...pieces.map((partial_json) => ({ type: 'input_json_delta', partial_json })),
  );

describe('an answer', () => {
  it.each<[string, readonly object[], object]>([
    [
      'text',
      block({ type: 'text', text: '' }, { type: 'text_delta', text: 'a' }, { type: 'text_delta', text: 'b' }),
      { type: 'text', text: 'ab' },
    ],
    [
      'thinking whose text is not shown',
      block({ type: 'thinking', thinking: '', signature: '' }, { type: 'signature_delta', signature: 'sig' }),
      { type: 'thinking', thinking: '', signature: 'sig' },
    ],
    [
      'hidden thinking',
      block({ type: 'redacted_thinking', data: 'xyz' }),
      { type: 'redacted_thinking', data: 'xyz' },
    ],
    [
      'a tool call',
      input('{"command":', '"ls"}'),
      { type: 'tool_use', id: 't1', name: 'bash', input: { command: 'ls' } },
    ],
    ['a tool call without input', input(), { type: 'tool_use', id: 't1', name: 'bash', input: {} }],
    [
      'a tool call that broke off',
      input('{"comm'),
      { type: 'tool_use', id: 't1', name: 'bash', input: { INVALID_JSON: '{"comm' } },
    ],
    [
      'a tool call with a list',
      input('[1]'),
      { type: 'tool_use', id: 't1', name: 'bash', input: { INVALID_JSON: '[1]' } },
    ],
    ['nothing', [], { type: 'text', text: '(no answer)' }],
    [
      'a kind that we never asked for',
      block({ type: 'server_tool_use', id: 'x', name: 'y' }),
      { type: 'text', text: '(no answer)' },
    ],
  ])('with %s', async (_, blocks, expected) => {
    expect(await readAnswer(events(start, { type: 'of next year' }, ...blocks, ...end))).toEqual({
      content: [expected],
      stopReason: 'end_turn',
      usage: { input: 7, cacheRead: 3, cacheWrite: 0, output: 9 },
    });
  });

  it.each<[string, readonly unknown[], RegExp]>([
    ['nothing at all', [], /ended before its end/],
    ['no end', [start, ...input('{}')], /ended before its end/],
    ['no reason', [start, { type: 'message_stop' }], /ended before its end/],
    [
      'no usage',
      [{ type: 'message_start', message: { usage: {} } }, { ...end[0], usage: {} }, end[1]],
      /does not say what it used/,
    ],
    [
      'usage in words',
      [{ type: 'message_start', message: { usage: { input_tokens: 'many' } } }],
      /message\.usage\.input_tokens/,
    ],
    ['a list of events', [[start]], /has no type/],
    ['text', ['hello'], /has no type/],
  ])('with %s is refused', async (_, list, message) => {
    await expect(readAnswer(events(...list))).rejects.toThrow(message);
  });
});

describe('a status', () => {
  const table: readonly (readonly [number, string | null, string | null, string])[] = [
    ...[400, 405, 410, 413, 415, 422, 431, 451].map((status) => [status, null, null, 'refused'] as const),
    ...[301, 302, 307, 401, 402, 403, 404].map((status) => [status, null, null, 'settings'] as const),
    ...[408, 409, 429, 500, 502, 503, 504, 529].map((status) => [status, null, null, 'busy'] as const),
    [400, 'billing_error', null, 'settings'],
    [400, null, 'true', 'busy'],
    [401, null, 'true', 'settings'],
    [429, null, 'false', 'settings'],
    [500, null, 'false', 'refused'],
  ];
  it.each(table)('%d %s, x-should-retry %s: %s', (status, type, shouldRetry, kind) => {
    expect(kindOfStatus(status, type, shouldRetry)).toBe(kind);
  });
});

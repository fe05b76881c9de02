// MODEL-1, MODEL-3: a conversation as a request, with the marks of the prompt cache.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Conversation, Message, UserBlock } from '../../../src/integrations/anthropic/conversation.ts';
import { requestOf } from '../../../src/integrations/anthropic/request.ts';
import { breachOf, ClaudeBody } from '../../support/claude/rules.ts';

const options = { model: 'claude-opus-5-5', maxTokens: 100 };
const bash = { type: 'bash_20250124', name: 'bash' } as const;
const mark = { type: 'ephemeral' };

const use = (id: string): Message => ({
  role: 'assistant',
  content: [{ type: 'tool_use', id, name: 'bash', input: {} }],
});
const result = (id: string): UserBlock => ({ type: 'tool_result', tool_use_id: id, content: 'ok' });

/** Where marks are: `system`, `tools.0`, `messages.2.content.0`. */
function marksOf(value: unknown, path = ''): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === 'cache_control' ? [path] : marksOf(item, path === '' ? key : `${path}.${key}`),
  );
}

describe('a request', () => {
  it('marks the rules and the last two user turns, on their last block', () => {
    const conversation: Conversation = {
      system: 'rules',
      tools: [bash],
      messages: [
        { role: 'user', content: 'one' },
        use('a'),
        { role: 'user', content: [result('a')] },
        use('b'),
        { role: 'user', content: [result('b'), { type: 'text', text: 'and now?' }] },
      ],
    };
    const request = requestOf(conversation, options);
    expect(request).toMatchObject({ model: 'claude-opus-5-5', max_tokens: 100, stream: true, tools: [bash] });
    expect(marksOf(request)).toEqual(['system.0', 'messages.2.content.0', 'messages.4.content.1']);
    expect(request.system).toEqual([{ type: 'text', text: 'rules', cache_control: mark }]);
  });

  it('marks the last tool where there are no rules', () => {
    const conversation: Conversation = {
      system: '',
      tools: [bash],
      messages: [{ role: 'user', content: 'one' }],
    };
    const request = requestOf(conversation, options);
    expect(marksOf(request)).toEqual(['tools.0', 'messages.0.content.0']);
    expect(request).not.toHaveProperty('system');
  });

  it('puts results first, and has no empty text: the API refuses both', () => {
    const content: UserBlock[] = [{ type: 'text', text: '' }, result('a')];
    const conversation: Conversation = {
      system: '',
      tools: [bash],
      messages: [{ role: 'user', content: 'go' }, use('a'), { role: 'user', content }],
    };
    const body = ClaudeBody.parse(requestOf(conversation, options));
    expect(breachOf(body, () => true)).toBeUndefined();
    expect(body.messages[2]?.content).toMatchObject([
      { type: 'tool_result' },
      { type: 'text', text: '(empty)' },
    ]);
  });

  it('keeps the rules of the API, however long it gets', () => {
    const turns = fc.array(fc.record({ calls: fc.integer({ min: 1, max: 3 }), text: fc.string() }), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(turns, fc.constantFrom('', 'rules'), (list, system) => {
        const messages: Message[] = [{ role: 'user', content: 'go' }];
        for (const [index, { calls, text }] of list.entries()) {
          const ids = Array.from({ length: calls }, (_, call) => `t${index}_${call}`);
          messages.push({
            role: 'assistant',
            content: ids.map((id) => ({ type: 'tool_use', id, name: 'bash', input: {} })),
          });
          messages.push({ role: 'user', content: [{ type: 'text', text }, ...ids.map(result)] });
        }
        const body = ClaudeBody.parse(requestOf({ system, tools: [bash], messages }, options));
        expect(breachOf(body, () => true)).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });
});

// The provider's prompt cache: a prefix up to a mark is written once and read from then on; what is under the least length is not kept.

import type { ClaudeBody } from './rules.ts';
import { countTokens } from './tokens.ts';

export type InputUsage = {
  readonly input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
};

const leastTokens = 512;

export function createPromptCache(): { readonly usageOf: (body: ClaudeBody) => InputUsage } {
  const kept = new Set<string>();
  return {
    usageOf: (body) => {
      const blocks = [
        ...(body.tools ?? []),
        ...listOf(body.system ?? []),
        ...body.messages.flatMap(({ role, content }) => [{ role }, ...listOf(content)]),
      ].map((block) => ({
        marked: 'cache_control' in block && block.cache_control !== undefined,
        text: JSON.stringify({ ...block, cache_control: undefined }),
      }));
      const prefix = (count: number): string =>
        JSON.stringify([body.model, blocks.slice(0, count).map(({ text }) => text)]);
      const tokens = (from: number, to: number): number =>
        blocks.slice(from, to).reduce((sum, { text }) => sum + countTokens(text), 0);
      const marks = blocks.flatMap(({ marked }, index) => (marked ? [index + 1] : []));
      const written = marks.at(-1) ?? 0;
      // The longest prefix that is kept, looked for at every block before the last mark.
      let read = 0;
      for (let count = 1; count <= written; count += 1) if (kept.has(prefix(count))) read = count;
      for (const mark of marks) if (tokens(0, mark) >= leastTokens) kept.add(prefix(mark));
      const keeps = kept.has(prefix(written));
      return {
        cache_read_input_tokens: tokens(0, read),
        cache_creation_input_tokens: keeps ? tokens(read, written) : 0,
        input_tokens: tokens(keeps ? written : read, blocks.length),
      };
    },
  };
}

function listOf(content: string | readonly object[]): readonly object[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

// What the Messages API demands of a request and our product may get wrong, as the provider documents it. The first breach as a message, as the
// API words its own: `messages.1: ...`.
import * as z from 'zod';

const cacheControl = z.strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() });
const cached = { cache_control: cacheControl.optional() };
const Text = z.strictObject({ type: z.literal('text'), text: z.string().min(1), ...cached });
const ToolUse = z.strictObject({
  type: z.literal('tool_use'),
  id: z.string().regex(/^[a-zA-Z0-9_-]+$/),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
  ...cached,
});
const ToolResult = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  is_error: z.boolean().optional(),
  content: z.union([z.string(), z.array(Text)]).optional(),
  ...cached,
});
const Thinking = z.strictObject({
  type: z.literal('thinking'),
  thinking: z.string(),
  signature: z.string().min(1),
});
const name = z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/);
const Tool = z.union([
  z.strictObject({
    name,
    description: z.string().optional(),
    input_schema: z.looseObject({ type: z.literal('object') }),
    ...cached,
  }),
  z.strictObject({ type: z.literal('bash_20250124'), name: z.literal('bash'), ...cached }),
  z.strictObject({
    type: z.literal('text_editor_20250728'),
    name: z.literal('str_replace_based_edit_tool'),
    max_characters: z.int().positive().optional(),
    ...cached,
  }),
]);

export const ClaudeBody = z.strictObject({
  model: z.string(),
  max_tokens: z.int().positive().max(128_000),
  stream: z.boolean().optional(),
  system: z.union([z.string(), z.array(Text)]).optional(),
  tools: z.array(Tool).optional(),
  messages: z
    .array(
      z.discriminatedUnion('role', [
        z.strictObject({
          role: z.literal('user'),
          content: z.union([z.string().min(1), z.array(z.union([Text, ToolResult])).min(1)]),
        }),
        z.strictObject({
          role: z.literal('assistant'),
          content: z.union([z.string().min(1), z.array(z.union([Text, ToolUse, Thinking])).min(1)]),
        }),
      ]),
    )
    .min(1),
});
export type ClaudeBody = z.infer<typeof ClaudeBody>;
type Block = Exclude<ClaudeBody['messages'][number]['content'], string>[number];

/** The first breach of the rules; undefined: none. `isIssued`: whether a tool call of that id or a thinking of that signature came from here. */
export function breachOf(body: ClaudeBody, isIssued: (token: string) => boolean): string | undefined {
  const names = (body.tools ?? []).map((tool) => tool.name);
  if (new Set(names).size < names.length) return 'tools: Tool names must be unique.';
  const marks = JSON.stringify(body).split('"cache_control":').length - 1;
  if (marks > 4) return `A maximum of 4 blocks with cache_control may be provided. Found ${marks}.`;
  if (body.messages[0]?.role !== 'user') return 'messages: first message must use the "user" role';
  if (body.messages.at(-1)?.role !== 'user')
    return 'This model does not support assistant message prefill. The conversation must end with a user message.';
  for (const [index, message] of body.messages.entries()) {
    const before = body.messages[index - 1];
    if (before?.role === message.role) return `messages.${index}: roles must alternate`;
    const breach = pairBreach(blocksOf(before?.content), blocksOf(message.content), isIssued);
    if (breach !== undefined) return `messages.${index}: ${breach}`;
  }
  return undefined;
}

/** Each call of the turn before has its result at the beginning of this one; each result belongs to such a call. */
function pairBreach(
  before: readonly Block[],
  now: readonly Block[],
  isIssued: (token: string) => boolean,
): string | undefined {
  const asked = before.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
  const given = now.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : []));
  const missing = asked.find((id) => !given.includes(id));
  if (missing !== undefined)
    return `\`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing}`;
  const surplus = given.find((id) => !asked.includes(id));
  if (surplus !== undefined) return `unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${surplus}`;
  if (new Set(given).size < given.length) return 'each tool_use must have a single result';
  const firstOther = now.findIndex((block) => block.type !== 'tool_result');
  if (firstOther >= 0 && now.slice(firstOther).some((block) => block.type === 'tool_result'))
    return '`tool_result` blocks must come first in the content';
  for (const block of now) {
    if (block.type === 'tool_use' && !isIssued(block.id)) return `tool_use ${block.id} is not of this model`;
    if (block.type === 'thinking' && !isIssued(`${block.signature}:${block.thinking}`))
      return 'Invalid `signature` in `thinking` block';
  }
  return undefined;
}

function blocksOf(content: string | readonly Block[] | undefined): readonly Block[] {
  return typeof content === 'object' ? content : [];
}

// What the implementer may ask for, and nothing else (SEC-1, GUARD-1): the text editor and bash of Anthropic's own tool types, and an end. What a
// model answers is checked here; a call that does not fit is answered with the reason.
import * as z from 'zod';

/** Names as the model sees them; the types are Anthropic's own, so that the model knows them without a schema. */
export const toolNames = { edit: 'str_replace_based_edit_tool', bash: 'bash', finish: 'finish' } as const;

const maxTextLength = 400_000;
const path = z.string().min(1).max(1_000);
const text = z.string().max(maxTextLength);
const lineNumber = z.number().int().min(0).max(10_000_000);

const EditInput = z.discriminatedUnion('command', [
  z.object({
    command: z.literal('view'),
    path,
    /** First and last line, from 1; -1 as the last one means the end. */
    view_range: z.tuple([z.number().int().min(1), z.number().int().min(-1)]).optional(),
  }),
  z.object({ command: z.literal('create'), path, file_text: text }),
  z.object({ command: z.literal('str_replace'), path, old_str: text.min(1), new_str: text.default('') }),
  /** After this line; 0: at the beginning. */
  z.object({ command: z.literal('insert'), path, insert_line: lineNumber, insert_text: text }),
]);
export type EditInput = z.infer<typeof EditInput>;

const BashInput = z.union([
  z.object({ command: z.string().min(1).max(100_000) }),
  z.object({ restart: z.literal(true) }),
]);

export const FinishInput = z.object({
  /** What was wrong and what was changed, for a reviewer. It proves nothing. */
  summary: z.string().max(4_000),
});

export type ToolInput =
  | { readonly tool: 'edit'; readonly input: EditInput }
  /** Null: a new shell was asked for; every call has one anyway. */
  | { readonly tool: 'bash'; readonly command: string | null }
  | { readonly tool: 'finish'; readonly summary: string };

/** Never throws: a model may send anything. */
export function readToolInput(
  name: string,
  input: unknown,
): { readonly ok: true; readonly call: ToolInput } | { readonly ok: false; readonly reason: string } {
  switch (name) {
    case toolNames.edit: {
      const read = EditInput.safeParse(input);
      return read.success ? { ok: true, call: { tool: 'edit', input: read.data } } : misfit(name, read.error);
    }
    case toolNames.bash: {
      const read = BashInput.safeParse(input);
      if (!read.success) return misfit(name, read.error);
      return { ok: true, call: { tool: 'bash', command: 'command' in read.data ? read.data.command : null } };
    }
    case toolNames.finish: {
      const read = FinishInput.safeParse(input);
      return read.success
        ? { ok: true, call: { tool: 'finish', summary: read.data.summary } }
        : misfit(name, read.error);
    }
    default:
      return {
        ok: false,
        reason: `there is no tool "${name.slice(0, 60)}"; there are ${Object.values(toolNames).join(', ')}`,
      };
  }
}

function misfit(name: string, error: z.ZodError): { readonly ok: false; readonly reason: string } {
  const issues = error.issues
    .slice(0, 5)
    .map(({ path: at, message }) => `${at.join('.') || 'input'}: ${message}`);
  return { ok: false, reason: `the input does not fit ${name}: ${issues.join('; ')}` };
}

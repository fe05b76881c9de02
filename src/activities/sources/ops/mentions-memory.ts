// What the source `mentions` keeps between two reads: where it stands, which comments it had, and the questions that nobody answered yet. Data
// from Postgres: it is parsed, and what does not fit is dropped, which costs one read of the newest comments.
import * as z from 'zod';
import type { Json } from '../../../contract/effect.ts';

export const maxHandled = 1_000;
/** More questions at once than this are not taken. */
export const maxPending = 50;

const Request = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('status') }),
  z.object({ kind: z.literal('database') }),
  z.object({ kind: z.literal('user'), name: z.string() }),
  z.object({ kind: z.literal('logs'), service: z.string() }),
  z.object({ kind: z.literal('question'), text: z.string() }),
  z.object({ kind: z.literal('help'), problem: z.string().nullable() }),
]);

const Pending = z.object({
  commentId: z.int(),
  issue: z.int(),
  author: z.string(),
  url: z.string(),
  request: Request,
  askedAtMs: z.number(),
  seenAtMs: z.number(),
});
export type Pending = z.output<typeof Pending>;

const Memory = z.object({
  version: z.literal(1),
  /** API and repository: another one starts anew. */
  identity: z.string(),
  since: z.string(),
  etag: z.string().max(256).nullable(),
  /** Policy time of the last read, to a few minutes, so that a quiet read changes nothing. */
  readAtMs: z.number(),
  /** Ids of comments with a question that was taken or refused, oldest first. */
  handled: z.array(z.int()).max(maxHandled),
  pending: z.array(Pending).max(maxPending),
});
export type MentionsMemory = z.output<typeof Memory>;

/** Undefined: nothing that can be gone on with. */
export function mentionsMemoryOf(memory: Json, identity: string): MentionsMemory | undefined {
  const known = Memory.safeParse(memory).data;
  return known?.identity === identity ? known : undefined;
}

// LOOP-13: decisions that people write as comments, `/approve <hash>` or `/reject <hash> [reason]`, on issues and pull requests of a
// repository. A verified channel: it counts only what its author alone wrote, once, where the author may write to the repository.
// It reads GitHub and hands decisions on; it never writes to GitHub.
import * as z from 'zod';
import type { Json } from '../../contract/effect.ts';
import type { WorkspaceConfig } from '../../contract/tenant-config.ts';
import type { GitHub } from '../../integrations/github/client.ts';
import { ownerAndName, type Place, readPermission } from '../../integrations/github/read.ts';
import { type Comment, CommentPage } from '../../integrations/github/shapes.ts';
import { approvalCommands } from '../../policy/approval-comment.ts';
import type { SourceContext, SourceDefinition, SourceReading } from './definition.ts';

export type CommentDecision = {
  readonly tenant: string;
  /** Where it was written: whoever may write to this workspace's repository decides for this workspace only. */
  readonly workspace: string;
  readonly hash: string;
  readonly decision: 'approve' | 'reject';
  /** The GitHub login. */
  readonly by: string;
  readonly channel: 'github';
  readonly reason: string;
  readonly nowMs: number;
};

export type ApprovalsParts = {
  readonly github: (workspace: WorkspaceConfig) => Promise<GitHub>;
  /** Writes the decision; `result` is `decided` when it was one. May be called again for a comment after a crash. */
  readonly decide: (decision: CommentDecision) => Promise<{ readonly result: string }>;
};

/** 2,000 comments between two reads; what is older than that is not seen. */
const maxPages = 20;
const maxRounds = 5;
const maxHandled = 1_000;
/** Read again below the newest comment, since comments do not become visible in the order of their times. */
const overlapMs = 60_000;

const Memory = z.object({
  version: z.literal(1),
  identity: z.string(),
  /** ISO time; comments changed since then are read. */
  since: z.string(),
  etag: z.string().max(256).nullable(),
  /** Ids of comments with a command that was decided or refused, oldest first. */
  handled: z.array(z.int()).max(maxHandled),
});
type Memory = z.output<typeof Memory>;

export function createApprovalsSource(parts: ApprovalsParts): SourceDefinition {
  return {
    kind: 'approvals',
    timeoutMs: () => 30_000,
    targets: () => [undefined],
    read: async (context) => readApprovals(parts, await parts.github(context.workspace), context),
  };
}

async function readApprovals(
  parts: ApprovalsParts,
  github: GitHub,
  context: SourceContext,
): Promise<SourceReading> {
  const { repository, apiUrl } = context.workspace.github;
  const place: Place = { github, repository, signal: context.signal };
  const identity = `${apiUrl} ${repository}`;
  const remembered = Memory.safeParse(context.memory).data;
  let memory: Memory =
    remembered?.identity === identity ? remembered : { ...(await firstRead(place)), identity };
  const handled = new Set(memory.handled);
  const tally = { read: 0, decided: 0, refused: 0 };
  // When something was new the time moves on, and the list from there is asked at once, so that the next quiet read has its ETag.
  for (let round = 0; round < maxRounds; round += 1) {
    const page = await readSince(place, memory);
    if (page === null) break;
    for (const comment of page.comments) {
      if (handled.has(comment.id)) continue;
      const outcome = await handle(parts, place, context, comment);
      if (outcome === 'none') continue;
      handled.add(comment.id);
      tally.read += 1;
      tally[outcome] += 1;
    }
    const since = later(memory.since, page.comments);
    const moved = since !== memory.since;
    memory = { ...memory, since, etag: moved ? null : page.etag, handled: [...handled].slice(-maxHandled) };
    if (!moved) break;
  }
  const said = tally.read === 0 ? 'no new approval comment' : `${tally.read} approval comments read`;
  const of = tally.read === 0 ? '' : `: ${tally.decided} decided, ${tally.refused} without effect`;
  return { state: 'green', reason: said + of, findings: [], memory: memory satisfies Json };
}

/** Where reading starts: at the oldest of the newest 100 comments, by GitHub's clock. */
async function firstRead(place: Place): Promise<Omit<Memory, 'identity'>> {
  const params = { sort: 'updated', direction: 'desc', per_page: 100 };
  const newest = await place.github.read({ ...route(place, params), schema: CommentPage });
  const oldest = newest.length < 100 ? undefined : newest.at(-1)?.updated_at;
  return { version: 1, since: oldest ?? '1970-01-01T00:00:00Z', etag: null, handled: [] };
}

/** Oldest first; null: nothing is new. */
async function readSince(
  place: Place,
  memory: Memory,
): Promise<{ readonly comments: readonly Comment[]; readonly etag: string | null } | null> {
  // Newest first: any new comment changes the first page, whose ETag is asked.
  const params = { since: memory.since, sort: 'updated', direction: 'desc', per_page: 100 };
  const comments: Comment[] = [];
  let etag: string | null = null;
  for (let page = 1; page <= maxPages; page += 1) {
    const answer = await place.github.conditionalGet(
      { ...route(place, { ...params, page }), schema: CommentPage },
      { etag: page === 1 ? memory.etag : null },
    );
    if (answer.status === 'notModified') return null;
    if (page === 1) etag = answer.etag;
    comments.push(...answer.data);
    if (!answer.more) break;
  }
  return { comments: comments.reverse(), etag };
}

async function handle(
  parts: ApprovalsParts,
  place: Place,
  context: SourceContext,
  comment: Comment,
): Promise<'none' | 'decided' | 'refused'> {
  const commands = approvalCommands(comment.body ?? '');
  if (commands.length === 0) return 'none';
  if (!(await counts(place, context, comment))) return 'refused';
  let decided = 0;
  for (const { decision, hash, reason } of commands) {
    const { result } = await parts.decide({
      tenant: context.config.tenant,
      workspace: context.workspace.name,
      hash,
      decision,
      by: comment.user?.login ?? '',
      channel: 'github',
      reason,
      nowMs: context.nowMs,
    });
    if (result === 'decided') decided += 1;
  }
  return decided > 0 ? 'decided' : 'refused';
}

/** SEC-1: by a person, not edited (others may edit a comment), not by the agent, by somebody who may write and is on the list if there is one. */
async function counts(place: Place, context: SourceContext, comment: Comment): Promise<boolean> {
  const { user } = comment;
  if (user === null || comment.updated_at !== comment.created_at) return false;
  if (user.type !== undefined && user.type !== 'User') return false;
  if (user.login.endsWith('[bot]') || comment.performed_via_github_app != null) return false;
  const { approveBy } = context.workspace.github;
  const login = user.login.toLowerCase();
  if (approveBy.length > 0 && !approveBy.some((allowed) => allowed.toLowerCase() === login)) return false;
  const account = await place.github.account(place.signal);
  if (account.id === user.id) return false;
  return ['admin', 'maintain', 'write'].includes(await readPermission(place, user.login));
}

/** A minute before the newest comment; never back. */
function later(since: string, comments: readonly Comment[]): string {
  const times = comments.map((comment) => Date.parse(comment.updated_at)).filter((ms) => !Number.isNaN(ms));
  const to = Math.max(Date.parse(since) || 0, Math.max(0, ...times) - overlapMs);
  return `${new Date(to).toISOString().slice(0, 19)}Z`;
}

function route(place: Place, params: { readonly [name: string]: unknown }) {
  return {
    route: 'GET /repos/{owner}/{repo}/issues/comments',
    params: { ...ownerAndName(place.repository), ...params },
    signal: place.signal,
  };
}

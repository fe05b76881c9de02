// LOOP-13: decisions that people write as comments, `/approve <hash>` or `/reject <hash> [reason]`, on issues and pull requests of a
// repository. A verified channel: it counts only what its author alone wrote, once, where the author may write to the repository.
// It reads GitHub and hands decisions on; it never writes to GitHub.
import * as z from 'zod';
import type { Json } from '../../contract/effect.ts';
import type { WorkspaceConfig } from '../../contract/tenant-config.ts';
import type { GitHub } from '../../integrations/github/client.ts';
import { type Place, readPermission } from '../../integrations/github/read.ts';
import type { Comment } from '../../integrations/github/shapes.ts';
import { approvalCommands } from '../../policy/approval-comment.ts';
import { isAcknowledgement } from '../../policy/ops/incident/acknowledgement.ts';
import type { Acknowledgement } from '../../store/ops/incidents.ts';
import type { SourceContext, SourceDefinition, SourceReading } from './definition.ts';
import { eachNewComment, firstCursor } from './new-comments.ts';

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
  readonly acknowledge: (ack: Acknowledgement) => Promise<{ readonly result: string }>;
};

const maxHandled = 1_000;

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
  const before = remembered?.identity === identity ? remembered : undefined;
  const handled = new Set(before?.handled);
  const tally = { read: 0, decided: 0, refused: 0 };
  const cursor = await eachNewComment(place, before ?? (await firstCursor(place)), async (comment) => {
    if (handled.has(comment.id)) return;
    const outcome = await handle(parts, place, context, comment);
    if (outcome === 'none') return;
    handled.add(comment.id);
    tally.read += 1;
    tally[outcome] += 1;
  });
  const memory: Memory = { version: 1, identity, ...cursor, handled: [...handled].slice(-maxHandled) };
  const said = tally.read === 0 ? 'no new approval comment' : `${tally.read} approval comments read`;
  const of = tally.read === 0 ? '' : `: ${tally.decided} decided, ${tally.refused} without effect`;
  return { state: 'green', reason: said + of, findings: [], memory: memory satisfies Json };
}

async function handle(
  parts: ApprovalsParts,
  place: Place,
  context: SourceContext,
  comment: Comment,
): Promise<'none' | 'decided' | 'refused'> {
  const commands = approvalCommands(comment.body ?? '');
  if (isAcknowledgement(comment.body ?? '')) return acknowledge(parts, place, context, comment);
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

/** INC-4: whoever may write to the repository may say that they have its incident. */
async function acknowledge(
  parts: ApprovalsParts,
  place: Place,
  context: SourceContext,
  comment: Comment,
): Promise<'decided' | 'refused'> {
  const issue = Number(/\/issues\/(\d+)$/.exec(comment.issue_url ?? '')?.[1] ?? 0);
  if (issue === 0 || !(await isByWriter(place, comment))) return 'refused';
  const { result } = await parts.acknowledge({
    tenant: context.config.tenant,
    incident: { workspace: context.workspace.name, issue },
    by: comment.user?.login ?? '',
    channel: 'github',
    nowMs: context.nowMs,
  });
  return result === 'unknown' ? 'refused' : 'decided';
}

/** SEC-1: by a person, not edited (others may edit a comment), not by the agent, by somebody who may write and is on the list if there is one. */
async function counts(place: Place, context: SourceContext, comment: Comment): Promise<boolean> {
  const { approveBy } = context.workspace.github;
  const login = comment.user?.login.toLowerCase();
  if (approveBy.length > 0 && !approveBy.some((allowed) => allowed.toLowerCase() === login)) return false;
  return isByWriter(place, comment);
}

async function isByWriter(place: Place, comment: Comment): Promise<boolean> {
  const { user } = comment;
  if (user === null || comment.updated_at !== comment.created_at) return false;
  if (user.type !== undefined && user.type !== 'User') return false;
  if (user.login.endsWith('[bot]') || comment.performed_via_github_app != null) return false;
  const account = await place.github.account(place.signal);
  if (account.id === user.id) return false;
  return ['admin', 'maintain', 'write'].includes(await readPermission(place, user.login));
}

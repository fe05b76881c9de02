// DIAG-1: who wrote a comment, as GitHub's API says it: the account and its kind, what it may do in the repository, the app behind it, whether it
// was edited, what it answers, where it stands. Reads only what the verdict needs; the verdict is src/policy/ops/diagnostics/may-ask.ts.
import * as z from 'zod';
import type { Asker } from '../../../contract/ops/diagnostics.ts';
import {
  type Place,
  readComments,
  readIssue,
  readPermission,
  readPullRequest,
} from '../../../integrations/github/read.ts';
import type { Comment } from '../../../integrations/github/shapes.ts';

type Account = { readonly login: string; readonly type?: string | undefined };
const App = z.object({ id: z.int() });
const permissions = ['admin', 'maintain', 'write', 'triage', 'read', 'none'] as const;

/** Null: the account is gone, and with it everything that could be asked of it. */
export async function askerOf(
  place: Place,
  comment: Comment,
  issue: number,
  allowlist: readonly number[],
): Promise<Asker | null> {
  const { user } = comment;
  if (user === null) return null;
  const account = await place.github.account(place.signal);
  const isBot = isBotAccount(user);
  const base = {
    author: { login: user.login, id: user.id, isBot },
    appId: App.safeParse(comment.performed_via_github_app).data?.id ?? null,
    allowlist,
    // The API says that it was edited, and not by whom: others may edit a comment.
    edited: comment.updated_at === comment.created_at ? 'never' : 'unknown',
    isOwn: account.id === user.id,
  } as const;
  const none = { permission: 'none', parentIsBot: false, onFork: false } as const;
  if (base.isOwn || base.edited !== 'never') return { ...base, ...none };
  const permission = isBot ? 'none' : permissionOf(await readPermission(place, user.login));
  // What ends here anyway needs no further requests.
  if (!isBot && !['admin', 'maintain', 'write'].includes(permission)) return { ...base, ...none, permission };
  const pull = comment.html_url.includes('/pull/') ? await readPullRequest(place, issue) : null;
  return {
    ...base,
    permission,
    onFork: pull !== null && !pull.ownHead,
    parentIsBot: isBot && (await answersBot(place, comment, issue)),
  };
}

function isBotAccount({ login, type }: Account): boolean {
  return (type !== undefined && type !== 'User') || login.endsWith('[bot]');
}

function permissionOf(said: string): NonNullable<Asker['permission']> {
  return permissions.find((known) => known === said) ?? 'none';
}

/** Whether what stands right before it was written by a bot. */
async function answersBot(place: Place, comment: Comment, issue: number): Promise<boolean> {
  const thread = await readComments(place, issue);
  const before = thread.filter(({ id }) => id < comment.id).at(-1);
  const author = before === undefined ? (await readIssue(place, issue))?.user : before.user;
  // An account that is gone may have been one.
  return author == null || isBotAccount(author);
}

// Comments of the agent on issues and pull requests, found again by the marker in them.
import { hasMarker } from '../../../integrations/github/body-text.ts';
import { type Place, readComments } from '../../../integrations/github/read.ts';
import { CommentShape } from '../../../integrations/github/shapes.ts';
import type { EffectResult, WriteContext } from '../definition.ts';
import { beforeWrite, write } from './parts.ts';

/** @param body cleaned, with the marker of the effect in it */
export async function postComment(
  place: Place,
  context: WriteContext,
  number: number,
  body: string,
): Promise<EffectResult> {
  const comment = await write(place, context, {
    method: 'POST',
    path: '/issues/{issue_number}/comments',
    params: { issue_number: number, body },
    schema: CommentShape,
  });
  return { commentId: comment.id, url: comment.html_url };
}

/** For a comment that goes before something else: an attempt before this one may have written it. */
export async function commentOnce(
  place: Place,
  context: WriteContext,
  number: number,
  body: string,
): Promise<void> {
  const found = await beforeWrite(() => findComment(place, context.marker, number));
  if (found === null) await postComment(place, context, number, body);
}

export async function findComment(
  place: Place,
  marker: string,
  number: number,
): Promise<EffectResult | null> {
  const comments = await readComments(place, number).catch((error: unknown) => {
    if (error instanceof Error && 'kind' in error && error.kind === 'notFound') return [];
    throw error;
  });
  const marked = comments.filter((comment) => hasMarker(comment.body, marker));
  if (marked.length === 0) return null;
  const account = await place.github.account(place.signal);
  const found = marked.find((comment) => comment.user?.id === account.id);
  return found === undefined ? null : { commentId: found.id, url: found.html_url };
}

// New comments of a repository's issues and pull requests, as sources read them: from a time on, oldest first, at no cost of the rate limit
// while nothing is new. Reads GitHub, keeps nothing by itself.
import { ownerAndName, type Place } from '../../integrations/github/read.ts';
import { type Comment, CommentPage } from '../../integrations/github/shapes.ts';

/** Where reading stands; a source keeps it in its memory. */
export type CommentCursor = {
  /** ISO time; comments changed since then are read. */
  readonly since: string;
  /** Of the list from there; null: it is not known. */
  readonly etag: string | null;
};

/** 2,000 comments between two reads; what is older than that is not seen. */
const maxPages = 20;
const maxRounds = 5;
/** Read again below the newest comment, since comments do not become visible in the order of their times. */
const overlapMs = 60_000;

/** Where reading starts: at the oldest of the newest 100 comments, by GitHub's clock. */
export async function firstCursor(place: Place): Promise<CommentCursor> {
  const params = { sort: 'updated', direction: 'desc', per_page: 100 };
  const newest = await place.github.read({ ...route(place, params), schema: CommentPage });
  const oldest = newest.length < 100 ? undefined : newest.at(-1)?.updated_at;
  return { since: oldest ?? '1970-01-01T00:00:00Z', etag: null };
}

/**
 * Hands over every comment that was written or edited since, oldest first; some more than once, in later reads too: whoever asks knows which
 * it had. When something was new the time moves on, and the list from there is asked at once, so that the next quiet read has its ETag.
 * @returns where reading stands now
 */
export async function eachNewComment(
  place: Place,
  cursor: CommentCursor,
  take: (comment: Comment) => Promise<void>,
): Promise<CommentCursor> {
  let at: CommentCursor = { since: cursor.since, etag: cursor.etag };
  for (let round = 0; round < maxRounds; round += 1) {
    const page = await readSince(place, at);
    if (page === null) break;
    for (const comment of page.comments) await take(comment);
    const since = later(at.since, page.comments);
    const moved = since !== at.since;
    at = { since, etag: moved ? null : page.etag };
    if (!moved) break;
  }
  return at;
}

/** Oldest first; null: nothing is new. */
async function readSince(
  place: Place,
  cursor: CommentCursor,
): Promise<{ readonly comments: readonly Comment[]; readonly etag: string | null } | null> {
  // Newest first: any new comment changes the first page, whose ETag is asked.
  const params = { since: cursor.since, sort: 'updated', direction: 'desc', per_page: 100 };
  const comments: Comment[] = [];
  let etag: string | null = null;
  for (let page = 1; page <= maxPages; page += 1) {
    const answer = await place.github.conditionalGet(
      { ...route(place, { ...params, page }), schema: CommentPage },
      { etag: page === 1 ? cursor.etag : null },
    );
    if (answer.status === 'notModified') return null;
    if (page === 1) etag = answer.etag;
    comments.push(...answer.data);
    if (!answer.more) break;
  }
  return { comments: comments.reverse(), etag };
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

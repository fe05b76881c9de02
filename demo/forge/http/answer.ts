// Answers one request: who asks, git or REST, rate limit, ETag. No faults and no sockets here.
import { createHash, randomUUID } from 'node:crypto';
import { actionRoutes, serveLog } from '../rest/actions.ts';
import { commitRoutes } from '../rest/commits.ts';
import { issueRoutes } from '../rest/issues.ts';
import { pullRoutes } from '../rest/pulls.ts';
import { refRoutes } from '../rest/refs.ts';
import { repositoryRoutes } from '../rest/repositories.ts';
import { type ForgeState, findRepository, type User } from '../state.ts';
import { gitPath, serveGit } from './git-backend.ts';
import { servePage } from './pages.ts';
import {
  ApiError,
  empty,
  type ForgeRequest,
  type ForgeResponse,
  findRoute,
  json,
  type Route,
  route,
} from './route.ts';

export interface Answer {
  readonly response: ForgeResponse;
  readonly actor: User | null;
  readonly counted: boolean;
  readonly unexpected: boolean;
}

const routes: readonly Route[] = [
  ...repositoryRoutes,
  ...refRoutes,
  ...commitRoutes,
  ...issueRoutes,
  ...pullRoutes,
  ...actionRoutes,
  route('GET', '/rate_limit', ({ state, actor }) => {
    const core = state.rate.numbers(actor.login);
    return json({ resources: { core }, rate: core });
  }),
];

/** Does what a request asks and gives the answer with what the journal wants to know. Never throws. */
export async function answer(state: ForgeState, request: ForgeRequest): Promise<Answer> {
  try {
    const git = gitPath(request.path);
    if (git !== null) return await answerGit(state, request, git);
    const log = await serveLog(state, request.path, request.query.get('sig'));
    if (log !== null) return { response: log, actor: null, counted: false, unexpected: false };
    const page = servePage(state, request);
    if (page !== null) return { response: page, actor: null, counted: false, unexpected: false };
    return await answerRest(state, request);
  } catch (error) {
    const response = errorResponse(error);
    return { response, actor: null, counted: false, unexpected: response.status >= 500 };
  }
}

async function answerGit(
  state: ForgeState,
  request: ForgeRequest,
  git: { owner: string; name: string },
): Promise<Answer> {
  const repository = findRepository(state, git.owner, git.name);
  const token = tokenOf(request);
  const actor = token === null ? null : (state.tokens.get(token) ?? null);
  const rejected = token !== null && actor === null;
  const response = rejected
    ? empty(401, { 'www-authenticate': 'Basic realm="GitHub"' })
    : await serveGit(state, request, repository, actor);
  return { response, actor, counted: false, unexpected: false };
}

async function answerRest(state: ForgeState, request: ForgeRequest): Promise<Answer> {
  const token = tokenOf(request);
  if (token === null) throw new ApiError(401, 'Requires authentication');
  const actor = state.tokens.get(token);
  if (actor === undefined) throw new ApiError(401, 'Bad credentials');
  const free = request.path === '/rate_limit';
  if (!free && !state.rate.allows(actor.login)) {
    const limited = errorResponse(new ApiError(403, `API rate limit exceeded for user ID ${actor.id}.`));
    return finish(state, actor, limited, { counted: false, unexpected: false });
  }
  const found = findRoute(routes, request);
  let response: ForgeResponse;
  try {
    if (found === null) throw new ApiError(404, 'Not Found');
    response = await found.route.handle({ state, request, params: found.params, actor });
  } catch (error) {
    response = errorResponse(error);
  }
  if (request.method === 'GET' && response.status === 200) {
    const hash = createHash('sha256').update(response.body).digest('hex');
    const etag = `W/"${hash}"`;
    if (sameTag(request.headers['if-none-match'], etag)) {
      const { link } = response.headers;
      const notModified = empty(304, { etag, ...(link === undefined ? {} : { link }) });
      return finish(state, actor, notModified, { counted: false, unexpected: false });
    }
    response = {
      ...response,
      headers: { ...response.headers, etag, 'cache-control': 'private, max-age=60, s-maxage=60' },
    };
  }
  if (!free) state.rate.count(actor.login);
  return finish(state, actor, response, {
    counted: !free,
    unexpected: found === null || response.status >= 500,
  });
}

function finish(
  state: ForgeState,
  actor: User,
  response: ForgeResponse,
  facts: { counted: boolean; unexpected: boolean },
): Answer {
  const headers = {
    ...response.headers,
    ...state.rate.headers(actor.login),
    'x-github-request-id': randomUUID(),
    'x-github-media-type': 'github.v3; format=json',
    date: new Date(state.now()).toUTCString(),
  };
  return { response: { ...response, headers }, actor, ...facts };
}

function sameTag(header: string | undefined, etag: string): boolean {
  const bare = (tag: string): string => tag.trim().replace(/^W\//, '');
  return header?.split(',').some((tag) => bare(tag) === bare(etag)) === true;
}

/** The token of `Bearer`, `token` or Basic (as the password, any user name). */
function tokenOf(request: ForgeRequest): string | null {
  const match = /^(\w+)\s+(\S+)$/.exec(request.headers.authorization ?? '');
  const value = match?.[2];
  if (value === undefined) return null;
  if (match?.[1]?.toLowerCase() !== 'basic') return value;
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  return decoded.slice(decoded.indexOf(':') + 1);
}

function errorResponse(error: unknown): ForgeResponse {
  const known = error instanceof ApiError;
  const status = known ? error.status : 500;
  const message = error instanceof Error ? error.message : String(error);
  const errors = known && error.errors.length > 0 ? { errors: error.errors } : {};
  return json(
    { message, ...errors, documentation_url: 'https://docs.github.com/rest', status: String(status) },
    status,
  );
}

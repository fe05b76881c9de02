// Talks to GitHub's REST API: one request at a time, bounded in time, no retries of its own (Temporal retries), conditional where the
// caller kept an ETag. Every answer is parsed before anybody sees it. Knows nothing of Temporal; never logs, never shows its token.
import { Octokit } from '@octokit/rest';
import * as z from 'zod';
import { answerError, connectionError, GitHubError, type Headers } from './errors.ts';

/** Who the token belongs to: only what this account wrote can carry our markers. */
export type Account = { readonly login: string; readonly id: number };

export type Call<T> = {
  /** `GET /repos/{owner}/{repo}/issues`; parameters fill it and go into the query or body. */
  readonly route: string;
  readonly params: { readonly [name: string]: unknown };
  readonly schema: z.ZodType<T>;
  readonly signal: AbortSignal;
};

export type Conditional<T> =
  | { readonly status: 'notModified' }
  | {
      readonly status: 'ok';
      readonly data: T;
      /** Null when GitHub gave none: the next read is unconditional. */
      readonly etag: string | null;
      /** Whether a list has a next page. */
      readonly more: boolean;
    };

export type GitHub = {
  /** @throws GitHubError */
  readonly read: <T>(call: Call<T>) => Promise<T>;
  /** Like `read`; null for 404 and 410. */
  readonly readOrNull: <T>(call: Call<T>) => Promise<T | null>;
  /** With the ETag of the last answer; "not modified" costs nothing of the rate limit. */
  readonly conditionalGet: <T>(
    call: Call<T>,
    validators: { readonly etag: string | null },
  ) => Promise<Conditional<T>>;
  /** Pages of 100, at most `maxPages`; `items` takes the list out of a page. `complete` is false when more was left. */
  readonly list: <Page, T>(
    call: Call<Page>,
    items: (page: Page) => readonly T[],
    maxPages: number,
  ) => Promise<{ readonly items: readonly T[]; readonly complete: boolean }>;
  /** The last pages of a list that only sorts upwards, newest item last. */
  readonly listEnd: <T>(call: Call<readonly T[]>, maxPages: number) => Promise<readonly T[]>;
  /**
   * A request that changes something. `assertMayWrite` runs right before it is sent; redirects are not followed.
   * @throws GitHubError whose `definite` says whether it certainly changed nothing
   */
  readonly write: <T>(call: Call<T> & { readonly assertMayWrite: () => void }) => Promise<T>;
  /** Asked once for the life of this client. */
  readonly account: (signal: AbortSignal) => Promise<Account>;
  /** The body behind a path that GitHub redirects to a storage; the token does not go there. */
  readonly download: (path: string, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
};

export type GitHubOptions = {
  /** No trailing slash. */
  readonly apiUrl: string;
  readonly token: string;
  readonly userAgent: string;
  readonly fetch?: typeof fetch;
  /** One request, answer included; default 15 s, shorter than a write may take. */
  readonly timeoutMs?: number;
  /** For tokens that may not ask `GET /user` (GitHub Apps). */
  readonly account?: Account;
};

type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly data: unknown;
};

const AccountShape = z.object({ login: z.string().min(1), id: z.int() });
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export function createGitHub(options: GitHubOptions): GitHub {
  const fetcher = options.fetch ?? fetch;
  const timeoutMs = options.timeoutMs ?? 15_000;
  const octokit = new Octokit({
    baseUrl: options.apiUrl,
    auth: options.token,
    userAgent: options.userAgent,
    log: silent,
    request: { fetch: fetcher },
  });
  let known: Promise<Account> | undefined;

  async function send(
    call: Pick<Call<unknown>, 'route' | 'params' | 'signal'>,
    headers: { readonly [name: string]: string },
    redirect: 'follow' | 'manual',
  ): Promise<Answer> {
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const response = await octokit.request(call.route, {
        ...call.params,
        headers: { 'x-github-api-version': '2022-11-28', ...headers },
        request: { signal, redirect },
      });
      // A body that broke off comes as an empty text.
      if (signal.aborted) throw connectionError(call.route, signal.reason);
      if (response.status >= 300)
        throw answerError(call.route, response.status, 'the repository has moved', response.headers, now());
      return response;
    } catch (error) {
      if (error instanceof GitHubError) throw error;
      const answer = answerOf(error);
      if (answer === undefined) throw connectionError(call.route, error);
      if (answer.status === 304) return { ...answer, data: null };
      throw answerError(
        call.route,
        answer.status,
        error instanceof Error ? error.message : '',
        answer.headers,
        now(),
      );
    }
  }

  const parse = <T>(call: Call<T>, data: unknown): T => {
    const parsed = call.schema.safeParse(data);
    if (parsed.success) return parsed.data;
    // What is in between (a proxy's login page, a half answer) says something else than JSON.
    if (typeof data === 'string')
      throw new GitHubError(
        'unexpected',
        `GitHub ${call.route}: the answer is not JSON; check that github.apiUrl is the address of the API and nothing in between answers instead`,
      );
    const issue = parsed.error.issues[0];
    const place = issue?.path.join('.') || 'the answer';
    throw new GitHubError(
      'unexpected',
      `GitHub ${call.route}: ${place}: ${issue?.message ?? 'not readable'}`,
    );
  };

  const conditionalGet: GitHub['conditionalGet'] = async (call, { etag }) => {
    const answer = await send(call, etag === null ? {} : { 'if-none-match': etag }, 'follow');
    if (answer.status === 304) return { status: 'notModified' };
    const given = answer.headers.etag;
    return {
      status: 'ok',
      data: parse(call, answer.data),
      etag: typeof given === 'string' && given.length <= 256 ? given : null,
      more: linkTo(answer.headers, 'next') !== undefined,
    };
  };

  const read = async <T>(call: Call<T>): Promise<T> => parse(call, (await send(call, {}, 'follow')).data);

  return {
    read,
    readOrNull: async (call) => {
      try {
        return await read(call);
      } catch (error) {
        if (error instanceof GitHubError && error.kind === 'notFound') return null;
        throw error;
      }
    },
    conditionalGet,
    list: async (call, items, maxPages) => {
      const all = [];
      for (let page = 1; page <= maxPages; page += 1) {
        const answer = await send({ ...call, params: { ...call.params, per_page: 100, page } }, {}, 'follow');
        all.push(...items(parse(call, answer.data)));
        if (linkTo(answer.headers, 'next') === undefined) return { items: all, complete: true };
      }
      return { items: all, complete: false };
    },
    listEnd: async (call, maxPages) => {
      const page = (number: number): Promise<Answer> =>
        send({ ...call, params: { ...call.params, per_page: 100, page: number } }, {}, 'follow');
      const first = await page(1);
      const last = Number(linkTo(first.headers, 'last')?.searchParams.get('page') ?? 1);
      const all = [];
      for (let number = Math.max(2, last - maxPages + 1); number <= last; number += 1)
        all.push(...parse(call, (await page(number)).data));
      return [...parse(call, first.data), ...all];
    },
    write: async (call) => {
      call.signal.throwIfAborted();
      call.assertMayWrite();
      return parse(call, (await send(call, {}, 'manual')).data);
    },
    account: (signal) => {
      if (options.account !== undefined) return Promise.resolve(options.account);
      const asked = known ?? read({ route: 'GET /user', params: {}, schema: AccountShape, signal });
      known = asked;
      asked.catch(() => {
        if (known === asked) known = undefined;
      });
      return asked;
    },
    download: async (path, signal) => {
      const what = `GET ${path}`;
      const get = async (url: string, headers: { readonly [name: string]: string }): Promise<Response> => {
        try {
          return await fetcher(url, {
            headers: { 'user-agent': options.userAgent, ...headers },
            redirect: 'manual',
            signal,
          });
        } catch (error) {
          throw connectionError(what, error);
        }
      };
      let response = await get(`${options.apiUrl}${path}`, { authorization: `Bearer ${options.token}` });
      for (let hop = 0; hop < 3 && response.status >= 300 && response.status < 400; hop += 1) {
        await response.body?.cancel();
        response = await get(storageUrl(what, response.headers.get('location'), options.apiUrl), {});
      }
      if (response.status === 200 && response.body !== null) return response.body;
      const headers = Object.fromEntries(response.headers);
      await response.body?.cancel();
      throw answerError(what, response.status, response.statusText, headers, now());
    },
  };
}

function now(): number {
  return Date.now();
}

/** Only https; http where the API itself is on this machine's http. */
function storageUrl(what: string, location: string | null, apiUrl: string): string {
  const url = location !== null && URL.canParse(location, apiUrl) ? new URL(location, apiUrl) : undefined;
  const local = url?.protocol === 'http:' && url.origin === new URL(apiUrl).origin;
  if (url === undefined || (url.protocol !== 'https:' && !local))
    throw new GitHubError('unexpected', `GitHub ${what}: redirects to an address that is not https`);
  return url.href;
}

/** What Octokit's error holds of an answer; undefined when there was none (its status 500 is then made up). */
function answerOf(error: unknown): Answer | undefined {
  if (typeof error !== 'object' || error === null || !('response' in error)) return undefined;
  const { response } = error;
  if (typeof response !== 'object' || response === null) return undefined;
  if (!('status' in response) || typeof response.status !== 'number') return undefined;
  const headers = 'headers' in response ? (response.headers as Headers) : {};
  return { status: response.status, headers, data: null };
}

function linkTo(headers: Headers, rel: 'next' | 'last'): URL | undefined {
  for (const part of String(headers.link ?? '').split(',')) {
    const match = /<([^<>]+)>;\s*rel="([a-z]+)"/.exec(part);
    if (match?.[2] === rel && match[1] !== undefined && URL.canParse(match[1])) return new URL(match[1]);
  }
  return undefined;
}

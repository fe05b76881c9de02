// A request with the redirects that follow it. What may hold credentials (headers of the settings, the body) goes to the host it was meant for and
// to no other; cookies go where they belong.
import { CookieJar } from 'tough-cookie';
import { textOf } from './body.ts';
import type { PreparedRequest } from './placeholders.ts';
import { type ProbeAnswer, probe } from './request.ts';

export type Exchange = {
  readonly status: number;
  /** Names in small letters; the last answer's. */
  readonly headers: ProbeAnswer['headers'];
  readonly text: string;
  readonly truncated: boolean;
  readonly redirects: number;
  /** The last answer came from another host or port than the one that was asked. */
  readonly elsewhere: boolean;
  /** Of the whole exchange. */
  readonly latencyMs: number;
  readonly firstByteMs: number;
};

/** Why the last redirect was not followed, in place of an answer. */
export type NotFollowed = {
  readonly notFollowed: string;
  readonly status: number;
  readonly redirects: number;
};

export function createJar(): CookieJar {
  return new CookieJar(undefined, { looseMode: true });
}

/** @throws RequestFailed, or the reason of the signal */
export async function exchange(
  prepared: PreparedRequest,
  options: { readonly maxRedirects: number; readonly jar: CookieJar; readonly signal: AbortSignal },
): Promise<Exchange | NotFollowed> {
  const { maxRedirects, jar, signal } = options;
  const startedMs = performance.now();
  let request = prepared;
  let elsewhere = false;
  for (let redirects = 0; ; redirects += 1) {
    const answer = await probe({ ...request, headers: await withCookies(request, jar), signal });
    await keepCookies(answer, request.url, jar);
    const { location } = answer.headers;
    const { status } = answer;
    if (![301, 302, 303, 307, 308].includes(status) || location === undefined || maxRedirects === 0)
      return {
        ...answer,
        text: textOf(answer.body, answer.headers['content-type']),
        redirects,
        elsewhere,
        latencyMs: performance.now() - startedMs,
      };
    if (redirects === maxRedirects)
      return { notFollowed: `more than ${maxRedirects} redirects`, status, redirects };
    const next = redirected(request, status, location);
    if (typeof next === 'string') return { notFollowed: next, status, redirects };
    elsewhere = !sameHost(prepared.url, next.url);
    request = next;
  }
}

/** The next request, or why there is none. */
function redirected(request: PreparedRequest, status: number, location: string): PreparedRequest | string {
  const url = URL.canParse(location, request.url.href) ? new URL(location, request.url) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return 'a redirect to something that is no http address';
  if (url.username !== '' || url.password !== '') return 'a redirect to an address with a user in it';
  // As browsers do: only 307 and 308 repeat the request as it was.
  const repeats = status === 307 || status === 308 || request.method === 'GET' || request.method === 'HEAD';
  const { body, ...rest } = request;
  const method = repeats ? request.method : 'GET';
  if (sameHost(request.url, url)) {
    const { 'content-type': type, ...headers } = request.headers;
    const kept = repeats || type === undefined ? request.headers : headers;
    return { ...rest, method, url, headers: kept, ...(repeats && body !== undefined ? { body } : {}) };
  }
  if (repeats && body !== undefined) return 'a redirect that sends the body to another host';
  return { method, url, headers: {} };
}

/** The same host and port, or the step from http to https there. */
function sameHost(from: URL, to: URL): boolean {
  if (from.origin === to.origin) return true;
  const upgrade = from.protocol === 'http:' && to.protocol === 'https:';
  return upgrade && from.hostname === to.hostname && from.port === '' && to.port === '';
}

async function withCookies(request: PreparedRequest, jar: CookieJar): Promise<PreparedRequest['headers']> {
  const own = request.headers.cookie;
  const kept = await jar.getCookieString(request.url.href);
  const cookie = [own, kept].filter((part) => part !== undefined && part !== '').join('; ');
  return cookie === '' ? request.headers : { ...request.headers, cookie };
}

async function keepCookies(answer: ProbeAnswer, url: URL, jar: CookieJar): Promise<void> {
  for (const line of (answer.headers['set-cookie'] ?? []).slice(0, 50)) {
    await jar.setCookie(line, url.href, { ignoreError: true });
  }
}

// What can go wrong with a request to GitHub, as plain classes, and above all: whether the request certainly had no effect.
// Holds GitHub's own words, never headers, tokens or what was sent (SEC-2).
import { codeOf, notConnected, oneLine } from '../http-failure.ts';

/**
 * `refused`: the connection never came about. `network`: it broke or took too long. `moved`: the repository has another name.
 * `unexpected`: an answer that does not fit what GitHub documents.
 */
export type GitHubErrorKind =
  | 'rateLimited'
  | 'permission'
  | 'notFound'
  | 'conflict'
  | 'invalid'
  | 'moved'
  | 'server'
  | 'refused'
  | 'network'
  | 'unexpected';

export class GitHubError extends Error {
  override readonly name = 'GitHubError';
  readonly kind: GitHubErrorKind;
  /** 0 where there was no answer. */
  readonly status: number;
  /** When GitHub says that asking again makes sense. */
  readonly retryAfterMs: number | undefined;
  /** True when the request certainly changed nothing; a 5xx, a reset or a timeout leaves it open (DUR-1). */
  readonly definite: boolean;

  constructor(
    kind: GitHubErrorKind,
    message: string,
    details: { readonly status?: number; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(message);
    this.kind = kind;
    this.status = details.status ?? 0;
    this.retryAfterMs = details.retryAfterMs;
    this.definite = kind !== 'server' && kind !== 'network' && kind !== 'unexpected';
  }
}

export function isNotFound(error: unknown): boolean {
  return error instanceof GitHubError && error.kind === 'notFound';
}

export type Headers = { readonly [name: string]: string | number | undefined };

const maxDelayMs = 3_600_000;
const secondaryLimitMs = 60_000;

/** The error for an answer of 3xx and above. `said`: GitHub's message; `what`: method and route. */
export function answerError(
  what: string,
  status: number,
  said: string,
  headers: Headers,
  nowMs: number,
): GitHubError {
  const limited = isRateLimit(status, said, headers);
  const kind = limited ? 'rateLimited' : kindOf(status);
  const retryAfterMs = limited
    ? (delayMs(headers, nowMs) ?? secondaryLimitMs)
    : status >= 500 || status === 408
      ? delayMs({ 'retry-after': headers['retry-after'] }, nowMs)
      : undefined;
  const hint = kind === 'moved' ? '; change github.repository or github.apiUrl in the tenant file' : '';
  return new GitHubError(kind, `GitHub ${what}: ${status} ${oneLine(said)}${hint}`, { status, retryAfterMs });
}

function kindOf(status: number): GitHubErrorKind {
  if (status >= 500 || status === 408) return 'server';
  if (status < 400) return 'moved';
  if (status === 401 || status === 403 || status === 451) return 'permission';
  if (status === 404 || status === 410) return 'notFound';
  if (status === 405 || status === 409 || status === 412 || status === 423) return 'conflict';
  return 'invalid';
}

function isRateLimit(status: number, said: string, headers: Headers): boolean {
  if (status === 429) return true;
  if (status !== 403) return false;
  return (
    headers['retry-after'] !== undefined ||
    String(headers['x-ratelimit-remaining'] ?? '') === '0' ||
    /rate limit|abuse detection/i.test(said)
  );
}

/** Bounded to an hour. The reset is a time of GitHub's clock, so it counts from GitHub's date where that is given. */
function delayMs(headers: Headers, nowMs: number): number | undefined {
  const bounded = (ms: number): number => Math.min(maxDelayMs, Math.max(1_000, Math.ceil(ms)));
  const serverMs = Date.parse(String(headers.date ?? ''));
  const clockMs = Number.isNaN(serverMs) ? nowMs : serverMs;
  const after = headers['retry-after'];
  if (after !== undefined) {
    const seconds = Number(after);
    if (Number.isFinite(seconds)) return bounded(seconds * 1_000);
    const atMs = Date.parse(String(after));
    if (!Number.isNaN(atMs)) return bounded(atMs - clockMs);
  }
  const reset = Number(headers['x-ratelimit-reset'] ?? Number.NaN);
  return Number.isFinite(reset) ? bounded(reset * 1_000 - clockMs) : undefined;
}

/** The error for a request without an answer. */
export function connectionError(what: string, error: unknown): GitHubError {
  const code = codeOf(error);
  if (code !== undefined && notConnected.has(code))
    return new GitHubError('refused', `GitHub ${what}: cannot connect (${code})`);
  return new GitHubError(
    'network',
    `GitHub ${what}: no answer (${code ?? (error instanceof Error ? error.name : 'error')})`,
  );
}

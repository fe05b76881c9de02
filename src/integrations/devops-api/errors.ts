// How a call of a tenant's DevOps API fails, and above all: whether it certainly changed nothing. Holds no secret and no text of the server.
import type { RequestFailed } from '../health/http/request.ts';

/**
 * `refused`: nothing was sent. `network`: it broke or took too long. `permission`: the secret is wrong. `notFound`: the backend has no such route.
 * `unexpected`: an answer that does not fit.
 */
export type DevopsApiErrorKind =
  | 'refused'
  | 'network'
  | 'permission'
  | 'notFound'
  | 'rateLimited'
  | 'invalid'
  | 'moved'
  | 'server'
  | 'unexpected';

type NoAnswer = Pick<RequestFailed, 'stage' | 'code'>;

export class DevopsApiError extends Error {
  override readonly name = 'DevopsApiError';
  readonly kind: DevopsApiErrorKind;
  /** 0 where there was no answer. */
  readonly status: number;
  /** When it says that asking again makes sense. */
  readonly retryAfterMs: number | undefined;
  /** True when the request certainly changed nothing; a 5xx, a reset or a timeout leaves it open (DUR-1). */
  readonly definite: boolean;
  /** How far it came, where there was no answer. */
  readonly noAnswer: NoAnswer | undefined;

  constructor(
    kind: DevopsApiErrorKind,
    message: string,
    details: {
      readonly status?: number;
      readonly retryAfterMs?: number | undefined;
      readonly noAnswer?: NoAnswer;
    } = {},
  ) {
    super(message);
    this.kind = kind;
    this.status = details.status ?? 0;
    this.retryAfterMs = details.retryAfterMs;
    this.noAnswer = details.noAnswer;
    this.definite = kind !== 'server' && kind !== 'network' && kind !== 'unexpected';
  }
}

const maxDelayMs = 3_600_000;

/** The error for an answer that is no 2xx. `what`: method and route. */
export function answerError(what: string, status: number, retryAfter: string | undefined): DevopsApiError {
  const failed = (kind: DevopsApiErrorKind, words: string, retryAfterMs?: number): DevopsApiError =>
    new DevopsApiError(kind, `DevOps API: ${what}: ${words} (${status})`, { status, retryAfterMs });
  if (status === 401 || status === 403) return failed('permission', 'the secret is not accepted');
  if (status === 404 || status === 405) return failed('notFound', 'the backend has no such route');
  if (status === 429) return failed('rateLimited', 'too many requests', secondsOf(retryAfter));
  if (status >= 500) return failed('server', 'the backend failed', secondsOf(retryAfter));
  if (status >= 400) return failed('invalid', 'the request was refused');
  if (status >= 300)
    return failed('moved', 'a redirect, which is not followed: give the address it leads to');
  return failed('unexpected', 'an answer that does not fit');
}

function secondsOf(retryAfter: string | undefined): number | undefined {
  const seconds = /^\d{1,9}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined;
  return seconds === undefined ? undefined : Math.min(seconds * 1000, maxDelayMs);
}

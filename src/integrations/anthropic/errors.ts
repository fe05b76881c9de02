// What can go wrong with a call of the model, by what is to be done about it and by whether it may have cost something. Holds the provider's own
// words, never the key or what was sent (SEC-2).
import { APIConnectionError, APIError, APIUserAbortError } from '@anthropic-ai/sdk';
import { codeOf, notConnected, oneLine } from '../http-failure.ts';
import { AnswerBroken } from './answer.ts';

/**
 * `busy`: later, it cost nothing (overloaded, rate limit). `unsent`: no connection came about. `unknown`: no whole answer; it may have cost all
 * that was asked for. `settings`: key, permission, address, model name or account: a person changes something. `refused`: this very request is
 * wrong, and would be again. `cancelled`: we ended it.
 */
export type ClaudeErrorKind = 'busy' | 'unsent' | 'unknown' | 'settings' | 'refused' | 'cancelled';

export class ClaudeError extends Error {
  override readonly name = 'ClaudeError';
  readonly kind: ClaudeErrorKind;
  /** When the provider says that asking again makes sense. */
  readonly retryAfterMs: number | undefined;
  constructor(kind: ClaudeErrorKind, message: string, retryAfterMs?: number) {
    super(message);
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }
}

const maxDelayMs = 300_000;
const settingsStatus: ReadonlySet<number> = new Set([401, 402, 403, 404]);
/** The server's own word first (`x-should-retry`), then the status: 408, 409, 429 and 5xx pass, other 4xx do not. */
export function kindOfStatus(
  status: number,
  type: string | null,
  shouldRetry: string | null,
): ClaudeErrorKind {
  if (settingsStatus.has(status) || type === 'billing_error') return 'settings';
  if (shouldRetry === 'true') return 'busy';
  // A limit that waiting does not lift is the account's.
  if (shouldRetry === 'false') return status === 429 ? 'settings' : 'refused';
  if (status === 408 || status === 409 || status === 429 || status >= 500) return 'busy';
  return status < 400 ? 'settings' : 'refused';
}

/** Any error of a call as a ClaudeError. `nowMs`: for a Retry-After that is a date. */
export function claudeError(error: unknown, nowMs: number): ClaudeError {
  if (error instanceof ClaudeError) return error;
  if (error instanceof APIUserAbortError || nameOf(error) === 'AbortError')
    return new ClaudeError('cancelled', 'cancelled');
  if (error instanceof APIConnectionError) {
    const code = codeOf(error);
    if (code !== undefined && notConnected.has(code))
      return new ClaudeError('unsent', `the model API cannot be reached (${code})`);
    return new ClaudeError('unknown', `the model API gave no answer (${code ?? nameOf(error)})`);
  }
  if (error instanceof APIError) {
    const said = oneLine(messageOf(error));
    // An error in the middle of a stream has no status of its own; what came before it may be charged for.
    if (typeof error.status !== 'number')
      return new ClaudeError('unknown', `the model API broke off: ${error.type ?? 'error'} ${said}`);
    const headers = error.headers as Headers | undefined;
    const kind = kindOfStatus(error.status, error.type ?? null, headers?.get('x-should-retry') ?? null);
    return new ClaudeError(
      kind,
      `the model API answered ${error.status}: ${said}`,
      retryAfterMs(headers, nowMs),
    );
  }
  if (error instanceof AnswerBroken) return new ClaudeError('unknown', `the model API: ${error.message}`);
  if (error instanceof SyntaxError)
    return new ClaudeError('unknown', 'the model API: the answer is not JSON');
  const code = codeOf(error);
  return new ClaudeError('unknown', `the model API gave no whole answer (${code ?? nameOf(error)})`);
}

/** Bounded to five minutes. */
function retryAfterMs(headers: Headers | undefined, nowMs: number): number | undefined {
  const given = headers?.get('retry-after') ?? null;
  if (given === null) return undefined;
  const seconds = Number(given);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(given) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(maxDelayMs, Math.max(1_000, Math.ceil(ms)));
}

function messageOf(error: APIError): string {
  const body: unknown = error.error;
  if (typeof body === 'object' && body !== null && 'error' in body) {
    const { error: inner } = body;
    if (typeof inner === 'object' && inner !== null && 'message' in inner) return String(inner.message);
  }
  return error.message;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'error';
}

// What went wrong with a request to Railway, above all whether a write certainly did not happen. Railway gives its errors in a 200 with the code
// INTERNAL_SERVER_ERROR, for a missing permission as for a fault of its own, so its words decide. Pure; holds neither token nor values.
import { codeOf, notConnected, oneLine } from '../http-failure.ts';
import { ProviderFailure } from '../provider/provider.ts';

export type GraphQLFault = {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions?: { readonly code?: unknown } | undefined;
};

const maxDelayMs = 3_600_000;
/** Where a limit comes without `Retry-After`. */
const usualDelayMs = 60_000;

const notAllowed = /not authorized|unauthorized|token not found|forbidden|two factor/i;
const limited = /rate.?limit|too (?:many|quickly)/i;
/** What may have been done before it went wrong. The first is what Railway says instead of an error that it does not show. */
const unclear =
  /problem processing request|time[d ]?[- ]?out|internal|unexpected|temporar|unavailable|try again|connection|ECONN/i;

/** `Retry-After` in ms, in seconds or as a date; at least a second, at most an hour. */
export function retryAfterMs(given: string | null, nowMs: number): number | undefined {
  if (given === null || given.trim() === '') return undefined;
  const seconds = Number(given);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(given) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(maxDelayMs, Math.max(1_000, Math.ceil(ms)));
}

/** For an answer that is no 200. `what`: the operation's name; `hidden`: what must not stand in the message. */
export function statusFailure(
  what: string,
  status: number,
  said: string,
  retryAfter: string | null,
  nowMs: number,
  hidden?: string,
): ProviderFailure {
  const delayMs = retryAfterMs(retryAfter, nowMs);
  if (status === 429)
    return new ProviderFailure(`Railway ${what}: 429, too many requests with this token`, {
      kind: 'limited',
      retryAfterMs: delayMs ?? usualDelayMs,
    });
  const message = `Railway ${what}: ${status} ${oneLine(without(said, hidden))}`;
  if (status >= 500 || status === 408)
    return new ProviderFailure(message, {
      kind: 'doubt',
      ...(delayMs === undefined ? {} : { retryAfterMs: delayMs }),
    });
  if (status === 401 || status === 403)
    return new ProviderFailure(`${message}${tokenHint}`, { kind: 'denied' });
  const hint = status < 400 || status === 404 ? '; check services.provider.apiUrl' : '';
  return new ProviderFailure(`${message}${hint}`, { kind: 'refused' });
}

/** For `errors` in an answer; the one that leaves most open counts. */
export function faultFailure(
  what: string,
  faults: readonly GraphQLFault[],
  hidden?: string,
): ProviderFailure {
  const said = oneLine(without(faults.map(({ message }) => message).join('; '), hidden));
  const message = `Railway ${what}: ${said}`;
  if (faults.some(isUnclear)) return new ProviderFailure(message, { kind: 'doubt' });
  if (faults.some((fault) => limited.test(fault.message)))
    return new ProviderFailure(message, { kind: 'limited', retryAfterMs: usualDelayMs });
  if (faults.some((fault) => notAllowed.test(fault.message)))
    return new ProviderFailure(`${message}${tokenHint}`, { kind: 'denied' });
  return new ProviderFailure(message, { kind: 'refused' });
}

/** For a request without a whole answer. */
export function connectionFailure(what: string, error: unknown): ProviderFailure {
  const code = codeOf(error);
  if (code !== undefined && notConnected.has(code))
    return new ProviderFailure(`Railway ${what}: cannot connect (${code}); check services.provider.apiUrl`, {
      kind: 'unreached',
      cause: error,
    });
  const name = code ?? (error instanceof Error ? error.name : 'error');
  return new ProviderFailure(`Railway ${what}: no answer (${name})`, { kind: 'doubt', cause: error });
}

/** GraphQL repeats a value that it cannot take, escaped or not. Words that hold even a short one are not shown at all. */
function without(said: string, hidden: string | undefined): string {
  if (hidden === undefined || hidden === '') return said;
  const escaped = JSON.stringify(hidden).slice(1, -1);
  return said.includes(hidden) || said.includes(escaped)
    ? 'what it said is not shown, because it repeats the value'
    : said;
}

/** An error below the mutation's own field comes after the mutation was done. */
function isUnclear({ message, path, extensions }: GraphQLFault): boolean {
  if ((path?.length ?? 0) > 1) return true;
  const code = typeof extensions?.code === 'string' ? extensions.code : '';
  return /TIMEOUT|UNAVAILABLE/.test(code) || (unclear.test(message) && !notAllowed.test(message));
}

const tokenHint =
  '; check services.provider.token and tokenKind: a project token is for one environment, an account token needs the ids of both';

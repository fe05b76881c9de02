// Requests and answers as plain values, and the router over them, so that a fault can do a request later or
// answer without doing it. Knows nothing of sockets.
import type { ForgeState, User } from '../state.ts';

export interface ForgeRequest {
  readonly method: string;
  /** As sent, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Path with query, as sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

export interface ForgeResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** An error with GitHub's status and message. */
export class ApiError extends Error {
  readonly status: number;
  readonly errors: readonly unknown[];

  constructor(status: number, message: string, errors: readonly unknown[] = []) {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

export interface Call {
  readonly state: ForgeState;
  readonly request: ForgeRequest;
  readonly params: Readonly<Record<string, string>>;
  readonly actor: User;
}

export interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly handle: (call: Call) => ForgeResponse | Promise<ForgeResponse>;
}

/**
 * A route. `:name` takes one segment, `*name` takes the rest; both are percent-decoded.
 */
export function route(method: string, path: string, handle: Route['handle']): Route {
  const source = path
    .replace(/[.]/g, '\\.')
    .replace(/:(\w+)/g, '(?<$1>[^/]+)')
    .replace(/\*(\w+)/g, '(?<$1>.+)');
  return { method, pattern: new RegExp(`^${source}$`), handle };
}

/** The route for a request with its parameters; null where there is none. */
export function findRoute(
  routes: readonly Route[],
  request: ForgeRequest,
): { route: Route; params: Record<string, string> } | null {
  for (const candidate of routes) {
    if (candidate.method !== request.method) continue;
    const match = candidate.pattern.exec(request.path);
    if (match === null) continue;
    const params: Record<string, string> = {};
    for (const [name, value] of Object.entries(match.groups ?? {})) params[name] = decodeURIComponent(value);
    return { route: candidate, params };
  }
  return null;
}

export function param(call: Call, name: string): string {
  const value = call.params[name];
  if (value === undefined) throw new Error(`route has no parameter ${name}`);
  return value;
}

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): ForgeResponse {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

export function empty(status: number, headers: Record<string, string> = {}): ForgeResponse {
  return { status, headers, body: Buffer.alloc(0) };
}

/** The request's JSON object; 400 where it is none, as GitHub answers. */
export function bodyOf(call: Call): Record<string, unknown> {
  if (call.request.body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(call.request.body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
    if (Array.isArray(value)) return { items: value };
  } catch {
    // Answered below.
  }
  throw new ApiError(400, 'Problems parsing JSON');
}

export function validationFailed(resource: string, field: string, code: string, message?: string): ApiError {
  return new ApiError(422, 'Validation Failed', [
    { resource, field, code, ...(message === undefined ? {} : { message }) },
  ]);
}

/** A required, non-empty string of the body. */
export function requiredText(body: Record<string, unknown>, resource: string, field: string): string {
  const value = body[field];
  if (typeof value !== 'string' || value.trim() === '')
    throw validationFailed(resource, field, 'missing_field');
  return value;
}

export function optionalText(body: Record<string, unknown>, field: string): string | undefined {
  const value = body[field];
  return typeof value === 'string' ? value : undefined;
}

/** Names out of `["a"]` or `[{ "name": "a" }]`. */
export function namesOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  const items: readonly unknown[] = value;
  return items.flatMap((item) => {
    if (typeof item === 'string') return [item];
    if (typeof item === 'object' && item !== null && 'name' in item && typeof item.name === 'string')
      return [item.name];
    return [];
  });
}

/**
 * One page of a list with GitHub's `Link` header (`prev`, `next`, `first`, `last`); per_page 30, at most 100.
 */
export function page<T>(
  call: Call,
  items: readonly T[],
): { items: readonly T[]; headers: Record<string, string> } {
  const { query, path } = call.request;
  const perPage = Math.min(100, Math.max(1, Number(query.get('per_page') ?? 30) || 30));
  const current = Math.max(1, Number(query.get('page') ?? 1) || 1);
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const link = (to: number, rel: string): string => {
    const next = new URLSearchParams(query);
    next.set('page', String(to));
    return `<${call.state.url}${path}?${next.toString()}>; rel="${rel}"`;
  };
  const links = [
    ...(current > 1 ? [link(current - 1, 'prev')] : []),
    ...(current < last ? [link(current + 1, 'next'), link(last, 'last')] : []),
    ...(current > 1 ? [link(1, 'first')] : []),
  ];
  return {
    items: items.slice((current - 1) * perPage, current * perPage),
    headers: links.length === 0 ? {} : { link: links.join(', ') },
  };
}

/** GitHub's `since`: only what was updated at that time or later. */
export function updatedSince<T extends { readonly updatedAt: number }>(
  call: Call,
  items: readonly T[],
): readonly T[] {
  const since = call.request.query.get('since');
  if (since === null) return items;
  const sinceMs = Date.parse(since);
  if (Number.isNaN(sinceMs))
    throw new ApiError(422, 'Validation Failed', [{ field: 'since', code: 'invalid' }]);
  return items.filter((item) => Math.floor(item.updatedAt / 1000) >= Math.floor(sinceMs / 1000));
}

/** GitHub's time: ISO, UTC, seconds. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

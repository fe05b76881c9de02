// The routes of a tenant's backend and frontend as functions over its state. Undefined: there is no such route.
import type { FaultBox } from './faults.ts';
import { logIn, removeOrphans, removeStaleSessions, type Session, type ShopState } from './shop-state.ts';

export type ShopRequest = {
  readonly method: string;
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
  /** Names in small letters. */
  readonly headers: { readonly [name: string]: string | undefined };
  readonly body: string;
};

export type ShopAnswer = {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string | readonly string[] };
  readonly body?: string;
};

export type Shop = { readonly state: ShopState; readonly faults: FaultBox; readonly devopsSecret: string };

export const frontPage =
  '<!doctype html><html><head><title>Shop</title></head><body><h1>Welcome to the shop</h1></body></html>';
export const brokenPage =
  '<!doctype html><html><head><title>Shop</title></head><body><div id="root"></div></body></html>';

export function frontend(request: ShopRequest): ShopAnswer | undefined {
  if (request.path !== '/' || (request.method !== 'GET' && request.method !== 'HEAD')) return undefined;
  return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: frontPage };
}

export function backend(shop: Shop, request: ShopRequest): ShopAnswer | undefined {
  if (request.path.startsWith('/api/devops/')) return devops(shop, request);
  const databaseDown = shop.faults.has('databaseDown');
  switch (`${request.method} ${request.path}`) {
    case 'GET /health':
    case 'HEAD /health':
      return databaseDown
        ? json(503, { status: 'unhealthy', db: { up: false } })
        : json(200, { status: 'ok', db: { up: true }, version: '1.4.2' });
    case 'POST /api/login':
      return databaseDown ? json(500, { error: 'internal' }) : jsonLogin(shop, request);
    case 'GET /api/me':
      return databaseDown ? json(500, { error: 'internal' }) : me(shop, request);
    case 'GET /login':
      return {
        status: 200,
        headers: {
          'content-type': 'text/html',
          'set-cookie': 'csrf=c5rf70k3n; Path=/',
          'x-csrf': 'c5rf70k3n',
        },
        body: '<form method="post"></form>',
      };
    case 'POST /login':
      return formLogin(shop, request);
    case 'GET /account':
      return account(shop, request);
    default:
      return undefined;
  }
}

function devops({ state, faults, devopsSecret }: Shop, request: ShopRequest): ShopAnswer | undefined {
  const route = `${request.method} ${request.path}`;
  const known = [
    'GET /api/devops/health',
    'GET /api/devops/stats',
    'DELETE /api/devops/cleanup/stale-sessions',
    'DELETE /api/devops/cleanup/orphans',
  ];
  if (!known.includes(route)) return undefined;
  if (request.headers['x-devops-secret'] !== devopsSecret) return json(401, { error: 'unauthorized' });
  const stale = state.sessions.filter((session) => session.stale).length;
  switch (route) {
    case 'GET /api/devops/health': {
      const checks = {
        database: { status: faults.has('databaseDown') ? 'down' : 'up' },
        sessions: { status: state.sessions.length >= state.sessionLimit ? 'full' : 'ok' },
      };
      const healthy = checks.database.status === 'up' && checks.sessions.status === 'ok';
      return json(200, { status: healthy ? 'healthy' : 'unhealthy', checks, internal: { host: '10.1.2.3' } });
    }
    case 'GET /api/devops/stats':
      return json(200, {
        users: state.users.size,
        sessions: { active: state.sessions.length - stale, stale },
        orphans: state.orphans,
        node: 'worker-7',
      });
    case 'DELETE /api/devops/cleanup/stale-sessions':
      return json(200, { removed: removeStaleSessions(state) });
    default:
      return json(200, { removed: removeOrphans(state) });
  }
}

function jsonLogin({ state, faults }: Shop, request: ShopRequest): ShopAnswer {
  if (request.headers['content-type'] !== 'application/json') return json(415, { error: 'JSON only' });
  const given = parsed(request.body);
  const session = faults.has('loginRefused') ? 'refused' : logIn(state, given.email, given.password);
  if (session === 'refused') return json(401, { error: 'wrong email or password' });
  if (session === 'full') return json(503, { error: 'too many sessions' });
  const cookie = `sid=${session.id}; Path=/; HttpOnly`;
  return json(200, { session: { token: session.token }, role: 'canary' }, { 'set-cookie': cookie });
}

function me({ state }: Shop, request: ShopRequest): ShopAnswer {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  const session = state.sessions.find((one) => one.token === token);
  return session === undefined ? json(401, { error: 'no session' }) : json(200, { email: session.email });
}

function formLogin({ state, faults }: Shop, request: ShopRequest): ShopAnswer {
  const given = new URLSearchParams(request.body);
  const csrf = cookieOf(request, 'csrf');
  if (csrf === undefined || request.headers['x-csrf'] !== csrf) return json(403, { error: 'csrf' });
  const refused = faults.has('loginRefused');
  const session = refused ? 'refused' : logIn(state, given.get('email'), given.get('password'));
  if (typeof session === 'string') return { status: 302, headers: { location: '/login?failed' } };
  return {
    status: 302,
    headers: { location: '/account', 'set-cookie': `sid=${session.id}; Path=/; HttpOnly` },
  };
}

function account({ state }: Shop, request: ShopRequest): ShopAnswer {
  const session: Session | undefined = state.sessions.find(({ id }) => id === cookieOf(request, 'sid'));
  if (session === undefined) return { status: 302, headers: { location: '/login' } };
  return {
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: `<p>Signed in as ${session.email}</p>`,
  };
}

function cookieOf(request: ShopRequest, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split('; ').map((pair) => pair.split('='));
  return pairs.find(([key]) => key === name)?.[1];
}

function parsed(body: string): { readonly [field: string]: unknown } {
  try {
    return Object(JSON.parse(body)) as { readonly [field: string]: unknown };
  } catch {
    return {};
  }
}

function json(status: number, value: unknown, headers: ShopAnswer['headers'] = {}): ShopAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

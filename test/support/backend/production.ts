// A tenant's production: backend and frontend over HTTP or HTTPS, with state, faults to switch on, and a journal. Strict: a request to a route that
// does not exist is answered 404 and fails `verify`.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerCertificate } from './certificates.ts';
import { createFaultBox, type Fault, type FaultWish, type Side } from './faults.ts';
import { backend, brokenPage, frontend, type ShopAnswer, type ShopRequest } from './routes.ts';
import { addSession, createShopState, type ShopState } from './shop-state.ts';

export type JournalEntry = ShopRequest & {
  readonly side: Side;
  /** 0 until there is an answer. */
  readonly status: number;
};

export type Production = {
  /** No trailing slash. */
  readonly backendUrl: string;
  readonly frontendUrl: string;
  readonly devopsSecret: string;
  readonly canary: { readonly email: string; readonly password: string };
  readonly state: ShopState;
  /** On until `heal`, or for so many requests. */
  readonly fail: (fault: FaultWish) => void;
  /** All faults off, and up again. */
  readonly heal: () => Promise<void>;
  /** Nobody listens: connections are refused. */
  readonly down: (side: Side) => Promise<void>;
  readonly up: (side: Side) => Promise<void>;
  /** Sessions of users who went away long ago. */
  readonly addStaleSessions: (count: number) => void;
  /** From the next handshake on; only of a production with a certificate. */
  readonly useCertificate: (certificate: ServerCertificate) => void;
  /** In the order in which they came. */
  readonly requests: (side?: Side) => readonly JournalEntry[];
  /** @throws Error for requests to routes that do not exist */
  readonly verify: () => void;
  readonly close: () => Promise<void>;
};

export async function startProduction(
  options: {
    readonly certificate?: ServerCertificate;
    /** `127.0.0.1`, `::1`. */
    readonly host?: string;
    readonly devopsSecret?: string;
    readonly canary?: { readonly email: string; readonly password: string };
  } = {},
): Promise<Production> {
  const { certificate, host = '127.0.0.1' } = options;
  const devopsSecret = options.devopsSecret ?? 'devops-s3cret-of-the-shop';
  const canary = options.canary ?? { email: 'canary@shop.example', password: 'c4nary-p4ssword' };
  const state = createShopState(canary);
  const faults = createFaultBox();
  const journal: { -readonly [Key in keyof JournalEntry]: JournalEntry[Key] }[] = [];
  const problems: string[] = [];

  const serve = async (side: Side, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const request = await read(incoming);
    const entry = { ...request, side, status: 0 };
    journal.push(entry);
    outgoing.on('finish', () => {
      entry.status = outgoing.statusCode;
    });
    const fault = faults.meet(side, request.path);
    if (fault !== undefined && (await goWrong(fault, request, incoming, outgoing)) === 'done') return;
    const shop = { state, faults, devopsSecret };
    const answer = side === 'backend' ? backend(shop, request) : frontend(request);
    if (answer === undefined) problems.push(`${side}: ${request.method} ${request.path}`);
    send(outgoing, answer ?? { status: 404, body: 'Not found' });
  };

  const listener = (side: Side) => (incoming: IncomingMessage, outgoing: ServerResponse) => {
    serve(side, incoming, outgoing).catch(() => outgoing.destroy());
  };
  const servers: { readonly [Of in Side]: Server } = {
    backend: create(certificate, listener('backend')),
    frontend: create(certificate, listener('frontend')),
  };
  const ports = {
    backend: await listen(servers.backend, host, 0),
    frontend: await listen(servers.frontend, host, 0),
  };
  const name = host.includes(':') ? `[${host}]` : certificate === undefined ? host : 'localhost';
  const address = (side: Side): string =>
    `${certificate === undefined ? 'http' : 'https'}://${name}:${ports[side]}`;
  const up = async (side: Side): Promise<void> => {
    if (!servers[side].listening) await listen(servers[side], host, ports[side]);
  };

  return {
    backendUrl: address('backend'),
    frontendUrl: address('frontend'),
    devopsSecret,
    canary,
    state,
    fail: faults.add,
    heal: async () => {
      faults.clear();
      await up('backend');
      await up('frontend');
    },
    down: async (side) => stop(servers[side]),
    up,
    addStaleSessions: (count) => {
      for (let n = 0; n < count; n += 1) addSession(state, `gone-${n}@shop.example`, true);
    },
    useCertificate: (next) => {
      for (const server of Object.values(servers)) {
        if ('setSecureContext' in server && typeof server.setSecureContext === 'function')
          server.setSecureContext(next);
      }
    },
    requests: (side) => journal.filter((entry) => side === undefined || entry.side === side),
    verify: () => {
      if (problems.length > 0) throw new Error(`production: no such routes: ${problems.join('; ')}`);
    },
    close: async () => {
      await stop(servers.backend);
      await stop(servers.frontend);
    },
  };
}

function create(
  certificate: ServerCertificate | undefined,
  listener: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
): Server {
  const server =
    certificate === undefined ? createServer(listener) : createSecureServer(certificate, listener);
  server.requestTimeout = 0;
  // A client that refuses the certificate, or goes away, is no problem of the server.
  server.on('tlsClientError', () => {});
  server.on('clientError', (_error, socket) => socket.destroy());
  return server;
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

async function read(incoming: IncomingMessage): Promise<ShopRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(incoming.headers))
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  const { pathname, search } = new URL(incoming.url ?? '/', 'http://shop');
  return {
    method: incoming.method ?? 'GET',
    path: pathname,
    query: search,
    headers,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

/** `done`: there is nothing more to answer. */
async function goWrong(
  fault: Fault,
  request: ShopRequest,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<'done' | 'goOn'> {
  switch (fault.kind) {
    case 'status':
      send(outgoing, { status: fault.status ?? 500, body: 'Internal Server Error' });
      return 'done';
    case 'slow':
      await delay(fault.ms);
      return 'goOn';
    case 'hang':
      return 'done';
    case 'reset':
      incoming.socket.resetAndDestroy();
      return 'done';
    case 'wrongContent':
      send(outgoing, { status: 200, headers: { 'content-type': 'text/html' }, body: brokenPage });
      return 'done';
    case 'answer':
      fault.by(incoming, outgoing, request.body);
      return 'done';
    default:
      return 'goOn';
  }
}

function send(outgoing: ServerResponse, { status, headers = {}, body = '' }: ShopAnswer): void {
  outgoing.writeHead(
    status,
    Object.fromEntries(Object.entries(headers).map(([of, value]) => [of, [value].flat()])),
  );
  outgoing.end(body);
}

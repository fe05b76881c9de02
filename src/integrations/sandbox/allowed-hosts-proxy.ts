// The only way out of a set-up (CI-6, SEC-3): an HTTP proxy in the worker, on a unix socket that one sandbox sees. It passes CONNECT and plain HTTP to
// hosts of `ci.setup.registries`, connects to addresses it resolved and checked itself, bounds connections and bytes, and keeps what it refused.
import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import {
  addressesOf,
  allowance,
  HostRefused,
  notListed,
  parseTarget,
  plainHost,
  type Resolve,
  type Target,
} from './allowed-hosts.ts';
import type { Upstream } from './upstream-proxy.ts';

export type ProxySettings = {
  /** Entries of `ci.setup.registries`. */
  readonly registries: readonly string[];
  readonly resolve: Resolve;
  /** The worker's own proxy for a target; then that one resolves the name, and only the list is checked here. */
  readonly upstream: (target: Target, scheme: 'http' | 'https') => Upstream | undefined;
  /** Both directions of all connections together. */
  readonly maxBytes: number;
  readonly maxConnections: number;
};

export type AllowedHostsProxy = {
  /** The folder to show to the sandbox; the socket in it is `SOCKET_NAME`. */
  readonly folder: string;
  /** A line for each host that was refused or could not be reached, at most 50. */
  readonly refusals: () => readonly string[];
  /** Ends all connections. */
  readonly close: () => Promise<void>;
};

export const SOCKET_NAME = 'proxy.sock';

const connectTimeoutMs = 20_000;
const idleTimeoutMs = 120_000;
const meterMs = 200;
const maxRefusals = 50;
const hopByHop = new Set([
  'connection',
  'proxy-connection',
  'proxy-authorization',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Opens the proxy of one set-up. */
export async function openAllowedHostsProxy(settings: ProxySettings): Promise<AllowedHostsProxy> {
  // Nobody else of the machine comes through the outer folder; the sandbox sees the inner one, as its own user.
  const outer = await mkdtemp(join(tmpdir(), 'untilgreen-setup-'));
  const folder = join(outer, 'way');
  await mkdir(folder, { mode: 0o755 });
  const refused = new Map<string, string>();
  const sockets = new Set<Socket>();
  const remotes = new Set<Socket>();
  let closedBytes = 0;

  const note = (target: string, why: string): void => {
    const name = target.replace(/[^\x21-\x7e]/g, '?').slice(0, 260);
    if (refused.size < maxRefusals || refused.has(name)) refused.set(name, why);
  };
  const watch = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {}); // its end is what counts
    socket.on('close', () => sockets.delete(socket));
    socket.setTimeout(idleTimeoutMs, () => socket.destroy());
  };
  /** Why the target is not reached, kept for the evidence and told to the sandbox. */
  const reasonOf = (target: string, error: unknown): { status: 403 | 502; text: string } => {
    const message = error instanceof Error ? error.message : String(error);
    note(target, message);
    return { status: error instanceof HostRefused ? 403 : 502, text: `${target}: ${message}\n` };
  };
  const tooMuch = (): boolean =>
    [...remotes].reduce((sum, one) => sum + bytesOf(one), closedBytes) > settings.maxBytes;
  const tooMuchText = `more than ${settings.maxBytes} bytes in one set-up`;
  const remote = async (target: Target, scheme: 'http' | 'https'): Promise<Socket> => {
    if (tooMuch()) throw new HostRefused(tooMuchText);
    const socket = await openRemote(target, scheme, settings);
    watch(socket);
    remotes.add(socket);
    socket.on('close', () => {
      remotes.delete(socket);
      closedBytes += bytesOf(socket);
    });
    return socket;
  };
  const meter = setInterval(() => {
    if (!tooMuch()) return;
    note('more', tooMuchText);
    for (const socket of sockets) socket.destroy();
  }, meterMs);

  const server = createServer({ keepAliveTimeout: 5_000 }, (request, response) => {
    passOn(request, response, settings, remote).catch((error: unknown) => {
      const reason = reasonOf(nameOf(request.url ?? ''), error);
      if (response.headersSent) response.destroy();
      else
        response
          .writeHead(reason.status, { 'content-type': 'text/plain', connection: 'close' })
          .end(reason.text);
    });
  });
  server.maxConnections = settings.maxConnections;
  server.on('connection', watch);
  server.on('clientError', (_error, socket) => socket.destroy());
  server.on('connect', (request, client: Socket, head) => {
    const text = request.url ?? '';
    const open = async (): Promise<void> => {
      const target = parseTarget(text);
      if (target === undefined) throw new HostRefused('not a host and port');
      const socket = await remote(target, 'https');
      if (client.destroyed) return void socket.destroy();
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) socket.write(head);
      pipeline(client, socket, () => {});
      pipeline(socket, client, () => {});
    };
    open().catch((error: unknown) => {
      const { status, text: body } = reasonOf(text, error);
      const name = status === 403 ? 'Forbidden' : 'Bad Gateway';
      client.end(
        `HTTP/1.1 ${status} ${name}\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    });
  });

  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    clearInterval(meter);
    for (const socket of sockets) socket.destroy();
    await closed;
    await rm(outer, { recursive: true, force: true });
  };
  try {
    const path = join(folder, SOCKET_NAME);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
    await chmod(path, 0o666);
  } catch (error) {
    clearInterval(meter);
    await rm(outer, { recursive: true, force: true });
    throw error;
  }
  return {
    folder,
    refusals: () => [...refused].map(([target, why]) => `set-up asked for ${target}: ${why}`),
    close,
  };
}

/** One plain request, on a connection of its own. The host is the one of the address: what a `Host` header says is not asked. */
async function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  settings: ProxySettings,
  remote: (target: Target, scheme: 'http' | 'https') => Promise<Socket>,
): Promise<void> {
  const text = request.url ?? '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:') throw new HostRefused('not an http address');
  const target: Target = { host: plainHost(url.hostname), port: url.port === '' ? 80 : Number(url.port) };
  const upstream = settings.upstream(target, 'http');
  const socket = await remote(target, 'http');
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !hopByHop.has(name)));
  const sent = httpRequest({
    createConnection: () => socket,
    method: request.method,
    path: upstream === undefined ? `${url.pathname}${url.search}` : url.href,
    headers: {
      ...headers,
      host: url.host,
      connection: 'close',
      ...(upstream?.authorization === undefined ? {} : { 'proxy-authorization': upstream.authorization }),
    },
  });
  await new Promise<void>((resolve, reject) => {
    sent.on('error', reject);
    response.on('close', () => {
      sent.destroy();
      resolve();
    });
    sent.on('response', (answer) => {
      const kept = Object.entries(answer.headers).filter(([name]) => !hopByHop.has(name));
      response.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept));
      pipeline(answer, response, () => resolve());
    });
    request.pipe(sent);
  });
}

/** A connection to the target at an address that was checked, or to the worker's own proxy: for `https` then a tunnel through it. */
async function openRemote(
  target: Target,
  scheme: 'http' | 'https',
  settings: ProxySettings,
): Promise<Socket> {
  const upstream = settings.upstream(target, scheme);
  if (upstream === undefined)
    return connected(target, await addressesOf(target, settings.registries, settings.resolve));
  const allowed = allowance(target, settings.registries);
  if (allowed === undefined) throw new HostRefused(notListed);
  if (allowed !== 'named' && isIP(target.host) !== 0)
    await addressesOf(target, settings.registries, settings.resolve);
  const addresses = isIP(upstream.host) ? [] : await settings.resolve(upstream.host);
  const socket = await connected(upstream, addresses);
  return scheme === 'http' ? socket : await tunnelled(socket, target, upstream);
}

/** Connects to one of the addresses; no resolver is asked again. @throws Error when none answers in time */
async function connected(target: Target, addresses: readonly LookupAddress[]): Promise<Socket> {
  const lookup: LookupFunction = (_host, options, done) => {
    const [first] = addresses;
    if (options.all === true) done(null, [...addresses]);
    else done(null, first?.address ?? '', first?.family ?? 4);
  };
  const socket = connect({ host: target.host, port: target.port, lookup, autoSelectFamily: true });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(connectTimeoutMs) });
    return socket;
  } catch (error) {
    socket.destroy();
    if (error instanceof Error && error.name === 'AbortError') throw new Error('it does not answer');
    throw error;
  }
}

/** Asks a proxy for a tunnel. @throws Error when it does not give one */
async function tunnelled(socket: Socket, target: Target, upstream: Upstream): Promise<Socket> {
  const name = isIP(target.host) === 6 ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
  const asked = httpRequest({
    createConnection: () => socket,
    method: 'CONNECT',
    path: name,
    headers: {
      host: name,
      ...(upstream.authorization === undefined ? {} : { 'proxy-authorization': upstream.authorization }),
    },
  });
  return await new Promise<Socket>((resolve, reject) => {
    const timer = setTimeout(
      () => asked.destroy(new Error('the proxy of the worker does not answer')),
      connectTimeoutMs,
    );
    const refuse = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    asked.on('error', refuse);
    asked.on('response', (answer) =>
      refuse(new Error(`the proxy of the worker answered ${answer.statusCode}`)),
    );
    asked.on('connect', (answer, tunnel: Socket, head) => {
      if (answer.statusCode !== 200)
        return refuse(new Error(`the proxy of the worker answered ${answer.statusCode}`));
      clearTimeout(timer);
      if (head.length > 0) tunnel.unshift(head);
      resolve(tunnel);
    });
    asked.end();
  });
}

function bytesOf(socket: Socket): number {
  return socket.bytesRead + socket.bytesWritten;
}

/** `http://example.org/a?b` → `example.org:80`: what a refusal is called. */
function nameOf(address: string): string {
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  return `${url.hostname}:${url.port === '' ? 80 : url.port}`;
}

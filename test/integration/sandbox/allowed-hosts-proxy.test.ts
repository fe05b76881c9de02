// CI-6, SEC-3: the proxy of a set-up over its real socket: what it passes on, what it refuses, how it goes through the worker's own proxy.
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type AllowedHostsProxy,
  openAllowedHostsProxy,
  type ProxySettings,
  SOCKET_NAME,
} from '../../../src/integrations/sandbox/allowed-hosts-proxy.ts';
import { upstreamFor } from '../../../src/integrations/sandbox/upstream-proxy.ts';

let registry: Server;
let port: number;
let seen: string[];
let proxy: AllowedHostsProxy | undefined;
beforeEach(async () => {
  seen = [];
  registry = createServer((asked, response) => {
    seen.push(
      `${asked.method} ${asked.url} ${asked.headers.host} ${asked.headers['proxy-authorization'] ?? '-'}`,
    );
    if (asked.url === '/large') response.end(Buffer.alloc(20_000_000));
    else asked.pipe(response);
  });
  port = await listening(registry);
});
afterEach(async () => {
  await proxy?.close();
  proxy = undefined;
  registry.closeAllConnections();
  registry.close();
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function open(more: Partial<ProxySettings> = {}): Promise<AllowedHostsProxy> {
  proxy = await openAllowedHostsProxy({
    registries: [`registry.corp:${port}`, 'public.example'],
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    upstream: () => undefined,
    maxBytes: 1_000_000_000,
    maxConnections: 20,
    ...more,
  });
  return proxy;
}

type Asked = { path: string; method?: string; body?: string; headers?: Record<string, string> };
/** A request as a client with a proxy makes it. */
async function ask(through: AllowedHostsProxy, asked: Asked): Promise<{ status: number; body: string }> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const { path, method = 'GET', headers = {} } = asked;
    const socketPath = join(through.folder, SOCKET_NAME);
    const sent = request({ socketPath, path, method, headers }, resolve).on('error', reject);
    sent.end(asked.body ?? '');
  });
  return { status: answer.statusCode ?? 0, body: await text(answer) };
}

/** `CONNECT`, then one request through the tunnel. */
function tunnel(through: AllowedHostsProxy, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: join(through.folder, SOCKET_NAME), method: 'CONNECT', path: target });
    asked.on('error', reject);
    asked.on('connect', (answer, socket: Socket, head) => {
      if (answer.statusCode !== 200)
        return resolve(text(socket).then((said) => `${answer.statusCode} ${head}${said}`));
      socket.end('GET /tunnel HTTP/1.1\r\nHost: inside\r\nConnection: close\r\n\r\n');
      resolve(text(socket));
    });
    asked.end();
  });
}

it('passes requests and tunnels on; the host is the one of the address', async () => {
  const through = await open();
  const path = `http://registry.corp:${port}/a?b=c`;
  const headers = { host: 'other.example', 'proxy-authorization': 'Basic eA==' };
  expect(await ask(through, { path, method: 'POST', body: 'sent', headers })).toEqual({
    status: 200,
    body: 'sent',
  });
  expect(await tunnel(through, `registry.corp:${port}`)).toMatch(/^HTTP\/1\.1 200 OK/);
  expect(seen).toEqual([`POST /a?b=c registry.corp:${port} -`, 'GET /tunnel inside -']);
  expect(through.refusals()).toEqual([]);
});

it('refuses, with a reason for the sandbox and for the evidence', async () => {
  const through = await open();
  expect(await ask(through, { path: 'http://evil.example/x' })).toEqual({
    status: 403,
    body: 'evil.example:80: not on ci.setup.registries\n',
  });
  // The name resolves to this machine: DNS rebinding, or a registry of the own network without its port.
  expect((await ask(through, { path: 'http://public.example/' })).body).toContain(
    '127.0.0.1 is inside of this network',
  );
  expect(await tunnel(through, `127.0.0.1:${port}`)).toContain('403');
  expect(await tunnel(through, 'nonsense')).toContain('not a host and port');
  expect((await ask(through, { path: 'ftp://registry.corp/' })).status).toBe(403);
  expect((await ask(through, { path: '/origin' })).status).toBe(403);
  for (let n = 0; n < 60; n += 1) await ask(through, { path: `http://x${n}.example/` });
  expect(through.refusals()).toHaveLength(50);
  expect(through.refusals()[0]).toBe('set-up asked for evil.example:80: not on ci.setup.registries');
  expect(seen).toEqual([]);
});

it('ends at its limit of bytes, and leaves nothing when it is closed', async () => {
  const through = await open({ maxBytes: 1_000_000, registries: [`registry.corp:${port}`] });
  const ended = await ask(through, { path: `http://registry.corp:${port}/large` }).then(
    ({ body }) => body.length,
    () => 0,
  );
  // A transfer may end before it is measured; the next one is refused at the latest.
  expect(ended).toBeLessThanOrEqual(20_000_000);
  const next = await ask(through, { path: `http://registry.corp:${port}/x` });
  expect(next).toEqual({
    status: 403,
    body: `registry.corp:${port}: more than 1000000 bytes in one set-up\n`,
  });
  const client = connect(join(through.folder, SOCKET_NAME));
  const closed = new Promise((resolve) => client.once('close', resolve));
  await new Promise((resolve) => client.once('connect', resolve));
  await through.close();
  await closed;
  expect(existsSync(through.folder)).toBe(false);
});

it("goes through the worker's own proxy, with its password, which the sandbox never sees", async () => {
  const asked: string[] = [];
  const corporate = createServer((plain, response) => {
    asked.push(`${plain.method} ${plain.url} ${plain.headers['proxy-authorization']}`);
    response.end('by the proxy');
  });
  corporate.on('connect', (tunnelled, client: Socket) => {
    asked.push(`CONNECT ${tunnelled.url} ${tunnelled.headers['proxy-authorization']}`);
    if (tunnelled.url === 'refused.example:443')
      return void client.end('HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n');
    const server = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.pipe(server).pipe(client);
    });
  });
  const env = { HTTPS_PROXY: `http://me:secret@127.0.0.1:${await listening(corporate)}` };
  const through = await open({
    registries: ['public.example', 'refused.example'],
    resolve: () => Promise.reject(new Error('no resolver here')),
    upstream: (target) => upstreamFor(target, 'https', env),
  });
  const me = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  expect(await tunnel(through, 'public.example:443')).toMatch(/^HTTP\/1\.1 200 OK/);
  expect((await ask(through, { path: 'http://public.example/p' })).body).toBe('by the proxy');
  expect(await tunnel(through, 'evil.example:443')).toContain('403');
  expect(await tunnel(through, '10.0.0.1:443')).toContain('403');
  expect(await tunnel(through, 'refused.example:443')).toContain('the proxy of the worker answered 407');
  expect(asked).toEqual([
    `CONNECT public.example:443 ${me}`,
    `GET http://public.example/p ${me}`,
    `CONNECT refused.example:443 ${me}`,
  ]);
  expect(seen).toEqual(['GET /tunnel inside -']);
  expect(through.refusals().join()).not.toContain('secret');
  corporate.closeAllConnections();
  corporate.close();
});

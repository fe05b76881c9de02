// Who runs the shop's services: the one that is asked by the command lines of the tenant file, since what a command itself starts ends with it.
// Answers on loopback: what runs, recent lines, restart and redeploy; and its journal of what it was asked to do, for the demo's judge.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import type { ProductionFault } from './faults.ts';
import { type Supervised, supervise } from './supervised.ts';

/** What was asked for and begun. */
export type JournalEntry = {
  readonly kind: 'restart' | 'redeploy';
  readonly service: string;
  readonly atMs: number;
};

export type Supervisor = {
  readonly url: string;
  readonly backendUrl: string;
  readonly frontendUrl: string;
  readonly stop: () => Promise<void>;
};

export async function startSupervisor(fault: ProductionFault): Promise<Supervisor> {
  const [backendPort, frontendPort] = [await freePort(), await freePort()];
  const first = (what: ProductionFault, isFirst: boolean): string =>
    fault === what && isFirst ? what : 'none';
  const services = new Map<string, Supervised>();
  const journal: JournalEntry[] = [];
  for (const [name, service] of await Promise.all([
    named('backend', backendPort, (start, release) => ({
      FAULT: release === 1 && fault === 'badRelease' ? fault : first('connectionsLeak', start === 1),
      RELEASE: String(release),
    })),
    named('frontend', frontendPort, (start) => ({ FAULT: first('frontendCrashed', start === 1) })),
  ]))
    services.set(name, service);

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://supervisor');
    const say = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (pathname === '/status')
      return say(
        200,
        [...services.values()].map(({ state }) => state()),
      );
    if (pathname === '/journal') return say(200, journal);
    const name = searchParams.get('service') ?? '';
    const service = services.get(name);
    if (service === undefined) return say(404, { error: `no service "${name}"` });
    if (pathname === '/logs') return say(200, service.lines(Number(searchParams.get('lines') ?? '100')));
    const kind = pathname.slice(1);
    if (request.method !== 'POST' || (kind !== 'restart' && kind !== 'redeploy'))
      return say(404, { error: `nothing to do at ${request.method} ${pathname}` });
    journal.push({ kind, service: name, atMs: Date.now() });
    await service.restart(kind);
    return say(200, service.state());
  };
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(JSON.stringify({ error: String(error) }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = (port: number): string => `http://127.0.0.1:${port}`;
  return {
    url: at((server.address() as AddressInfo).port),
    backendUrl: at(backendPort),
    frontendUrl: at(frontendPort),
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await Promise.all([...services.values()].map((service) => service.stop()));
    },
  };
}

async function named(
  name: 'backend' | 'frontend',
  port: number,
  env: (start: number, release: number) => Readonly<Record<string, string>>,
): Promise<readonly [string, Supervised]> {
  const file = join(import.meta.dirname, 'services', name, 'main.ts');
  return [name, await supervise({ name, file, port, env })];
}

/** Its services keep their ports over restarts. */
async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

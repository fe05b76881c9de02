// The forge's one address, on loopback only: reads requests, applies faults, answers, keeps the journal.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FaultSpec, ForgeOperations } from '../operations.ts';
import type { ForgeState } from '../state.ts';
import { type Answer, answer } from './answer.ts';
import { serveControl } from './control.ts';
import { empty, type ForgeRequest, type ForgeResponse, json } from './route.ts';

export interface ForgeServer {
  readonly url: string;
  /** Ends all connections at once, also hanging ones; what is being done is finished, what a late fault still owed is dropped. */
  stop(): Promise<void>;
}

export async function startServer(
  state: ForgeState,
  operations: ForgeOperations,
  port: number,
): Promise<ForgeServer> {
  const timers = new Set<NodeJS.Timeout>();
  const later = (delayMs: number, task: () => Promise<unknown>): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      void task();
    }, delayMs);
    timers.add(timer);
  };
  const working = new Set<Promise<Answer>>();
  const work = async (request: ForgeRequest): Promise<Answer> => {
    const task = answer(state, request);
    working.add(task);
    return await task.finally(() => working.delete(task));
  };
  const server = createServer((incoming, outgoing) => {
    respond(state, operations, { later, work }, incoming, outgoing).catch((error: unknown) => {
      outgoing.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: async () => {
      for (const timer of timers) clearTimeout(timer);
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await Promise.all(working);
    },
  };
}

async function respond(
  state: ForgeState,
  operations: ForgeOperations,
  {
    later,
    work,
  }: {
    later: (delayMs: number, task: () => Promise<unknown>) => void;
    work: (request: ForgeRequest) => Promise<Answer>;
  },
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const request = await readRequest(incoming);
  if (request.path.startsWith('/_forge/')) return send(outgoing, await serveControl(operations, request));
  const fault = state.faults.take(request);
  const note = (status: number, result: Answer | null): void => {
    state.journal.request({
      method: request.method,
      path: request.target,
      status,
      actor: result?.actor?.login ?? null,
      counted: result?.counted ?? false,
      unexpected: result?.unexpected ?? false,
      ...(fault === null ? {} : { fault: fault.kind }),
    });
  };
  const fail = (response: ForgeResponse, result: Answer | null): void => {
    note(response.status, result);
    send(outgoing, response);
  };
  const reset = (result: Answer | null): void => {
    note(0, result);
    incoming.socket.resetAndDestroy();
  };
  const delayMs = fault?.delayMs ?? 1000;
  switch (fault?.kind) {
    case undefined:
      break;
    case 'badGateway':
      return fail(BAD_GATEWAY, null);
    case 'badGatewayAfter':
      return fail(BAD_GATEWAY, await work(request));
    case 'badGatewayLate':
      later(delayMs, () => work(request));
      return fail(BAD_GATEWAY, null);
    case 'hang':
      return note(0, null);
    case 'reset':
      return reset(null);
    case 'resetAfter':
      return reset(await work(request));
    case 'secondaryLimit':
      return fail(secondaryLimit(fault), null);
    case 'slow':
      await new Promise<void>((resolve) => later(delayMs, async () => resolve()));
  }
  const result = await work(request);
  note(result.response.status, result);
  send(outgoing, result.response);
}

const BAD_GATEWAY: ForgeResponse = {
  status: 502,
  headers: { 'content-type': 'text/html' },
  body: Buffer.from('<html><head><title>502 Bad Gateway</title></head><body>Unicorn!</body></html>'),
};

function secondaryLimit(fault: FaultSpec): ForgeResponse {
  const message = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
  return json(
    { message, documentation_url: 'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api' },
    fault.status ?? 429,
    {
      'retry-after': String(fault.retryAfterSeconds ?? 1),
    },
  );
}

async function readRequest(incoming: IncomingMessage): Promise<ForgeRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
  const target = incoming.url ?? '/';
  const url = new URL(target, 'http://127.0.0.1');
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(incoming.headers))
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  const method = incoming.method ?? 'GET';
  return {
    method,
    path: url.pathname,
    query: url.searchParams,
    target,
    headers,
    body: Buffer.concat(chunks),
  };
}

function send(outgoing: ServerResponse, response: ForgeResponse): void {
  const withBody =
    response.status === 204 || response.status === 304 ? empty(response.status, response.headers) : response;
  outgoing.writeHead(withBody.status, {
    ...withBody.headers,
    ...(response.status === 204 || response.status === 304
      ? {}
      : { 'content-length': String(withBody.body.length) }),
  });
  outgoing.end(withBody.body);
}

// One HTTP request on a connection of its own, as a probe needs it: where it failed (name, connection, TLS, answer), how long each part took,
// at most 1 MB of body, no redirect followed, certificates always checked. Knows nothing of checks.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { codeOf } from '../../http-failure.ts';
import { readBody } from './body.ts';

export type ProbeRequest = {
  readonly method: string;
  readonly url: URL;
  readonly headers: { readonly [name: string]: string };
  readonly body?: string;
  /** Its reason must be the reason of the abort; a timeout is one. */
  readonly signal: AbortSignal;
};

export type ProbeAnswer = {
  readonly status: number;
  /** Names in small letters. */
  readonly headers: IncomingMessage['headers'];
  /** Decoded; the first megabyte. */
  readonly body: Buffer;
  readonly truncated: boolean;
  /** From the start to the first byte of the answer. */
  readonly firstByteMs: number;
};

/**
 * How far a request came. `name`: its host has no address. `connect`: nothing of it was sent yet. `answer`: it was sent, its answer did not begin.
 * `body`: the answer broke off.
 */
export type Stage = 'name' | 'connect' | 'tls' | 'answer' | 'body';

/** The request has no whole answer. The message has no address and nothing that was sent. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed';
  readonly stage: Stage;
  /** The system's word: `ECONNREFUSED`, `CERT_HAS_EXPIRED`, `HPE_INVALID_CONSTANT`, `TIMEOUT`. */
  readonly code: string;

  constructor(stage: Stage, code: string) {
    super(`no answer (${stage}: ${code})`);
    this.stage = stage;
    this.code = code;
  }

  /** Nothing was sent, so that nothing was done. */
  get definite(): boolean {
    return this.stage === 'name' || this.stage === 'connect' || this.stage === 'tls';
  }
}

/** @throws RequestFailed; the signal's reason when it was aborted for something else than time */
export async function probe(request: ProbeRequest): Promise<ProbeAnswer> {
  const { signal, url } = request;
  signal.throwIfAborted();
  const startedMs = performance.now();
  const literal = isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0;
  const progress: { stage: Stage } = { stage: literal ? 'connect' : 'name' };
  try {
    const sent = send(request);
    const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.on('socket', (socket) => follow(socket, url.protocol === 'https:', progress));
      sent.on('response', resolve);
      // Before the answer: a switch of protocols, or a connection that closes without a word.
      sent.on('upgrade', (_answer, socket) => socket.destroy());
      sent.on('close', () => reject(new RequestFailed(progress.stage, 'CLOSED')));
      sent.on('error', reject);
      sent.end(request.body);
    });
    progress.stage = 'body';
    const firstByteMs = performance.now() - startedMs;
    try {
      const { body, truncated } = isRedirect(incoming)
        ? { body: Buffer.alloc(0), truncated: false }
        : await readBody(incoming);
      return { status: incoming.statusCode ?? 0, headers: incoming.headers, body, truncated, firstByteMs };
    } finally {
      sent.destroy();
    }
  } catch (error) {
    throw failureOf(error, signal, progress.stage);
  }
}

function send({ method, url, headers, body, signal }: ProbeRequest): ClientRequest {
  const options = {
    method,
    headers: {
      'user-agent': 'untilgreen-health',
      accept: '*/*',
      'accept-encoding': 'gzip, deflate, br',
      ...headers,
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      connection: 'close',
    },
    agent: false,
    signal,
  };
  return url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
}

/** Notes how far the connection came. */
function follow(socket: Socket, secure: boolean, progress: { stage: Stage }): void {
  socket.once('lookup', (error: Error | null) => {
    if (error === null) progress.stage = 'connect';
  });
  socket.once('connect', () => {
    progress.stage = secure ? 'tls' : 'answer';
  });
  socket.once('secureConnect', () => {
    progress.stage = 'answer';
  });
}

function isRedirect({ statusCode, headers }: IncomingMessage): boolean {
  return [301, 302, 303, 307, 308].includes(statusCode ?? 0) && headers.location !== undefined;
}

function failureOf(error: unknown, signal: AbortSignal, stage: Stage): unknown {
  if (signal.aborted) {
    const reason: unknown = signal.reason;
    const late = reason instanceof Error && reason.name === 'TimeoutError';
    return late ? new RequestFailed(stage, 'TIMEOUT') : reason;
  }
  return error instanceof RequestFailed ? error : new RequestFailed(stage, codeOf(error) ?? 'UNKNOWN');
}

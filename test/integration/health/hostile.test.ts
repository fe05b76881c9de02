// HEALTH-1 against servers that are broken or mean: no check hangs, fills the memory, follows for ever, or gives away what it knows.
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Production, startProduction } from '../../support/backend/production.ts';
import { reading } from './support.ts';

let production: Production;
let other: Production;
let backend: { readonly kind: 'http'; readonly url: string };
type Answer = Parameters<Extract<Parameters<Production['fail']>[0], { kind: 'answer' }>['by']>;

beforeAll(async () => {
  production = await startProduction();
  other = await startProduction();
  backend = { kind: 'http', url: production.backendUrl };
});
afterEach(async () => {
  await production.heal();
  await other.heal();
});
afterAll(async () => {
  await production.close();
  await other.close();
});

function answering(by: (...given: Answer) => void, times?: number): void {
  production.fail({ kind: 'answer', by, ...(times === undefined ? {} : { times }) });
}

describe('a body', () => {
  it('that never ends and comes fast is read up to 1 MB', async () => {
    answering((_request, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(64 * 1024, 'x');
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    });
    expect(await reading(backend)).toMatchObject({
      state: 'ok',
      facts: { bytes: 1024 * 1024, truncated: true },
    });
    expect((await reading({ ...backend, expect: { contains: ['y'] } })).reason).toMatch(
      /^answered 200 without the text "y" in its first megabyte: "x+…"$/,
    );
  });

  it('that never ends and drips ends with the time of the check', async () => {
    answering((_request, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(timer));
    });
    expect(await reading({ ...backend, timeout: '1s' })).toMatchObject({
      state: 'failed',
      reason: 'timed out in the middle of its answer (TIMEOUT)',
      facts: { stage: 'body' },
    });
  });

  it('of a few KB that unpacks into 200 MB is read up to 1 MB', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
    answering((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    expect(await reading(backend)).toMatchObject({
      state: 'ok',
      facts: { bytes: 1024 * 1024, truncated: true },
    });
  });

  it.each([
    ['is cut off', gzipSync('{"status":"ok"}').subarray(0, 12), 'Z_BUF_ERROR'],
    ['is no gzip', Buffer.from('hello, this is no gzip'), 'Z_DATA_ERROR'],
  ])('that says gzip and %s', async (_name, bytes, code) => {
    answering((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bytes));
    expect(await reading(backend)).toMatchObject({
      state: 'failed',
      reason: `its answer could not be decoded (${code})`,
    });
  });

  it('that ends before it said it would', async () => {
    answering((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
      setTimeout(() => response.destroy(), 50);
    });
    expect(await reading(backend)).toMatchObject({
      state: 'failed',
      facts: { stage: 'body', code: 'ECONNRESET' },
    });
  });

  it('that says gzip and whose connection breaks is noticed at once', async () => {
    answering((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': '5000' });
      response.write(gzipSync('{"status":"ok"}').subarray(0, 12));
      setTimeout(() => response.destroy(), 50);
    });
    expect(await reading(backend)).toMatchObject({
      state: 'failed',
      facts: { stage: 'body', code: 'ECONNRESET' },
    });
  });

  it('of invalid UTF-8 is text with marks, and its reason is well formed', async () => {
    const bytes = Buffer.from([
      0x7b, 0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x00, 0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x7d,
    ]);
    answering((_request, response) => response.writeHead(500).end(bytes));
    const { reason, state } = await reading(backend);
    expect(state).toBe('failed');
    expect(reason.isWellFormed()).toBe(true);
    expect(reason).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('in another character set is read in it', async () => {
    answering((_request, response) =>
      response
        .writeHead(200, { 'content-type': 'text/html; charset=iso-8859-1' })
        .end(Buffer.from([0x66, 0xfc, 0x72])),
    );
    const page = { ...backend, kind: 'content', expect: { contains: ['für'] } };
    expect(await reading(page)).toMatchObject({ state: 'ok' });
  });
});

describe('no HTTP at all', () => {
  it('is a failure with its code', async () => {
    answering((request) => request.socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    expect(await reading(backend)).toMatchObject({ state: 'failed', facts: { stage: 'answer' } });
    answering((request) => request.socket.end('HTTP/1.1 200 OK\r\nx: a\u0000b\r\n\r\n'));
    expect(await reading(backend)).toMatchObject({ state: 'failed' });
  });

  it('a switch to another protocol is no answer', async () => {
    answering((request) =>
      request.socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    );
    expect(await reading({ ...backend, timeout: '2s' })).toMatchObject({
      state: 'failed',
      facts: { stage: 'answer' },
    });
  });
});

describe('redirects', () => {
  it('in a circle end', async () => {
    answering((request, response) =>
      response.writeHead(302, { location: request.url === '/a' ? '/b' : '/a' }).end(),
    );
    expect(await reading({ ...backend, path: '/a' })).toMatchObject({
      state: 'failed',
      reason: 'answered with more than 3 redirects',
      facts: { status: 302, redirects: 3 },
    });
  });

  it('on the same host are followed with what was sent', async () => {
    answering((_request, response) => response.writeHead(307, { location: '/health' }).end(), 1);
    const settings = { ...backend, path: '/old', headers: { 'x-probe': 'env:PROBE' } };
    expect(await reading(settings, { PROBE: 'probe-token-1' })).toMatchObject({
      state: 'ok',
      facts: { redirects: 1 },
    });
    expect(production.requests().at(-1)?.headers['x-probe']).toBe('probe-token-1');
  });

  it('to another host are followed without credentials, and what it says is not repeated', async () => {
    production.fail({
      kind: 'answer',
      by: (_request, response) => response.writeHead(302, { location: `${other.backendUrl}/health` }).end(),
    });
    other.fail({
      kind: 'answer',
      by: (_request, response) => response.writeHead(500).end('words of an inner machine'),
    });
    const settings = { ...backend, headers: { authorization: 'env:PROBE', 'x-from': 'ops' } };
    const read = await reading(settings, { PROBE: 'Bearer probe-token-1' });
    expect(read).toMatchObject({
      state: 'failed',
      reason: 'answered 500, expected 200-299',
      facts: { redirects: 1 },
    });
    const headers = other.requests().at(-1)?.headers ?? {};
    expect(headers.authorization ?? headers['x-from']).toBeUndefined();
    expect(JSON.stringify(headers)).not.toMatch(/probe-token-1|ops"/);
  });

  it('that would send the body to another host are not followed', async () => {
    const before = other.requests().length;
    answering((_request, response) =>
      response.writeHead(307, { location: `${other.backendUrl}/api/login` }).end(),
    );
    const settings = { ...backend, method: 'POST', json: { password: 'word' } };
    expect((await reading(settings)).reason).toBe(
      'answered with a redirect that sends the body to another host',
    );
    expect(other.requests()).toHaveLength(before);
  });

  it.each([
    ['file:///etc/passwd', 'a redirect to something that is no http address'],
    ['http://a:b@127.0.0.1/', 'a redirect to an address with a user in it'],
  ])('to %s are not followed', async (location, reason) => {
    answering((_request, response) => response.writeHead(302, { location }).end());
    expect((await reading(backend)).reason).toBe(`answered with ${reason}`);
  });

  it('are an answer where none is to be followed', async () => {
    answering((_request, response) => response.writeHead(301, { location: '/elsewhere' }).end());
    expect(await reading({ ...backend, redirects: 0, expect: { status: [301] } })).toMatchObject({
      state: 'ok',
    });
  });
});

describe('a secret that the server says back', () => {
  const echo = (...[request, response, body]: Answer): void => {
    const { headers } = request;
    response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ headers, body }));
  };

  it('is not in the reason (SEC-2)', async () => {
    answering(echo);
    const settings = { ...backend, headers: { 'x-probe': 'env:PROBE' } };
    const { reason } = await reading(settings, { PROBE: 'probe-token-1' });
    expect(reason).toContain('[secret:PROBE]');
    expect(reason).not.toContain('probe-token-1');
  });

  it('is not in the reason when it is too short to be found: then nothing is repeated (SEC-2)', async () => {
    answering(echo);
    const settings = { ...backend, headers: { 'x-probe': 'env:PIN' } };
    expect((await reading(settings, { PIN: '4711' })).reason).toBe('answered 500, expected 200-299');
  });
});

it('a check that nobody waits for any more ends at once, and is no reading', async () => {
  const { runCheck } = await import('../../../src/integrations/health/run-check.ts');
  const { checkOf } = await import('./support.ts');
  production.fail({ kind: 'hang' });
  const controller = new AbortController();
  const before = production.requests().length;
  const run = runCheck(checkOf(backend), { signal: controller.signal, resolve: async () => '' });
  while (production.requests().length === before) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort(new Error('the worker shuts down'));
  await expect(run).rejects.toThrow('the worker shuts down');
});

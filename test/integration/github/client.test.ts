// The client against the forge: errors and what they say about a write (DUR-1), ETags, pages, logs, no tokens in errors (SEC-2).
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { FaultSpec } from '../../../demo/forge/operations.ts';
import { createGitHub, type GitHub } from '../../../src/integrations/github/client.ts';
import { answerError, GitHubError } from '../../../src/integrations/github/errors.ts';
import {
  isInBranch,
  readBranchSha,
  readComments,
  readFileAt,
  readIssuesBy,
  readJobLog,
  readLatestRun,
  readPermission,
  readPullRequest,
  readRun,
  streamJobLog,
} from '../../../src/integrations/github/read.ts';
import { at, type GitHubRig, repository, startGitHubRig } from './rig.ts';

let rig: GitHubRig;
beforeAll(async () => {
  rig = await startGitHubRig();
});
afterAll(() => rig.stop());
beforeEach(() => rig.forge.faults.clear());

const issueShape = z.object({ number: z.int() });
function openIssue(github: GitHub, title: string, assertMayWrite: () => void = () => {}): Promise<unknown> {
  return github.write({
    route: 'POST /repos/{owner}/{repo}/issues',
    params: { ...at, title },
    schema: issueShape,
    signal: AbortSignal.timeout(20_000),
    assertMayWrite,
  });
}
async function failure(promise: Promise<unknown>): Promise<GitHubError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof GitHubError)) throw new Error(`not a GitHubError: ${String(error)}`);
  return error;
}
async function withServer<T>(listener: RequestListener, work: (url: string) => Promise<T>): Promise<T> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
const clientAt = (apiUrl: string): GitHub =>
  createGitHub({ apiUrl, token: 'secret-token-1', userAgent: 'test', timeoutMs: 1_000 });

describe('a write that fails', () => {
  it.each<[FaultSpec['kind'], string, boolean, number]>([
    ['badGateway', 'server', false, 0],
    ['badGatewayAfter', 'server', false, 1],
    ['reset', 'network', false, 0],
    ['resetAfter', 'network', false, 1],
    ['hang', 'network', false, 0],
    ['secondaryLimit', 'rateLimited', true, 0],
  ])('%s: %s, certainly not written: %s', async (kind, expected, definite, landed) => {
    const title = `fault ${kind}`;
    await rig.forge.faults.add({
      kind,
      match: { method: 'POST', pathPattern: '/issues$' },
      retryAfterSeconds: 7,
    });
    const error = await failure(openIssue(rig.github, title));
    expect([error.kind, error.definite]).toEqual([expected, definite]);
    if (kind === 'secondaryLimit') expect(error.retryAfterMs).toBe(7_000);
    const writes = await rig.forge.journal.writes({ kind: 'issueOpened' });
    expect(writes.filter((write) => write.title === title)).toHaveLength(landed);
    expect(await rig.forge.journal.requests({ method: 'POST', pathPattern: '/issues$' })).not.toHaveLength(0);
  });

  it('is sent only after the fence let it through, and only once', async () => {
    const mark = await rig.forge.journal.mark();
    const stop = new Error('over');
    await expect(
      openIssue(rig.github, 'fenced', () => {
        throw stop;
      }),
    ).rejects.toBe(stop);
    expect(await rig.forge.journal.requests({ after: mark })).toEqual([]);
    await rig.forge.faults.add({ kind: 'badGateway', match: { method: 'POST' }, times: 5 });
    await failure(openIssue(rig.github, 'once'));
    expect(await rig.forge.journal.requests({ after: mark, method: 'POST' })).toHaveLength(1);
  });

  it('cannot have been written where nobody listens', async () => {
    const port = await withServer(
      () => {},
      async (url) => url,
    );
    const error = await failure(openIssue(clientAt(port), 'x'));
    expect([error.kind, error.definite, error.status]).toEqual(['refused', true, 0]);
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('does not follow a redirect to another repository', async () => {
    const answers = withServer(
      (_request, response) => response.writeHead(307, { location: '/elsewhere' }).end(),
      async (url) => failure(openIssue(clientAt(url), 'x')),
    );
    expect(await answers).toMatchObject({ kind: 'moved', definite: true });
    expect((await answers).message).toContain('github.repository');
  });

  it.each([
    ['no JSON', (body: string) => body],
    ['another shape', () => '{"id":1}'],
    ['a body that breaks off', null],
  ])('is in doubt when its answer is %s', async (_name, answer) => {
    const error = await withServer(
      (_request, response) => {
        response.writeHead(201, { 'content-type': 'application/json', 'content-length': '100' });
        if (answer !== null) response.end(answer('<html>').padEnd(100));
        else {
          response.write('{"number"');
          setTimeout(() => response.destroy(), 50);
        }
      },
      async (url) => failure(openIssue(clientAt(url), 'x')),
    );
    expect(error.definite).toBe(false);
    expect(error.message).not.toContain('secret-token-1');
  });
});

describe('errors', () => {
  const now = Date.parse('2026-03-02T10:00:00Z');
  it.each([
    [400, {}, 'invalid', true, undefined],
    [401, {}, 'permission', true, undefined],
    [403, {}, 'permission', true, undefined],
    [
      403,
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now / 1_000 + 90) },
      'rateLimited',
      true,
      90_000,
    ],
    [403, { 'retry-after': '30' }, 'rateLimited', true, 30_000],
    [404, {}, 'notFound', true, undefined],
    [405, {}, 'conflict', true, undefined],
    [408, {}, 'server', false, undefined],
    [409, {}, 'conflict', true, undefined],
    [410, {}, 'notFound', true, undefined],
    [422, {}, 'invalid', true, undefined],
    [429, {}, 'rateLimited', true, 60_000],
    [429, { 'retry-after': 'Mon, 02 Mar 2026 10:00:20 GMT' }, 'rateLimited', true, 20_000],
    [429, { 'retry-after': '999999' }, 'rateLimited', true, 3_600_000],
    [429, { 'x-ratelimit-reset': '1' }, 'rateLimited', true, 1_000],
    [500, {}, 'server', false, undefined],
    [503, { 'retry-after': '5' }, 'server', false, 5_000],
  ])('%s %o: %s', (status, headers, kind, definite, retryAfterMs) => {
    const error = answerError('POST /x', status, 'said', headers, now);
    expect([error.kind, error.definite, error.retryAfterMs]).toEqual([kind, definite, retryAfterMs]);
  });

  it('counts a reset from GitHub’s clock, not from ours', () => {
    const headers = {
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(now / 1_000 + 60),
      date: new Date(now).toUTCString(),
    };
    expect(answerError('GET /x', 403, '', headers, now + 3_000_000).retryAfterMs).toBe(60_000);
  });

  it('never shows the token', async () => {
    const error = await failure(rig.clientFor('wrong-token-123').account(AbortSignal.timeout(5_000)));
    expect(error.kind).toBe('permission');
    expect(`${error.message}${JSON.stringify(error)}${String(error.cause)}`).not.toContain('wrong-token-123');
  });
});

describe('reads', () => {
  it('costs nothing when nothing changed', async () => {
    const call = {
      route: 'GET /repos/{owner}/{repo}',
      params: at,
      schema: z.object({ default_branch: z.string() }),
      signal: AbortSignal.timeout(5_000),
    };
    const first = await rig.github.conditionalGet(call, { etag: null });
    if (first.status !== 'ok') throw new Error('no first answer');
    expect(first.data.default_branch).toBe('main');
    const mark = await rig.forge.journal.mark();
    expect(await rig.github.conditionalGet(call, { etag: first.etag })).toEqual({ status: 'notModified' });
    expect(await rig.forge.journal.counted({ after: mark })).toEqual([]);
  });

  it('takes all pages of a list, bounded, and the last ones of one that only sorts upwards', async () => {
    const { place, github } = rig;
    const body = (text: string) => ({
      route: 'POST /repos/{owner}/{repo}/issues/{number}/comments',
      params: { ...at, number: 1, body: text },
      schema: z.unknown(),
      signal: place.signal,
      assertMayWrite: () => {},
    });
    await openIssue(github, 'first');
    for (let count = 1; count <= 230; count += 1) await github.write(body(`comment ${count}`));
    const comments = await readComments(place, 1);
    expect(comments).toHaveLength(230);
    expect(comments.at(-1)?.body).toBe('comment 230');
    expect((await readIssuesBy(place, 'untilgreen-agent')).at(-1)?.number).toBe(1);
    expect(await readIssuesBy(place, 'nobody')).toEqual([]);
  });

  it('reads branches, files, permissions; null where there is nothing', async () => {
    const { place, forge } = rig;
    const { sha } = await forge.commitFiles({
      ...at,
      branch: 'feature/x',
      files: { 'dir/ä b.txt': 'grün\n' },
      message: 'add',
    });
    expect(await readBranchSha(place, 'feature/x')).toBe(sha);
    expect(await readBranchSha(place, 'feature')).toBeNull();
    expect(await readFileAt(place, 'dir/ä b.txt', 'feature/x')).toBe('grün\n');
    expect(await readFileAt(place, 'dir/none', 'feature/x')).toBeNull();
    const main = await readBranchSha(place, 'main');
    expect(await isInBranch(place, main ?? '', 'feature/x')).toBe(true);
    expect(await isInBranch(place, sha, 'main')).toBe(false);
    expect(await isInBranch(place, '0'.repeat(40), 'main')).toBe(false);
    await forge.createUser({ login: 'reader', permission: 'triage' });
    expect(await readPermission(place, 'reader')).toBe('triage');
    expect(await readPermission(place, 'untilgreen-agent')).toBe('write');
    expect(await readPermission(place, 'nobody')).toBe('none');
    expect(await readPullRequest(place, 999)).toBeNull();
    expect(await readRun(place, 999)).toBeNull();
  });

  it('reads the end of a log behind a redirect, and streams it bounded', async () => {
    const { place, forge } = rig;
    const log = `start\n${'x'.repeat(200_000)}\n##[error]the end\n`;
    const run = await forge.actions.createRun({
      ...at,
      conclusion: 'failure',
      jobs: [{ name: 'test', conclusion: 'failure', log }],
    });
    const found = await readLatestRun(place, run.sha, '.github/workflows/ci.yml');
    expect(found?.id).toBe(run.id);
    const jobs = await rig.github.read({
      route: 'GET /repos/{owner}/{repo}/actions/runs/{id}/jobs',
      params: { ...at, id: run.id },
      schema: z.object({ jobs: z.array(z.object({ id: z.int() })) }),
      signal: place.signal,
    });
    const jobId = jobs.jobs[0]?.id ?? 0;
    expect(await readJobLog(place, jobId, 19)).toBe('x\n##[error]the end\n');
    expect(await readJobLog(place, jobId)).toBe(log);
    let size = 0;
    for await (const chunk of streamJobLog(place, jobId, 70_000)) size += chunk.length;
    expect(size).toBe(70_000);
    expect(await readJobLog(place, 12_345)).toBeNull();
  });

  it('sends the token to nobody but the API, and follows to https only', async () => {
    const seen: (string | undefined)[] = [];
    await withServer(
      (request, response) => {
        seen.push(request.headers.authorization);
        response.writeHead(302, { location: 'http://example.invalid/log' }).end();
      },
      async (url) => {
        const place = { github: clientAt(url), repository, signal: AbortSignal.timeout(5_000) };
        await expect(readJobLog(place, 1)).rejects.toMatchObject({ kind: 'unexpected' });
      },
    );
    expect(seen).toEqual(['Bearer secret-token-1']);
    const tokens: (string | undefined)[] = [];
    await withServer(
      (request, response) => {
        tokens.push(request.headers.authorization);
        if (request.url === '/log') response.end('log');
        else response.writeHead(302, { location: '/log' }).end();
      },
      async (url) => {
        const place = { github: clientAt(url), repository, signal: AbortSignal.timeout(5_000) };
        expect(await readJobLog(place, 1)).toBe('log');
      },
    );
    expect(tokens).toEqual(['Bearer secret-token-1', undefined]);
  });
});

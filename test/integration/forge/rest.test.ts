// The forge's issues, permissions, rate limit, ETags, journal and faults, over Octokit.
// A fault must do exactly what its name says: tests of crash safety (DUR-1, DUR-5) rest on it.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AT, type Rig, startRig, statusOf } from './rig.ts';

let rig: Rig;
let nowMs = Date.parse('2026-01-01T00:00:00Z');

beforeEach(async () => {
  nowMs = Date.parse('2026-01-01T00:00:00Z');
  rig = await startRig({ 'README.md': '# shop\n' }, { clock: () => nowMs });
});

afterEach(async () => {
  await rig.stop();
});

describe('issues and comments', () => {
  it('carry what Octokit users read, and list by state, label and since', async () => {
    const first = await rig.agent.rest.issues.create({
      ...AT,
      title: 'one',
      body: '<!-- key=1 -->',
      labels: ['ops'],
    });
    nowMs += 60_000;
    const second = await rig.stranger.rest.issues.create({ ...AT, title: 'two', labels: ['ops'] });
    expect(first.data).toMatchObject({
      number: 1,
      state: 'open',
      labels: [{ name: 'ops' }],
      user: { login: 'untilgreen-agent' },
    });
    expect(second.data.labels).toEqual([]);
    expect(second.data.author_association).toBe('NONE');
    const list = async (query: object): Promise<number[]> =>
      (await rig.agent.rest.issues.listForRepo({ ...AT, ...query })).data.map(({ number }) => number);
    expect(await list({})).toEqual([2, 1]);
    expect(await list({ labels: 'ops' })).toEqual([1]);
    expect(await list({ since: '2026-01-01T00:01:00Z' })).toEqual([2]);
    nowMs += 60_000;
    await rig.agent.rest.issues.update({
      ...AT,
      issue_number: 1,
      state: 'closed',
      state_reason: 'completed',
    });
    expect(await list({ state: 'closed' })).toEqual([1]);
    expect(await statusOf(rig.stranger.rest.issues.update({ ...AT, issue_number: 1, title: 'mine' }))).toBe(
      403,
    );
    expect(await rig.forge.journal.writes({ kind: 'issueOpened' })).toMatchObject([
      { marker: 'key=1', number: 1 },
      { number: 2 },
    ]);
  });

  it('list comments in pages with links, and the edited ones since a time', async () => {
    await rig.agent.rest.issues.create({ ...AT, title: 'one' });
    for (const body of ['a', 'b', 'c', 'd', 'e']) {
      await rig.stranger.rest.issues.createComment({ ...AT, issue_number: 1, body });
      nowMs += 1000;
    }
    const all = await rig.agent.paginate(rig.agent.rest.issues.listComments, {
      ...AT,
      issue_number: 1,
      per_page: 2,
    });
    expect(all.map(({ body }) => body)).toEqual(['a', 'b', 'c', 'd', 'e']);
    const since = new Date(nowMs).toISOString();
    await rig.stranger.rest.issues.updateComment({
      ...AT,
      comment_id: all[1]?.id ?? 0,
      body: '/approve abc',
    });
    const edited = await rig.agent.rest.issues.listCommentsForRepo({ ...AT, since });
    expect(edited.data).toMatchObject([
      {
        body: '/approve abc',
        user: { login: 'stranger' },
        performed_via_github_app: null,
        updated_at: '2026-01-01T00:00:05Z',
      },
    ]);
  });

  it('tell permissions', async () => {
    const of = async (username: string): Promise<string> =>
      (await rig.agent.rest.repos.getCollaboratorPermissionLevel({ ...AT, username })).data.permission;
    expect(await of('maria')).toBe('admin');
    expect(await of('untilgreen-agent')).toBe('write');
    expect(await of('stranger')).toBe('read');
    await rig.forge.setPermission({ ...AT, login: 'maria', permission: 'maintain' });
    expect(await of('maria')).toBe('write');
    expect(await statusOf(of('nobody'))).toBe(404);
  });
});

describe('conditional requests', () => {
  it('answer 304 without a body and take nothing from the rate limit until something changed', async () => {
    const list = (etag?: string) =>
      rig.agent.request('GET /repos/{owner}/{repo}/issues', {
        ...AT,
        headers: etag === undefined ? {} : { 'if-none-match': etag },
      });
    const first = await list();
    const used = (await rig.agent.rest.rateLimit.get()).data.rate.used;
    const mark = await rig.forge.journal.mark();
    for (let again = 0; again < 3; again += 1) expect(await statusOf(list(first.headers.etag))).toBe(304);
    expect((await rig.agent.rest.rateLimit.get()).data.rate.used).toBe(used);
    expect(await rig.forge.journal.counted({ after: mark })).toEqual([]);
    await rig.stranger.rest.issues.create({ ...AT, title: 'new' });
    const changed = await list(first.headers.etag);
    expect(changed.status).toBe(200);
    expect(Number(changed.headers['x-ratelimit-remaining'])).toBe(5000 - used - 1);
    expect(await rig.forge.journal.counted({ after: mark })).toHaveLength(1);
  });

  it('refuse with 403 when the limit is used up, until the hour is over', async () => {
    await rig.agent.rest.repos.get(AT);
    await rig.forge.setRateLimit({ remaining: 1 });
    await rig.agent.rest.repos.get(AT);
    const error = await rig.agent.rest.repos.get(AT).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ status: 403, response: { headers: { 'x-ratelimit-remaining': '0' } } });
    nowMs += 3_600_001;
    expect((await rig.agent.rest.repos.get(AT)).status).toBe(200);
  });
});

describe('strictness', () => {
  it('answers 404 for unknown routes and keeps them as unexpected', async () => {
    expect(await statusOf(rig.agent.request('GET /repos/{owner}/{repo}/nothing', AT))).toBe(404);
    expect(await statusOf(rig.agent.rest.issues.get({ ...AT, issue_number: 99 }))).toBe(404);
    expect(await rig.forge.journal.unexpected()).toMatchObject([
      { path: '/repos/acme/shop/nothing', status: 404 },
    ]);
  });

  it('wants a valid token and keeps none', async () => {
    const anonymous = await fetch(`${rig.forge.url}/repos/acme/shop`);
    const wrong = await fetch(`${rig.forge.url}/repos/acme/shop`, {
      headers: { authorization: 'Bearer wrong' },
    });
    await rig.agent.rest.repos.get(AT);
    const journal = await (await fetch(`${rig.forge.url}/_forge/journal`)).text();
    expect([anonymous.status, wrong.status]).toEqual([401, 401]);
    expect(journal).not.toContain(rig.agentToken);
  });
});

// DUR-5: a write whose answer is lost, or that lands late.
describe('faults', () => {
  const open = (title = 'x') => rig.agent.rest.issues.create({ ...AT, title });
  const opened = async (): Promise<number> =>
    (await rig.forge.journal.writes({ kind: 'issueOpened' })).length;
  const match = { method: 'POST', pathPattern: '/issues$' };

  it.each([
    { kind: 'badGateway', status: 502, landed: 0 },
    { kind: 'badGatewayAfter', status: 502, landed: 1 },
    { kind: 'secondaryLimit', status: 429, landed: 0 },
    { kind: 'slow', status: 0, landed: 1 },
  ] as const)('$kind answers $status and lands $landed time(s), once', async ({ kind, status, landed }) => {
    await rig.forge.faults.add({ kind, match, delayMs: 5 });
    expect(await statusOf(open())).toBe(status);
    expect(await opened()).toBe(landed);
    expect(await statusOf(open())).toBe(0);
    expect(await opened()).toBe(landed + 1);
    expect(await rig.forge.faults.list()).toMatchObject([{ kind, hits: 1 }]);
  });

  it('badGatewayLate answers 502 before the write, which then lands exactly once', async () => {
    await rig.forge.faults.add({ kind: 'badGatewayLate', match, delayMs: 100 });
    expect(await statusOf(open())).toBe(502);
    await vi.waitFor(async () => expect(await opened()).toBe(1), { timeout: 10_000 });
    expect((await rig.agent.rest.issues.listForRepo(AT)).data).toHaveLength(1);
    const [answered] = await rig.forge.journal.requests({ method: 'POST' });
    const [write] = await rig.forge.journal.writes({ kind: 'issueOpened' });
    expect(write?.seq ?? 0).toBeGreaterThan(answered?.seq ?? Number.POSITIVE_INFINITY);
  });

  it.each([
    { kind: 'reset', landed: 0 },
    { kind: 'resetAfter', landed: 1 },
  ] as const)('$kind breaks the connection and lands $landed time(s)', async ({ kind, landed }) => {
    await rig.forge.faults.add({ kind, match });
    await expect(open()).rejects.toThrow();
    expect(await opened()).toBe(landed);
  });

  it('hang never answers and does nothing; stopping ends it', async () => {
    await rig.forge.faults.add({ kind: 'hang', match });
    const signal = AbortSignal.timeout(100);
    await expect(rig.agent.rest.issues.create({ ...AT, title: 'x', request: { signal } })).rejects.toThrow();
    expect(await opened()).toBe(0);
    await rig.forge.faults.add({ kind: 'hang', match });
    const hanging = open().catch(() => 'ended');
    await vi.waitFor(async () =>
      expect(await rig.forge.journal.requests({ method: 'POST' })).toHaveLength(2),
    );
    await rig.forge.stop();
    expect(await hanging).toBe('ended');
  });

  it('hit only the body they name, with a delay to wait', async () => {
    await rig.forge.faults.add({
      kind: 'secondaryLimit',
      match: { bodyPattern: 'second' },
      status: 403,
      retryAfterSeconds: 7,
    });
    expect(await statusOf(open('first'))).toBe(0);
    const error = await open('second').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ status: 403, response: { headers: { 'retry-after': '7' } } });
  });
});

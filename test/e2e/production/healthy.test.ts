// Nothing is wrong, and nearly nothing: a green production costs no effect and no token, a failed deployment beside one that serves is told and left.
import { afterEach, expect } from 'vitest';
import { type Claude, startClaude } from '../../support/claude.ts';
import { minuteMs, type Night, skipUntil, startNight, test, until } from './rig/rig.ts';

let night: Night | undefined;
let claude: Claude | undefined;
afterEach(async () => {
  await night?.stop();
  await claude?.close();
  claude = undefined;
});

test('LOOP-5: healthy production is `all clear`, without an effect and without a token', async () => {
  night = await startNight();
  claude = await startClaude();
  const { site, tenant, client } = night;
  await night.startWorker({ ANTHROPIC_API_KEY: claude.apiKey });
  await night.apply({ tenant: { model: { baseUrl: claude.url } } });
  await night.startLoop();
  await until(async () => expect((await client.history(tenant)).cycles.length).toBeGreaterThan(0));
  await night.skip(60 * minuteMs);
  const { cycles, effects, events } = await client.history(tenant, { limit: 1_000 });
  expect(cycles.length).toBeGreaterThanOrEqual(12);
  for (const { outcome, summary, tokens } of cycles.filter(({ state }) => state !== 'running'))
    expect({ outcome, summary, tokens }).toMatchObject({ outcome: 'green', summary: 'all clear', tokens: 0 });
  expect(effects).toEqual([]);
  expect(events.filter(({ action }) => /^(effect|incident|severity)/.test(action))).toEqual([]);
  expect(claude.requests()).toEqual([]);
  expect(site.railway.writes()).toEqual([]);
  expect(site.pages).toEqual([]);
  expect(await site.issues()).toEqual([]);
});

test('DEPLOY-3 INC-1: a deployment that fails while the one before it serves is an alert and a SEV3 issue, and nothing is done to what serves', async () => {
  night = await startNight();
  const { site, tenant, client } = night;
  await night.startWorker();
  await night.apply();
  await night.startLoop();
  await until(async () => expect((await client.history(tenant)).cycles.length).toBeGreaterThan(0));
  const failed = site.railway.world.push('backend', {
    commitSha: 'b'.repeat(40),
    behaviour: { failsBuild: true },
  });
  site.railway.world.addLogs('backend', 'build', ['npm ci', 'error TS2304: Cannot find name "shop"']);
  const issue = await skipUntil(night, 6 * minuteMs, async () => {
    const issues = await site.issues();
    expect(issues).toHaveLength(1);
    expect(site.pages).toHaveLength(1);
    return issues[0];
  });
  expect(issue?.title).toMatch(/^\[SEV3\] Production incident: service backend/);
  expect(issue?.body).toContain('TS2304');
  expect(site.pages[0]).toMatchObject({
    state: 'open',
    signed: true,
    title: expect.stringMatching(/^SEV3 in shop/),
  });
  await night.skip(70 * minuteMs);
  expect(site.railway.writes()).toEqual([]);
  expect(site.pages).toHaveLength(1);
  expect(site.production.requests('backend').every(({ status }) => status === 200)).toBe(true);
  // The next one is well: it is over.
  site.railway.world.push('backend', { commitSha: 'c'.repeat(40) });
  await skipUntil(night, 20 * minuteMs, async () => expect((await site.issues())[0]?.state).toBe('closed'));
  expect(site.pages.at(-1)).toMatchObject({ state: 'resolved', id: site.pages[0]?.id });
  const { events } = await client.history(tenant, { limit: 1_000 });
  expect(
    events.find(({ detail }) => detail.deploymentId === failed.id && detail.status === 'failed'),
  ).toBeDefined();
});

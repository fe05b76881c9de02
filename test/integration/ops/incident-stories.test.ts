// Incidents turn by turn (INC-1, INC-2, INC-4, INC-5, DEPLOY-3): what is told, written and done in each, over the real turns, door and store.

import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLoopActivities } from '../../../src/activities/record/loop.ts';
import { remedyWorkflowId } from '../../../src/contract/names.ts';
import type { Pool } from '../../../src/store/database.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { crashLoop } from '../../workflow/ops/scene.ts';
import { startIncidents } from './incident-turns.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const pool = (): Pool => database.pool as unknown as Pool;
const hourMs = 3_600_000;

type Line = {
  readonly minute: number;
  readonly kind: string;
  readonly text: string;
  readonly opening: number;
};

async function timeline(tenant: string, kind = 'incident'): Promise<readonly Line[]> {
  const { rows } = await pool().query(
    `select round((e.at_ms - i.detected_ms) / 60000.0)::int as minute, e.kind, e.text, e.opening
     from incidents i join incident_events e using (tenant, fingerprint, occurrence) join findings f using (tenant, fingerprint, occurrence)
     where tenant = $1 and f.kind = $2 order by e.id`,
    [tenant, kind],
  );
  return rows;
}

async function issues(tenant: string): Promise<readonly { [column: string]: unknown }[]> {
  const { rows } = await pool().query(
    `select f.kind, f.status, i.open, i.issue, f.waiting_for as waits
     from findings f join incidents i using (tenant, fingerprint, occurrence) where tenant = $1 order by f.kind`,
    [tenant],
  );
  return rows;
}

async function steps(tenant: string): Promise<readonly string[]> {
  const { rows } = await pool().query(
    `select kind from effects where tenant = $1 and kind = any('{restartService,redeployService,rollBackService}') and state = 'done' order by policy_ms`,
    [tenant],
  );
  return rows.map(({ kind }: { kind: string }) => kind);
}

it('INC-2: a check that comes and goes every cycle is one incident with its counts, and no storm', async () => {
  const { world, run, turns } = await startIncidents(pool(), 'flap');
  const { production } = world.place('flap');
  production.services.backend = { deployments: [{ id: 'd1', status: 'running' }], log: [], heals: {} };
  for (let cycle = 0; cycle < 10; cycle += 1) {
    production.failing = cycle % 2 === 0 ? { backend: { level: 'sev2', services: ['backend'] } } : {};
    await run(cycle === 0 ? 4 : 5);
  }
  expect(turns.get('incident')?.waitingFor).toMatch(/backend failed 5 times/);
  expect(await steps('flap')).toEqual([]);
  production.failing = {};
  await run(20);
  expect(world.writes('openIssue')).toHaveLength(1);
  expect(world.writes('closeIssue')).toHaveLength(1);
  expect(String(world.writes('closeIssue')[0]?.input.comment)).toMatch(/backend failed 5 times/);
  // Opened, told to a person once, resolved.
  expect(world.writes('sendAlert').map(({ input }) => input.state)).toEqual(['open', 'update', 'resolved']);
  // Back within the day: the same issue, opened again.
  production.failing = { backend: { level: 'sev2', services: [] } };
  await run(6);
  expect(world.writes('openIssue')).toHaveLength(1);
  expect(world.writes('updateIssue').at(-1)?.input).toMatchObject({ reopen: true });
  expect(Math.max(...(await timeline('flap')).map(({ opening }) => opening))).toBe(2);
});

it('DEPLOY-3 INC-2: a service that is down, and the incident that names it later, are one ladder and one story', async () => {
  const { world, run } = await startIncidents(pool(), 'shared');
  const { production } = world.place('shared');
  production.services.backend = crashLoop();
  await run(3);
  expect(await timeline('shared', 'deployment')).not.toEqual([]);
  production.failing = { backend: { level: 'sev1', services: ['backend'] } };
  await run(80);
  expect(await steps('shared')).toEqual(['restartService', 'redeployService', 'restartService']);
  const { rows } = await pool().query(`select state from approvals where tenant = 'shared'`);
  expect(rows).toEqual([{ state: 'asked' }]);
  // The incident goes on with the issue and the alert of the service, and says on it how much worse it is.
  expect(world.writes('openIssue')).toHaveLength(1);
  expect(world.writes('updateIssue').map(({ input }) => input.title)).toEqual([
    '[SEV1] Production incident: backend, service backend',
  ]);
  expect((await timeline('shared')).filter((one) => one.kind === 'action')).toHaveLength(3);
  const comments = world.writes('commentOnIssue').map(({ input }) => String(input.body));
  expect(comments.filter((body) => /Restart of backend/.test(body))).toHaveLength(2);
  expect(new Set(comments).size).toBe(comments.length);
  expect(await issues('shared')).toEqual([
    {
      kind: 'deployment',
      status: 'waiting',
      open: false,
      issue: null,
      waits: expect.stringMatching(/^part of the incident [0-9a-f]{12} \(issue #\d+\)$/),
    },
    {
      kind: 'incident',
      status: 'waiting',
      open: true,
      issue: expect.any(Number),
      waits: expect.stringContaining('rollBack needs approval'),
    },
  ]);
  production.services.backend.deployments.push({ id: 'd9', status: 'running' });
  production.failing = {};
  await run(20);
  expect(world.writes('closeIssue')).toHaveLength(1);
  const told = world.writes('sendAlert').map(({ input }) => input);
  expect(told.filter(({ state }) => state === 'open')).toHaveLength(1);
  expect(told.filter(({ state }) => state === 'resolved')).toHaveLength(1);
  expect(told.filter(({ title }) => /needs a person/.test(String(title)))).toHaveLength(1);
  expect(new Set(told.map(({ about }) => about)).size).toBe(1);
  expect((await issues('shared')).map(({ status, open }) => [status, open])).toEqual([
    ['resolved', false],
    ['resolved', false],
  ]);
});

it('LOOP-13 INC-2: a rollback was asked for before the incident began: who waits for it now hears of the answer', async () => {
  const { world, run, nowMs, services } = await startIncidents(pool(), 'asked');
  const { production } = world.place('asked');
  production.services.backend = crashLoop();
  await run(60);
  production.failing = { backend: { level: 'sev1', services: ['backend'] } };
  await run(8);
  const { rows } = await pool().query(
    `select a.hash, f.kind, f.fingerprint from approvals a join findings f using (tenant, fingerprint) where tenant = 'asked' and a.state = 'asked'`,
  );
  expect(rows).toMatchObject([{ kind: 'incident' }]);
  // Asked once, on the one issue.
  expect(
    world.writes('commentOnIssue').filter(({ input }) => String(input.body).includes('/approve')),
  ).toHaveLength(1);
  const { decideApproval } = createLoopActivities(services, []);
  const decided = await new MockActivityEnvironment().run(decideApproval, {
    tenant: 'asked',
    hash: rows[0].hash,
    decision: 'approve' as const,
    by: 'maria',
    channel: 'cli' as const,
    nowMs: nowMs(),
  });
  expect(decided).toMatchObject({
    result: 'decided',
    nudge: remedyWorkflowId({
      tenant: 'asked',
      kind: 'incident',
      fingerprint: rows[0].fingerprint,
      occurrence: 1,
    }),
  });
});

it.each([
  ['its issue is not open yet', 'refuse' as const],
  ['its issue is open', undefined],
])('INC-2: the incident begins seconds after the service is down, and %s: one issue', async (name, issue) => {
  const tenant = `race-${name.length}`;
  const { world, run } = await startIncidents(pool(), tenant);
  const place = world.place(tenant);
  if (issue) place.effects.openIssue = issue;
  place.production.services.backend = crashLoop();
  await run(4.9);
  place.production.failing = { backend: { level: 'sev1', services: ['backend'] } };
  await run(2);
  place.effects.openIssue = undefined;
  await run(15);
  expect(world.writes('openIssue')).toHaveLength(1);
  expect(world.writes('sendAlert').filter(({ input }) => input.state === 'open')).toHaveLength(1);
});

it('INC-2: both seen in the same cycle, and the checks pass before the service is up: still one issue', async () => {
  const { world, run } = await startIncidents(pool(), 'same');
  const { production } = world.place('same');
  production.services.backend = crashLoop();
  production.failing = { backend: { level: 'sev1', services: ['backend'] } };
  await run(12);
  production.failing = {};
  await run(40);
  expect(world.writes('openIssue')).toHaveLength(1);
  expect(world.writes('sendAlert').filter(({ input }) => input.state === 'open')).toHaveLength(1);
  production.services.backend.deployments.push({ id: 'd9', status: 'running' });
  await run(20);
  // The incident is over, and the service is down again, by the platform's word alone: now it is told for itself.
  production.services.backend.deployments.push({ id: 'd10', status: 'crashed' });
  await run(10);
  expect(world.writes('closeIssue')).toHaveLength(1);
  expect(world.writes('openIssue')).toHaveLength(2);
  expect(world.writes('openIssue')[1]?.input.title).toBe('[SEV2] Production incident: service backend');
});

it('INC-2: an incident that has its issue already: the one of the service points to it and is closed', async () => {
  const { world, run } = await startIncidents(pool(), 'late');
  const { production } = world.place('late');
  production.failing = { page: { level: 'sev2', services: ['frontend'] } };
  production.services.backend = crashLoop();
  production.services.frontend = { deployments: [{ id: 'f1', status: 'running' }], log: [], heals: {} };
  await run(4);
  expect(world.writes('openIssue')).toHaveLength(2);
  production.failing = {
    ...production.failing,
    backend: { level: 'sev1', services: ['backend'] },
  };
  await run(10);
  expect(world.writes('closeIssue').map(({ input }) => String(input.comment))).toEqual([
    expect.stringMatching(/^It goes on in #\d+: the incident names backend\./),
  ]);
  expect(world.writes('sendAlert').filter(({ input }) => input.state === 'resolved')).toHaveLength(1);
  expect((await issues('late')).map(({ kind, open }) => [kind, open])).toEqual([
    ['deployment', false],
    ['incident', true],
  ]);
});

it('DEPLOY-3 INC-2: a failed deployment beside one that serves is told, points to code, and starts the code agent', async () => {
  const incidents = { codeAgent: { kind: 'dispatch', eventType: 'incident' } };
  const { world, run, nowMs } = await startIncidents(pool(), 'built', { incidents });
  const { production } = world.place('built');
  const backend = {
    deployments: [
      { id: 'd1', status: 'running' as const, commitSha: 'a'.repeat(40), createdAtMs: nowMs() - hourMs },
      { id: 'd2', status: 'failed' as const, commitSha: 'b'.repeat(40), createdAtMs: nowMs() },
    ],
    live: 'd1',
    log: ['npm ci', 'error TS2304: Cannot find name "shop"'],
    heals: {},
  };
  production.services.backend = backend;
  await run(60);
  expect(world.writes('openIssue')[0]?.input.title).toBe('[SEV3] Production incident: service backend');
  expect(world.writes('sendAlert').map(({ input }) => input.state)).toEqual(['open']);
  expect(world.writes('startCodeAgent').map(({ input }) => input)).toMatchObject([
    {
      kind: 'dispatch',
      eventType: 'incident',
      repository: 'acme/shop',
      base: 'main',
      evidence: expect.stringContaining('TS2304'),
    },
  ]);
  expect(await steps('built')).toEqual([]);
  production.services.backend = {
    ...backend,
    deployments: [...backend.deployments, { id: 'd3', status: 'running', createdAtMs: nowMs() }],
    live: 'd3',
  };
  await run(20);
  expect(world.writes('closeIssue')).toHaveLength(1);
  expect(world.writes('sendAlert').map(({ input }) => input.state)).toEqual(['open', 'resolved']);
});

it('INC-2: CI fails on the same commit: its remedy is linked, and no second agent is started', async () => {
  const incidents = { codeAgent: { kind: 'label', label: 'code-agent' } };
  const { world, run, nowMs } = await startIncidents(pool(), 'linked', { incidents, ci: true });
  const headSha = 'b'.repeat(40);
  await pool().query(
    `insert into findings (tenant, fingerprint, occurrence, workspace, source, kind, target, signature, rule_version, severity, title, detail,
       status, first_seen_ms, last_seen_ms) values ('linked', 'c1', 1, 'shop', 'ciRuns', 'ci', 't', 's', 1, 'warning', 'ci: build fails on main', $1,
       'waiting', $2, $2)`,
    [JSON.stringify({ kind: 'ci', headSha }), nowMs()],
  );
  world.place('linked').production.services.backend = {
    deployments: [
      { id: 'd1', status: 'running', commitSha: 'a'.repeat(40), createdAtMs: nowMs() - hourMs },
      { id: 'd2', status: 'failed', commitSha: headSha, createdAtMs: nowMs() },
    ],
    live: 'd1',
    log: [],
    heals: {},
  };
  await run(10);
  expect(world.writes('startCodeAgent')).toEqual([]);
  expect((await timeline('linked', 'deployment')).map(({ text }) => text)).toContainEqual(
    expect.stringMatching(/CI fails on the same commit.*ci: build fails on main/),
  );
});

it('INC-5: the database fails: stale sessions are cleared, once', async () => {
  const checks = [{ kind: 'database', name: 'db', url: 'env:SHOP_DATABASE_URL', services: [] }];
  const devopsApi = { url: 'https://shop.example.com', secret: 'env:DEVOPS_API_SECRET' };
  const { world, run } = await startIncidents(pool(), 'stale', { checks, incidents: { devopsApi } });
  world.place('stale').production.failing = { db: { level: 'sev1', services: [] } };
  await run(4);
  expect(world.writes('cleanUp')).toEqual([]);
  await run(30);
  expect(world.writes('cleanUp').map(({ input }) => input)).toEqual([{ what: 'staleSessions' }]);
  expect((await timeline('stale')).map(({ text }) => text)).toContain('Cleared stale sessions (3 removed)');
});

it('INC-1 INC-4: SEV2 goes to a person after 15 min; SEV3 is an issue only, until it is worse', async () => {
  const two = await startIncidents(pool(), 'two');
  two.world.place('two').production.failing = { backend: { level: 'sev2', services: [] } };
  await two.run(14);
  expect((await timeline('two')).filter(({ kind }) => kind === 'told')).toEqual([]);
  await two.run(3);
  expect((await timeline('two')).filter(({ kind }) => kind === 'told')).toMatchObject([{ minute: 15 }]);

  const { world, run } = await startIncidents(pool(), 'three');
  const { production } = world.place('three');
  production.failing = { backend: { level: 'sev3', services: [] } };
  await run(120);
  expect(world.journal.map(({ kind }) => kind)).toEqual(['openIssue']);
  production.failing = { backend: { level: 'sev1', services: [] } };
  await run(7);
  expect(world.writes('sendAlert').map(({ input }) => input.severity)).toEqual(['critical', 'critical']);
  expect(world.writes('updateIssue').at(-1)?.input.title).toMatch(/^\[SEV1\]/);
  expect(world.writes('commentOnIssue').map(({ input }) => String(input.body))).toContainEqual(
    expect.stringMatching(/SEV3 → SEV1/),
  );
});

it('INC-6: GitHub refuses and the platform is away: the alert and a person come first, and nothing is restarted', async () => {
  const { world, run } = await startIncidents(pool(), 'deaf');
  const place = world.place('deaf');
  place.effects.openIssue = 'refuse';
  place.production.platform = 'down';
  place.production.services.backend = crashLoop();
  place.production.failing = { backend: { level: 'sev1', services: ['backend'] } };
  await run(11);
  expect((await timeline('deaf')).find(({ kind }) => kind === 'told')?.minute).toBeLessThanOrEqual(10);
  expect(world.writes('sendAlert')).toHaveLength(2);
  expect(await steps('deaf')).toEqual([]);
  // They answer again: the issue opens, and says what happened so far.
  place.effects.openIssue = undefined;
  place.production.platform = 'up';
  await run(8);
  expect(world.writes('openIssue')).toHaveLength(1);
  expect(world.writes('commentOnIssue').length).toBeGreaterThan(0);
  expect(await steps('deaf')).toEqual(['restartService']);
});

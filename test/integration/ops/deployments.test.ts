// DEPLOY-2, DEPLOY-3, LOOP-2: the source `deployments` over Railway's stand-in: what is down, every change of state once, and what cannot be read.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readWatches } from '../../../src/store/ops/watches.ts';
import { minute, type OpsRig, startMs, startOpsRig } from './rig.ts';

let rig: OpsRig;
let names = 0;
beforeAll(async () => {
  rig = await startOpsRig();
});
afterAll(() => rig.stop());
beforeEach(() => {
  rig.clock.nowMs = startMs;
});

const later = (minutes: number): void => {
  rig.clock.nowMs += minutes * minute;
};

/** A tenant over a project of its own; names of services are unique in the stand-in. */
async function watching(specs: Parameters<OpsRig['project']>[1], more = ''): Promise<string> {
  names += 1;
  const tenant = `deployments-${names}`;
  const { yaml } = rig.project(
    tenant,
    specs.map((spec) => ({ ...spec, name: `${spec.name}-${names}` })),
  );
  await rig.tenant(tenant, yaml + more);
  return tenant;
}
const named = (name: string): string => `${name}-${names}`;

describe('DEPLOY-2: what runs and what does not', () => {
  it('is green while all services run, and a service that somebody took down is no fault', async () => {
    const tenant = await watching([
      { name: 'backend', commitSha: 'a1' },
      { name: 'old', image: 'shop/old:1' },
    ]);
    rig.railway.world.say(named('old'), 'REMOVED', { stopped: true });
    expect(await rig.read(tenant, 'deployments')).toMatchObject({
      state: 'green',
      findings: [],
      reason: '2 services: 1 healthy; 1 stopped; no events',
    });
  });

  it('finds a service that crashed, one finding that stays the same, and says when it is well', async () => {
    const tenant = await watching(
      [
        { name: 'backend', commitSha: 'a1', behaviour: { crashesAfterMs: 2 * minute, steadyFromStart: 2 } },
        { name: 'web', image: 'web:1' },
      ],
      `      level: { byService: { backend-${names + 1}: sev1 } }\n`,
    );
    expect(await rig.read(tenant, 'deployments')).toMatchObject({ state: 'green' });
    later(5);
    const first = await rig.read(tenant, 'deployments');
    expect(first).toMatchObject({
      state: 'red',
      findings: [
        {
          kind: 'deployment',
          target: `production/${named('backend')}`,
          signature: 'deployment',
          severity: 'critical',
          detail: {
            status: 'crashed',
            rawStatus: 'CRASHED',
            serving: false,
            level: 'sev1',
            sinceMs: startMs + 2 * minute,
          },
        },
      ],
    });
    later(5);
    expect((await rig.read(tenant, 'deployments')).findings).toEqual(first.findings);
    const row = rig.railway.world.deploymentsOf(named('backend'))[0];
    row?.restartsMs.push(rig.clock.nowMs);
    later(5);
    expect(await rig.read(tenant, 'deployments')).toMatchObject({ state: 'green', findings: [] });
    const told = await rig.events(tenant, 'deployment.');
    expect(told.map(({ action, subject }) => [action, subject])).toEqual([
      ['deployment.crashed', `production/${named('backend')}`],
      ['deployment.running', `production/${named('backend')}`],
    ]);
  });

  it('tells a deployment that failed beside one that serves from a service that is down', async () => {
    const tenant = await watching([{ name: 'backend', commitSha: 'a1' }]);
    await rig.read(tenant, 'deployments');
    rig.railway.world.push(named('backend'), { commitSha: 'b2', behaviour: { failsBuild: true } });
    later(5);
    const { findings, state } = await rig.read(tenant, 'deployments');
    expect(state).toBe('red');
    expect(findings).toMatchObject([{ severity: 'warning', detail: { status: 'failed', serving: true } }]);
    expect(findings[0]?.title).toContain('an older deployment serves');
  });

  it('keeps the finding while what is to heal the service is on its way', async () => {
    const tenant = await watching([
      { name: 'backend', commitSha: 'a1', behaviour: { crashesAfterMs: minute } },
    ]);
    later(2);
    expect((await rig.read(tenant, 'deployments')).findings).toHaveLength(1);
    rig.railway.world.push(named('backend'), { commitSha: 'a2', behaviour: { startMs: 10 * minute } });
    later(5);
    expect((await rig.read(tenant, 'deployments')).findings).toHaveLength(1);
    later(10);
    expect((await rig.read(tenant, 'deployments')).findings).toEqual([]);
  });

  it('reports a word that it does not know, and takes it for no green', async () => {
    const tenant = await watching([{ name: 'backend', commitSha: 'a1' }]);
    rig.railway.world.say(named('backend'), 'HIBERNATING');
    expect(await rig.read(tenant, 'deployments')).toMatchObject({
      state: 'red',
      findings: [{ severity: 'warning', detail: { status: 'unknown', rawStatus: 'HIBERNATING' } }],
    });
  });

  it('looks at nothing that the settings do not watch, and says when they watch nothing', async () => {
    const tenant = await watching(
      [
        { name: 'backend', commitSha: 'a1' },
        { name: 'other', image: 'x:1' },
      ],
      '      watch: ["backend-*"]\n',
    );
    rig.railway.world.say(named('other'), 'CRASHED', { stopped: true });
    expect(await rig.read(tenant, 'deployments')).toMatchObject({ state: 'green', findings: [] });
    const mistaken = await watching([{ name: 'backend', commitSha: 'a1' }], '      watch: ["bakend*"]\n');
    expect(await rig.read(mistaken, 'deployments')).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('services.watch (bakend*) matches none of the services: backend'),
    });
  });
});

describe('DEPLOY-2: events since the last cycle', () => {
  it('tells what came and went between two readings, in its order, and each once over restarts of the worker', async () => {
    const tenant = await watching([{ name: 'backend', commitSha: 'a1' }]);
    await rig.read(tenant, 'deployments');
    for (const commitSha of ['b2', 'd4', 'c3']) {
      later(1);
      rig.railway.world.push(named('backend'), {
        commitSha,
        behaviour: commitSha === 'c3' ? { failsBuild: true } : {},
      });
    }
    later(2);
    // Every reading starts from what is in Postgres, as after a restart.
    const { reason } = await rig.read(tenant, 'deployments');
    expect(reason).toContain('events: ');
    await rig.read(tenant, 'deployments');
    const told = await rig.events(tenant, 'deployment.');
    expect(told.filter(({ action }) => action === 'deployment.created')).toHaveLength(3);
    expect(new Set(told.map(({ detail }) => detail?.key)).size).toBe(told.length);
    expect(told.some(({ reason: why }) => why.includes('failed (FAILED)'))).toBe(true);
  });

  it('tells nothing twice when two attempts at one reading overlap', async () => {
    const tenant = await watching([{ name: 'backend', commitSha: 'a1' }]);
    await rig.read(tenant, 'deployments');
    later(1);
    rig.railway.world.push(named('backend'), { commitSha: 'b2' });
    later(1);
    const both = await Promise.allSettled([rig.read(tenant, 'deployments'), rig.read(tenant, 'deployments')]);
    expect(both.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
    const told = await rig.events(tenant, 'deployment.');
    expect(new Set(told.map(({ detail }) => detail?.key)).size).toBe(told.length);
    expect(told.filter(({ action }) => action === 'deployment.created')).toHaveLength(1);
  });
});

describe('LOOP-2: what cannot be read', () => {
  it('is unknown with the reason, holds everything and resolves nothing; one note when it began and one when it is over', async () => {
    const tenant = await watching([{ name: 'backend', commitSha: 'a1' }]);
    await rig.read(tenant, 'deployments');
    rig.railway.fail({ kind: 'unavailable', times: 3 });
    later(5);
    expect(await rig.read(tenant, 'deployments')).toMatchObject({
      state: 'unknown',
      reason: expect.stringMatching(/503.*; the last reading is 5 min old/),
      findings: [{ kind: 'notice', severity: 'info', detail: { about: 'provider', level: 'warning' } }],
    });
    expect(await readWatches(rig.database.pool, tenant)).toMatchObject([
      { workspace: 'shop', watched: 1, outage: { sinceMs: rig.clock.nowMs, clearSinceMs: null } },
    ]);
    later(5);
    expect(await rig.read(tenant, 'deployments')).toMatchObject({ state: 'green' });
    later(5);
    expect(await rig.read(tenant, 'deployments')).toMatchObject({ state: 'green', findings: [] });
    expect(await readWatches(rig.database.pool, tenant)).toMatchObject([{ outage: null }]);
    expect((await rig.events(tenant, 'outage.')).map(({ action }) => action)).toEqual([
      'outage.began',
      'outage.ended',
    ]);
  });

  it('one request that is lost is no outage: it is read again', async () => {
    const tenant = await watching([{ name: 'backend', commitSha: 'a1' }]);
    rig.railway.fail({ kind: 'unavailable' });
    expect(await rig.read(tenant, 'deployments')).toMatchObject({ state: 'green' });
  });

  it('says what is wrong with the token, which is no outage', async () => {
    const tenant = await watching([{ name: 'backend', commitSha: 'a1' }]);
    const token = `RAILWAY_${tenant.replaceAll('-', '_').toUpperCase()}`;
    rig.secrets[token] = 'wrong-token-000001';
    const { state, reason, findings } = await rig.read(tenant, 'deployments');
    expect({ state, findings }).toEqual({ state: 'unknown', findings: [] });
    expect(reason).toContain('check services.provider.token');
    expect(reason).not.toContain('wrong-token');
    delete rig.secrets[token];
    expect(await rig.read(tenant, 'deployments')).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining(`workspaces.shop.services.provider.token: env:${token} is not set`),
    });
    expect(await readWatches(rig.database.pool, tenant)).toEqual([]);
  });

  it('more than half of at least three services down is an outage: one notice, everything held', async () => {
    const specs = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, image: `${name}:1` }));
    const tenant = await watching(specs);
    await rig.read(tenant, 'deployments');
    for (const name of ['a', 'b', 'c']) rig.railway.world.say(named(name), 'CRASHED', { stopped: true });
    later(5);
    const { findings } = await rig.read(tenant, 'deployments');
    expect(findings.map(({ kind }) => kind)).toEqual(['notice', 'deployment', 'deployment', 'deployment']);
    const serviceId = rig.railway.world.service(named('a')).id;
    const deploymentId = rig.railway.world.deploymentsOf(named('a'))[0]?.id ?? '';
    const request = rig.effect(tenant, 'restartService', `production/${named('a')}`, {
      service: named('a'),
      serviceId,
      deploymentId,
    });
    expect(await rig.door.run(request, AbortSignal.timeout(20_000))).toMatchObject({
      status: 'hold',
      guard: 'cap',
      reason: expect.stringContaining('3 of 5 services are unhealthy'),
    });
    expect(rig.railway.writes()).toEqual([]);
  });
});

// HEALTH-1, INC-1, LOOP-2: the source `health` against a stand-in of a tenant's production: first failures confirmed, one incident whatever fails, its
// severity up and down, maintenance, and what is no fault of production.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Observation } from '../../../src/contract/finding.ts';
import { type Production, startProduction } from '../../support/backend/production.ts';
import { minute, type OpsRig, startMs, startOpsRig } from './rig.ts';

let rig: OpsRig;
let production: Production;
let names = 0;
beforeAll(async () => {
  rig = await startOpsRig();
  production = await startProduction();
  rig.secrets.PRODUCTION_BACKEND_URL = production.backendUrl;
  rig.secrets.PRODUCTION_FRONTEND_URL = production.frontendUrl;
  rig.secrets.CANARY_PASSWORD = production.canary.password;
});
afterAll(async () => {
  await production.close();
  await rig.stop();
});
beforeEach(async () => {
  rig.clock.nowMs = startMs;
  await production.heal();
});

const later = (minutes: number): void => {
  rig.clock.nowMs += minutes * minute;
};

const backend =
  '{ kind: http, name: backend, path: /health, timeout: 1s, services: [backend], expect: { json: { status: ok } } }';
const frontend =
  '{ kind: content, name: frontend, path: /, timeout: 1s, level: sev2, expect: { contains: [Welcome] } }';
const login = `{ kind: login, name: login, level: sev3, timeout: 2s, secrets: { password: env:CANARY_PASSWORD }, steps: [{ name: login, method: POST, path: /api/login, json: { email: canary@shop.example, password: "\${password}" } }] }`;

async function watching(
  checks: readonly string[],
  more = '',
  workspace = '',
  apiUrl?: string,
): Promise<string> {
  names += 1;
  const tenant = `health-${names}`;
  const yaml = `    health:
      checks:
${checks.map((check) => `        - ${check}\n`).join('')}${more}
    services: { provider: { kind: command, status: 'echo "[]"', logs: "true", restart: "true" } }
${workspace}`;
  await rig.tenant(tenant, yaml, apiUrl);
  return tenant;
}

const read = (tenant: string): Promise<Observation> => rig.read(tenant, 'health');
const severities = async (tenant: string): Promise<readonly string[]> =>
  (await rig.events(tenant, 'severity.')).map(({ subject }) => subject.replace('production: ', ''));

describe('HEALTH-1: production is well', () => {
  it('is green with all checks passing, and each is asked once', async () => {
    const tenant = await watching([backend, frontend, login]);
    const before = production.requests().length;
    expect(await read(tenant)).toMatchObject({ state: 'green', findings: [], reason: '3 of 3 checks pass' });
    expect(production.requests().length - before).toBe(3);
  });

  it('a failure that is gone when it is read again counts as nothing, and is shown', async () => {
    const tenant = await watching([backend, frontend]);
    production.fail({ kind: 'status', side: 'backend', status: 502, times: 1 });
    expect(await read(tenant)).toMatchObject({
      state: 'green',
      findings: [],
      reason: '2 of 2 checks pass; flapped in the last 24 h: backend 1×',
    });
  });
});

describe('INC-1: production is down', () => {
  it('reads a first failure three times more, and makes one incident of all that fails', async () => {
    const tenant = await watching([backend, frontend, login]);
    production.fail({ kind: 'status', status: 503, side: 'backend', path: '/health' });
    production.fail({ kind: 'loginRefused' });
    const asked = (): number => production.requests().filter(({ path }) => path === '/health').length;
    const before = asked();
    const seen = await read(tenant);
    expect(asked() - before).toBe(4);
    expect(seen).toMatchObject({
      state: 'red',
      findings: [
        {
          kind: 'incident',
          target: 'production',
          signature: 'production',
          severity: 'critical',
          title: 'SEV1 production: backend, login fail',
          detail: {
            kind: 'incident',
            environment: 'production',
            level: 'sev1',
            services: ['backend'],
            failed: [
              {
                name: 'backend',
                level: 'sev1',
                reason: expect.stringContaining('503'),
                sinceMs: startMs,
              },
              { name: 'login', level: 'sev3', sinceMs: startMs },
            ],
          },
        },
      ],
    });
    // What fails already counts at once.
    later(4);
    expect(await read(tenant)).toMatchObject({ state: 'red', findings: [{ detail: { level: 'sev1' } }] });
    expect(asked() - before).toBe(5);
  });

  it('rises at once, falls after it was lower for five minutes, and each change is in the history', async () => {
    const tenant = await watching([backend, frontend]);
    production.fail({ kind: 'wrongContent', side: 'frontend' });
    expect(await read(tenant)).toMatchObject({
      findings: [{ severity: 'warning', detail: { level: 'sev2' } }],
    });
    await production.down('backend');
    later(4);
    expect(await read(tenant)).toMatchObject({
      findings: [{ severity: 'critical', detail: { level: 'sev1' } }],
    });
    await production.up('backend');
    later(4);
    expect(await read(tenant)).toMatchObject({
      findings: [{ detail: { level: 'sev1', failed: [{ name: 'frontend' }] } }],
    });
    later(6);
    expect(await read(tenant)).toMatchObject({ findings: [{ detail: { level: 'sev2' } }] });
    await production.heal();
    later(4);
    expect((await read(tenant)).findings).toHaveLength(1);
    later(6);
    expect(await read(tenant)).toMatchObject({ state: 'green', findings: [] });
    expect(await severities(tenant)).toEqual(['well → sev2', 'sev2 → sev1', 'sev1 → sev2', 'sev2 → well']);
  });

  it('a check that comes and goes every cycle is one incident, with counts', async () => {
    const tenant = await watching([backend, frontend]);
    for (let cycle = 0; cycle < 4; cycle += 1) {
      await production.down('backend');
      const { findings } = await read(tenant);
      expect(findings).toMatchObject([
        { signature: 'production', detail: { level: 'sev1', services: ['backend'] } },
      ]);
      if (cycle === 3)
        expect(findings[0]?.detail).toMatchObject({
          failed: [{ reason: expect.stringContaining('began to fail 4 times') }],
        });
      await production.up('backend');
      later(4);
      expect((await read(tenant)).findings).toHaveLength(1);
      later(4);
    }
    expect(await severities(tenant)).toEqual(['well → sev1']);
  });

  it('several checks at once are worse where a rule says so', async () => {
    const rule = '    incidents: { raise: [{ checks: [frontend, login], count: 2, level: sev1 }] }\n';
    const tenant = await watching([frontend, login], '', rule);
    production.fail({ kind: 'wrongContent', side: 'frontend' });
    expect(await read(tenant)).toMatchObject({ findings: [{ detail: { level: 'sev2' } }] });
    production.fail({ kind: 'databaseDown' });
    later(4);
    expect(await read(tenant)).toMatchObject({ findings: [{ detail: { level: 'sev1' } }] });
  });
});

describe('HEALTH-1: maintenance', () => {
  it('what fails in a window is said and no finding; it counts when the window is over', async () => {
    const from = new Date(startMs - minute).toISOString();
    const to = new Date(startMs + 30 * minute).toISOString();
    const window = `      maintenance: [{ kind: once, from: "${from}", to: "${to}", reason: new database }]\n`;
    const tenant = await watching([backend, frontend], window);
    await production.down('backend');
    expect(await read(tenant)).toMatchObject({
      state: 'green',
      findings: [],
      reason: expect.stringContaining('maintenance (new database), fails as expected: backend'),
    });
    later(31);
    expect(await read(tenant)).toMatchObject({
      findings: [{ detail: { level: 'sev1', failed: [{ sinceMs: rig.clock.nowMs }] } }],
    });
  });
});

describe('LOOP-2: what says nothing of production', () => {
  it('a check that cannot be made is told, and the others count', async () => {
    const broken = '{ kind: database, name: database, url: env:NOT_THERE }';
    const tenant = await watching([backend, broken]);
    expect(await read(tenant)).toMatchObject({
      state: 'green',
      reason: expect.stringContaining(
        'cannot be made: database (workspaces.shop.health.database.url: env:NOT_THERE is not set',
      ),
      findings: [
        {
          kind: 'notice',
          severity: 'info',
          target: 'database',
          detail: { about: 'check', level: 'warning' },
        },
      ],
    });
    const only = await watching([broken]);
    expect(await read(only)).toMatchObject({
      state: 'unknown',
      findings: [],
      reason: expect.stringContaining('no check could be made: database'),
    });
  });

  it('names of production that are gone are an incident; a machine that gets to nowhere is not', async () => {
    const away = '{ kind: http, name: away, url: "https://shop.invalid", timeout: 2s }';
    const tenant = await watching([away]);
    expect(await read(tenant)).toMatchObject({ state: 'red', findings: [{ kind: 'incident' }] });
    const lost = await watching([away], '', '', 'https://api.invalid');
    expect(await read(lost)).toMatchObject({
      state: 'unknown',
      findings: [],
      reason: expect.stringContaining('this machine gets to nowhere'),
    });
  });

  it('HEALTH-1: a reading between those of the grid makes the next one of no check late', async () => {
    const tenant = await watching(['{ kind: http, name: backend, path: /health, timeout: 1s }', frontend]);
    await read(tenant);
    const before = production.requests().length;
    later(2);
    await read(tenant);
    expect(production.requests().length - before).toBe(2);
  });

  it('asks a check of its own interval more often than the others', async () => {
    const often = '{ kind: http, name: often, path: /health, timeout: 1s, every: 1m }';
    const tenant = await watching([often, frontend]);
    await read(tenant);
    const before = production.requests().length;
    later(1);
    await read(tenant);
    expect(production.requests().length - before).toBe(1);
    later(3);
    await read(tenant);
    expect(production.requests().length - before).toBe(3);
  });
});

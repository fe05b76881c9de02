// DEPLOY-2, DEPLOY-3: from what a platform said to findings, events and memory, for any row of readings.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deploymentsMemoryOf } from '../../../src/activities/sources/ops/deployments-memory.ts';
import {
  type DeploymentsResult,
  judgeApiFailure,
  judgeDeployments,
  servicesToList,
  watchedServices,
} from '../../../src/activities/sources/ops/deployments-round.ts';
import type { Deployment, Overview, Service, ServiceStatus } from '../../../src/contract/ops/platform.ts';
import type { ServicesSettings } from '../../../src/contract/ops/settings.ts';

const minute = 60_000;
const settings: ServicesSettings = {
  provider: {
    kind: 'railway',
    token: 'env:T',
    tokenKind: 'project',
    apiUrl: 'https://railway.example',
    requestsPerHour: 1_000,
    requestsPerSecond: 10,
  },
  environment: 'production',
  watch: ['*'],
  level: { default: 'sev2', byService: { a: 'sev1' } },
  ladder: { enabled: true, unhealthyForMs: 300_000, healthyForMs: 300_000, restarts: 2 },
  versions: [],
  backups: [],
};

function deployment(id: string, status: ServiceStatus, atMs = 0): Deployment {
  return {
    id,
    serviceId: id.slice(0, 1),
    status,
    rawStatus: status.toUpperCase(),
    createdAtMs: atMs,
    statusChangedAtMs: atMs,
    canRollBack: true,
  };
}
function service(name: string, latest: Deployment | null, live: Deployment | null = latest): Service {
  return { id: name, name, latest, live };
}
function overview(...services: Service[]): Overview {
  return { project: 'shop', environment: 'production', dashboardUrl: null, services };
}
function round(
  before: DeploymentsResult | null,
  now: Overview,
  nowMs: number,
  deferred: readonly string[] = [],
) {
  // What comes back from Postgres went through JSON.
  const memory = before === null ? null : deploymentsMemoryOf(JSON.parse(JSON.stringify(before.memory)));
  const of = { settings, overview: now, listed: new Map(), deferred: new Set(deferred), nowMs };
  return judgeDeployments(memory, of);
}

describe('what is a fault', () => {
  const one = deployment('a1', 'running');
  it.each<[string, Service, object | null]>([
    ['runs', service('a', one), null],
    ['never deployed', service('a', null), null],
    ['somebody took it down', service('a', deployment('a1', 'stopped')), null],
    ['on its way up', service('a', deployment('a1', 'deploying'), null), null],
    [
      'crashed',
      service('a', deployment('a1', 'crashed')),
      { status: 'crashed', serving: false, deploymentId: 'a1' },
    ],
    ['degraded', service('a', deployment('a1', 'degraded')), { status: 'degraded', serving: false }],
    [
      'a word that is not known',
      service('a', deployment('a1', 'unknown')),
      { status: 'unknown', serving: false },
    ],
    [
      'the first one failed',
      service('a', deployment('a1', 'failed'), null),
      { status: 'failed', serving: false },
    ],
    [
      'the newest failed, an older one serves',
      service('a', deployment('a2', 'failed'), one),
      { status: 'failed', serving: true, deploymentId: 'a2' },
    ],
    [
      'crashed, a newer one is on its way',
      service('a', deployment('a2', 'deploying'), deployment('a1', 'crashed')),
      { status: 'crashed', serving: false, deploymentId: 'a2' },
    ],
  ])('%s', (_name, given, detail) => {
    const { findings, state } = round(null, overview(given), 0);
    expect(findings.map((finding) => finding.detail)).toMatchObject(detail === null ? [] : [detail]);
    expect(state).toBe(detail === null ? 'green' : 'red');
  });

  it('is critical only where production is down by it', () => {
    const down = (name: string) => service(name, { ...deployment(`${name}1`, 'crashed') });
    const { findings } = round(null, overview(down('a'), down('b'), service('c', one)), 0);
    expect(findings.map(({ severity }) => severity)).toEqual(['critical', 'warning']);
  });

  it('counts from when it began, without a break', () => {
    const first = round(null, overview(service('a', deployment('a1', 'crashed', 7))), 10);
    const second = round(first, overview(service('a', deployment('a1', 'crashed', 99))), 100);
    expect(second.findings[0]?.detail).toMatchObject({ sinceMs: 7 });
    const well = round(second, overview(service('a', one)), 200);
    const anew = round(well, overview(service('a', deployment('a1', 'crashed', 250))), 300);
    expect(anew.findings[0]?.detail).toMatchObject({ sinceMs: 250 });
  });
});

describe('an outage', () => {
  it('by its API: what was known stays, everything is held, one event', () => {
    const before = round(null, overview(service('a', deployment('a1', 'crashed', 7))), 10);
    const failed = judgeApiFailure(before.memory, settings, 'answered 503', minute);
    expect(failed.memory).toMatchObject({ ...before.memory, outage: { sinceMs: minute } });
    expect(failed.events.map(({ action }) => action)).toEqual(['outage.began']);
    expect(judgeApiFailure(failed.memory, settings, 'answered 503', 2 * minute).events).toEqual([]);
  });
});

describe('services that are watched', () => {
  it('none of those that there are is a mistake, nothing at all is not', () => {
    expect(watchedServices(settings, overview())).toEqual([]);
    expect(() => watchedServices({ ...settings, watch: ['x'] }, overview(service('a', null)))).toThrow(
      'services.watch (x) matches none of the services: a',
    );
  });
});

it('what moved while its list had to wait is told in the next reading, and what came and went in between too', () => {
  const at = (minutes: number, id: string) => deployment(id, 'running', minutes * minute);
  const first = round(null, overview(service('a', at(0, 'a0'))), 0);
  const moved = overview(service('a', at(4, 'a2')));
  expect(servicesToList(first.memory, moved.services, 5 * minute)).toEqual(['a']);
  const waited = round(first, moved, 5 * minute, ['a']);
  expect(waited.events).toEqual([]);
  expect(waited.reason).toContain('1 moved and are looked at in the next reading');
  const listed = new Map([['a', { deployments: [at(4, 'a2'), at(2, 'a1'), at(0, 'a0')], complete: true }]]);
  const told = judgeDeployments(waited.memory, {
    settings,
    overview: moved,
    listed,
    deferred: new Set(),
    nowMs: 10 * minute,
  });
  expect(told.events.map(({ detail }) => detail?.deploymentId)).toEqual(['a1', 'a2']);
});

describe('events, for any row of readings', () => {
  const statuses: readonly ServiceStatus[] = ['running', 'crashed', 'deploying', 'failed', 'stopped'];
  const reading = fc.record({
    status: fc.constantFrom(...statuses),
    anew: fc.boolean(),
    deferred: fc.boolean(),
  });

  it('each change of state is told once, also when a list had to wait', () => {
    fc.assert(
      fc.property(fc.array(reading, { minLength: 1, maxLength: 12 }), (row) => {
        let state: DeploymentsResult | null = round(
          null,
          overview(service('a', deployment('a0', 'running'))),
          0,
        );
        let version = 0;
        let nowMs = 0;
        const keys: unknown[] = [];
        const seen: string[] = [];
        let last: Overview = overview(service('a', deployment('a0', 'running')));
        for (const { status, anew, deferred } of row) {
          nowMs += 5 * minute;
          if (anew) version += 1;
          const newest = { ...deployment(`a${version}`, status, nowMs), createdAtMs: version * 5 * minute };
          last = overview(service('a', newest));
          const moved = servicesToList(state.memory, last.services, nowMs).length > 0;
          state = round(state, last, nowMs, moved && deferred ? ['a'] : []);
          for (const event of state.events) {
            keys.push(event.detail?.key);
            seen.push(event.action);
          }
        }
        // The same again says nothing more, unless something had waited.
        const end = round(state, last, nowMs + minute);
        const after = round(end, last, nowMs + 2 * minute);
        expect(after.events).toEqual([]);
        const all = [...keys, ...end.events.map(({ detail }) => detail?.key)];
        expect(new Set(all).size).toBe(all.length);
      }),
    );
  });
});

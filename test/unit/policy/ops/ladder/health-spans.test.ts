// DEPLOY-3: how a service is, from what the platform and our checks say; what may be rolled back to.
import { describe, expect, it } from 'vitest';
import type { HealthSpan, ServiceHealth } from '../../../../../src/contract/ops/ladder.ts';
import type { Deployment, Service, ServiceStatus } from '../../../../../src/contract/ops/platform.ts';
import {
  addReading,
  failedBeside,
  rollBackTarget,
  rungTarget,
  serviceHealth,
  timeIn,
} from '../../../../../src/policy/ops/ladder/health-spans.ts';
import { minute } from './ladder-rig.ts';

function deployment(id: string, status: ServiceStatus, createdAtMs = 0, canRollBack = true): Deployment {
  return {
    id,
    serviceId: 's',
    status,
    rawStatus: status,
    createdAtMs,
    statusChangedAtMs: createdAtMs,
    canRollBack,
  };
}
function service(live: ServiceStatus | null, latest: ServiceStatus | null = live): Service {
  const one = live === null ? null : deployment('live', live);
  const newest = latest === null ? null : latest === live ? one : deployment('latest', latest);
  return { id: 's', name: 'backend', live: one, latest: newest };
}

describe('DEPLOY-3: the health of a service', () => {
  it.each<[string, Service | undefined, boolean | null, ServiceHealth]>([
    ['running, checks pass', service('running'), false, 'healthy'],
    ['running, no check', service('running'), null, 'healthy'],
    ['running, its check fails', service('running'), true, 'unhealthy'],
    ['degraded', service('degraded'), null, 'unhealthy'],
    ['crashed, though a check passes', service('crashed'), false, 'unhealthy'],
    ['the first deployment failed', service(null, 'failed'), null, 'unhealthy'],
    ['the newest failed, the one before serves', service('running', 'failed'), false, 'healthy'],
    ['the newest failed, the one before crashed', service('crashed', 'failed'), false, 'unhealthy'],
    ['crashed, a newer one on its way', service('crashed', 'deploying'), true, 'deploying'],
    ['serves, a newer one on its way', service('running', 'deploying'), false, 'healthy'],
    ['the first one on its way', service(null, 'deploying'), true, 'deploying'],
    ['taken down', service('stopped'), true, 'stopped'],
    ['never deployed', service(null), null, 'stopped'],
    ['a word that is not known', service('unknown'), false, 'unknown'],
    ['not on the platform', undefined, null, 'gone'],
  ])('%s', (_name, given, failing, expected) => {
    expect(serviceHealth(given, failing)).toBe(expected);
  });

  it('tells a failed deployment beside one that serves', () => {
    expect(failedBeside(service('running', 'failed'))).toBe(true);
    expect(failedBeside(service('running', 'crashed'))).toBe(true);
    expect(failedBeside(service('running', 'deploying'))).toBe(false);
    expect(failedBeside(service('crashed'))).toBe(false);
    expect(failedBeside(service(null, 'failed'))).toBe(false);
  });

  it('says what a rung is taken on, and whether it ever ran', () => {
    expect(rungTarget(service('crashed', 'failed'))).toEqual({ id: 'live', ran: true });
    expect(rungTarget(service(null, 'failed'))).toEqual({ id: 'latest', ran: false });
    expect(rungTarget(service(null))).toBeNull();
  });
});

describe('DEPLOY-3: the last healthy deployment', () => {
  const all = [
    deployment('d5', 'crashed', 50),
    deployment('d4', 'failed', 40),
    deployment('d3', 'stopped', 30),
    deployment('d2', 'stopped', 20, false),
    deployment('d1', 'stopped', 10),
  ];
  it.each<[string, string | null, string[], string | null]>([
    ['the newest older one that is not broken', 'd5', [], 'd3'],
    ['one that was seen healthy is better', 'd5', ['d1'], 'd1'],
    ['seen healthy, but not to be rolled back to', 'd5', ['d2'], 'd3'],
    ['only older ones', 'd3', [], 'd1'],
    ['none is older', 'd1', ['d3'], null],
    ['the current one is not listed any more', 'd9', [], 'd3'],
  ])('%s', (_name, current, seenHealthy, expected) => {
    expect(rollBackTarget(all, current, seenHealthy)).toBe(expected);
    expect(rollBackTarget([...all].reverse(), current, seenHealthy)).toBe(expected);
  });

  it('is never one that was down since the fault began, however well it ran before', () => {
    const redeployed = [
      deployment('d3', 'crashed', 30),
      deployment('d2', 'stopped', 20),
      deployment('d1', 'stopped', 10),
    ];
    expect(rollBackTarget(redeployed, 'd3', ['d2'], ['d2', 'd3'])).toBe('d1');
    expect(rollBackTarget(redeployed, 'd3', ['d2'], ['d1', 'd2', 'd3'])).toBeNull();
  });
});

describe('readings over time', () => {
  const read = (...readings: readonly [ServiceHealth, number][]): readonly HealthSpan[] =>
    readings.reduce<readonly HealthSpan[]>(
      (spans, [health, at]) => addReading(spans, health, at * minute),
      [],
    );

  it('joins equal readings that follow each other closely', () => {
    expect(read(['unhealthy', 0], ['unhealthy', 5], ['healthy', 6], ['unhealthy', 7])).toEqual([
      { health: 'unhealthy', fromMs: 0, toMs: 5 * minute },
      { health: 'healthy', fromMs: 6 * minute, toMs: 6 * minute },
      { health: 'unhealthy', fromMs: 7 * minute, toMs: 7 * minute },
    ]);
    expect(read(['healthy', 0], ['healthy', 11])).toHaveLength(2);
    expect(read(['healthy', 5], ['unhealthy', 4])).toHaveLength(1);
  });

  it('counts what is known of a state, from a time on', () => {
    const spans = read(
      ['unhealthy', 0],
      ['unhealthy', 4],
      ['healthy', 5],
      ['unhealthy', 6],
      ['unhealthy', 9],
    );
    expect(timeIn(spans, 'unhealthy', 0)).toBe(7 * minute);
    expect(timeIn(spans, 'unhealthy', 2 * minute)).toBe(5 * minute);
    expect(timeIn(spans, 'unhealthy', 20 * minute)).toBe(0);
    expect(timeIn(spans, 'healthy', 0)).toBe(0);
  });

  it('stays bounded, and keeps since when', () => {
    const many = Array.from({ length: 500 }, (_, at): [ServiceHealth, number] => [
      at % 2 === 0 ? 'healthy' : 'unhealthy',
      at,
    ]);
    const spans = read(...many);
    expect(spans.length).toBeLessThan(70);
    expect(spans[0]?.fromMs).toBe(0);
    expect(spans.at(-1)?.toMs).toBe(499 * minute);
  });
});

// DEPLOY-2: events since the last cycle: none lost, none told twice, failed and degraded first; the memory stays small.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeploymentMemory } from '../../../../../src/contract/ops/deployment-events.ts';
import type { Deployment, ServiceStatus } from '../../../../../src/contract/ops/platform.ts';
import {
  type EventsSince,
  eventLine,
  eventsSince,
  type ServiceNow,
} from '../../../../../src/policy/ops/watch/deployment-events.ts';

function deployment(
  id: string,
  status: ServiceStatus,
  createdAtMs: number,
  changedMs = createdAtMs,
): Deployment {
  return {
    id,
    serviceId: 's1',
    status,
    rawStatus: status.toUpperCase(),
    createdAtMs,
    statusChangedAtMs: changedMs,
    canRollBack: true,
  };
}

/** A service with its deployments, newest first; the first one that runs serves. */
function service(
  deployments: readonly Deployment[],
  more: Partial<ServiceNow> & { readonly id?: string } = {},
): ServiceNow {
  const { id = 's1', ...rest } = more;
  const live = deployments.find(({ status }) => status === 'running') ?? null;
  return {
    service: { id, name: `service ${id}`, latest: deployments[0] ?? null, live },
    listed: deployments,
    complete: false,
    ...rest,
  };
}

/** Reads one after the other; the memory goes through JSON, as over a restart. */
function cycles(...reads: readonly (readonly ServiceNow[])[]): readonly EventsSince[] {
  let memory: DeploymentMemory | null = null;
  return reads.map((now, at) => {
    const since: EventsSince = eventsSince(memory, now, at);
    memory = JSON.parse(JSON.stringify(since.memory));
    return since;
  });
}
const lines = (since: EventsSince | undefined): readonly string[] => (since?.events ?? []).map(eventLine);

const d1 = deployment('d1', 'running', 10);

describe('DEPLOY-2: events since the last cycle', () => {
  it.each<[string, readonly (readonly ServiceNow[])[], readonly string[]]>([
    ['the first time nothing is news but what is bad', [[service([d1])]], []],
    [
      'the first time, what is bad',
      [[service([deployment('d2', 'failed', 20), d1])]],
      ['service s1: new deployment d2 failed (FAILED)'],
    ],
    ['nothing happened', [[service([d1])], [service([d1])]], []],
    [
      'a new one on its way',
      [[service([d1])], [service([deployment('d2', 'deploying', 20), d1])]],
      ['service s1: new deployment d2 deploying (DEPLOYING)'],
    ],
    [
      'it failed',
      [
        [service([deployment('d2', 'deploying', 20), d1])],
        [service([deployment('d2', 'failed', 20, 30), d1])],
      ],
      ['service s1: deployment d2 deploying → failed (FAILED)'],
    ],
    [
      'the one that serves crashed',
      [[service([d1])], [service([deployment('d1', 'crashed', 10, 40)])]],
      ['service s1: deployment d1 running → crashed (CRASHED)'],
    ],
    [
      'it crashed once more between two reads',
      [[service([deployment('d1', 'crashed', 10, 40)])], [service([deployment('d1', 'crashed', 10, 50)])]],
      ['service s1: once more, deployment d1 crashed (CRASHED)'],
    ],
    [
      'what runs on is no event, though the platform touched it',
      [[service([d1])], [service([deployment('d1', 'running', 10, 99)])]],
      [],
    ],
    [
      'one came and went between two reads',
      [
        [service([d1])],
        [
          service([
            deployment('d3', 'running', 30),
            deployment('d2', 'failed', 20),
            deployment('d1', 'stopped', 10, 30),
          ]),
        ],
      ],
      [
        'service s1: new deployment d2 failed (FAILED)',
        'service s1: deployment d1 running → stopped (STOPPED)',
        'service s1: new deployment d3 running (RUNNING)',
      ],
    ],
    [
      'a service was added, one removed',
      [[service([d1])], [service([deployment('e1', 'deploying', 20)], { id: 's2' })]],
      [
        'service s1: the service was removed',
        'service s2: the service was added',
        'service s2: new deployment e1 deploying (DEPLOYING)',
      ],
    ],
    [
      'a list that an older one came into is no news',
      [[service([d1])], [service([d1, deployment('d0', 'stopped', 5)])]],
      [],
    ],
  ])('%s', (_name, reads, expected) => {
    expect(lines(cycles(...reads).at(-1))).toEqual(expected);
  });

  it('failed, crashed and degraded come first, then by time', () => {
    const statuses: readonly ServiceStatus[] = [
      'running',
      'deploying',
      'degraded',
      'unknown',
      'stopped',
      'crashed',
      'failed',
    ];
    const now = statuses.map((status, n) => service([deployment(`x${n}`, status, 50 - n)], { id: `s${n}` }));
    const before = statuses.map((_, n) => service([], { id: `s${n}` }));
    const told = cycles(before, now)
      .at(-1)
      ?.events.map((event) => event.deployment?.status);
    expect(told).toEqual(['failed', 'crashed', 'degraded', 'unknown', 'stopped', 'deploying', 'running']);
  });

  it('asks for the list where the overview shows what was not known, and says where a list is too short', () => {
    const unlisted = service([deployment('d9', 'running', 90)], { listed: null });
    const [, asked] = cycles([service([d1])], [unlisted]);
    expect(asked?.toList).toEqual(['s1']);
    expect(cycles([service([d1])], [service([d1], { listed: null })]).at(-1)?.toList).toEqual([]);
    expect(cycles([unlisted]).at(-1)?.toList).toEqual([]);
    const short = service([deployment('d9', 'running', 90), deployment('d8', 'stopped', 80)]);
    expect(cycles([service([d1])], [short]).at(-1)).toMatchObject({ toList: [], gaps: ['service s1'] });
    expect(cycles([service([d1])], [{ ...short, complete: true }]).at(-1)?.gaps).toEqual([]);
  });
});

it('DEPLOY-2: an old deployment that is listed again after it was forgotten is no news', () => {
  const all = Array.from({ length: 40 }, (_, n) => deployment(`d${n}`, 'stopped', n)).reverse();
  const [, first, again] = cycles([service([])], [service(all)], [service(all)]);
  expect(first?.events).toHaveLength(40);
  expect(again?.events).toEqual([]);
});

it('DEPLOY-2: whatever comes and goes between reads: each deployment is told once, each state as it is, the memory is bounded', () => {
  const statuses = fc.constantFrom<ServiceStatus>(
    'running',
    'deploying',
    'degraded',
    'crashed',
    'failed',
    'stopped',
    'unknown',
  );
  const happening = fc.oneof(
    { weight: 3, arbitrary: fc.record({ what: fc.constant('deploy' as const), status: statuses }) },
    {
      weight: 3,
      arbitrary: fc.record({ what: fc.constant('change' as const), back: fc.nat(3), status: statuses }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ what: fc.constant('read' as const), times: fc.integer({ min: 1, max: 2 }) }),
    },
  );
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 120 }), (happenings) => {
      let all: Deployment[] = [deployment('d0', 'running', 0)];
      let memory: DeploymentMemory | null = eventsSince(null, [service(all)], 0).memory;
      let nowMs = 0;
      const keys = new Set<string>();
      const states = new Map<string, ServiceStatus>([['d0', 'running']]);
      for (const one of happenings) {
        nowMs += 1;
        if (one.what === 'deploy') all = [deployment(`d${nowMs}`, one.status, nowMs), ...all];
        else if (one.what === 'change')
          all = all.map((was, at) =>
            at === one.back && was.status !== one.status
              ? { ...was, status: one.status, statusChangedAtMs: nowMs }
              : was,
          );
        else {
          for (let turn = 0; turn < one.times; turn++) {
            const since: EventsSince = eventsSince(memory, [service(all)], nowMs);
            if (turn > 0) expect(since.events).toEqual([]);
            for (const event of since.events) {
              expect(keys.has(event.key)).toBe(false);
              keys.add(event.key);
              const id = event.deployment?.id ?? '';
              expect(event.kind === 'created').toBe(!states.has(id));
              expect(event.from).toBe(states.get(id) ?? null);
              states.set(id, event.deployment?.status ?? 'unknown');
            }
            memory = JSON.parse(JSON.stringify(since.memory)) as DeploymentMemory;
            expect(memory.services.s1?.known.length).toBeLessThanOrEqual(21);
          }
          expect([...states.keys()].sort()).toEqual(all.map(({ id }) => id).sort());
          for (const { id, status } of all.slice(0, 4)) expect(states.get(id)).toBe(status);
        }
      }
    }),
    { numRuns: 300 },
  );
});

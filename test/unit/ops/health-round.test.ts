// HEALTH-1, INC-1: from the readings of a round to one incident, for any row of rounds.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HealthMemory, healthMemoryOf } from '../../../src/activities/sources/ops/health-memory.ts';
import { judgeRound, type RoundReading } from '../../../src/activities/sources/ops/health-round.ts';
import type { HealthCheck } from '../../../src/contract/ops/health-settings.ts';
import type { IncidentLevel } from '../../../src/contract/ops/settings.ts';
import type { CheckReading } from '../../../src/integrations/health/run-check.ts';

const minute = 60_000;
const names = ['a', 'b', 'c'] as const;
const levels: { readonly [name: string]: IncidentLevel } = { a: 'sev1', b: 'sev2', c: 'sev3' };
const checks: readonly HealthCheck[] = names.map((name) => ({
  kind: 'database',
  name,
  timeoutMs: 1_000,
  level: levels[name] ?? 'sev2',
  services: [`service-${name}`],
  url: 'env:URL',
}));

type Said = CheckReading['state'] | 'flap';
function readingsOf(said: { readonly [name: string]: Said }): ReadonlyMap<string, RoundReading> {
  return new Map(
    Object.entries(said).map(([name, how]) => {
      const state = how === 'flap' ? 'ok' : how;
      const level = levels[name] ?? 'sev2';
      const reading = {
        name,
        state,
        level,
        ok: state === 'ok',
        reason: `${name} is ${how}`,
        latencyMs: 1,
        facts: {},
      };
      return [name, { reading, flapped: how === 'flap' }];
    }),
  );
}
function judge(
  before: HealthMemory | null,
  said: { readonly [name: string]: Said },
  nowMs: number,
  maintenance = false,
) {
  // What comes back from Postgres went through JSON.
  return judgeRound(healthMemoryOf(JSON.parse(JSON.stringify(before))), {
    environment: 'production',
    checks,
    incidents: { raise: [], lowerAfterMs: 5 * minute },
    maintenance: maintenance ? { kind: 'once', fromMs: 0, toMs: nowMs + 1, reason: 'move' } : undefined,
    readings: readingsOf(said),
    nowMs,
  });
}

describe('one round', () => {
  it.each<[string, { readonly [name: string]: Said }, string | null]>([
    ['all pass', { a: 'ok', b: 'ok', c: 'ok' }, null],
    ['one flaps', { a: 'flap', b: 'ok', c: 'ok' }, null],
    ['one cannot be made', { a: 'unknown', b: 'ok', c: 'ok' }, null],
    ['the least of them fails', { a: 'ok', b: 'ok', c: 'failed' }, 'sev3'],
    ['the worst counts', { a: 'failed', b: 'failed', c: 'failed' }, 'sev1'],
  ])('%s', (_name, said, level) => {
    const { findings, state } = judge(null, said, 0);
    const incident = findings.find(({ kind }) => kind === 'incident');
    expect(incident?.detail).toEqual(level === null ? undefined : expect.objectContaining({ level }));
    expect(state).toBe(level === null ? 'green' : 'red');
  });

  it('a check that the settings lost is forgotten, and the incident with it', () => {
    const before = judge(null, { gone: 'failed', a: 'ok' }, 0).memory;
    expect(before.checks).not.toHaveProperty('gone');
  });

  it('keeps the services of the incident until it is over', () => {
    const down = judge(null, { a: 'failed', b: 'ok', c: 'ok' }, 0).memory;
    const other = judge(down, { a: 'ok', b: 'failed', c: 'ok' }, 4 * minute);
    expect(other.findings[0]?.detail).toMatchObject({
      services: ['service-a', 'service-b'],
      failed: [{ name: 'b', sinceMs: 4 * minute }],
    });
  });
});

describe('any row of rounds', () => {
  const said = fc.constantFrom<Said>('ok', 'failed', 'unknown', 'flap');
  const row = fc.array(fc.record({ a: said, b: said, c: said, maintenance: fc.boolean() }), {
    maxLength: 15,
  });

  it('there is one incident at most, always the same one, and every change of severity is one event', () => {
    fc.assert(
      fc.property(row, (rounds) => {
        let memory: HealthMemory | null = null;
        let level: IncidentLevel | null = null;
        rounds.forEach(({ maintenance, ...readings }, index) => {
          const result = judge(memory, readings, index * 4 * minute, maintenance);
          const incidents = result.findings.filter(({ kind }) => kind === 'incident');
          expect(incidents.length).toBe(result.memory.severity.level === null ? 0 : 1);
          for (const { target, signature } of incidents)
            expect([target, signature]).toEqual(['production', 'production']);
          expect(result.events.length).toBe(result.memory.severity.level === level ? 0 : 1);
          expect(result.state).toBe(result.memory.severity.level === null ? 'green' : 'red');
          memory = result.memory;
          level = result.memory.severity.level;
        });
      }),
    );
  });

  it('in maintenance nothing begins, whatever fails', () => {
    fc.assert(
      fc.property(row, (rounds) => {
        let memory: HealthMemory | null = null;
        rounds.forEach(({ maintenance: _, ...readings }, index) => {
          const result = judge(memory, readings, index * 4 * minute, true);
          expect(result.findings.filter(({ kind }) => kind === 'incident')).toEqual([]);
          memory = result.memory;
        });
      }),
    );
  });
});

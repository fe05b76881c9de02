// INC-6: whether a tenant's loop stands still, judged from outside, and how often that is told.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTenantFile } from '../../../../src/config/tenant-file.ts';
import type { TenantConfig } from '../../../../src/contract/tenant-config.ts';
import {
  judgeLoop,
  type LoopFacts,
  nextCycleDueMs,
  nextWatchStep,
  type Told,
} from '../../../../src/policy/ops/watchdog.ts';

const minuteMs = 60_000;
const nowMs = Date.UTC(2026, 10, 21, 3, 0);
const well: LoopFacts = {
  sinceMs: nowMs - minuteMs,
  dueMs: nowMs + 4 * minuteMs,
  loop: 'running',
  taskAttempts: [],
};
const silentFor = (minutes: number): Partial<LoopFacts> => ({
  sinceMs: nowMs - minutes * minuteMs,
  dueMs: nowMs - (minutes - 5) * minuteMs,
});

describe('INC-6: a loop', () => {
  it.each<[string, Partial<LoopFacts>, string]>([
    ['whose cycles finish', {}, 'well'],
    ['without a cycle for 14 min', silentFor(14), 'well'],
    ['without a cycle for 15 min', silentFor(15), 'silent'],
    ['that is due each hour only', { sinceMs: nowMs - 50 * minuteMs, dueMs: nowMs + 10 * minuteMs }, 'well'],
    ['that was due and is late', { sinceMs: nowMs - 70 * minuteMs, dueMs: nowMs - 6 * minuteMs }, 'silent'],
    ['that was terminated', { loop: 'ended' }, 'ended'],
    ['whose Temporal is away for a moment', { loop: 'unreachable' }, 'well'],
    ['whose Temporal is away for long', { loop: 'unreachable', ...silentFor(20) }, 'silent'],
    [
      'one of whose tasks was tried again',
      { taskAttempts: [{ workflowId: 'tenant/a', attempt: 3 }] },
      'well',
    ],
    [
      'one of whose tasks keeps failing',
      { taskAttempts: [{ workflowId: 'tenant/a', attempt: 4 }] },
      'failing',
    ],
  ])('%s', (_name, facts, state) => {
    expect(judgeLoop({ ...well, ...facts }, nowMs).state).toBe(state);
  });
});

function config(workspace: object, cadence: object = {}): TenantConfig {
  const file = {
    tenant: 'a',
    cadence,
    workspaces: [{ name: 'shop', github: { repository: 'a/b' }, ...workspace }],
  };
  const parsed = parseTenantFile(JSON.stringify(file), { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

it('INC-6: a tenant that is watched less often by its own schedule is due later', () => {
  const quiet = config({ ci: { enabled: true } });
  const services = { provider: { kind: 'command', status: 'true', logs: 'true', restart: 'true' } };
  const live = config({ ci: { enabled: true }, services });
  expect(nextCycleDueMs(live, 7, nowMs) - nowMs).toBeLessThanOrEqual(5 * minuteMs);
  expect(nextCycleDueMs(quiet, 7, nowMs) - nowMs).toBeLessThanOrEqual(30 * minuteMs);
  const seldom = config({ ci: { enabled: true } }, { perSource: { ciRuns: '6h' } });
  expect(nextCycleDueMs(seldom, 0, nowMs + 1) - nowMs).toBeGreaterThan(minuteMs);
  expect(nextCycleDueMs(config({ ci: { enabled: false } }), 7, nowMs) - nowMs).toBe(60 * minuteMs);
});

it('INC-6: told once per state and hour, and once when it is over', () => {
  let before: Told | null = null;
  const words: string[] = [];
  const look = (state: 'well' | 'silent' | 'failing', minute: number): void => {
    const step = nextWatchStep(before, { state, reason: '' }, minute * minuteMs);
    if (step.tell) words.push(`${minute}: ${step.tell.way} ${step.tell.number}`);
    before = step.keep;
  };
  for (let minute = 0; minute <= 125; minute += 1) look('silent', minute);
  look('failing', 126);
  look('failing', 127);
  look('well', 128);
  look('well', 129);
  expect(words).toEqual(['0: open 1', '60: update 2', '120: update 3', '126: update 4', '128: resolved 5']);
});

it('INC-6: no number is told twice in one trouble, and nothing after it is well', () => {
  const states = fc.constantFrom('well', 'silent', 'failing', 'ended');
  fc.assert(
    fc.property(fc.array(fc.tuple(states, fc.integer({ min: 1, max: 90 }))), (looks) => {
      let before: Told | null = null;
      let atMs = 0;
      const seen = new Set<string>();
      for (const [state, minutes] of looks) {
        atMs += minutes * minuteMs;
        const { keep, tell } = nextWatchStep(before, { state, reason: '' }, atMs);
        if (tell) {
          const key = `${tell.sinceMs}-${tell.number}`;
          expect(seen.has(key)).toBe(false);
          seen.add(key);
        }
        if (state === 'well') expect(keep).toBeNull();
        before = keep;
      }
    }),
  );
});

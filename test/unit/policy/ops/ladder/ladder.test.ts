// DEPLOY-3, LOOP-8: restart, redeploy, second restart, rollback by approval, person, as whole stories and as properties over any weather.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LadderState, Rung, RungKind, ServiceHealth } from '../../../../../src/contract/ops/ladder.ts';
import { nextStep } from '../../../../../src/policy/ops/ladder/ladder.ts';
import { climb, defaults, fresh, minute, story, type World } from './ladder-rig.ts';

const down = (): ServiceHealth => 'unhealthy';
const upAfter =
  (kind: RungKind, count = 1) =>
  (_atMs: number, done: readonly Rung[]): ServiceHealth =>
    done.filter((rung) => rung.kind === kind && rung.outcome === 'applied').length >= count
      ? 'healthy'
      : 'unhealthy';

describe('DEPLOY-3: the ladder', () => {
  it.each<[string, World, readonly string[]]>([
    [
      'LOOP-8: a crash loop: restart, redeploy (the restart is in cooldown), second restart, held rollback; approved, it ends green',
      { health: upAfter('rollBack'), outcome: (kind) => (kind === 'rollBack' ? 'held' : 'applied') },
      ['5 restart d2', '10 redeploy d2', '35 restart d2', '40 rollBack d1', '46 recovered'],
    ],
    [
      'nothing helps: a person after all of it',
      { health: down },
      ['5 restart d2', '10 redeploy d2', '35 restart d2', '40 rollBack d1', '45 person used'],
    ],
    ['a restart helps', { health: upAfter('restart') }, ['5 restart d2', '10 recovered']],
    [
      'the second restart helps',
      { health: upAfter('restart', 2) },
      ['5 restart d2', '10 redeploy d2', '35 restart d2', '40 recovered'],
    ],
    [
      'it heals by itself before a step',
      { health: (at) => (at < 4 * minute ? 'unhealthy' : 'healthy') },
      ['10 recovered'],
    ],
    [
      'without a cooldown both restarts come first',
      { health: down, cooldownMs: { restart: 0 } },
      ['5 restart d2', '10 restart d2', '15 redeploy d2', '20 rollBack d1', '25 person used'],
    ],
    [
      'a cooldown of hours is not waited for',
      { health: down, cooldownMs: { restart: 240 * minute } },
      ['5 restart d2', '10 redeploy d2', '15 rollBack d1', '20 person used'],
    ],
    [
      'LOOP-8: a restart that somebody made before: redeploy first',
      { health: down, state: { cooldownUntilMs: { restart: 28 * minute } } },
      ['5 redeploy d2', '28 restart d2', '58 restart d2', '63 rollBack d1', '68 person used'],
    ],
    [
      'a platform that can only restart',
      { health: down, state: { can: { redeploy: false, rollBack: false } } },
      ['5 restart d2', '35 restart d2', '40 person used'],
    ],
    [
      'nothing to roll back to',
      { health: down, state: { rollBackTo: null } },
      ['5 restart d2', '10 redeploy d2', '35 restart d2', '40 person used'],
    ],
    [
      'what never ran is not restarted',
      { health: down, state: { deployment: { id: 'd2', ran: false } } },
      ['5 redeploy d2', '10 rollBack d1', '15 person used'],
    ],
    [
      'one restart by the settings',
      { health: down, restarts: 1 },
      ['5 restart d2', '10 redeploy d2', '15 rollBack d1', '20 person used'],
    ],
    [
      'never more than two restarts, whatever the settings say',
      { health: down, restarts: 9, cooldownMs: { restart: 0 } },
      ['5 restart d2', '10 restart d2', '15 redeploy d2', '20 rollBack d1', '25 person used'],
    ],
    [
      'what is refused is not asked for again',
      { health: down, outcome: () => 'refused' },
      ['5 restart d2', '5 redeploy d2', '5 rollBack d1', '5 person used'],
    ],
    [
      'an unknown end counts as done (DUR-5)',
      { health: down, outcome: () => 'unknown' },
      ['5 restart d2', '10 redeploy d2', '35 restart d2', '40 rollBack d1', '45 person used'],
    ],
    [
      'a deployment that changes under each attempt is not chased for ever',
      { health: down, outcome: (kind) => (kind === 'restart' ? 'stale' : 'applied') },
      ['5 restart d2', '5 restart d2', '5 restart d2', '5 redeploy d2', '10 rollBack d1', '15 person used'],
    ],
    [
      'the newest deployment failed, the one before still serves: nothing is done to what serves',
      { health: () => 'healthy', state: { failedBeside: true } },
      ['0 person failedDeployment'],
    ],
    ['somebody took it down', { health: () => 'stopped' }, ['0 person stopped']],
    ['the service is gone', { health: () => 'gone' }, ['0 person gone']],
    ['a deployment hangs', { health: () => 'deploying' }, ['20 person unsettled']],
    ['it cannot be read for an hour', { health: () => 'unknown' }, ['60 person unsettled']],
  ])('%s', (_name, world, expected) => {
    expect(story(climb(world))).toEqual(expected);
  });

  it('does nothing where it is switched off', () => {
    const spans = [{ health: 'unhealthy', fromMs: 0, toMs: 9 * minute }] as const;
    expect(nextStep({ ...fresh, spans }, { ...defaults, enabled: false }, 9 * minute)).toMatchObject({
      do: 'person',
      why: 'off',
    });
  });

  it('a rollback needs approval, a restart does not', () => {
    const told = climb({ health: down }).map(({ step }) => step);
    expect(told.find((step) => step.do === 'rollBack')).toMatchObject({
      needsApproval: 'a rollback changes which version runs',
    });
    expect(told.find((step) => step.do === 'restart')).not.toHaveProperty('needsApproval');
  });

  it('waits while the platform itself is out, and says why', () => {
    const spans = [{ health: 'unhealthy', fromMs: 0, toMs: 9 * minute }] as const;
    const hold = { reason: 'outage of the platform', untilMs: 14 * minute };
    expect(nextStep({ ...fresh, spans, hold }, defaults, 9 * minute)).toEqual({
      do: 'wait',
      untilMs: 14 * minute,
      reason: 'outage of the platform',
    });
  });

  it.each([
    ['unhealthy', 5_000, 12_000],
    ['unhealthy', 5 * minute, 5 * minute],
    ['healthy', 5_000, 12_000],
  ] as const)(
    '%s, a step by %s ms: what was not read by then is looked at again by %s',
    (health, ofMs, untilMs) => {
      const settings = { ...defaults, unhealthyForMs: ofMs, healthyForMs: ofMs };
      const spans = [{ health, fromMs: 0, toMs: 0 }];
      expect(nextStep({ ...fresh, spans }, settings, 7_000)).toMatchObject({ do: 'wait', untilMs });
    },
  );

  it('says what it waits for', () => {
    const told = climb({ health: down });
    const reasons = told.flatMap(({ step }) => (step.do === 'wait' ? [step.reason] : []));
    expect([...new Set(reasons)]).toEqual([
      'unhealthy for 0 s; a step needs 5 min',
      'unhealthy for 1 s after the restart; a step needs 5 min',
      'unhealthy for 1 s after the redeploy; a step needs 5 min',
      'restart is in cooldown, and nothing else may be done alone',
      'unhealthy for 1 s after the rollback; a step needs 5 min',
    ]);
  });
});

describe('DEPLOY-3: flapping', () => {
  it('up for a minute neither resets the ladder nor repeats a rung', () => {
    // After each step it is up for one minute and down again.
    const health = (at: number, done: readonly Rung[]): ServiceHealth => {
      const last = done.at(-1);
      return last !== undefined && at - last.atMs > 0 && at - last.atMs < minute ? 'healthy' : 'unhealthy';
    };
    const told = story(climb({ health, everyMs: minute }));
    expect(told.map((one) => one.replace(/^\d+ /, ''))).toEqual([
      'restart d2',
      'redeploy d2',
      'restart d2',
      'rollBack d1',
      'person used',
    ]);
  });

  it('what comes and goes with every reading is not acted on, and ends at a person', () => {
    const health = (at: number): ServiceHealth =>
      Math.floor(at / (5 * minute)) % 2 === 0 ? 'unhealthy' : 'healthy';
    expect(story(climb({ health }))).toEqual(['60 person unsettled']);
    const quick = (at: number): ServiceHealth =>
      Math.floor(at / minute) % 2 === 0 ? 'unhealthy' : 'healthy';
    expect(story(climb({ health: quick, everyMs: minute }))).toEqual(['60 person unsettled']);
  });

  it('hours without a reading prove nothing', () => {
    const state: LadderState = {
      ...fresh,
      spans: [
        { health: 'unhealthy', fromMs: 0, toMs: 0 },
        { health: 'unhealthy', fromMs: 120 * minute, toMs: 120 * minute },
      ],
    };
    expect(nextStep(state, defaults, 120 * minute)).toMatchObject({ do: 'wait', untilMs: 125 * minute });
  });
});

describe('DEPLOY-3, LOOP-8: in any weather', () => {
  const healths = fc.constantFrom<ServiceHealth>('healthy', 'unhealthy', 'unhealthy', 'deploying', 'unknown');
  const weather = fc.array(fc.tuple(healths, fc.integer({ min: 1, max: 25 })), {
    minLength: 1,
    maxLength: 60,
  });
  const outcome = fc.constantFrom<Rung['outcome']>(
    'applied',
    'alreadyApplied',
    'unknown',
    'stale',
    'refused',
    'held',
  );
  const cooldown = fc.integer({ min: 0, max: 90 }).map((minutes) => minutes * minute);
  const world = fc.record({
    weather,
    outcomes: fc.array(outcome, { maxLength: 12 }),
    cooldownMs: fc.record({ restart: cooldown, redeploy: cooldown, rollBack: cooldown }),
    can: fc.record({ redeploy: fc.boolean(), rollBack: fc.boolean() }),
    rollBackTo: fc.constantFrom(null, 'd1'),
    restarts: fc.integer({ min: 0, max: 9 }),
    everyMs: fc.constantFrom(minute, 5 * minute),
  });

  it('at most two restarts, no step in the first 5 min or within 5 min of the one before, none in cooldown, and it ends', () => {
    fc.assert(
      fc.property(world, (given) => {
        const lengths = given.weather.map(([, minutes]) => minutes);
        const total = lengths.reduce((sum, one) => sum + one, 0);
        const health = (at: number): ServiceHealth => {
          let left = Math.floor(at / minute) % total;
          for (const [one, minutes] of given.weather) {
            if (left < minutes) return one;
            left -= minutes;
          }
          return 'unknown';
        };
        let turn = 0;
        const told = climb({
          ...given,
          health,
          outcome: () => given.outcomes[turn++] ?? 'applied',
          state: { can: given.can, rollBackTo: given.rollBackTo },
        });
        const last = told.at(-1);
        expect(['person', 'recovered']).toContain(last?.step.do);
        const rungs = last?.state.rungs ?? [];
        const done = rungs.filter((rung) => ['applied', 'alreadyApplied', 'unknown'].includes(rung.outcome));
        expect(done.filter((rung) => rung.kind === 'restart').length).toBeLessThanOrEqual(2);
        expect(done.filter((rung) => rung.kind === 'redeploy').length).toBeLessThanOrEqual(1);
        expect(done.filter((rung) => rung.kind === 'rollBack').length).toBeLessThanOrEqual(1);
        const firstDown = told.find(({ state }) => state.spans.at(-1)?.health === 'unhealthy')?.atMs ?? 0;
        for (const { atMs, step, state } of told) {
          if (step.do === 'wait' || step.do === 'person' || step.do === 'recovered') continue;
          expect(state.spans.at(-1)?.health).toBe('unhealthy');
          expect(atMs - firstDown).toBeGreaterThanOrEqual(5 * minute);
          expect(state.cooldownUntilMs[step.do] ?? 0).toBeLessThanOrEqual(atMs);
          expect(step.needsApproval !== undefined).toBe(step.do === 'rollBack');
          const before = state.rungs.findLast((rung) =>
            ['applied', 'alreadyApplied', 'unknown'].includes(rung.outcome),
          );
          if (before) expect(atMs - before.atMs).toBeGreaterThanOrEqual(5 * minute);
          if (step.do === 'redeploy') expect(given.can.redeploy).toBe(true);
          if (step.do === 'rollBack') expect(given.can.rollBack && given.rollBackTo !== null).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

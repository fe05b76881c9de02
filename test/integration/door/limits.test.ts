// LOOP-4, LOOP-7, LOOP-8, GUARD-1: what limits effects, as the door keeps it in Postgres: cap, cooldown, breaker, one target at a time; and
// what was certainly not written gives back what it reserved.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { NotWritten } from '../../../src/activities/effects/definition.ts';
import { TryAgain } from '../../../src/activities/effects/door-failure.ts';
import { effectKey } from '../../../src/store/claims.ts';
import { scriptedEffects } from '../../support/scripted-effects.ts';
import { type DoorScene, idOf, nowMs, openScene, outcome, thing, times } from './scripted.ts';

let scene: DoorScene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.stop());

const row = async (key: string) =>
  (await scene.pool.query('select state, outcome, reason, describe from effects where key = $1', [key]))
    .rows[0];
const cooldowns = async (tenant: string) =>
  (await scene.pool.query('select * from cooldowns where tenant = $1', [tenant])).rowCount;

describe.concurrent('what certainly was not written', () => {
  const resting = 'autonomy: { default: act }\nlimits: { cooldowns: { rerunFailedJobs: 30m } }';

  it('because it was stale: gives back cooldown and its place under the cap (LOOP-8)', async () => {
    const tenant = await scene.tenant(resting);
    const stale = thing(tenant, { changed: 'the head moved' });
    expect(await scene.run(stale)).toMatchObject({ outcome: 'stale', reason: 'the head moved' });
    expect(await cooldowns(tenant)).toBe(0);
    // Planned anew on the same target a moment later.
    const again = thing(tenant, {}, { target: stale.target, nowMs: stale.nowMs + 1_000 });
    expect(await scene.run(again)).toMatchObject({ outcome: 'applied' });
    const third = thing(tenant, {}, { target: stale.target, nowMs: stale.nowMs + 2_000 });
    expect(await scene.run(third)).toMatchObject({
      status: 'hold',
      guard: 'cooldown',
      untilMs: again.nowMs + 30 * 60_000,
    });
  });

  it('because the remote refused it: gives them back, too', async () => {
    const tenant = await scene.tenant(resting);
    const refused = thing(tenant);
    scene.remote.faults.set(idOf(refused), { kind: 'instead', status: 422 });
    expect(await scene.run(refused)).toMatchObject({ outcome: 'refused' });
    expect(await cooldowns(tenant)).toBe(0);
  });

  it('because its attempt ended between claim and fence: gives them back although the guard now holds it', async () => {
    const tenant = await scene.tenant(resting);
    const request = thing(tenant);
    const atPoint = () => {
      throw new Error('crashed');
    };
    expect(await outcome(scene.run(request, { atPoint }))).toMatchObject({ message: 'crashed' });
    expect(await cooldowns(tenant)).toBe(1);
    await scene.pool.query(
      `insert into pauses (tenant, scope, reason, raised_by) values ($1, 'tenant', 'stop', 'test')`,
      [tenant],
    );
    expect(await scene.finish(request)).toMatchObject({ status: 'hold', guard: 'pause' });
    expect(await cooldowns(tenant)).toBe(0);
    expect(await row(effectKey(request))).toMatchObject({ state: 'freed' });
  });

  it('because a read before it said so for good: is refused, not tried for ever', async () => {
    const request = thing(await scene.tenant());
    const definitions = scriptedEffects(scene.remote.url, {
      precondition: async () => {
        throw new NotWritten('the database is not in the settings any more', { permanent: true });
      },
    });
    expect(await scene.run(request, { definitions })).toMatchObject({
      outcome: 'refused',
      reason: 'the database is not in the settings any more',
    });
  });

  it('because a read before it failed: is tried again', async () => {
    const request = thing(await scene.tenant());
    let reads = 0;
    const definitions = scriptedEffects(scene.remote.url, {
      precondition: async () => {
        reads += 1;
        if (reads < 3) throw new Error('not reachable');
        return null;
      },
    });
    expect(await outcome(scene.run(request, { definitions }))).toBeInstanceOf(TryAgain);
    expect(await scene.finish(request, { definitions })).toMatchObject({ outcome: 'applied' });
  });

  it('never counts against the cap; what may have been written does (LOOP-4)', async () => {
    const tenant = await scene.tenant();
    const at = { nowMs };
    for (let one = 0; one < 4; one += 1) await scene.run(thing(tenant, { changed: 'moved' }, at));
    for (let one = 0; one < 3; one += 1)
      expect(await scene.run(thing(tenant, {}, at))).toMatchObject({ outcome: 'applied' });
    const held = thing(tenant, {}, at);
    expect(await scene.run(held)).toMatchObject({ status: 'hold', guard: 'cap', untilMs: nowMs + 300_000 });
    // What is safe and what only proposes is not counted.
    expect(await scene.run(thing(tenant, { risk: 'safe' }, at))).toMatchObject({ outcome: 'applied' });
    expect(await scene.run(thing(tenant, { risk: 'proposing' }, at))).toMatchObject({ outcome: 'applied' });
    expect(await scene.run({ ...held, nowMs: nowMs + 300_000 })).toMatchObject({ outcome: 'applied' });
  });
});

describe.concurrent('the breaker (LOOP-7)', () => {
  const openBreaker = (tenant: string, sinceMs: number) =>
    scene.pool.query(
      `update guards set breaker_state = 'open', breaker_failures = 3, breaker_since_ms = $2, breaker_reason = 'three failed' where tenant = $1`,
      [tenant, sinceMs],
    );

  it('holds what is mutating for an hour, lets one probe through, and no second', async () => {
    const tenant = await scene.tenant();
    await openBreaker(tenant, nowMs);
    const early = thing(tenant, {}, { nowMs: nowMs + 60_000 });
    expect(await scene.run(early)).toMatchObject({ guard: 'breaker', untilMs: nowMs + 3_600_000 });
    expect(await scene.run(thing(tenant, { risk: 'safe' }))).toMatchObject({ outcome: 'applied' });
    const at = nowMs + 3_600_000;
    expect(await scene.run({ ...early, nowMs: at })).toMatchObject({ outcome: 'applied' });
    expect(await scene.run(thing(tenant, {}, { nowMs: at }))).toMatchObject({
      status: 'hold',
      guard: 'breaker',
      untilMs: at + 10_000,
    });
    const { rows } = await scene.pool.query('select breaker_state from guards where tenant = $1', [tenant]);
    expect(rows[0].breaker_state).toBe('halfOpen');
  });

  it('gives the probe to the next one when it certainly wrote nothing', async () => {
    const tenant = await scene.tenant();
    await openBreaker(tenant, nowMs - 3_600_000);
    expect(await scene.run(thing(tenant, { changed: 'moved' }))).toMatchObject({ outcome: 'stale' });
    const limited = thing(tenant);
    scene.remote.faults.set(idOf(limited), { kind: 'instead', status: 429 });
    expect(await outcome(scene.run(limited))).toBeInstanceOf(TryAgain);
    expect(await scene.run(thing(tenant))).toMatchObject({ outcome: 'applied' });
    expect(await scene.run(limited)).toMatchObject({ status: 'hold', guard: 'breaker' });
  });

  it('given back and claimed by doors that race, without a deadlock', async () => {
    const tenant = await scene.tenant();
    await openBreaker(tenant, nowMs - 3_600_000);
    const request = thing(tenant);
    const limited = scriptedEffects(scene.remote.url, {
      precondition: async () => {
        if (Math.random() < 0.8) throw new Error('not now');
        return null;
      },
    });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => scene.finish(request, { definitions: limited })),
    );
    for (const answer of answers) expect(answer).toMatchObject({ status: 'receipt', outcome: 'applied' });
    expect(scene.remote.count(idOf(request))).toBe(1);
  }, 60_000);

  it('one probe, whoever races for it', async () => {
    const tenant = await scene.tenant();
    await openBreaker(tenant, nowMs - 3_600_000);
    const answers = await Promise.all(Array.from({ length: 8 }, () => scene.run(thing(tenant))));
    expect(answers.filter((answer) => answer.status === 'receipt')).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 'hold')).toHaveLength(7);
  });
});

it('one target at a time, and what died before its write does not hold it (GUARD-1)', async () => {
  const tenant = await scene.tenant();
  const [first, second] = [thing(tenant, {}, { target: 'x' }), thing(tenant, {}, { target: 'x' })];
  await outcome(
    scene.run(first, {
      atPoint: async () => {
        expect(await scene.run(second)).toMatchObject({ status: 'hold', guard: 'targetLock' });
        throw new Error('crashed');
      },
    }),
  );
  await vi.waitFor(async () => expect(await scene.run(second)).toMatchObject({ outcome: 'applied' }), {
    timeout: 2 * times.leaseMs,
    interval: 200,
  });
});

it('passes the cap as often as it may, whoever races for it (LOOP-4)', async () => {
  const tenant = await scene.tenant();
  const requests = Array.from({ length: 12 }, () => thing(tenant, {}, { nowMs }));
  const answers = await Promise.all(requests.map((request) => scene.finish(request)));
  expect(answers.filter(({ status }) => status === 'receipt')).toHaveLength(3);
  for (const answer of answers.filter(({ status }) => status !== 'receipt'))
    expect(answer).toMatchObject({ guard: 'cap', untilMs: nowMs + 300_000 });
  expect(requests.filter((request) => scene.remote.count(idOf(request)) > 0)).toHaveLength(3);
});

// LOOP-10: a pause is acknowledged with the writes that had started; nothing outside that list writes afterwards, and after a resume all of
// it is written, none twice.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { failures } from '../../../src/contract/names.ts';
import { effectKey } from '../../../src/store/claims.ts';
import { transaction } from '../../../src/store/database.ts';
import { liftPause, type PauseRequest, raisePause } from '../../../src/store/pauses.ts';
import { type DoorScene, finish, idOf, nowMs, openScene, outcome, thing, times } from './scripted.ts';

let scene: DoorScene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.stop());

const raise = (tenant: string | null, more: Partial<PauseRequest> = {}) =>
  raisePause(scene.pool, {
    tenant,
    scope: 'tenant',
    scopeValue: null,
    reason: 'release',
    by: 'maria',
    untilMs: null,
    nowMs,
    ...more,
  });
const lift = (tenant: string | null, more: Partial<PauseRequest> = {}) =>
  liftPause(scene.pool, {
    tenant,
    scope: 'tenant',
    scopeValue: null,
    reason: 'resumed',
    by: 'maria',
    nowMs,
    ...more,
  });

describe.concurrent('a pause', () => {
  it('between claim and fence: nothing is written, and it is not in the list', async () => {
    const tenant = await scene.tenant();
    const request = thing(tenant);
    const first = await outcome(
      scene.run(request, {
        atPoint: async (point) => {
          if (point === 'claimed') expect((await raise(tenant)).started).toEqual([]);
        },
      }),
    );
    expect(first).toMatchObject({ type: failures.effectFenced });
    expect(await scene.run(request)).toMatchObject({ status: 'hold', guard: 'pause' });
    expect(scene.remote.arrived).not.toContain(idOf(request));
    expect(await lift(tenant)).toBe(1);
    expect(await scene.run(request)).toMatchObject({ outcome: 'applied' });
  });

  it('between claim and fence, and lifted at once: judged again, then written', async () => {
    const tenant = await scene.tenant();
    const request = thing(tenant);
    let raised = 0;
    const options = {
      atPoint: async (point: string) => {
        if (point !== 'claimed' || raised > 0) return;
        raised += 1;
        await raise(tenant);
        await lift(tenant);
      },
    };
    expect(await outcome(scene.run(request, options))).toMatchObject({ type: failures.effectFenced });
    expect(await scene.run(request, options)).toMatchObject({ outcome: 'applied' });
    expect(scene.remote.count(idOf(request))).toBe(1);
  });

  it('that is being raised while the fence is passed: the fence waits for it, and sees it', async () => {
    const tenant = await scene.tenant();
    const request = thing(tenant);
    const raising = await scene.pool.connect();
    let done = false;
    const answer = outcome(
      scene.run(request, {
        atPoint: async (point) => {
          if (point !== 'claimed') return;
          await raising.query('begin');
          await raising.query('update guards set pause_epoch = pause_epoch + 1 where tenant = $1', [tenant]);
        },
      }),
    ).finally(() => {
      done = true;
    });
    await vi.waitFor(
      async () => {
        const { rows } = await scene.pool.query(
          `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%for share of g%'`,
        );
        expect(done || rows[0].count > 0).toBe(true);
      },
      { timeout: 10_000 },
    );
    await raising.query('commit');
    raising.release();
    expect(await answer).toMatchObject({ type: failures.effectFenced });
    expect(scene.remote.arrived).not.toContain(idOf(request));
  });

  it('behind the fence: it is in the list, and ends', async () => {
    const tenant = await scene.tenant();
    const request = thing(tenant);
    const answer = await scene.run(request, {
      atPoint: async (point) => {
        if (point !== 'fenced') return;
        const { started } = await raise(tenant);
        expect(started).toEqual([
          {
            key: effectKey(request),
            tenant,
            kind: request.kind,
            target: request.target,
            describe: `put thing ${idOf(request)}`,
          },
        ]);
      },
    });
    expect(answer).toMatchObject({ outcome: 'applied' });
    expect((await raise(tenant)).started).toEqual([]);
  });

  it('while a write is in doubt: it may still land, so it is in the list; it is not written again', async () => {
    const tenant = await scene.tenant();
    const [landing, lost] = [thing(tenant), thing(tenant)];
    scene.remote.faults.set(idOf(landing), { kind: 'late', delayMs: 500 });
    scene.remote.faults.set(idOf(lost), { kind: 'instead', status: 502 });
    await Promise.all([landing, lost].map((request) => outcome(scene.run(request))));
    const { started } = await raise(tenant);
    expect(started.map(({ key }) => key).sort()).toEqual([effectKey(landing), effectKey(lost)].sort());
    expect(await scene.finish(landing)).toMatchObject({ outcome: 'applied' });
    expect(await scene.finish(lost)).toMatchObject({ status: 'hold', guard: 'pause' });
    expect(scene.remote.count(idOf(lost))).toBe(0);
    await lift(tenant);
    expect(await scene.finish(lost)).toMatchObject({ outcome: 'applied' });
    expect(scene.remote.arrived.filter((id) => id === idOf(landing))).toHaveLength(1);
  });

  it('of an attempt that died behind its fence: its request may be under way, so it is in the list', async () => {
    const tenant = await scene.tenant();
    const request = thing(tenant);
    const atPoint = (point: string): void => {
      if (point === 'fenced') throw new Error('stands for a crash');
    };
    await outcome(scene.run(request, { atPoint }));
    await scene.pool.query(
      `update effects set state = 'applying', lease_until = clock_timestamp() where key = $1`,
      [effectKey(request)],
    );
    expect((await raise(tenant)).started).toMatchObject([{ key: effectKey(request) }]);
  });

  it('of a workspace or a kind of effect: stops and lists those only', async () => {
    const tenant = await scene.tenant();
    const here = thing(tenant);
    const there = thing(tenant, {}, { workspace: 'api' });
    const kind = thing(tenant, {}, { kind: 'applyDrift', nowMs: here.nowMs + 3_600_000 });
    const lists: unknown[] = [];
    const atPoint = async (point: string): Promise<void> => {
      if (point !== 'fenced') return;
      const keys = async (more: Partial<PauseRequest>) =>
        (await raise(tenant, more)).started.map(({ key }) => key);
      lists.push(await keys({ scope: 'workspace', scopeValue: 'api' }));
      lists.push(await keys({ scope: 'effect', scopeValue: 'applyDrift' }));
      lists.push(await keys({ scope: 'effect', scopeValue: 'rerunFailedJobs', untilMs: nowMs }));
    };
    expect(await scene.run(here, { atPoint })).toMatchObject({ outcome: 'applied' });
    expect(lists).toEqual([[], [], [effectKey(here)]]);
    expect(await scene.run(there)).toMatchObject({
      guard: 'pause',
      reason: 'paused (workspace api): release',
    });
    expect(await scene.run(kind)).toMatchObject({ guard: 'pause' });
    expect(await scene.run(thing(tenant))).toMatchObject({ outcome: 'applied' });
  });

  it('of an order that is given again, since its answer was lost: raised once, and not once more when it was lifted', async () => {
    const tenant = await scene.tenant();
    const order = { requestId: `run/${tenant}` };
    const { id } = await raise(tenant, order);
    expect(await raise(tenant, order)).toEqual({ id, started: [] });
    expect(await lift(tenant)).toBe(1);
    expect(await raise(tenant, order)).toEqual({ id, started: [] });
    expect(await scene.run(thing(tenant))).toMatchObject({ outcome: 'applied' });
    expect((await raise(tenant, { requestId: `run/${tenant}/next` })).id).not.toBe(id);
    expect(await scene.run(thing(tenant))).toMatchObject({ status: 'hold', guard: 'pause' });
  });

  it('with an end holds until then, and is over then', async () => {
    const tenant = await scene.tenant();
    const request = thing(tenant);
    await raise(tenant, { untilMs: request.nowMs + 1_000 });
    expect(await scene.run(request)).toMatchObject({ guard: 'pause', untilMs: request.nowMs + 1_000 });
    expect(await scene.run({ ...request, nowMs: request.nowMs + 1_000 })).toMatchObject({
      outcome: 'applied',
    });
  });

  it('lets pass what must work when all else is broken (INC-6)', async () => {
    const tenant = await scene.tenant();
    await raise(tenant);
    const alert = thing(tenant, { risk: 'safe' }, { kind: 'sendAlert' });
    const answer = await scene.run(alert, {
      atPoint: async (point) => {
        if (point === 'claimed') await raise(tenant);
      },
    });
    expect(answer).toMatchObject({ outcome: 'applied' });
  });

  it('is acknowledged although a worker froze in the middle of a claim', async () => {
    const tenant = await scene.tenant();
    const request = thing(tenant);
    let acknowledged: unknown;
    // As a frozen worker leaves it: the transaction stays open, and nothing comes any more.
    const frozen = transaction(scene.pool, async (tx) => {
      await tx.query('select 1 from guards where tenant = $1 for update', [tenant]);
      acknowledged = await Promise.race([
        raise(tenant),
        new Promise((resolve) => setTimeout(() => resolve('not within 5 s'), 5_000)),
      ]);
    });
    expect(await frozen.catch((error: unknown) => error)).toBeInstanceOf(Error);
    expect(acknowledged).toMatchObject({ started: [] });
    expect(await scene.run(request)).toMatchObject({ guard: 'pause' });
  });
});

it('of everything stops every tenant, and those that are registered later', async () => {
  const [one, two] = [await scene.tenant(), await scene.tenant()];
  const everything = { scope: 'everything', scopeValue: null } as const;
  await raise(null, everything);
  const three = await scene.tenant();
  for (const tenant of [one, two, three])
    expect(await scene.run(thing(tenant))).toMatchObject({ guard: 'pause' });
  expect(await lift(null, everything)).toBe(1);
  expect(await scene.run(thing(three))).toMatchObject({ outcome: 'applied' });
});

// As a property: whenever the pause comes, and however the writes end.
it('in the middle of 200 effects of 10 runners: no write outside its list, then all of them, none twice', async () => {
  const tenant = await scene.tenant();
  const requests = Array.from({ length: 200 }, (_, index) =>
    thing(tenant, { risk: 'proposing' }, { workspace: index % 2 === 0 ? 'shop' : 'api' }),
  );
  for (const [index, request] of requests.entries()) {
    if (index % 11 === 3) scene.remote.faults.set(idOf(request), { kind: 'after', status: 502 });
    if (index % 11 === 7) scene.remote.faults.set(idOf(request), { kind: 'late', delayMs: 300 });
    if (index % 29 === 5) scene.remote.faults.set(idOf(request), { kind: 'instead', status: 502 });
  }
  const keyOf = new Map(requests.map((request) => [idOf(request), effectKey(request)]));
  const mine = (ids: readonly string[]): string[] => ids.filter((id) => keyOf.has(id));
  const waiting = [...requests];
  const held: typeof requests = [];
  let answered = 0;
  const runners = Array.from({ length: 10 }, async () => {
    for (let request = waiting.shift(); request !== undefined; request = waiting.shift()) {
      const asked = request;
      const answer = await finish(() => scene.run(asked));
      if (answer.status === 'hold') held.push(asked);
      else answered += 1;
    }
  });
  const pauses: { started: string[]; arrived: number; landed: number; before: number }[] = [];
  const pausing = (async () => {
    for (const share of [40, 90, 130]) {
      while (answered + held.length < share) await new Promise((resolve) => setTimeout(resolve, 5));
      const before = scene.remote.arrived.length;
      const { started } = await raise(tenant);
      pauses.push({
        started: started.map(({ key }) => key),
        arrived: scene.remote.arrived.length,
        landed: scene.remote.landed.length,
        before,
      });
      await new Promise((resolve) => setTimeout(resolve, 150));
      // The list of each pause is looked at before the next resume lets new ones write.
      const last = pauses.at(-1);
      if (last === undefined) throw new Error('no pause');
      const listed = (id: string) => last.started.includes(keyOf.get(id) ?? '');
      expect(mine(scene.remote.arrived.slice(last.arrived)).filter((id) => !listed(id))).toEqual([]);
      expect(mine(scene.remote.landed.slice(last.landed)).filter((id) => !listed(id))).toEqual([]);
      if (share !== 130) await lift(tenant);
    }
  })();
  await pausing;
  await Promise.all(runners);
  expect(held.length).toBeGreaterThan(0);
  const atRest = scene.remote.arrived.length;
  for (const request of held.slice(0, 10))
    expect(await finish(() => scene.run(request))).toMatchObject({ guard: 'pause' });
  expect(scene.remote.arrived.length).toBe(atRest);
  await lift(tenant);
  const rest = [...held];
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      for (let request = rest.shift(); request !== undefined; request = rest.shift()) {
        const asked = request;
        expect(await finish(() => scene.run(asked))).toMatchObject({ outcome: 'applied' });
      }
    }),
  );
  for (const request of requests) expect(scene.remote.count(idOf(request))).toBe(1);
}, 60_000);

it('leaves nothing behind that is not ended', async () => {
  const { rows } = await scene.pool.query(
    `select describe, state from effects where state in ('claimed', 'applying', 'doubt') and lease_until > clock_timestamp() - $1 * interval '1 ms'`,
    [times.leaseMs],
  );
  expect(rows).toEqual([]);
});

// DUR-1, DUR-5: the protocol of the door, step by step: one claim, one write, one receipt; what is certain, what is in doubt, what is given back.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { NotWritten } from '../../../src/activities/effects/definition.ts';
import { BadRequest, TryAgain } from '../../../src/activities/effects/door-failure.ts';
import { failures } from '../../../src/contract/names.ts';
import { effectKey, renewLease } from '../../../src/store/claims.ts';
import { createPool } from '../../../src/store/database.ts';
import { scriptedEffects } from '../../support/scripted-effects.ts';
import { type DoorScene, idOf, openScene, outcome, thing, times } from './scripted.ts';

let scene: DoorScene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.stop());

const row = async (key: string) =>
  (await scene.pool.query('select state, outcome, reason, describe from effects where key = $1', [key]))
    .rows[0];
describe.concurrent('one effect', () => {
  it('is written once, whoever asks how often (DUR-1)', async () => {
    const request = thing(await scene.tenant());
    const receipt = await scene.run(request);
    expect(receipt).toMatchObject({ status: 'receipt', outcome: 'applied', key: effectKey(request) });
    expect(await scene.run({ ...request, nowMs: request.nowMs + 1 })).toEqual(receipt);
    expect(scene.remote.count(idOf(request))).toBe(1);
  });

  it('is written once by doors that race for its key', async () => {
    const request = thing(await scene.tenant());
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => scene.finish(request, { times: { ...times } })),
    );
    expect(scene.remote.count(idOf(request))).toBe(1);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  it('refuses one key with another content, before and after its receipt', async () => {
    const request = thing(await scene.tenant());
    await scene.run(request);
    const other = { ...request, input: { id: idOf(request), title: 'other' } };
    const refused = await outcome(scene.run(other));
    expect(refused).toBeInstanceOf(BadRequest);
    expect(refused).toMatchObject({ type: failures.effectDigestChanged });
    expect(scene.remote.count(idOf(request))).toBe(1);
  });

  it('refuses an input that does not fit, a tenant and a workspace that are not there (DUR-4)', async () => {
    const tenant = await scene.tenant();
    const bad = await outcome(scene.run({ ...thing(tenant), input: { id: 7 } }));
    expect(bad).toMatchObject({ type: failures.effectInputInvalid, message: expect.stringContaining('id:') });
    expect(await outcome(scene.run(thing('nobody')))).toMatchObject({ type: failures.tenantUnknown });
    expect(await scene.run(thing(tenant, {}, { workspace: 'gone' }))).toMatchObject({ status: 'refused' });
  });

  it('dry run: the same decisions, no write (LOOP-12)', async () => {
    const request = thing(await scene.tenant());
    expect(await scene.run(request, { dryRun: true })).toMatchObject({
      status: 'refused',
      reason: `dry run: would put thing ${idOf(request)}`,
    });
    expect(await row(effectKey(request))).toBeUndefined();
    expect(scene.remote.arrived).not.toContain(idOf(request));
    expect(await scene.run(request)).toMatchObject({ outcome: 'applied' });
  });
});

describe.concurrent('what was answered with an error', () => {
  it.each([
    ['rerunFailedJobs', 'applied', 1],
    ['applyDrift', 'unknown', 1],
    ['sendAlert', 'applied', 2],
  ] as const)('%s: 502, and it had landed: %s (DUR-5)', async (kind, ended, writes) => {
    const request = thing(await scene.tenant(), {}, { kind });
    scene.remote.faults.set(idOf(request), { kind: 'after', status: 502 });
    expect(await outcome(scene.run(request))).toMatchObject({ type: failures.effectInDoubt });
    expect(await scene.finish(request)).toMatchObject({ outcome: ended });
    expect(scene.remote.count(idOf(request))).toBe(writes);
  });

  it('502, and it lands a second later: found, not repeated', async () => {
    const request = thing(await scene.tenant());
    scene.remote.faults.set(idOf(request), { kind: 'late', delayMs: 1_000 });
    expect(await scene.finish(request)).toMatchObject({
      outcome: 'applied',
      reason: expect.stringContaining('probe'),
    });
    expect(scene.remote.arrived.filter((id) => id === idOf(request))).toHaveLength(1);
    expect(scene.remote.count(idOf(request))).toBe(1);
  });

  it('502, and it lands 10 s later, within a settle time of 12 s: found, not repeated', async () => {
    const request = thing(await scene.tenant());
    scene.remote.faults.set(idOf(request), { kind: 'late', delayMs: 10_000 });
    const slow = { times: { ...times, settleMs: 12_000 } };
    expect(await scene.finish(request, slow)).toMatchObject({
      outcome: 'applied',
      reason: expect.stringContaining('probe'),
    });
    expect(scene.remote.count(idOf(request))).toBe(1);
  }, 30_000);

  it('502, and it never lands: absent counts after the settle time only, then it is written', async () => {
    const request = thing(await scene.tenant());
    scene.remote.faults.set(idOf(request), { kind: 'instead', status: 502 });
    const from = Date.now();
    expect(await scene.finish(request)).toMatchObject({ outcome: 'applied', reason: 'written' });
    expect(Date.now() - from).toBeGreaterThanOrEqual(times.settleMs);
    expect(scene.remote.count(idOf(request))).toBe(1);
  });

  it('never an answer within its time: in doubt, before its lease ends', async () => {
    const request = thing(await scene.tenant());
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    scene.remote.faults.set(idOf(request), { kind: 'gate', open: gate });
    expect(await outcome(scene.run(request))).toMatchObject({ type: failures.effectInDoubt });
    open();
    expect(await scene.finish(request)).toMatchObject({
      outcome: 'applied',
      reason: expect.stringContaining('probe'),
    });
    expect(scene.remote.count(idOf(request))).toBe(1);
  });

  it('4xx: certainly not, for good; 429: certainly not, again', async () => {
    const tenant = await scene.tenant(
      'autonomy: { default: act }\nlimits: { cooldowns: { rerunFailedJobs: 30m } }',
    );
    const refused = thing(tenant);
    scene.remote.faults.set(idOf(refused), { kind: 'instead', status: 422 });
    expect(await scene.run(refused)).toMatchObject({ outcome: 'refused', reason: 'answered 422' });
    expect(await scene.run(refused)).toMatchObject({ outcome: 'refused' });
    const limited = thing(tenant, {}, { target: refused.target });
    scene.remote.faults.set(idOf(limited), { kind: 'instead', status: 429 });
    expect(await outcome(scene.run(limited))).toMatchObject({ delayMs: 60 });
    expect(await scene.finish(limited)).toMatchObject({ outcome: 'applied' });
  });

  it('a probe that never answers ends as unknown, and fails one cycle (LOOP-7)', async () => {
    const request = thing(await scene.tenant());
    scene.remote.faults.set(idOf(request), { kind: 'after', status: 502 });
    const blind = scriptedEffects(scene.remote.url, {
      probe: async () => {
        throw new Error('cannot read');
      },
    });
    const first = await outcome(scene.run(request, { definitions: scriptedEffects(scene.remote.url) }));
    expect(first).toBeInstanceOf(TryAgain);
    const options = { definitions: blind, times: { ...times, giveUpMs: 1_000 } };
    expect(await scene.finish(request, options)).toMatchObject({
      outcome: 'unknown',
      reason: expect.stringContaining('cannot read'),
    });
    expect(scene.remote.count(idOf(request))).toBe(1);
  });

  it('whose workspace is not in the settings any more ends as unknown, and is not stuck', async () => {
    const tenant = await scene.tenant();
    const request = thing(tenant, {}, { workspace: 'api' });
    scene.remote.faults.set(idOf(request), { kind: 'after', status: 502 });
    expect(await outcome(scene.run(request))).toBeInstanceOf(TryAgain);
    await scene.pool.query(
      `update tenants set config = jsonb_set(config, '{workspaces}', jsonb_build_array(config -> 'workspaces' -> 0)) where tenant = $1`,
      [tenant],
    );
    expect(await scene.finish(request)).toMatchObject({ status: 'receipt', outcome: 'unknown' });
    expect(await row(effectKey(request))).toMatchObject({ state: 'done', outcome: 'unknown' });
  });
});

describe.concurrent('the lease', () => {
  it('of an attempt that still reads is kept, however long it reads', async () => {
    const request = thing(await scene.tenant());
    const definitions = scriptedEffects(scene.remote.url, {
      precondition: async () => {
        await new Promise((resolve) => setTimeout(resolve, times.leaseMs * 1.5));
        return null;
      },
    });
    const [first] = await Promise.all([
      scene.run(request, { definitions }),
      new Promise((resolve) => setTimeout(resolve, times.leaseMs)).then(async () =>
        expect(await outcome(scene.run(request))).toMatchObject({ type: failures.effectBusy }),
      ),
    ]);
    expect(first).toMatchObject({ outcome: 'applied' });
    expect(scene.remote.count(idOf(request))).toBe(1);
  });

  it('that is over cannot be renewed, and lets nothing pass the fence', async () => {
    const request = thing(await scene.tenant());
    const second = await outcome(
      scene.run(request, {
        atPoint: async (point) => {
          if (point !== 'claimed') return;
          await scene.pool.query(
            `update effects set lease_until = clock_timestamp() - interval '1 ms' where key = $1`,
            [effectKey(request)],
          );
          const { rows } = await scene.pool.query('select key, owner, fence from effects where key = $1', [
            effectKey(request),
          ]);
          expect(await renewLease(scene.pool, rows[0], 1_000)).toBe(false);
        },
      }),
    );
    expect(second).toMatchObject({ type: failures.effectFenced });
    expect(scene.remote.arrived).not.toContain(idOf(request));
    expect(await scene.finish(request)).toMatchObject({ outcome: 'applied' });
  });

  it('at most once: an attempt that ended behind its fence counts as done (DUR-5)', async () => {
    const request = thing(await scene.tenant(), {}, { kind: 'applyDrift' });
    const atPoint = (point: string): void => {
      if (point === 'fenced') throw new Error('crashed');
    };
    expect(await outcome(scene.run(request, { atPoint }))).toMatchObject({ type: failures.effectInDoubt });
    expect(await scene.finish(request)).toMatchObject({ outcome: 'unknown' });
    expect(scene.remote.count(idOf(request))).toBe(0);
  });

  it('lost between fence and write: nothing is written by this attempt, and nothing is in doubt', async () => {
    const request = thing(await scene.tenant(), {}, { kind: 'applyDrift' });
    const atPoint = async (point: string): Promise<void> => {
      if (point === 'fenced') await new Promise((resolve) => setTimeout(resolve, times.writeMs + 50));
    };
    expect(await outcome(scene.run(request, { atPoint }))).toMatchObject({ type: failures.effectFenced });
    expect(scene.remote.arrived).not.toContain(idOf(request));
    // At most once: had it counted as done, it would never be written.
    expect(await scene.finish(request)).toMatchObject({ outcome: 'applied' });
    expect(scene.remote.count(idOf(request))).toBe(1);
  });

  it('keeps a second attempt out by a lock that needs no connection of the pool', async () => {
    const tenant = await scene.tenant();
    const pool = createPool(scene.database.url, () => {}, 2);
    let inside = 0;
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const definitions = scriptedEffects(scene.remote.url, {
      longRunning: true,
      apply: async (context, input) =>
        context.exclusively(input.id, async () => {
          inside += 1;
          await gate;
          context.assertMayWrite();
          await fetch(`${scene.remote.url}/things/${input.id}`, { method: 'PUT' });
          return { id: input.id };
        }),
    });
    const requests = Array.from({ length: 3 }, () => thing(tenant, { risk: 'proposing' }));
    const running = requests.map((request) => scene.run(request, { pool, definitions }));
    await vi.waitFor(() => expect(inside).toBe(3), { timeout: 10_000 });
    // Longer than the lease: it has to be renewed, over the pool.
    await new Promise((resolve) => setTimeout(resolve, times.leaseMs + 500));
    open();
    for (const answer of await Promise.all(running)) expect(answer).toMatchObject({ outcome: 'applied' });
    await pool.end();
  });

  it('a second one of the same name is told to come again', async () => {
    const tenant = await scene.tenant();
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let inside = 0;
    const definitions = scriptedEffects(scene.remote.url, {
      apply: async (context, input) =>
        context.exclusively('one name', async () => {
          inside += 1;
          await gate;
          return { id: input.id };
        }),
    });
    const first = scene.run(thing(tenant, { risk: 'proposing' }), { definitions });
    await vi.waitFor(() => expect(inside).toBe(1));
    const second = thing(tenant, { risk: 'proposing' });
    expect(await outcome(scene.run(second, { definitions }))).toMatchObject({
      type: failures.effectBusy,
      delayMs: 5_000,
    });
    open();
    expect(await first).toMatchObject({ outcome: 'applied' });
    expect(await scene.run(second, { definitions })).toMatchObject({ outcome: 'applied' });
  });
});

describe.concurrent('what is recorded', () => {
  it('holds no secret, whatever the effect says (SEC-2)', async () => {
    const secret = 'hunter2-hunter2';
    scene.redactor.register('TOKEN', secret);
    const tenant = await scene.tenant();
    const definitions = scriptedEffects(scene.remote.url, {
      apply: async () => {
        throw new NotWritten(`denied for ${secret}`, { permanent: true, result: { said: secret } });
      },
    });
    const receipt = await scene.run(thing(tenant, { title: secret }), { definitions });
    const held = await scene.run(thing(tenant, { title: secret }, { needsApproval: 'policy' }));
    const { rows } = await scene.pool.query(
      `select (select json_agg(e) from effects e where tenant = $1) as effects, (select json_agg(a) from audit a where tenant = $1) as audit,
         (select json_agg(p) from approvals p where tenant = $1) as approvals`,
      [tenant],
    );
    expect(JSON.stringify([receipt, held, rows])).not.toContain(secret);
    expect(rows[0].approvals[0].describe).toContain('[secret:TOKEN]');
  });

  it('can always be stored: NUL bytes, half characters, megabytes (DUR-4)', async () => {
    const tenant = await scene.tenant();
    const nasty = `a\0b\ud800${'x'.repeat(100_000)}`;
    const definitions = scriptedEffects(scene.remote.url, {
      apply: async () => {
        throw new NotWritten(nasty, { permanent: true, result: { 'k\0': ['\udfff\0', 1, null] } });
      },
    });
    const receipt = await scene.run(thing(tenant, { title: 'n\0n' }), { definitions });
    expect(receipt).toMatchObject({
      outcome: 'refused',
      reason: expect.stringMatching(/^a\uFFFDb\uFFFDx+$/),
      result: { 'k\uFFFD': ['\uFFFD\uFFFD', 1, null] },
    });
    expect((receipt as { reason: string }).reason.length).toBeLessThanOrEqual(4_000);
  });
});

// DUR-1, DUR-2: SIGSTOP of a worker past its lease, a second one that takes over, then SIGCONT: the old attempt must not write. For every
// kind behind its fence, and for the kinds with child processes in the middle of theirs.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createDoor } from '../../../src/activities/effects/door.ts';
import { createEffectDefinitions } from '../../../src/activities/index.ts';
import { createServices } from '../../../src/activities/services.ts';
import { createSecretResolver } from '../../../src/config/secrets.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { allKinds, driftCase, migrationCase } from './kinds.ts';
import { lines, openWorld, type World } from './world.ts';

const times = { leaseMs: 2_000, writeMs: 1_500, settleMs: 1_500 };

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

const isBegin = (line: string): boolean => line === 'begin';
const applied = (step: string) => ({
  step,
  answer: { status: 'receipt', outcome: expect.stringMatching(/^a/) },
});

describe.concurrent('a worker that is frozen past its lease', () => {
  it.each(['claimed', 'fenced'] as const)(
    'when all are %s: writes nothing when it goes on, whatever the kind',
    async (point) => {
      const cases = await allKinds(world, `frozen-${point}`);
      const requests = cases.map(({ request }) => request);
      const slow = { leaseMs: 10_000, writeMs: 8_000, settleMs: 2_000 };
      const old = world.run({
        requests,
        ask: 'once',
        times: slow,
        stop: { point, signal: 'SIGSTOP' },
      });
      await old.frozen();
      const ends = await world.run({ requests, ask: 'untilEnded', times: slow }).ends;
      const requestsBefore = await world.forge.journal.mark();
      const before = new Map<string, unknown>();
      for (const { kind, landed } of cases) before.set(kind, await landed());
      // Whether the write of the frozen one landed cannot be found out for these: it counts as done, and is not made again (DUR-5).
      const counts = (delivery: string): boolean => delivery === 'atMostOnce' && point === 'fenced';
      for (const { kind, delivery } of cases)
        expect(ends.get(kind)).toMatchObject(
          counts(delivery) ? { step: kind, answer: { outcome: 'unknown' } } : applied(kind),
        );

      old.child.kill('SIGCONT');
      const oldEnds = await old.ends;
      // Before the fence it may also find by its probe what the second one wrote; the receipt is not its to write.
      const type = point === 'fenced' ? 'Effect.Fenced' : expect.stringMatching(/^Effect\.(Fenced|Busy)$/);
      for (const { kind } of cases) expect(oldEnds.get(kind)).toMatchObject({ type });
      // Nothing that changes anything was even sent.
      const sent = await world.forge.journal.requests({ after: requestsBefore });
      const mine = sent.filter(({ path }) => path.includes(`frozen-${point}`));
      expect(
        mine.filter(({ method, path }) => method !== 'GET' && !path.endsWith('git-upload-pack')),
      ).toEqual([]);
      for (const { kind, delivery, landed } of cases) {
        const parts = await landed();
        expect([kind, parts]).toEqual([kind, before.get(kind)]);
        const times = counts(delivery) ? 0 : 1;
        expect([kind, Object.values(parts)]).toEqual([kind, Object.values(parts).map(() => times)]);
      }
    },
    180_000,
  );
});

describe.concurrent('a worker that is frozen past its lease with a child process', () => {
  it('in the middle of a drift apply that ends meanwhile: once, and found by the second', async () => {
    const one = await driftCase(world, 'frozen-drift-short', 'gate');
    const old = world.run({ requests: [one.request], ask: 'once', times });
    await vi.waitFor(async () => expect(await lines(one.log)).toEqual(['begin']), {
      timeout: 60_000,
      interval: 50,
    });
    old.child.kill('SIGSTOP');
    const second = world.run({ requests: [one.request], ask: 'untilEnded', times });
    await one.open();
    expect((await second.ends).get('applyDrift')).toMatchObject(applied('applyDrift'));
    old.child.kill('SIGCONT');
    // The second one has written the receipt.
    expect((await old.ends).get('applyDrift')).toMatchObject({ error: expect.any(String) });
    expect(await lines(one.log)).toEqual(['begin', 'end']);
  }, 120_000);

  it('in the middle of a drift apply that goes on: the second one waits until it is over', async () => {
    const one = await driftCase(world, 'frozen-drift-long', 'gate');
    const old = world.run({ requests: [one.request], ask: 'once', times });
    await vi.waitFor(async () => expect(await lines(one.log)).toEqual(['begin']), {
      timeout: 60_000,
      interval: 50,
    });
    old.child.kill('SIGSTOP');
    const second = world.run({ requests: [one.request], ask: 'untilEnded', times });
    // It has taken the claim over, and found the lock taken.
    await vi.waitFor(
      async () => {
        const { rows } = await world.database.pool.query(
          `select state, reason from effects where tenant = 'frozen-drift-long'`,
        );
        expect(rows[0]).toMatchObject({ state: 'freed', reason: expect.stringContaining('another attempt') });
      },
      { timeout: 60_000, interval: 100 },
    );
    expect(await lines(one.log)).toEqual(['begin']);
    old.child.kill('SIGCONT');
    expect((await old.ends).get('applyDrift')).toMatchObject({ error: expect.any(String) });
    await one.open();
    expect((await second.ends).get('applyDrift')).toMatchObject(applied('applyDrift'));
    // The old one ended its own child when it saw that its lease was over; they never ran side by side.
    expect(await lines(one.log)).toEqual(['begin', 'begin', 'end']);
  }, 120_000);

  it('in the middle of a migration that ends meanwhile: once, and found by the second', async () => {
    const one = await migrationCase(world, 'frozen-migration', 'select pg_sleep(3)');
    const old = world.run({ requests: [one.request], ask: 'once', times });
    await sleeping(one.secret, 1);
    old.child.kill('SIGSTOP');
    const ends = await world.run({ requests: [one.request], ask: 'untilEnded', times }).ends;
    expect(ends.get('applyMigrations')).toMatchObject(applied('applyMigrations'));
    old.child.kill('SIGCONT');
    expect((await old.ends).get('applyMigrations')).toMatchObject({ error: expect.any(String) });
    expect(await one.landed()).toEqual({ runs: 1, migrations: 1 });
  }, 120_000);
});

describe.concurrent('a worker that is killed in the middle of a child process', () => {
  it('of a drift apply: the child dies with it, the next one applies (MIG-2, SEC-3)', async () => {
    const one = await driftCase(world, 'killed-drift', 'gate');
    const old = world.run({ requests: [one.request], ask: 'once', times });
    await vi.waitFor(async () => expect(await lines(one.log)).toEqual(['begin']), {
      timeout: 60_000,
      interval: 50,
    });
    old.child.kill('SIGKILL');
    const second = world.run({ requests: [one.request], ask: 'untilEnded', times });
    await vi.waitFor(async () => expect((await lines(one.log)).filter(isBegin)).toHaveLength(2), {
      timeout: 60_000,
      interval: 50,
    });
    await one.open();
    expect((await second.ends).get('applyDrift')).toMatchObject(applied('applyDrift'));
    // The first would have come to its end, too, had it lived on. Killed, it could not remove its mark of being busy.
    expect((await lines(one.log)).filter((line) => line !== 'overlap')).toEqual(['begin', 'begin', 'end']);
  }, 120_000);

  it('or is shut down in the middle of a drift apply: in doubt, not refused for good; the next one applies', async () => {
    const one = await driftCase(world, 'shut-down-drift', 'gate');
    const redactor = createRedactor();
    const { pool } = world.database;
    const secrets = createSecretResolver({ env: world.secrets, redactor });
    const services = createServices({ pool, redactor, secrets, cacheDir: join(world.directory, 'cache') });
    const door = createDoor({
      pool,
      redactor,
      times,
      definitions: createEffectDefinitions(services, () => {}),
    });
    const shutDown = new AbortController();
    const first = door.run(one.request, shutDown.signal);
    first.catch(() => {});
    await vi.waitFor(async () => expect(await lines(one.log)).toEqual(['begin']), {
      timeout: 60_000,
      interval: 50,
    });
    shutDown.abort();
    await expect(first).rejects.toMatchObject({ type: 'Effect.InDoubt' });
    await one.open();
    const ends = await world.run({ requests: [one.request], ask: 'untilEnded', times }).ends;
    expect(ends.get('applyDrift')).toMatchObject(applied('applyDrift'));
    expect(await lines(one.log)).toEqual(['begin', 'begin', 'end']);
  }, 120_000);

  it('of a migration: its statement ends, the next one migrates, once (MIG-2)', async () => {
    const one = await migrationCase(world, 'killed-migration', 'select pg_sleep(6)');
    const old = world.run({ requests: [one.request], ask: 'once', times });
    await sleeping(one.secret, 1);
    old.child.kill('SIGKILL');
    const ends = await world.run({ requests: [one.request], ask: 'untilEnded', times }).ends;
    expect(ends.get('applyMigrations')).toMatchObject(applied('applyMigrations'));
    expect(await one.landed()).toEqual({ runs: 1, migrations: 1 });
    await sleeping(one.secret, 0);
  }, 120_000);
});

/** Waits until so many statements sleep in a tenant's database. */
async function sleeping(secret: string, count: number): Promise<void> {
  const database = new URL(world.secrets[secret] ?? '').pathname.slice(1);
  await vi.waitFor(
    async () => {
      const { rows } = await world.database.pool.query(
        `select count(*)::int as count from pg_stat_activity where datname = $1 and query like '%pg_sleep%' and state = 'active'`,
        [database],
      );
      expect(rows[0].count).toBe(count);
    },
    { timeout: 60_000, interval: 50 },
  );
}

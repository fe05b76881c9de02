// DUR-2: SIGKILL of Postgres itself, at each point of the door, and a start again on the same data: one write, one receipt, nothing lost.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDoor, type DoorOptions } from '../../../src/activities/effects/door.ts';
import type { EffectRequest } from '../../../src/contract/effect.ts';
import { freePort } from '../../../src/embedded/machine/ports.ts';
import { type PostgresServer, startPostgres } from '../../../src/embedded/postgres.ts';
import { migrateOwnSchema } from '../../../src/embedded/schema.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { effectKey } from '../../../src/store/claims.ts';
import { createPool, type Pool } from '../../../src/store/database.ts';
import { scriptedEffects } from '../../support/scripted-effects.ts';
import { finish, idOf, type Remote, registerTenant, startRemote, thing, times } from './scripted.ts';

let dataDir: string;
let port: number;
let server: PostgresServer;
let pool: Pool;
let remote: Remote;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'untilgreen-postgres-'));
  port = await freePort();
  server = await startPostgres({ dataDir, port });
  await migrateOwnSchema(server.url);
  pool = createPool(server.url);
  remote = await startRemote();
});
afterAll(async () => {
  await pool.end();
  await remote.stop();
  await server.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const door = (options: Partial<DoorOptions> = {}) =>
  createDoor({
    pool,
    definitions: scriptedEffects(remote.url),
    redactor: createRedactor(),
    times,
    ...options,
  });

it.each([
  ['claimed', 'rerunFailedJobs', 'applied', 1],
  ['fenced', 'rerunFailedJobs', 'applied', 1],
  ['written', 'rerunFailedJobs', 'applied', 1],
  ['written', 'applyDrift', 'unknown', 1],
  ['written', 'sendAlert', 'applied', 2],
  ['settled', 'rerunFailedJobs', 'applied', 1],
] as const)(
  'killed when an effect is %s (%s): %s, %i written',
  async (point, kind, outcome, writes) => {
    const tenant = `${point}-${kind}`.toLowerCase();
    await registerTenant(pool, tenant);
    const request: EffectRequest = thing(tenant, {}, { kind });
    let restarted = Promise.resolve();
    let killed = false;
    const atPoint: DoorOptions['atPoint'] = async (at) => {
      if (at !== point || killed) return;
      killed = true;
      await killPostgres();
      restarted = startPostgres({ dataDir, port }).then((again) => {
        server = again;
      });
    };
    const receipt = await finish(
      () => door({ atPoint }).run(request, AbortSignal.timeout(30_000)),
      'postgresMayBeAway',
    );
    await restarted;
    expect(receipt).toMatchObject({ status: 'receipt', outcome });
    expect(remote.count(idOf(request))).toBe(writes);
    const { rows } = await pool.query('select state, outcome from effects where key = $1', [
      effectKey(request),
    ]);
    expect(rows).toEqual([{ state: 'done', outcome }]);
    expect(await finish(() => door().run(request, AbortSignal.timeout(30_000)), 'postgresMayBeAway')).toEqual(
      receipt,
    );
    expect(remote.count(idOf(request))).toBe(writes);
  },
  60_000,
);

it('a pause, an approval and a cooldown are still there', async () => {
  await registerTenant(
    pool,
    'limits',
    'autonomy: { default: act }\nlimits: { cooldowns: { rerunFailedJobs: 30m } }',
  );
  const first = thing('limits');
  await door().run(first, AbortSignal.timeout(30_000));
  const asking = thing('limits', {}, { needsApproval: 'policy' });
  await door().run(asking, AbortSignal.timeout(30_000));
  await killPostgres();
  server = await startPostgres({ dataDir, port });
  const again = thing('limits', {}, { target: first.target, nowMs: first.nowMs + 60_000 });
  expect(
    await finish(() => door().run(again, AbortSignal.timeout(30_000)), 'postgresMayBeAway'),
  ).toMatchObject({
    guard: 'cooldown',
  });
  const { rows } = await pool.query(`select state from approvals where tenant = 'limits'`);
  expect(rows).toEqual([{ state: 'asked' }]);
}, 60_000);

/** The server with all of its processes: a backend that outlives it for a moment would still answer. */
async function killPostgres(): Promise<void> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      return { pid: Number(pid), parent: Number(/^\d+ \(.*\) \w (\d+)/s.exec(stat)?.[1]) };
    }),
  );
  const backends = parents.filter(({ parent }) => parent === server.pid);
  for (const pid of [server.pid, ...backends.map((backend) => backend.pid)]) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  await server.exited;
}

// CI-4, CI-12: outages over 20 tenants, most tests of two jobs at once, and a red main with 12 failing jobs that is batched, not 12 fixes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { FindingRef } from '../../../src/contract/activities.ts';
import { remember, setFindingStatus } from '../../../src/store/findings.ts';
import { logOf, minuteMs, nodeTests, nowMs, type Scene, startScene } from './scene.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await startScene();
});
afterEach(() => scene.stop());

async function findingsOf(tenant: string, atMs = nowMs): Promise<ReadonlyMap<string, FindingRef>> {
  return scene.sweep(tenant, atMs);
}
async function only(tenant: string, atMs = nowMs): Promise<FindingRef> {
  const [ref] = (await findingsOf(tenant, atMs)).values();
  if (ref === undefined) throw new Error(`no finding of ${tenant}`);
  return ref;
}
const names = (count: number, from = 1): readonly string[] =>
  Array.from({ length: count }, (_, index) => `tenant-${index + from}`);

describe('CI-4: the same error in several tenants', () => {
  const down = logOf('npm error 503 Service Unavailable - GET https://registry.npmjs.org/left-pad');

  async function triageAt(tenant: string, atMs: number) {
    return scene.triage(await only(tenant, atMs), atMs);
  }

  it('is an outage from the fifth of 20 within 10 minutes on: no fix, it waits, with one reason; later one rerun, then a person', async () => {
    for (const tenant of names(20)) await scene.addTenant(tenant);
    await scene.run([{ name: 'test', log: down }]);
    for (const [index, tenant] of names(4).entries())
      expect(await triageAt(tenant, nowMs + index * minuteMs)).toMatchObject({
        next: 'rerun',
        class: 'infra',
      });
    const fifth = await triageAt('tenant-5', nowMs + 4 * minuteMs);
    expect(fifth).toMatchObject({ next: 'wait', class: 'infra', untilMs: nowMs + 14 * minuteMs });
    expect(fifth.why).toBe(
      'outage: the same error in 5 of 20 tenants within 10 min: npm error 503 Service Unavailable - GET https://registry.npmjs.org/left-pad',
    );
    // Who came first learns of it when it looks again; no other tenant is named.
    const first = await triageAt('tenant-1', nowMs + 5 * minuteMs);
    expect(first).toMatchObject({ next: 'wait', why: fifth.why });
    expect(JSON.stringify([first, fifth])).not.toMatch(/tenant-\d/);
    const over = nowMs + 64 * minuteMs;
    expect(await triageAt('tenant-5', over)).toMatchObject({ next: 'rerun', class: 'infra' });
    await remember(scene.database.pool, await only('tenant-5'), { rerunUsed: true });
    expect(await triageAt('tenant-5', over)).toMatchObject({ next: 'person', class: 'infra' });
  });

  it('is told to people once per tenant and outage, however many jobs fail of it and however often they are looked at', async () => {
    for (const tenant of names(5)) await scene.addTenant(tenant);
    const jobs = ['test', 'lint', 'build'].map((name) => ({ name, log: down }));
    await scene.run(jobs);
    const { lines, alert } = scene.alerts();
    const lookAll = async (atMs: number) => {
      for (const tenant of names(5))
        for (const ref of (await findingsOf(tenant, atMs)).values()) await scene.triage(ref, atMs, { alert });
    };
    await lookAll(nowMs);
    expect(lines).toHaveLength(1);
    await lookAll(nowMs + 10 * minuteMs);
    await lookAll(nowMs + 20 * minuteMs);
    expect(lines.map((line) => line.replace(/\(.*/, '').trim()).sort()).toEqual(
      names(5).map((tenant) => `[warning] ${tenant}: CI fails of an outage outside of your repositories`),
    );
    const { rows } = await scene.database.pool.query('select said from ci_outages');
    for (const { said } of rows)
      expect(said).toMatch(/^outage: the same error in 5 of 5 tenants within 10 min: npm error 503/);
  });

  it('is none over half an hour, in 5 of 26 tenants, or with one tenant alone', async () => {
    for (const tenant of names(26)) await scene.addTenant(tenant);
    await scene.run([{ name: 'test', log: down }]);
    for (const [index, tenant] of names(5).entries())
      expect(await triageAt(tenant, nowMs + index * minuteMs)).toMatchObject({ next: 'rerun' });
    for (const [index, tenant] of names(6, 6).entries())
      expect(await triageAt(tenant, nowMs + (30 + index * 6) * minuteMs)).toMatchObject({ next: 'rerun' });
  });

  it('does not count one tenant twelve times', async () => {
    await scene.addTenant('alone');
    const jobs = Array.from({ length: 12 }, (_, index) => ({ name: `job ${index}`, log: down }));
    await scene.run(jobs);
    for (const ref of (await findingsOf('alone')).values())
      expect(await scene.triage(ref)).toMatchObject({ next: 'rerun', class: 'infra' });
  });

  it('does not count tenants that are disabled', async () => {
    for (const tenant of names(20)) await scene.addTenant(tenant);
    await scene.run([{ name: 'test', log: down }]);
    for (const tenant of names(4)) await triageAt(tenant, nowMs);
    await scene.database.pool.query(`update tenants set enabled = false where tenant = 'tenant-1'`);
    expect(await triageAt('tenant-5', nowMs)).toMatchObject({ next: 'rerun' });
  });
});

describe('CI-4: most tests at once', () => {
  const failing = (count: number, passed: number) =>
    logOf(
      ...nodeTests(
        Array.from({ length: count }, (_, index) => `case ${index}`),
        passed,
      ),
    );

  it.each([
    ['19 of 20 in both jobs', [19, 1], [19, 1], 'rerun', 'infra'],
    ['19 of 20 in one, one of 20 in the other', [19, 1], [1, 19], 'fix', 'regression'],
    ['80 % in both', [16, 4], [16, 4], 'fix', 'regression'],
    ['the one test of both jobs', [1, 0], [1, 0], 'fix', 'regression'],
  ] as const)('%s: %s, %s', async (_name, [failedA, passedA], [failedB, passedB], next, as) => {
    await scene.addTenant('acme');
    await scene.run([
      { name: 'unit', log: failing(failedA, passedA) },
      { name: 'e2e', log: failing(failedB, passedB) },
    ]);
    const ref = (await findingsOf('acme')).get('unit');
    if (ref === undefined) throw new Error('no finding');
    const triage = await scene.triage(ref);
    expect(triage).toMatchObject({ next, class: as });
    if (as === 'infra')
      expect(triage.why).toBe('infra: 19 of 20 tests fail in unit, and as many in e2e, at once');
  });
});

describe('CI-12: a red main', () => {
  const type = (name: string) => logOf(`src/total.ts(12,3): error TS2304: Cannot find name '${name}'.`);
  /** Twelve jobs: seven with one error, the others with their own. */
  const twelve = Array.from({ length: 12 }, (_, index) => ({
    name: `job ${String(index).padStart(2, '0')}`,
    log: type(index < 5 ? `own${index}` : 'price'),
  }));

  async function triageAll(atMs: number) {
    const open = [...(await findingsOf('acme', atMs))];
    const one = async ([job, ref]: (typeof open)[number]) => ({
      job,
      ref,
      ...(await scene.triage(ref, atMs)),
    });
    return Promise.all(open.map(one));
  }

  it('with 12 failing jobs is batched, not 12 fixes: one of the biggest batch at a time, until its fix proved itself', async () => {
    await scene.addTenant('acme');
    await scene.run(twelve);
    await triageAll(nowMs);
    // All have said what they are; asked again, all at once, one is chosen.
    const second = await triageAll(nowMs + 15_000);
    const fixing = second.filter(({ next }) => next === 'fix');
    expect(second).toHaveLength(12);
    expect(fixing).toHaveLength(1);
    const [chosen] = fixing;
    if (chosen === undefined) throw new Error('none is fixed');
    expect(Number(chosen.job.slice(4))).toBeGreaterThanOrEqual(5);
    for (const held of second.filter(({ next }) => next === 'wait'))
      expect(held.why).toBe(
        `storm: 12 jobs of acme/shop fail; until a fix proved itself only ${chosen.ref.fingerprint.slice(0, 12)} (CI / ${chosen.job} fails in "Run tests" on main, 7 with the same error) is being fixed`,
      );

    // It is with a person: the next one, still one.
    await setFindingStatus(scene.database.pool, chosen.ref, { status: 'escalated' });
    const third = (await triageAll(nowMs + 60_000)).filter(
      ({ ref }) => ref.fingerprint !== chosen.ref.fingerprint,
    );
    const next = third.filter((one) => one.next === 'fix');
    expect(next).toHaveLength(1);

    // Its fix was merged and its job is green: proved, the others go on.
    await scene.database.pool.query(
      `update findings set status = 'resolved', attempts = 1, resolved_ms = $2 where fingerprint = $1`,
      [next[0]?.ref.fingerprint, nowMs + 10 * minuteMs],
    );
    const open = third.filter(({ ref }) => ref.fingerprint !== next[0]?.ref.fingerprint);
    for (const { ref } of open)
      expect(await scene.triage(ref, nowMs + 11 * minuteMs)).toMatchObject({ next: 'fix' });
  });

  it('is none with four failing jobs, and one by the setting', async () => {
    await scene.addTenant('acme');
    await scene.run(twelve.slice(0, 4));
    expect((await triageAll(nowMs)).map(({ next }) => next)).toEqual(['fix', 'fix', 'fix', 'fix']);
    await scene.addTenant('acme', { storm: { findings: 3 } });
    expect((await triageAll(nowMs)).filter(({ next }) => next === 'fix')).toHaveLength(1);
  });

  it('holds back before work is done for a pull request that may not be opened', async () => {
    await scene.addTenant('acme');
    await scene.run(twelve.slice(0, 1));
    for (const index of [1, 2, 3]) {
      const head = `untilgreen/ci-${String(index).padStart(12, '0')}-1`;
      await scene.rig.forge.commitFiles({
        owner: 'acme',
        repo: 'shop',
        branch: head,
        files: { [`${index}`]: 'x' },
        message: 'x',
      });
      await scene.rig.github.write({
        route: 'POST /repos/{owner}/{repo}/pulls',
        params: { owner: 'acme', repo: 'shop', head, base: 'main', title: 'x' },
        schema: z.unknown(),
        signal: scene.rig.place.signal,
        assertMayWrite: () => {},
      });
    }
    const ref = await only('acme');
    expect(await scene.triage(ref)).toMatchObject({
      next: 'wait',
      why: 'limit: 3 pull requests of fixes are open, the limit is 3',
      untilMs: nowMs + 10 * minuteMs,
    });
    expect(await scene.memory(ref)).toMatchObject({ triage: { next: 'wait', wants: 'fix' } });
  });
});

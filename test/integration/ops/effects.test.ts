// DEPLOY-3, INC-2, INC-5, DUR-5, GUARD-1, LOOP-7: effects on what runs through the real door: once, held by caps and refused by the settings.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TryAgain } from '../../../src/activities/effects/door-failure.ts';
import type { EffectAnswer, EffectRequest, Json } from '../../../src/contract/effect.ts';
import { askApproval, decideApproval } from '../../../src/store/approvals.ts';
import { approvalHash, effectDigest, effectKey } from '../../../src/store/claims.ts';
import { liftPause, raisePause } from '../../../src/store/pauses.ts';
import { minute, type OpsRig, startMs, startOpsRig } from './rig.ts';

let rig: OpsRig;
let names = 0;
beforeAll(async () => {
  rig = await startOpsRig();
});
afterAll(() => rig.stop());
beforeEach(() => {
  rig.clock.nowMs = startMs;
});

async function tenantWith(services: readonly string[], more = ''): Promise<string> {
  names += 1;
  const tenant = `effects-${names}`;
  const { yaml } = rig.project(
    tenant,
    services.map((name) => ({ name: `${name}-${names}`, commitSha: 'a1' })),
  );
  await rig.tenant(tenant, yaml + more);
  return tenant;
}

function on(tenant: string, name: string, more: Partial<EffectRequest> = {}): EffectRequest {
  const service = `${name}-${names}`;
  const input: Json = {
    service,
    serviceId: rig.railway.world.service(service).id,
    deploymentId: rig.railway.world.deploymentsOf(service)[0]?.id ?? '',
  };
  return rig.effect(tenant, 'restartService', `production/${service}`, input, more);
}

async function approve(request: EffectRequest, channel: 'github' | 'cli' = 'github'): Promise<void> {
  const { pool } = rig.database;
  const hash = approvalHash(effectKey(request), effectDigest(request));
  await askApproval(pool, { request, hash, risk: 'destructive', describe: request.kind }, undefined);
  const { tenant, nowMs } = request;
  await decideApproval(pool, {
    tenant,
    hash,
    nowMs,
    decision: 'approve',
    by: 'maria',
    channel,
    reason: '',
  });
}

/** Asks until it has an end, as the activity's retries do. */
async function ask(request: EffectRequest): Promise<EffectAnswer> {
  for (;;) {
    try {
      return await rig.door.run(request, AbortSignal.timeout(60_000));
    } catch (error) {
      if (!(error instanceof TryAgain)) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(error.delayMs ?? 200, 2_000)));
    }
  }
}

describe('DEPLOY-3: the cap of an hour and the cooldown', () => {
  it('at most three services of a small tenant are changed in an hour, and not one of them twice in half an hour', async () => {
    const tenant = await tenantWith(['a', 'b', 'c', 'd']);
    await rig.read(tenant, 'deployments');
    const before = rig.railway.writes().length;
    for (const name of ['a', 'b', 'c'])
      expect(await ask(on(tenant, name))).toMatchObject({ status: 'receipt', outcome: 'applied' });
    rig.clock.nowMs += 10 * minute;
    expect(await ask(on(tenant, 'd'))).toMatchObject({
      status: 'hold',
      guard: 'cap',
      reason: '3 changes of services in the last hour, the cap is 3 (of 4 services)',
      untilMs: startMs + 60 * minute,
    });
    expect(await ask(on(tenant, 'a', { step: 'again' }))).toMatchObject({
      status: 'hold',
      guard: 'cooldown',
      untilMs: startMs + 30 * minute,
    });
    expect(rig.railway.writes().length - before).toBe(3);
    rig.clock.nowMs = startMs + 61 * minute;
    expect(await ask(on(tenant, 'd'))).toMatchObject({ status: 'receipt', outcome: 'applied' });
  });

  it('LOOP-13 GUARD-1: a rollback that a person approved by its hash does not wait for the hour, and nothing else is let through', async () => {
    const tenant = await tenantWith(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    const d = `d-${names}`;
    const [before] = rig.railway.world.deploymentsOf(d);
    rig.clock.nowMs += minute;
    rig.railway.world.push(d, { commitSha: 'b2' });
    await rig.read(tenant, 'deployments');
    for (const name of ['a', 'b', 'c'])
      expect(await ask(on(tenant, name))).toMatchObject({ status: 'receipt', outcome: 'applied' });
    rig.clock.nowMs += 10 * minute;
    // What is approved is this very content: the request stays as it was asked.
    const input = {
      service: d,
      serviceId: rig.railway.world.service(d).id,
      deploymentId: before?.id ?? '',
    };
    const target = `production/${d}`;
    const roll = rig.effect(tenant, 'rollBackService', target, input, { precondition: before?.id ?? '' });
    expect(await ask(roll)).toMatchObject({ status: 'hold', guard: 'approval' });
    // Over a channel that is not enough here, it waits on.
    await approve(roll, 'cli');
    expect(await ask(roll)).toMatchObject({ status: 'hold', guard: 'approval' });
    await approve(roll);
    // LOOP-10: a pause holds it as it holds everything.
    const pause = {
      tenant,
      scope: 'tenant',
      scopeValue: null,
      reason: 'freeze',
      by: 'ana',
      untilMs: null,
      nowMs: rig.clock.nowMs,
    } as const;
    await raisePause(rig.database.pool, pause);
    expect(await ask(roll)).toMatchObject({ status: 'hold', guard: 'pause' });
    await liftPause(rig.database.pool, { ...pause, reason: 'over' });
    expect(await ask(roll)).toMatchObject({ status: 'receipt', outcome: 'applied' });
    // It counts: the hour is as full as before, and one more waits for its second place.
    expect(await ask(on(tenant, 'e'))).toMatchObject({
      status: 'hold',
      guard: 'cap',
      reason: expect.stringMatching(/^4 changes of services in the last hour/),
      untilMs: startMs + 61 * minute,
    });
  });

  it('GUARD-1: approved, and the platform is out: it waits for that', async () => {
    const tenant = await tenantWith(['a']);
    await rig.database.pool.query(
      `insert into source_memory (tenant, workspace, source, memory) values ($1, 'shop', 'deployments', $2)`,
      [
        tenant,
        JSON.stringify({
          watched: 1,
          outage: { sinceMs: startMs, reason: 'Railway is out', clearSinceMs: null },
        }),
      ],
    );
    const request = on(tenant, 'a', { needsApproval: 'asked for in this test' });
    await approve(request);
    expect(await ask(request)).toMatchObject({
      status: 'hold',
      reason: expect.stringContaining('Railway is out'),
    });
  });

  it('a restart whose answer is lost counts as done, once, and fails one cycle only', async () => {
    const tenant = await tenantWith(['a']);
    const before = rig.railway.writes().length;
    rig.railway.fail({ kind: 'badGateway', operation: 'Restart' });
    const request = on(tenant, 'a');
    expect(await ask(request)).toMatchObject({ status: 'receipt', outcome: 'unknown' });
    expect(await ask(request)).toMatchObject({ status: 'receipt', outcome: 'unknown' });
    expect(rig.railway.writes().length - before).toBe(1);
    expect(await ask(on(tenant, 'a', { step: 'again' }))).toMatchObject({
      status: 'hold',
      guard: 'cooldown',
    });
    const { rows } = await rig.database.pool.query(
      `select count(*)::int as count from effects where tenant = $1 and outcome = 'unknown' and not counted`,
      [tenant],
    );
    expect(rows).toEqual([{ count: 1 }]);
  });

  it('what the platform refuses is no change: it starts no cooldown and takes no place', async () => {
    const tenant = await tenantWith(['a']);
    rig.railway.fail({ kind: 'error', message: 'Cannot restart now', operation: 'Restart' });
    expect(await ask(on(tenant, 'a'))).toMatchObject({ status: 'receipt', outcome: 'refused' });
    const { rows } = await rig.database.pool.query('select kind from cooldowns where tenant = $1', [tenant]);
    expect(rows).toEqual([]);
    expect(await ask(on(tenant, 'a', { step: 'again' }))).toMatchObject({
      status: 'receipt',
      outcome: 'applied',
    });
  });

  it('what was planned on another deployment is stale', async () => {
    const tenant = await tenantWith(['a']);
    const request = on(tenant, 'a');
    rig.clock.nowMs += minute;
    rig.railway.world.push(`a-${names}`, { commitSha: 'b2' });
    expect(await ask(request)).toMatchObject({ status: 'receipt', outcome: 'stale' });
  });
});

describe('GUARD-1: what the settings do not allow', () => {
  it.each([
    'restartService',
    'redeployService',
    'rollBackService',
    'removeDeployment',
    'updateService',
    'setVariable',
  ] as const)(
    '%s of a service that is not watched, under the name of one that is, is refused',
    async (kind) => {
      const tenant = await tenantWith(['a', 'hidden'], '      watch: ["a-*"]\n');
      const before = rig.railway.writes().length;
      const { service, ...hidden } = on(tenant, 'hidden').input as { readonly [field: string]: string };
      expect(service).toBe(`hidden-${names}`);
      const more =
        kind === 'updateService'
          ? { replicas: 2 }
          : kind === 'setVariable'
            ? { name: 'A', from: 'env:GITHUB_TOKEN' }
            : {};
      const request = rig.effect(tenant, kind, 'x', { service: `a-${names}`, ...hidden, ...more });
      await approve(request);
      expect(await ask(request)).toMatchObject({
        status: 'receipt',
        outcome: 'refused',
        reason: expect.stringContaining(`belongs to hidden-${names}, not to a-${names}`),
      });
      expect(rig.railway.writes().length).toBe(before);
    },
  );

  const agent = { repository: '', base: 'main', goal: 'green', evidence: 'boom' };

  it.each<[string, (tenant: string) => EffectRequest, string]>([
    [
      'a service that is not watched',
      (tenant) =>
        rig.effect(tenant, 'restartService', 'x', { service: 'other', serviceId: '1', deploymentId: '2' }),
      'is not in services.watch',
    ],
    [
      'a clean-up without a DevOps API',
      (tenant) => rig.effect(tenant, 'cleanUp', 'x', { what: 'orphans' }),
      'has no incidents.devopsApi',
    ],
    [
      'a code agent that is not set',
      (tenant) =>
        rig.effect(tenant, 'startCodeAgent', 'x', {
          ...agent,
          kind: 'dispatch',
          eventType: 'other',
          repository: `acme/${tenant}`,
        }),
      'incidents.codeAgent of workspace shop says otherwise',
    ],
    [
      'a code agent in another repository',
      (tenant) =>
        rig.effect(tenant, 'startCodeAgent', 'x', {
          ...agent,
          kind: 'dispatch',
          eventType: 'incident',
          repository: 'evil/shop',
        }),
      'is not the repository of workspace shop',
    ],
  ])('%s is refused', async (_name, request, reason) => {
    const tenant = await tenantWith(
      ['a'],
      '      watch: ["a-*"]\n    incidents: { codeAgent: { kind: dispatch, eventType: incident } }\n',
    );
    expect(await ask(request(tenant))).toMatchObject({
      status: 'refused',
      guard: 'allowlist',
      reason: expect.stringContaining(reason),
    });
  });

  it.each(['removeDeployment', 'rollBackService', 'updateService'] as const)(
    '%s waits for a person',
    async (kind) => {
      const tenant = await tenantWith(['a']);
      const { target, input } = on(tenant, 'a');
      const more = kind === 'updateService' ? { replicas: 2 } : {};
      const asked = await ask(rig.effect(tenant, kind, target, { ...(input as object), ...more }));
      expect(asked).toMatchObject({
        status: 'hold',
        guard: 'approval',
        approval: { hash: expect.any(String) },
      });
    },
  );
});

// DEPLOY-1: writes to Railway, each seen in the server's state; and which of those that go wrong certainly changed nothing.
import { afterEach, describe, expect, it } from 'vitest';
import type { Provider } from '../../../src/integrations/provider/provider.ts';
import { call, failureOf, mayWrite, type Rig, startRig } from './rig.ts';

let rig: Rig;
afterEach(() => rig.railway.close());

const loop = { startMs: 1_000, crashesAfterMs: 60_000 };
const newest = (name: string) => rig.railway.world.deploymentsOf(name)[0];
const idOf = (name: string): string => rig.railway.world.service(name).id;
const of = (name: string) => ({ id: newest(name)?.id ?? '', serviceId: idOf(name) });
const phase = (name: string): string | undefined => {
  const row = newest(name);
  return row && rig.railway.world.phase(row).status;
};

function method<Name extends keyof Provider>(name: Name): NonNullable<Provider[Name]> {
  const found = rig.provider[name];
  if (found === undefined) throw new Error(`no ${name}`);
  return found as NonNullable<Provider[Name]>;
}

describe('DEPLOY-1 the steps of the ladder', () => {
  it('restart: the same deployment runs again, and crashes again', async () => {
    rig = await startRig([{ name: 'backend', commitSha: 'a1', behaviour: loop }]);
    rig.pass(61_000);
    expect(phase('backend')).toBe('CRASHED');
    const before = of('backend');
    await rig.provider.restart(before, mayWrite);
    rig.pass(1_000);
    expect([phase('backend'), newest('backend')?.id]).toEqual(['SUCCESS', before.id]);
    rig.pass(60_000);
    expect(phase('backend')).toBe('CRASHED');
    expect(rig.asked()).toEqual(['Restart']);
  });

  it('redeploy: a new deployment of the same source, whose id is the answer', async () => {
    rig = await startRig([{ name: 'backend', commitSha: 'a1', behaviour: loop }]);
    rig.pass(61_000);
    const before = of('backend');
    const { deploymentId } = await method('redeploy')(before, mayWrite);
    expect(newest('backend')).toMatchObject({ id: deploymentId, release: { commitSha: 'a1' } });
    expect(deploymentId).not.toBe(before.id);
  });

  it('roll back: what an older deployment ran is live again', async () => {
    rig = await startRig([{ name: 'backend', commitSha: 'good' }]);
    const good = of('backend');
    rig.pass(60_000);
    rig.railway.world.push('backend', { commitSha: 'bad', behaviour: loop });
    rig.pass(120_000);
    expect(phase('backend')).toBe('CRASHED');
    await method('rollBack')(good, mayWrite);
    rig.pass(1_000);
    const { services } = await rig.provider.overview(call);
    expect(services[0]?.live).toMatchObject({ status: 'running', commitSha: 'good' });
    rig.pass(10 * 60_000);
    expect(phase('backend')).toBe('SUCCESS');
  });

  it('remove: takes a deployment down', async () => {
    rig = await startRig([{ name: 'backend' }]);
    await method('remove')(of('backend'), mayWrite);
    const { services } = await rig.provider.overview(call);
    expect(services[0]).toMatchObject({ latest: { status: 'stopped', rawStatus: 'REMOVED' }, live: null });
  });

  it("refuses what the deployment's state does not allow, and nothing has changed", async () => {
    rig = await startRig([{ name: 'backend', behaviour: { buildMs: 60_000 } }]);
    for (const write of [
      rig.provider.restart(of('backend'), mayWrite),
      method('redeploy')(of('backend'), mayWrite),
      method('rollBack')(of('backend'), mayWrite),
    ])
      expect((await failureOf(write)).kind).toBe('refused');
    expect(rig.railway.writes()).toEqual([]);
  });
});

describe('DEPLOY-1 manual actions', () => {
  it('scales and changes the version, and deploys it', async () => {
    rig = await startRig([{ name: 'web', image: 'shop/web:1' }]);
    await method('updateService')({ serviceId: idOf('web'), replicas: 3, image: 'shop/web:2' }, mayWrite);
    rig.pass(1_000);
    expect(newest('web')).toMatchObject({ replicas: 3, release: { image: 'shop/web:2' } });
    expect(rig.asked()).toEqual(['ProjectToken', 'UpdateService', 'DeployService']);
    const nothing = method('updateService')({ serviceId: idOf('web') }, mayWrite);
    expect((await failureOf(nothing)).message).toContain('neither replicas nor image');
  });

  it('a change whose deployment fails is in doubt, because the settings are changed', async () => {
    rig = await startRig([{ name: 'web', image: 'shop/web:1' }]);
    rig.railway.fail({ kind: 'error', message: 'Not Authorized', operation: 'DeployService' });
    const update = method('updateService')({ serviceId: idOf('web'), replicas: 2 }, mayWrite);
    const failure = await failureOf(update);
    expect(failure.kind).toBe('doubt');
    expect(failure.message).toContain('are changed already');
    expect(rig.railway.world.service('web').replicas).toBe(2);
  });

  it('sets one variable and leaves the others', async () => {
    rig = await startRig([{ name: 'backend' }]);
    const { environmentId } = rig.shop;
    const serviceId = idOf('backend');
    rig.railway.world.setVariable({ environmentId, serviceId, name: 'KEPT', value: 'a' });
    rig.railway.world.setVariable({ environmentId, serviceId, name: 'CHANGED', value: 'b' });
    await method('setVariable')({ serviceId, name: 'CHANGED', value: 'c' }, mayWrite);
    await method('setVariable')({ serviceId: null, name: 'SHARED', value: 'd' }, mayWrite);
    const rows = rig.railway.world.rows.variables.map(({ name, value }) => `${name}=${value}`);
    expect(rows).toEqual(['KEPT=a', 'CHANGED=c', 'SHARED=d']);
    expect(rig.railway.writes().map(({ operation }) => operation)).toEqual(['SetVariable', 'SetVariable']);
  });

  it('never shows the value of a variable, whatever Railway repeats', async () => {
    rig = await startRig([{ name: 'backend' }]);
    const value = 'planted "secret"\n1';
    const message = `Variable "$input" got invalid value { name: "A", value: ${JSON.stringify(value)} }: ${value}`;
    rig.railway.fail({ kind: 'error', message, operation: 'SetVariable' });
    const failure = await failureOf(
      method('setVariable')({ serviceId: idOf('backend'), name: 'A', value }, mayWrite),
    );
    expect(failure.message).not.toMatch(/planted|secret/);
    expect(failure).toMatchObject({ kind: 'refused', cause: undefined });
    expect(failure.message).toBe(
      'Railway setVariable: what it said is not shown, because it repeats the value',
    );
  });

  it.each([
    [{ image: 'redis:7' }, { image: 'redis:7' }],
    [{ repository: 'acme/shop' }, { repo: 'acme/shop' }],
    [{}, undefined],
  ])('creates a service from %j', async (from, source) => {
    rig = await startRig([]);
    const { serviceId } = await method('createService')({ name: 'new', ...from }, mayWrite);
    expect(idOf('new')).toBe(serviceId);
    const { environmentId, projectId } = rig.shop;
    const input = { environmentId, projectId, name: 'new', ...(source === undefined ? {} : { source }) };
    expect(rig.railway.writes()[0]?.variables).toEqual({ input });
  });

  it('refuses two sources, and a name that is taken', async () => {
    rig = await startRig([{ name: 'web' }]);
    const both = method('createService')({ name: 'x', image: 'a:1', repository: 'b/c' }, mayWrite);
    expect((await failureOf(both)).message).toBe(
      'Railway createService: image "a:1" and repository "b/c" are given; give one',
    );
    const taken = await failureOf(method('createService')({ name: 'web' }, mayWrite));
    expect(taken).toMatchObject({ kind: 'refused' });
    expect(taken.message).toContain('already exists');
  });

  it.each([
    ['postgres', 'Postgres'],
    ['redis', 'Redis'],
  ] as const)('adds %s by its template, whose workflow ends with the service', async (kind, name) => {
    rig = await startRig([]);
    rig.railway.world.templateRuns.visibleAfterMs = 500;
    const { workflowId } = await method('addDatabase')(kind, mayWrite);
    const state = async () => (await method('templateState')(workflowId, call)).state;
    // Not found yet, right after the start.
    expect(await state()).toBe('unknown');
    rig.pass(1_000);
    expect(await state()).toBe('running');
    rig.pass(5_000);
    expect(await state()).toBe('complete');
    const { services } = await rig.provider.overview(call);
    expect(services.map((one) => [one.name, one.live?.status])).toEqual([[name, 'running']]);
  });

  it('says why a template failed', async () => {
    rig = await startRig([]);
    rig.railway.world.templateRuns.error = 'volume limit reached';
    const { workflowId } = await method('addDatabase')('redis', mayWrite);
    expect(await method('templateState')(workflowId, call)).toEqual({
      state: 'failed',
      error: 'volume limit reached',
    });
  });
});

describe('DEPLOY-1 writes that go wrong', () => {
  it.each([
    // What Railway did, and whether it was done.
    [{ kind: 'badGateway' }, 'doubt', true],
    [{ kind: 'reset' }, 'doubt', true],
    [{ kind: 'truncated' }, 'doubt', true],
    [{ kind: 'hang' }, 'doubt', true],
    [{ kind: 'unavailable' }, 'doubt', false],
    [{ kind: 'page' }, 'doubt', false],
    [{ kind: 'error', message: 'Problem processing request' }, 'doubt', false],
    [{ kind: 'error', message: 'Not Authorized' }, 'denied', false],
    [{ kind: 'error', message: 'Deployment not found' }, 'refused', false],
    [{ kind: 'limited', retryAfterS: 30 }, 'limited', false],
  ] as const)('%j: %s, and it is not sent again', async (fault, kind, wrote) => {
    rig = await startRig([{ name: 'backend' }]);
    rig.railway.fail(fault);
    const provider = rig.providerWith({ timeoutMs: fault.kind === 'hang' ? 1_500 : 15_000 });
    const failure = await failureOf(provider.restart(of('backend'), mayWrite));
    expect(failure.kind).toBe(kind);
    expect(failure.message).toContain('Railway restart: ');
    expect(rig.asked()).toEqual(['Restart']);
    expect(newest('backend')?.restartsMs).toHaveLength(wrote ? 1 : 0);
    expect(failure.retryAfterMs).toBe(fault.kind === 'limited' ? 30_000 : undefined);
  });

  it('nobody there: nothing was done, and the address is named', async () => {
    rig = await startRig([{ name: 'backend' }]);
    const backend = of('backend');
    await rig.railway.close();
    const failure = await failureOf(rig.provider.restart(backend, mayWrite));
    expect(failure.kind).toBe('unreached');
    expect(failure.message).toContain('check services.provider.apiUrl');
  });

  it('asks the fence right before the request, and sends nothing when it says no', async () => {
    rig = await startRig([{ name: 'backend' }]);
    const over = new Error('the lease is over');
    const late = {
      ...call,
      assertMayWrite: () => {
        throw over;
      },
    };
    await expect(rig.provider.restart(of('backend'), late)).rejects.toBe(over);
    expect(rig.asked()).toEqual([]);
    let asked = 0;
    const counting = {
      ...call,
      assertMayWrite: () => {
        asked += 1;
      },
    };
    await method('updateService')({ serviceId: idOf('backend'), replicas: 2 }, counting);
    expect(asked).toBe(2);
  });

  it('ends with its caller', async () => {
    rig = await startRig([{ name: 'backend' }]);
    const controller = new AbortController();
    controller.abort(new Error('cancelled'));
    const cancelled = { ...mayWrite, signal: controller.signal };
    await expect(rig.provider.restart(of('backend'), cancelled)).rejects.toThrow('cancelled');
    expect(rig.asked()).toEqual([]);
  });
});

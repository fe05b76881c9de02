// DEPLOY-1: what runs on Railway, read over HTTP from a server that executes our SDL.
import { afterEach, describe, expect, it } from 'vitest';
import { call, failureOf, type Rig, startMs, startRig } from './rig.ts';

let rig: Rig;
afterEach(() => rig.railway.close());

const names = (rig: Rig): Promise<readonly string[]> =>
  rig.provider.overview(call).then(({ services }) => services.map(({ name }) => name));

describe('DEPLOY-1 an overview', () => {
  it('says each service, its newest deployment and the live one', async () => {
    rig = await startRig([
      { name: 'backend', commitSha: 'a1', domains: ['shop.example'], behaviour: { startMs: 5_000 } },
      { name: 'frontend', image: 'shop/web:1.4' },
      { name: 'empty', deployed: false },
    ]);
    rig.pass(60_000);
    rig.railway.world.push('backend', { commitSha: 'b2', behaviour: { buildMs: 90_000 } });
    rig.pass(10_000);
    const { project, environment, dashboardUrl, services } = await rig.provider.overview(call);
    expect([project, environment, dashboardUrl]).toEqual(['shop', 'production', null]);
    const [backend, frontend, empty] = services;
    expect(backend).toMatchObject({
      name: 'backend',
      latest: {
        status: 'deploying',
        rawStatus: 'BUILDING',
        commitSha: 'b2',
        createdAtMs: startMs + 60_000,
        statusChangedAtMs: startMs + 60_000,
      },
      live: { status: 'running', rawStatus: 'SUCCESS', commitSha: 'a1', statusChangedAtMs: startMs + 5_000 },
    });
    expect(frontend?.live).toEqual(frontend?.latest);
    expect(frontend?.live).toMatchObject({ image: 'shop/web:1.4', serviceId: frontend?.id });
    expect(empty).toMatchObject({ name: 'empty', latest: null, live: null });
  });

  it('takes one request, whatever the number of services up to 500, and the next page after that', async () => {
    const many = Array.from({ length: 501 }, (_, index) => ({ name: `service-${index}` }));
    rig = await startRig(many.slice(0, 500));
    expect(await names(rig)).toHaveLength(500);
    expect(rig.asked()).toEqual(['ProjectToken', 'Overview']);
    await rig.provider.overview(call);
    expect(rig.asked()).toEqual(['Overview']);
    rig.railway.world.addService(rig.shop.environmentId, { name: 'service-500' });
    expect(new Set(await names(rig))).toEqual(new Set(many.map(({ name }) => name)));
    expect(rig.asked()).toEqual(['Overview', 'Overview']);
  });

  it('leaves out what was deleted', async () => {
    rig = await startRig([{ name: 'backend' }, { name: 'old' }]);
    rig.railway.world.service('old').deletedAtMs = startMs;
    expect(await names(rig)).toEqual(['backend']);
  });

  it('tells a crash loop from a service that runs, by the clock', async () => {
    rig = await startRig([{ name: 'backend', behaviour: { startMs: 5_000, crashesAfterMs: 120_000 } }]);
    const status = async () => (await rig.provider.overview(call)).services[0]?.live?.status;
    rig.pass(5_000);
    expect(await status()).toBe('running');
    rig.pass(120_000);
    expect(await status()).toBe('crashed');
  });

  it('tells a server that ended by itself from a job that is done', async () => {
    const behaviour = { exitsAfterMs: 60_000 };
    rig = await startRig([
      { name: 'server', domains: ['shop.example'], behaviour },
      { name: 'job', behaviour },
      { name: 'nightly', cronSchedule: '0 3 * * *', domains: ['x.example'], behaviour },
    ]);
    rig.pass(60_000);
    const { services } = await rig.provider.overview(call);
    expect(services.map(({ latest }) => [latest?.status, latest?.rawStatus])).toEqual([
      ['crashed', 'SUCCESS, stopped'],
      ['stopped', 'SUCCESS, stopped'],
      ['stopped', 'SUCCESS, stopped'],
    ]);
  });

  it('reports a word that is not known, and goes on', async () => {
    rig = await startRig([{ name: 'backend' }, { name: 'frontend' }]);
    rig.railway.world.say('backend', 'HIBERNATING', { instances: ['DREAMING'] });
    const { services } = await rig.provider.overview(call);
    expect(services.map(({ latest }) => [latest?.status, latest?.rawStatus])).toEqual([
      ['unknown', 'HIBERNATING'],
      ['running', 'SUCCESS'],
    ]);
  });

  it('names the field of an answer that does not fit', async () => {
    rig = await startRig([{ name: 'backend' }]);
    const fetchWithout: typeof fetch = async (input, init) => {
      const text = await (await fetch(input, init)).text();
      return new Response(text.replace('"deploymentStopped":false', '"deploymentStopped":"no"'));
    };
    const failure = await failureOf(rig.providerWith({ fetch: fetchWithout }).overview(call));
    expect(failure.message).toBe(
      'Railway overview: environment.serviceInstances.edges.0.node.latestDeployment.deploymentStopped: Invalid input: expected boolean, received string',
    );
  });
});

describe('DEPLOY-1 deployments, logs, variables', () => {
  it('lists deployments, newest first, with what can be rolled back to', async () => {
    rig = await startRig([{ name: 'backend', commitSha: 'a1' }]);
    for (const commitSha of ['b2', 'c3']) {
      rig.pass(60_000);
      rig.railway.world.push('backend', { commitSha, behaviour: { failsBuild: commitSha === 'b2' } });
    }
    rig.pass(60_000);
    const { id } = rig.railway.world.service('backend');
    const all = await rig.provider.deployments(id, 10, call);
    expect(all.map((one) => [one.commitSha, one.status, one.canRollBack])).toEqual([
      ['c3', 'running', false],
      // It never ran.
      ['b2', 'stopped', false],
      ['a1', 'stopped', true],
    ]);
    expect(await rig.provider.deployments(id, 1, call)).toHaveLength(1);
  });

  it('gives the newest lines of a build or a deployment, oldest first, no more than asked for', async () => {
    rig = await startRig([
      { name: 'backend', behaviour: { crashesAfterMs: 3_000, crashLines: ['Error: boom'] } },
    ]);
    const { world } = rig.railway;
    const { id: serviceId } = world.service('backend');
    world.addLogs('backend', 'build', ['npm ci', 'npm run build']);
    world.addLogs(
      'backend',
      'deploy',
      [1, 2].map((n) => ({ atMs: startMs + n * 1_000, text: `line ${n}`, severity: null })),
    );
    rig.pass(10_000);
    const question = { serviceId, kind: 'deploy', limit: 2 } as const;
    expect(await rig.provider.logs(question, call)).toEqual([
      { atMs: startMs + 2_000, severity: 'info', text: 'line 2' },
      { atMs: startMs + 3_000, severity: 'error', text: 'Error: boom' },
    ]);
    const build = await rig.provider.logs({ ...question, kind: 'build', limit: 9 }, call);
    expect(build.map(({ text }) => text)).toEqual(['npm ci', 'npm run build']);
    const late = await rig.provider.logs({ ...question, limit: 9, sinceMs: startMs + 2_500 }, call);
    expect(late.map(({ text }) => text)).toEqual(['Error: boom']);
  });

  it('gives no lines of a service that was never deployed, and bounds a line', async () => {
    rig = await startRig([{ name: 'empty', deployed: false }, { name: 'loud' }]);
    const { world } = rig.railway;
    const ask = (name: string) =>
      rig.provider.logs({ serviceId: world.service(name).id, kind: 'deploy', limit: 5 }, call);
    world.addLogs('loud', 'deploy', ['x'.repeat(50_000)]);
    expect(await ask('empty')).toEqual([]);
    expect((await ask('loud'))[0]?.text).toHaveLength(10_001);
  });

  it('gives names of variables only: no value ever leaves the server', async () => {
    rig = await startRig([{ name: 'backend' }]);
    const { world } = rig.railway;
    const { id: serviceId } = world.service('backend');
    const { environmentId } = rig.shop;
    for (const name of ['B', 'A'])
      world.setVariable({ environmentId, serviceId, name, value: 'planted-secret' });
    world.setVariable({ environmentId, serviceId: null, name: 'SHARED', value: 'planted-secret' });
    const bodies: string[] = [];
    const listening: typeof fetch = async (input, init) => {
      const text = await (await fetch(input, init)).text();
      bodies.push(text);
      return new Response(text);
    };
    const provider = rig.providerWith({ fetch: listening });
    expect(await provider.variableNames?.(serviceId, call)).toEqual(['A', 'B']);
    expect(await provider.variableNames?.(null, call)).toEqual(['SHARED']);
    expect(bodies.join()).not.toContain('planted-secret');
  });
});

describe('DEPLOY-1 tokens', () => {
  it.each(['project', 'account'] as const)('sends one of kind %s in its own header', async (kind) => {
    rig = await startRig([{ name: 'backend' }], kind);
    expect(await names(rig)).toEqual(['backend']);
    expect(new Set(rig.railway.journal().map(({ token }) => token))).toEqual(new Set([kind]));
  });

  it.each([
    ['project', 'account', 'Not Authorized'],
    ['account', 'project', 'Project Token not found'],
  ] as const)('says so when a %s token is called one of kind %s', async (kind, tokenKind, said) => {
    rig = await startRig([{ name: 'backend' }], kind);
    const { projectId, environmentId } = rig.shop;
    const wrong = rig.providerWith({}, { tokenKind, projectId, environmentId });
    const failure = await failureOf(wrong.overview(call));
    expect(failure.kind).toBe('denied');
    expect(failure.message).toContain(said);
    expect(failure.message).toContain('services.provider.token and tokenKind');
    expect(failure.message).not.toContain(rig.shop.projectToken);
    expect(failure.message).not.toContain(rig.railway.accountToken);
  });

  it('refuses ids that are not those of the project token', async () => {
    rig = await startRig([{ name: 'backend' }]);
    const other = rig.railway.world.addProject({ project: 'other' });
    const wrong = rig.providerWith({}, { environmentId: other.environmentId });
    expect(await failureOf(wrong.overview(call))).toMatchObject({
      kind: 'denied',
      message: `services.provider.environmentId is ${other.environmentId}, and the project token is for ${rig.shop.environmentId}: remove environmentId, or use a token of that environment`,
    });
  });

  it("does not see another project's services with a project token", async () => {
    rig = await startRig([{ name: 'backend' }]);
    const other = rig.railway.world.addProject({ project: 'other', services: [{ name: 'theirs' }] });
    const { id } = rig.railway.world.service('theirs');
    expect(other.environmentId).not.toBe(rig.shop.environmentId);
    const failure = await failureOf(rig.provider.deployments(id, 5, call));
    expect(failure.kind).toBe('denied');
  });
});

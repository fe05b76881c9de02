// The demo's production as the agent sees it: real processes under a supervisor, read and restarted through the `command` provider by the tenant
// file's own command lines (DEPLOY-1, DEPLOY-3), over a real database. Nothing of it outlives the demo.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ProductionFault } from '../../../demo/production/faults.ts';
import { askServices, type Production, startProduction } from '../../../demo/production/production.ts';
import { createCommandProvider } from '../../../src/integrations/command-provider/command-provider.ts';
import type { Provider } from '../../../src/integrations/provider/provider.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let directory: string;
let shop: TestDatabase;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'untilgreen-production-'));
  shop = await createTestDatabase({ empty: true });
  await shop.pool.query('create table items (id text primary key, price integer not null)');
});
afterAll(async () => {
  await shop.drop();
  await rm(directory, { recursive: true, force: true });
});

type Site = {
  readonly production: Production;
  readonly provider: Provider;
  /** What the end of the demo's process does, however it ends. */
  readonly abandon: () => void;
  readonly answers: () => Promise<Readonly<Record<string, string>>>;
  readonly statuses: () => Promise<Readonly<Record<string, string | undefined>>>;
};

async function startSite(fault: ProductionFault): Promise<Site> {
  let abandon: () => void = () => {};
  const production = await startProduction(fault, {
    env: { ...process.env, SHOP_DATABASE_URL: shop.url },
    onSpawn: (child) => {
      abandon = () => void child.stdin?.end();
      onTestFinished(() => void child.kill('SIGTERM'));
    },
  });
  const provider = createCommandProvider(
    { kind: 'command', ...production.commands, timeoutMs: 30_000 },
    { directory, project: 'acme/shop', environment: 'production' },
  );
  return {
    production,
    provider,
    abandon,
    answers: async () =>
      Object.fromEntries((await askServices(production)).map(({ name, answer }) => [name, answer])),
    statuses: async () => {
      const { services } = await provider.overview(reading());
      return Object.fromEntries(services.map(({ name, latest }) => [name, latest?.status]));
    },
  };
}

const reading = () => ({ signal: AbortSignal.timeout(30_000), forIncident: true });
const writing = () => ({ ...reading(), assertMayWrite: () => {} });
const well = { backend: '200', frontend: '200' };

describe('DEPLOY-1, DEPLOY-3: what helps', { timeout: 60_000 }, () => {
  it('a backend without connections runs and does not answer, until it is restarted', async () => {
    const { production, provider, answers, statuses } = await startSite('connectionsLeak');

    expect(await answers()).toEqual({ ...well, backend: expect.stringMatching(/^503 .*4 of 4 are in use/) });
    expect(await statuses()).toEqual({ backend: 'running', frontend: 'running' });
    const lines = await provider.logs({ serviceId: 'backend', kind: 'deploy', limit: 30 }, reading());
    expect(lines.map(({ text }) => text).join('\n')).toContain('4 of 4 connections in use');
    expect(Math.abs(Date.now() - (lines[0]?.atMs ?? 0))).toBeLessThan(60_000);

    await provider.restart({ id: 'backend-1', serviceId: 'backend' }, writing());
    expect(await answers()).toEqual(well);
    expect(await production.journal()).toMatchObject([{ kind: 'restart', service: 'backend' }]);
  });

  it('a frontend that crashed stays down, until it is restarted', async () => {
    const { provider, answers, statuses } = await startSite('frontendCrashed');
    await vi.waitFor(async () => expect(await statuses()).toMatchObject({ frontend: 'crashed' }), 10_000);

    expect(await answers()).toEqual({ ...well, frontend: 'no answer (ECONNREFUSED)' });
    await provider.restart({ id: 'frontend-1', serviceId: 'frontend' }, writing());
    expect(await answers()).toEqual(well);
    expect(await statuses()).toEqual({ backend: 'running', frontend: 'running' });
  });

  it('a bad release is as bad after a restart; what is deployed anew is another deployment', async () => {
    const { production, provider, answers } = await startSite('badRelease');

    await provider.restart({ id: 'backend-1', serviceId: 'backend' }, writing());
    expect(await answers()).toEqual({ ...well, backend: expect.stringMatching(/^500 .*no price list/) });
    await provider.redeploy?.({ id: 'backend-1', serviceId: 'backend' }, writing());
    expect(await answers()).toEqual(well);
    const [newest] = await provider.deployments('backend', 10, reading());
    expect(newest).toMatchObject({ id: 'backend-2', status: 'running' });
    expect((await production.journal()).map(({ kind }) => kind)).toEqual(['restart', 'redeploy']);
  });

  it('a service that is not there is refused', async () => {
    const { production, provider } = await startSite('none');

    await expect(provider.restart({ id: 'x', serviceId: 'worker' }, writing())).rejects.toThrow('no service');
    expect(await production.journal()).toEqual([]);
  });
});

it('DUR-4: services end with the demo, also when it was killed', { timeout: 60_000 }, async () => {
  const { answers, abandon } = await startSite('none');
  expect(await answers()).toEqual(well);

  abandon();
  const gone = { backend: 'no answer (ECONNREFUSED)', frontend: 'no answer (ECONNREFUSED)' };
  await vi.waitFor(async () => expect(await answers()).toEqual(gone), 10_000);
});

// DEPLOY-1: a second provider is one folder. Real command lines over a folder that a supervisor would keep: a list of services, a log, a list of orders.
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandProviderSettings } from '../../../src/contract/ops/settings.ts';
import { createCommandProvider } from '../../../src/integrations/command-provider/command-provider.ts';
import { type Provider, ProviderFailure } from '../../../src/integrations/provider/provider.ts';

let folder: string;
const call = { signal: new AbortController().signal };
const mayWrite = { ...call, assertMayWrite: () => {} };
const lines: CommandProviderSettings = {
  kind: 'command',
  status: 'cat services.json',
  logs: 'tail -n "$LINES" "$SERVICE.log"',
  restart: 'echo "restart $SERVICE $DEPLOYMENT" >> orders',
  redeploy: 'echo "redeploy $SERVICE $DEPLOYMENT" >> orders',
  rollBack: 'echo "rollBack $SERVICE $DEPLOYMENT" >> orders',
  timeoutMs: 20_000,
  dashboardUrl: 'http://localhost:9000',
};
const provider = (more: Partial<CommandProviderSettings> = {}): Provider =>
  createCommandProvider(
    { ...lines, ...more },
    { directory: folder, project: 'shop', environment: 'production' },
  );
const services = (value: unknown): Promise<void> =>
  writeFile(join(folder, 'services.json'), typeof value === 'string' ? value : JSON.stringify(value));
const orders = (): Promise<string> => readFile(join(folder, 'orders'), 'utf8').catch(() => '');

async function failureOf(promise: Promise<unknown>): Promise<ProviderFailure> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ProviderFailure)) throw new Error(`no ProviderFailure: ${String(error)}`);
  return error;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'command-provider-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('DEPLOY-1 what runs, by a command', () => {
  it('says each service with its status, its versions, and what can be rolled back to', async () => {
    const previous = [{ deployment: 'd1', image: 'shop/web:1', sinceMs: 500 }];
    await services([
      { name: 'web', status: 'running', deployment: 'd2', image: 'shop/web:2', sinceMs: 1_000, previous },
      { name: 'back end', status: 'crashed', commitSha: 'a1' },
      { name: 'worker', status: 'deploying' },
      { name: 'cache', status: 'hibernating' },
    ]);
    const overview = await provider().overview(call);
    expect(overview).toMatchObject({
      project: 'shop',
      environment: 'production',
      dashboardUrl: 'http://localhost:9000',
    });
    expect(
      overview.services.map(({ name, latest, live }) => [name, latest?.status, latest?.rawStatus, live?.id]),
    ).toEqual([
      ['web', 'running', 'running', 'd2'],
      ['back end', 'crashed', 'crashed', 'back end'],
      ['worker', 'deploying', 'deploying', undefined],
      ['cache', 'unknown', 'hibernating', 'cache'],
    ]);
    expect(await provider().deployments('web', 5, call)).toEqual([
      expect.objectContaining({
        id: 'd2',
        canRollBack: false,
        image: 'shop/web:2',
        statusChangedAtMs: 1_000,
      }),
      expect.objectContaining({ id: 'd1', canRollBack: true, status: 'stopped', image: 'shop/web:1' }),
    ]);
  });

  it.each([
    ['no JSON', 'web is up', 'printed "web is up": it: Invalid input'],
    ['no list', { name: 'web' }, 'expected array'],
    ['a service without status', [{ name: 'web' }], '0.status:'],
    ['a name with a control character', [{ name: 'a\nb', status: 'running' }], '0.name: is no name'],
    ['a name twice', Array(2).fill({ name: 'web', status: 'running' }), 'service "web" twice'],
  ])('refuses %s, naming setting, value and fix', async (_name, printed, said) => {
    await services(printed);
    const failure = await failureOf(provider().overview(call));
    expect(failure.message).toContain('services.provider.status');
    expect(failure.message).toContain(said);
    expect(failure.message).toMatch(/; print (a JSON list|each name once)/);
  });

  it('knows only what the status named', async () => {
    await services([{ name: 'web', status: 'running' }]);
    const failure = await failureOf(provider().deployments('other', 5, call));
    expect(failure.message).toBe(
      'service "other" is not what services.provider.status printed (web); name one of these',
    );
  });
});

describe('DEPLOY-1 logs, by a command', () => {
  it('takes the time in front of a line, and the last one for lines without', async () => {
    await appendFile(
      join(folder, 'web.log'),
      '2026-11-21T03:00:00Z old\n2026-11-21T03:00:01.500Z started\n  at main\n2026-11-21T03:00:02+00:00 boom\n',
    );
    const at = Date.UTC(2026, 10, 21, 3);
    const question = { serviceId: 'web', kind: 'deploy', limit: 3 } as const;
    expect(await provider().logs(question, call)).toEqual([
      { atMs: at + 1_500, severity: 'info', text: 'started' },
      { atMs: at + 1_500, severity: 'info', text: '  at main' },
      { atMs: at + 2_000, severity: 'info', text: 'boom' },
    ]);
    const late = await provider().logs({ ...question, sinceMs: at + 2_000 }, call);
    expect(late.map(({ text }) => text)).toEqual(['boom']);
    expect(await provider().logs({ ...question, kind: 'build' }, call)).toEqual([]);
  });

  it('is bounded, however much is printed', async () => {
    const flood = provider({ logs: 'yes "$(printf %020000d 1)" | head -c 30000000' });
    const kept = await flood.logs({ serviceId: 'web', kind: 'deploy', limit: 10 }, call);
    expect(kept.length).toBeLessThanOrEqual(10);
    expect(Math.max(...kept.map(({ text }) => text.length))).toBeLessThanOrEqual(10_001);
  });
});

describe('DEPLOY-1 writes, by a command', () => {
  it('gives the service in its environment, never in the line', async () => {
    const serviceId = '$(touch hacked); `touch hacked` " \' ;';
    const to = { id: 'd1', serviceId };
    await provider().restart(to, mayWrite);
    expect(await provider().redeploy?.(to, mayWrite)).toEqual({ deploymentId: null });
    await provider().rollBack?.(to, mayWrite);
    expect((await orders()).split('\n')).toEqual([
      `restart ${serviceId} d1`,
      `redeploy ${serviceId} d1`,
      `rollBack ${serviceId} d1`,
      '',
    ]);
    await expect(readFile(join(folder, 'hacked'))).rejects.toThrow('ENOENT');
  });

  it('offers only what the settings have', () => {
    const { redeploy: _redeploy, rollBack: _rollBack, ...least } = lines;
    const small = createCommandProvider(least, { directory: folder, project: 'p', environment: 'e' });
    expect(small.redeploy).toBeUndefined();
    expect(small.rollBack).toBeUndefined();
    expect(small.setVariable).toBeUndefined();
  });

  it('starts nothing when the lease is over, and says so in its own words', async () => {
    const over = new Error('the lease is over');
    const late = {
      ...call,
      assertMayWrite: () => {
        throw over;
      },
    };
    await expect(provider().restart({ id: 'd', serviceId: 'web' }, late)).rejects.toBe(over);
    expect(await orders()).toBe('');
  });

  it('does not see the secrets of the worker', async () => {
    process.env.COMMAND_PROVIDER_SECRET = 'planted';
    try {
      const spy = provider({ restart: 'env > orders' });
      await spy.restart({ id: 'd', serviceId: 'web' }, mayWrite);
      expect(await orders()).toContain('SERVICE=web');
      expect(await orders()).not.toContain('planted');
    } finally {
      delete process.env.COMMAND_PROVIDER_SECRET;
    }
  });

  it('a command that failed may have done a part of it; one that only reads did not', async () => {
    const broken = provider({ restart: 'echo "no such unit" >&2; exit 5', status: 'exit 3' });
    expect(await failureOf(broken.restart({ id: 'd', serviceId: 'web' }, mayWrite))).toMatchObject({
      kind: 'doubt',
      message: 'services.provider.restart ended with exit code 5: no such unit; exit code 0 means done',
    });
    expect(await failureOf(broken.overview(call))).toMatchObject({
      kind: 'refused',
      message: 'services.provider.status ended with exit code 3; exit code 0 means done',
    });
  });

  it('ends what takes too long with all it started, and leaves the write in doubt', async () => {
    const slow = provider({ restart: 'sleep 300 & echo $! > pid; wait', timeoutMs: 2_000 });
    const failure = await failureOf(slow.restart({ id: 'd', serviceId: 'web' }, mayWrite));
    expect(failure.kind).toBe('doubt');
    expect(failure.message).toContain('services.provider.restart took longer than 2 s');
    expect(failure.message).toContain('raise services.provider.timeout');
    const pid = Number(await readFile(join(folder, 'pid'), 'utf8'));
    // Empty of one that ended and that nobody has asked about yet.
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    expect(environment).toBe('');
  });

  it('names the directory that is not there', async () => {
    const lost = provider({ directory: join(folder, 'gone') });
    const failure = await failureOf(lost.overview(call));
    expect(failure.message).toContain(join(folder, 'gone'));
    expect(failure.message).toContain('check services.provider.directory');
  });
});

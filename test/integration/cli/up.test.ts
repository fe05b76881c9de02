// `untilgreen up` as a process: what it starts, what it tells other commands, a worker that is killed, a second one, and Ctrl-C.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { readConnectionFile } from '../../../src/client/connection-file.ts';
import { createCli } from '../../support/cli.ts';
import { tenantYaml } from './seed.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const anyPorts = ['temporal', 'temporal-ui', 'temporal-http', 'temporal-metrics', 'postgres'].flatMap(
  (name) => [`--${name}-port`, '0'],
);
const waitMs = { timeout: 90_000, interval: 250 };

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('OPS-2: up starts all, tells other commands where, repairs a killed worker, and Ctrl-C leaves nothing', {
  timeout: 240_000,
}, async ({ onTestFinished }) => {
  const home = await mkdtemp(join(tmpdir(), 'untilgreen-up-'));
  const data = join(home, 'data');
  const file = join(home, 'tenant.yaml');
  await writeFile(file, tenantYaml('acme'));
  // The cache of the Temporal CLI is the machine's.
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    XDG_DATA_HOME: home,
    SHOP_TOKEN: 'never-print-this-value',
  };
  const up = spawn(process.execPath, [main, 'up', '--data', data, '-f', file, '--json', ...anyPorts], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  up.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  up.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  onTestFinished(async () => {
    if (up.exitCode === null) {
      up.kill('SIGKILL');
      await once(up, 'exit');
    }
    await rm(home, { recursive: true, force: true });
  });
  const links = await vi.waitFor(() => {
    if (up.exitCode !== null) throw new Error(err);
    return JSON.parse(out) as { pid: number; ui: string; workerLog: string; data: string };
  }, waitMs);
  expect(links).toMatchObject({ data, pid: up.pid, ui: expect.stringMatching(/^http:\/\/127/) });
  expect(statSync(join(data, 'connection.json')).mode & 0o777).toBe(0o600);
  const connection = await readConnectionFile(data);
  const databaseUrl = connection?.databaseUrl ?? '';
  const { password } = new URL(databaseUrl);
  expect(password).not.toBe('');

  const cli = await createCli({});
  onTestFinished(cli.remove);
  const cycles = async (): Promise<number> => {
    const status = await cli.run('status', '--data', data, '--json');
    expect(status.stdout).not.toContain(password);
    return (status.json() as { cycle: number }).cycle;
  };
  const before = await vi.waitFor(async () => {
    const cycle = await cycles();
    expect(cycle).toBeGreaterThan(0);
    return cycle;
  }, waitMs);
  expect((await fetch(links.ui)).status).toBe(200);

  const second = await cli.run('tenant', 'list', '--data', data);
  expect(second.stdout).toContain('acme');
  const again = spawn(process.execPath, [main, 'up', '--data', data, ...anyPorts], { env });
  let refusal = '';
  again.stderr.setEncoding('utf8').on('data', (text: string) => {
    refusal += text;
  });
  const [code] = await once(again, 'close');
  expect(code).toBe(1);
  expect(refusal).toContain('already runs');

  // The worker dies; the next cycle needs another one.
  const worker = Number(err.match(/worker runs as process (\d+)/)?.[1]);
  process.kill(worker, 'SIGKILL');
  await vi.waitFor(() => expect(err).toContain('signal SIGKILL'), waitMs);
  const cycle = await cli.run('cycle', '--data', data, '--json');
  expect((cycle.json() as { cycle?: { cycle: number } }).cycle?.cycle, cycle.stderr).toBeGreaterThan(before);

  up.kill('SIGINT');
  const [exit] = await once(up, 'exit');
  expect(exit).toBe(0);
  expect(existsSync(join(data, 'connection.json'))).toBe(false);
  await expect(new pg.Client({ connectionString: databaseUrl }).connect()).rejects.toThrow();
  const workers = [...err.matchAll(/worker runs as process (\d+)/g)].map(([, pid]) => Number(pid));
  expect(workers).toHaveLength(2);
  expect(workers.filter(alive)).toEqual([]);
  expect(out + err).not.toContain(password);
  expect(out + err).not.toContain('never-print-this-value');
  const after = await cli.run('status', '--data', data);
  expect(after.code).toBe(4);
});

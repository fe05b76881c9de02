// `bin/untilgreen` in a package of its own with a stand-in command: hand-over from an older Node, exit codes, signals.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { commandLine } from '../../../src/embedded/machine/child-process.ts';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const UNTIL = { timeout: 30_000, interval: 50 };

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'untilgreen-launcher-'));
  await cp(join(REPOSITORY, 'bin'), join(folder, 'bin'), { recursive: true });
  await writeFile(
    join(folder, 'pretend-node-20.cjs'),
    "if (!process.argv[1].includes('main')) Object.defineProperty(process, 'versions', { value: { node: '20.20.2' } });",
  );
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test.each([
  { from: 'an older Node', older: true },
  { from: 'Node 24', older: false },
])('from $from, sources run on Node 24 with arguments and exit code', async ({ older }) => {
  await install(
    'src/cli/main.ts',
    'console.log(process.versions.node, process.argv.slice(2).join()); process.exit(3 as number);',
  );

  const { stdout, code } = await run(launch(['status', '--json'], { older }));

  expect(stdout).toMatch(/^24\.\d+\.\d+ status,--json$/);
  expect(code).toBe(3);
});

test('a package without sources runs what was compiled', async () => {
  await install('dist/cli/main.js', "console.log('compiled');");

  expect(await run(launch([]))).toMatchObject({ stdout: 'compiled', code: 0 });
});

test('SIGTERM reaches the command, and its exit code comes back', async () => {
  await install(
    'src/cli/main.ts',
    "process.on('SIGTERM', () => process.exit(7)); console.log('up'); setInterval(() => {}, 1000);",
  );
  const launcher = launch([]);
  await firstLine(launcher);

  launcher.kill('SIGTERM');

  expect(await once(launcher, 'exit')).toEqual([7, null]);
});

// DUR-2: kill -9 of what the user started is a crash of all of it
test('a killed launcher takes the command with it', async () => {
  await install('src/cli/main.ts', 'console.log(process.pid); setInterval(() => {}, 1000);');
  const launcher = launch([]);
  const pid = Number(await firstLine(launcher));
  expect(pid).not.toBe(launcher.pid);

  launcher.kill('SIGKILL');

  await vi.waitUntil(async () => (await commandLine(pid)) === undefined, UNTIL);
});

// DUR-4
test('without a Node 24 it says how to get one', async () => {
  await install('src/cli/main.ts', '');
  await rm(join(folder, 'node_modules'), { recursive: true });

  const { stderr, code } = await run(launch([]));

  expect(stderr).toMatch(/Node 24 is needed, and this is Node 20\.20\.2.*npm rebuild node/);
  expect(code).toBe(1);
});

async function install(main: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, main)), { recursive: true });
  await writeFile(join(folder, main), text);
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(REPOSITORY, 'node_modules', 'node'), join(folder, 'node_modules', 'node'));
}

function launch(args: string[], { older } = { older: true }): ChildProcess {
  const preload = older ? ['--require', join(folder, 'pretend-node-20.cjs')] : [];
  return spawn(process.execPath, [...preload, join(folder, 'bin', 'untilgreen'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function run(child: ChildProcess) {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { stdout: stdout.trim(), stderr: stderr.trim(), code };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the launcher has no output');
  const [line] = await once(createInterface(child.stdout), 'line');
  return String(line);
}

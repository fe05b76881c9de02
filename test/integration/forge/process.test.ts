// The forge in a process of its own, steered over HTTP; SIGKILL leaves none of its workflow steps behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { connectForge, type ForgeClient } from '../../../demo/forge/client.ts';
import { AT, isRunning, OWNER, octokitFor, REPO, statusOf } from './rig.ts';

let directory: string;
let child: ChildProcess;
let forge: ForgeClient;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'forge-process-'));
  const main = join(import.meta.dirname, '../../../demo/forge/main.ts');
  child = spawn(process.execPath, [main, '--port', '0', '--data', join(directory, 'data'), '--with-parent'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (child.stdout === null) throw new Error('no standard output');
  const [line] = await once(createInterface(child.stdout), 'line');
  forge = connectForge(JSON.parse(String(line)).url);
});

afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    child.stdin?.end();
    await once(child, 'exit');
  }
  await rm(directory, { recursive: true, force: true });
});

it('offers every operation over HTTP and ends with its parent', async () => {
  const { token } = await forge.createUser({ login: 'untilgreen-agent', permission: 'write' });
  const made = await forge.createRepository({ owner: OWNER, name: REPO, files: { a: 'a\n' }, ci: false });
  expect(made.gitUrl).toBe(forge.gitUrl(OWNER, REPO));
  expect(await forge.readFile({ ...AT, path: 'a' })).toBe('a\n');
  expect(await forge.readFile({ ...AT, path: 'none' })).toBeNull();
  const octokit = octokitFor(forge.url, token);
  await forge.faults.add({ kind: 'badGatewayAfter', match: { method: 'POST' } });
  expect(await statusOf(octokit.rest.issues.create({ ...AT, title: 'x' }))).toBe(502);
  expect(await forge.journal.writes({ kind: 'issueOpened' })).toMatchObject([{ title: 'x' }]);
  await forge.actions.createRun({ ...AT, conclusion: 'failure' });
  expect(await forge.actions.runs(AT)).toMatchObject([{ conclusion: 'failure', attempt: 1 }]);
  await expect(forge.createRepository({ owner: OWNER, name: REPO, files: {} })).rejects.toThrow(
    'exists already',
  );
  child.stdin?.end();
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
});

it('takes its steps with it when it is killed', async () => {
  const file = join(directory, 'pid');
  const script = `sleep 1000 & echo $! > ${file}.new; mv ${file}.new ${file}; wait`;
  const workflow = `on: push\njobs:\n  wait:\n    steps:\n      - run: ${JSON.stringify(script)}\n`;
  await forge.createRepository({ owner: OWNER, name: REPO, files: { '.github/workflows/ci.yml': workflow } });
  await vi.waitFor(() => expect(existsSync(file)).toBe(true), { timeout: 20_000 });
  const pid = (await readFile(file, 'utf8')).trim();
  expect(await isRunning(pid)).toBe(true);
  child.kill('SIGKILL');
  await vi.waitFor(async () => expect(await isRunning(pid)).toBe(false), { timeout: 20_000 });
});

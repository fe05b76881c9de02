// SEC-3, GUARD-1: the implementer's tools on a worktree as a value, with real git and the real sandbox: what it asks for happens in the worktree or not
// at all.
import { mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureMirror } from '../../../src/integrations/git/mirror.ts';
import { commitValue } from '../../../src/integrations/git/push.ts';
import type { WorktreeValue } from '../../../src/integrations/git/worktree.ts';
import { findSandbox } from '../../../src/integrations/sandbox/find-sandbox.ts';
import { runInSandbox, type Sandbox } from '../../../src/integrations/sandbox/run-in-sandbox.ts';
import {
  runTool,
  type ToolRan,
  type ToolRun,
  unchangedValue,
} from '../../../src/integrations/workspace/run-tool.ts';
import type { EditInput } from '../../../src/integrations/workspace/tool-inputs.ts';
import { createTestRepository, type TestFile, type TestRepository } from '../../support/git-repository.ts';

const FILES: Record<string, TestFile> = {
  'src/a.txt': 'one\ntwo\nthree\n',
  'src/windows.txt': 'one\r\ntwo\r\n',
  'src/twice.txt': 'same\nsame\n',
  'bytes.bin': Buffer.from([0, 1, 2, 255]),
  passwd: { link: '/etc/passwd' },
  outside: { link: '/tmp' },
  '.gitignore': 'node_modules/\n',
};

let sandbox: Sandbox;
let repository: TestRepository;
let base: Omit<ToolRun, 'call'>;
beforeAll(async () => {
  sandbox = await findSandbox({ mode: 'required', view: { readOnlyPaths: [], pathPrepend: [], hide: [] } });
});
beforeEach(async () => {
  repository = createTestRepository();
  const cacheDir = join(repository.dir, 'cache');
  mkdirSync(cacheDir);
  const sha = repository.commit(FILES);
  const mirror = await ensureMirror({ cacheDir, url: repository.url, sha });
  base = {
    mirror,
    value: await unchangedValue(mirror, sha),
    sandbox,
    limits: { timeoutMs: 20_000, memoryBytes: 500_000_000, maxOutputBytes: 100_000 },
    prepare: async () => {},
    secrets: () => [],
  };
});
afterEach(() => {
  const left = readdirSync(join(repository.dir, 'cache', 'worktrees'));
  repository.remove();
  expect(left).toEqual([]);
});

const edit = (input: EditInput, value: WorktreeValue = base.value): Promise<ToolRan> =>
  runTool({ ...base, value, call: { tool: 'edit', input } });
const bash = (command: string, more: Partial<ToolRun> = {}): Promise<ToolRan> =>
  runTool({ ...base, ...more, call: { tool: 'bash', command } });

describe('the text editor', () => {
  it('shows folders and files with numbers, and changes nothing by it', async () => {
    const top = await edit({ command: 'view', path: '/workspace' });
    expect(top.output.split('\n')).toContain('src/a.txt');
    expect(top.output).not.toContain('.git/');
    const file = await edit({ command: 'view', path: 'src/a.txt', view_range: [2, -1] });
    expect(file.output).toBe('     2\ttwo\n     3\tthree');
    expect(file.value).toBe(base.value);
  });

  it.each<[string, EditInput, string, string]>([
    [
      'str_replace',
      { command: 'str_replace', path: '/workspace/src/a.txt', old_str: 'two', new_str: '2' },
      '-two',
      '+2',
    ],
    ['insert', { command: 'insert', path: 'src/a.txt', insert_line: 3, insert_text: 'four' }, '+four', '@@'],
    [
      'insert at the top',
      { command: 'insert', path: 'src/a.txt', insert_line: 0, insert_text: 'zero\n' },
      '+zero',
      ' one',
    ],
    ['create', { command: 'create', path: 'new/file.txt', file_text: 'x\n' }, 'new/file.txt', '+x'],
    [
      'windows line ends',
      { command: 'str_replace', path: 'src/windows.txt', old_str: 'one\ntwo', new_str: 'one\n2' },
      '+2\r\n',
      '-two\r\n',
    ],
  ])('%s becomes part of the value', async (_name, input, one, other) => {
    const done = await edit(input);
    expect(done).toMatchObject({ isError: false });
    expect(done.value.patch).toContain(one);
    expect(done.value.patch).toContain(other);
    // A retry starts from the same value and ends in the same one; the next step goes on from it.
    expect((await edit(input)).value).toEqual(done.value);
    expect(await bash('git status --short', { value: done.value })).toMatchObject({
      isError: false,
      value: done.value,
    });
    const commit = await commitValue({
      mirror: base.mirror,
      ...done.value,
      message: 'x',
      author: { name: 'a', email: 'b' },
      dateIso: '2026-01-01T00:00:00Z',
    });
    expect(commit.treeSha).toBe(done.value.treeSha);
  });

  it.each<[string, EditInput, RegExp]>([
    ['a path above', { command: 'view', path: '../../etc/passwd' }, /leaves the repository/],
    ['a path above, from the mount', { command: 'create', path: '/workspace/../x', file_text: '' }, /leaves/],
    [
      'an absolute path',
      { command: 'create', path: '/etc/untilgreen', file_text: 'x' },
      /is not in the repository/,
    ],
    ['a link to a file', { command: 'view', path: 'passwd' }, /symbolic link/],
    ['writing through a link', { command: 'create', path: 'passwd', file_text: 'x' }, /symbolic link/],
    ['a link to a folder', { command: 'create', path: 'outside/x', file_text: 'x' }, /symbolic link/],
    ['git', { command: 'create', path: '.git/hooks/pre-commit', file_text: 'x' }, /git's own/],
    ['git, in capitals', { command: 'view', path: 'src/../.GIT/config' }, /leaves|git's own/],
    ['a zero in a name', { command: 'view', path: 'src/a\u0000.txt' }, /is not in the repository/],
    ['a file as a folder', { command: 'create', path: 'src/a.txt/x', file_text: 'x' }, /through a file/],
    ['what is not there', { command: 'view', path: 'nothing' }, /does not exist/],
    ['bytes', { command: 'view', path: 'bytes.bin' }, /no UTF-8/],
    [
      'text that is not there',
      { command: 'str_replace', path: 'src/a.txt', old_str: 'x', new_str: '' },
      /does not hold/,
    ],
    [
      'text that is there twice',
      { command: 'str_replace', path: 'src/twice.txt', old_str: 'same', new_str: '' },
      /more than once/,
    ],
    [
      'a line that is not there',
      { command: 'insert', path: 'src/a.txt', insert_line: 9, insert_text: '' },
      /has 3 lines/,
    ],
  ])('refuses %s', async (_name, input, reason) => {
    const done = await edit(input);
    expect(done).toMatchObject({ isError: true, value: base.value });
    expect(done.output).toMatch(reason);
  });
});

describe('bash', () => {
  it('keeps what a command changed, and shows how it ended', async () => {
    const done = await bash('false; echo more >> src/a.txt; cat src/a.txt');
    expect(done.output).toBe('one\ntwo\nthree\nmore\nexit code 0');
    expect(done.value.patch).toContain('+more');
    expect(await bash('exit 3')).toMatchObject({ isError: true, output: '\nexit code 3', value: base.value });
  });

  it('has a fresh shell each time, without what set-up made in the value', async () => {
    const prepare: ToolRun['prepare'] = async ({ path }) => {
      await runInSandbox({
        sandbox,
        worktree: path,
        command: 'mkdir node_modules; echo x > node_modules/x; echo lock > made.lock',
        env: {},
        timeoutMs: 10_000,
        memoryBytes: 500_000_000,
        maxOutputBytes: 1_000,
      });
    };
    const first = await bash('cd src; export A=b; cat ../made.lock ../node_modules/x; echo y > y', {
      prepare,
    });
    expect(first.output).toContain('lock\nx');
    expect(first.value.patch).not.toContain('made.lock');
    const second = await bash('echo "$PWD [$A]"; cat src/y', { value: first.value });
    expect(second.output).toBe('/workspace []\ny\nexit code 0');
  });

  it('SEC-1, SEC-3: reaches no network, sees no secret, and leaves no process', async () => {
    const hits: string[] = [];
    const canary = createServer((request, response) => {
      hits.push(request.url ?? '');
      response.end('reached');
    });
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
    process.env.UNTILGREEN_TEST_SECRET = 'planted-secret-value';
    try {
      const { port } = canary.address() as AddressInfo;
      const done = await bash(
        `env; cat /proc/1/environ /proc/self/environ 2>&1; curl -sS -m 3 http://127.0.0.1:${port}/ 2>&1; echo | (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>&1; (sleep 30; touch /workspace/late) & ls /root /home; echo end`,
      );
      expect(done.output).not.toContain('planted-secret-value');
      expect(done.output).not.toContain('reached');
      expect(done.output).toContain('end');
      expect(done.value).toBe(base.value);
    } finally {
      delete process.env.UNTILGREEN_TEST_SECRET;
      canary.close();
    }
    expect(hits).toEqual([]);
  });

  it('bounds time, output and what may be kept', async () => {
    const slow = await bash('echo begun; sleep 60', { limits: { ...base.limits, timeoutMs: 1_500 } });
    expect(slow).toMatchObject({ isError: true, value: base.value });
    expect(slow.output).toMatch(/^begun\nended after \d+ s: it took too long$/);
    const loud = await bash('yes | head -c 3000000');
    expect(loud.output.length).toBeLessThan(30_000);
    expect(loud.output).toContain('left out');
    const large = await bash('head -c 60000000 /dev/zero > big');
    expect(large).toMatchObject({ isError: true, value: base.value });
    expect(large.output).toContain('nothing of this call was kept');
  });

  it('DUR-4: names that are no text, pipes and empty folders are not kept, and stop nothing', async () => {
    const made = await bash(`printf x > "$(printf 'a\\377b')"; mkfifo pipe; mkdir -p deep/empty; ls | wc -l`);
    expect(made).toMatchObject({ isError: false, value: base.value });
  });

  it('SEC-2: a change that would publish a secret is not kept', async () => {
    const secrets = (text: string) => (text.includes('s3cr3t-value') ? [{ name: 'TOKEN', value: '' }] : []);
    const done = await bash('echo s3cr3t-value > src/config.txt', { secrets });
    expect(done).toMatchObject({ isError: true, value: base.value });
    expect(done.output).toContain('it would publish TOKEN');
  });

  it('an abort is thrown, and leaves nothing', async () => {
    const abort = new AbortController();
    const running = bash('sleep 60', { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('stop')), 1_000);
    await expect(running).rejects.toThrow('stop');
  });

  it('a link that a command made leads nowhere', async () => {
    const linked = await bash('ln -s /etc/hostname here; ln -s /etc there');
    expect((await edit({ command: 'view', path: 'here' }, linked.value)).output).toContain('symbolic link');
    expect(
      (await edit({ command: 'create', path: 'there/x', file_text: '' }, linked.value)).output,
    ).toContain('symbolic link');
  });
});

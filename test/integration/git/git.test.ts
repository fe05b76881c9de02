// Real git: mirrors, worktrees as values, deterministic commits, conditional pushes (DUR-1, SEC-2, CI-5).
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GitError } from '../../../src/integrations/git/git-command.ts';
import { ensureMirror, type Mirror } from '../../../src/integrations/git/mirror.ts';
import { commitValue, pushCommit, remoteBranchSha } from '../../../src/integrations/git/push.ts';
import {
  applyValue,
  captureTree,
  captureWorktree,
  changedPaths,
  createWorktree,
  diffTrees,
  treeWithPaths,
} from '../../../src/integrations/git/worktree.ts';
import { createTestRepository, type TestRepository } from '../../support/git-repository.ts';

let repository: TestRepository;
let cacheDir: string;

beforeEach(() => {
  repository = createTestRepository();
  cacheDir = join(repository.dir, 'cache');
  mkdirSync(cacheDir);
});
afterEach(() => repository.remove());

const mirrorOf = (sha?: string): Promise<Mirror> =>
  ensureMirror({ cacheDir, url: repository.url, ...(sha === undefined ? {} : { sha }) });

describe('mirror', () => {
  it('fetches what is new, and nothing when the commit is there', async () => {
    const first = repository.commit({ 'a.txt': 'one\n' });
    const mirror = await mirrorOf(first);
    const second = repository.commit({ 'a.txt': 'two\n' });
    await mirrorOf(second);
    rmSync(join(repository.dir, 'remote.git'), { recursive: true });
    expect((await mirrorOf(second)).path).toBe(mirror.path);
    await expect(mirrorOf('0'.repeat(40))).rejects.toMatchObject({ kind: 'notFound' });
  });

  it('takes concurrent callers, and locks a killed fetch left behind', async () => {
    const sha = repository.commit({ 'a.txt': 'one\n' });
    const mirror = await mirrorOf();
    mkdirSync(join(mirror.path, 'refs/heads'), { recursive: true });
    for (const name of ['refs/heads/main.lock', 'packed-refs.lock', 'config.lock', 'HEAD.lock'])
      writeFileSync(join(mirror.path, name), '');
    repository.commit({ 'a.txt': 'two\n' });
    const all = await Promise.all([mirrorOf(), mirrorOf(), mirrorOf(), mirrorOf()]);
    expect(new Set(all.map((one) => one.path)).size).toBe(1);
    expect(sha).toHaveLength(40);
  });

  it('rebuilds a mirror that is damaged', async () => {
    repository.commit({ 'a.txt': 'one\n' });
    const mirror = await mirrorOf();
    const pack = readdirSync(join(mirror.path, 'objects'), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile(),
    );
    for (const entry of pack) {
      const path = join(entry.parentPath, entry.name);
      chmodSync(path, 0o600);
      writeFileSync(path, 'x');
    }
    const sha = repository.commit({ 'a.txt': 'two\n' });
    await mirrorOf(sha);
    const worktree = await createWorktree({ mirror, sha });
    expect(readFileSync(join(worktree.path, 'a.txt'), 'utf8')).toBe('two\n');
  });

  // SEC-2
  it('sends the token only in a header to that address, and never prints or stores it', async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      if (request.url?.startsWith('/moved'))
        response.writeHead(302, { location: `http://localhost:${port()}/elsewhere${request.url}` }).end();
      else response.writeHead(401).end('no');
    });
    const port = (): number => (server.address() as AddressInfo).port;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const token = 'tok-abcdefgh123';
    try {
      for (const path of ['repo.git', 'moved.git']) {
        const url = `http://127.0.0.1:${port()}/${path}`;
        const error = await ensureMirror({ cacheDir, url, token }).then(
          () => null,
          (caught: unknown) => caught,
        );
        expect(error).toBeInstanceOf(GitError);
        expect(String(error)).not.toContain(token);
        expect(String(error)).not.toContain(Buffer.from(`x-access-token:${token}`).toString('base64'));
      }
      const basic = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
      expect(seen.length).toBeGreaterThan(0);
      expect(new Set(seen)).toEqual(new Set([basic]));
      const stored = readdirSync(cacheDir, { recursive: true, withFileTypes: true }).filter((entry) =>
        entry.isFile(),
      );
      for (const entry of stored)
        expect(readFileSync(join(entry.parentPath, entry.name), 'utf8')).not.toMatch(
          /abcdefgh123|extraHeader/i,
        );
    } finally {
      server.close();
    }
  });

  it.each(['ext::sh -c id', '--upload-pack=id', 'ssh://host/x', 'https://user:secret@host/x', 'git@host:x'])(
    'refuses the address %s',
    async (url) => {
      const error = await ensureMirror({ cacheDir, url }).then(
        () => null,
        (caught: unknown) => caught,
      );
      expect(String(error)).toMatch(/repository address/);
      expect(String(error)).not.toContain('secret');
    },
  );
});

describe('worktree value', () => {
  it('captures edits, new files and deletions, and rebuilds them elsewhere', async () => {
    const latin = Buffer.from([0x66, 0xfc, 0x72, 0x0a]);
    const sha = repository.commit({
      'a.txt': 'one\n',
      'gone.txt': 'x\n',
      '.gitignore': 'build/\n',
      'crlf.txt': 'a\r\nb\r\n',
      'latin.txt': latin,
    });
    const mirror = await mirrorOf(sha);
    const worktree = await createWorktree({ mirror, sha });
    expect((await captureWorktree(worktree)).patch).toBe('');
    writeFileSync(join(worktree.path, 'a.txt'), 'two');
    writeFileSync(join(worktree.path, 'ü "x"\t.txt'), 'new\n');
    writeFileSync(join(worktree.path, 'crlf.txt'), 'a\r\nc\r\n');
    writeFileSync(join(worktree.path, 'latin.txt'), Buffer.concat([latin, latin]));
    rmSync(join(worktree.path, 'gone.txt'));
    mkdirSync(join(worktree.path, 'build'));
    writeFileSync(join(worktree.path, 'build/out'), 'ignored');
    const value = await captureWorktree(worktree);
    expect(value.patch).not.toContain('build/out');
    const other = await createWorktree({ mirror, sha });
    await applyValue(other, value);
    expect(await captureTree(other)).toBe(value.treeSha);
    expect(readFileSync(join(other.path, 'crlf.txt'), 'utf8')).toBe('a\r\nc\r\n');
    const commit = await commitValue({
      mirror,
      baseSha: sha,
      patch: value.patch,
      message: 'fix',
      author: { name: 'A', email: 'a@b' },
      dateIso: '2026-01-02T03:04:05Z',
    });
    expect(commit.treeSha).toBe(value.treeSha);
    await worktree.remove();
    expect(existsSync(worktree.path)).toBe(false);
  });

  it('notices an edit of the same size and time', async () => {
    const sha = repository.commit({ 'a.txt': 'one\n' });
    const worktree = await createWorktree({ mirror: await mirrorOf(sha), sha });
    writeFileSync(join(worktree.path, 'a.txt'), 'two\n');
    expect((await captureWorktree(worktree)).patch).toContain('+two');
  });

  it('takes only the named paths of a tree', async () => {
    const sha = repository.commit({ 'a.txt': 'a\n', 'b.txt': 'b\n', 'c.txt': 'c\n' });
    const worktree = await createWorktree({ mirror: await mirrorOf(sha), sha });
    for (const name of ['a', 'b']) writeFileSync(join(worktree.path, `${name}.txt`), 'changed\n');
    rmSync(join(worktree.path, 'c.txt'));
    const tree = await captureTree(worktree);
    const patch = await diffTrees(
      worktree,
      sha,
      await treeWithPaths(worktree, sha, tree, ['b.txt', 'c.txt']),
    );
    expect(patch).toContain('a/b.txt');
    expect(patch).toContain('deleted file mode');
    expect(patch).not.toContain('a/a.txt');
  });

  it('shows text that the repository marks as binary', async () => {
    const sha = repository.commit({
      'a.lock': 'one\n',
      '.gitattributes': '*.lock -diff\n* filter=evil diff=evil\n',
    });
    const worktree = await createWorktree({ mirror: await mirrorOf(sha), sha });
    writeFileSync(join(worktree.path, 'a.lock'), 'two\n');
    expect((await captureWorktree(worktree)).patch).toContain('+two');
  });

  // SEC-3
  it('runs nothing that the checkout planted in its own .git, and writes nothing through links', async () => {
    const sha = repository.commit({ 'a.txt': 'one\n', out: { link: '/' } });
    const mirror = await mirrorOf(sha);
    const worktree = await createWorktree({ mirror, sha });
    const proof = join(repository.dir, 'ran');
    const evil = `#!/bin/sh\ntouch ${proof}\n`;
    mkdirSync(join(worktree.path, '.git/hooks'), { recursive: true });
    for (const hook of ['post-index-change', 'pre-commit', 'post-checkout'])
      writeFileSync(join(worktree.path, '.git/hooks', hook), evil, { mode: 0o755 });
    writeFileSync(join(worktree.path, '.git/evil'), evil, { mode: 0o755 });
    writeFileSync(
      join(worktree.path, '.git/config'),
      `[core]\n\tfsmonitor = ${worktree.path}/.git/evil\n\thooksPath = hooks\n[filter "x"]\n\tclean = ${worktree.path}/.git/evil\n`,
    );
    writeFileSync(join(worktree.path, '.gitattributes'), '* filter=x\n');
    writeFileSync(join(worktree.path, 'a.txt'), 'two\n');
    const value = await captureWorktree(worktree);
    expect(value.patch).toContain('+two');
    rmSync(join(worktree.path, '.git'), { recursive: true });
    symlinkSync('/etc', join(worktree.path, '.git'));
    expect((await captureWorktree(worktree)).treeSha).toBe(value.treeSha);
    expect(existsSync(proof)).toBe(false);

    const fresh = await createWorktree({ mirror, sha });
    const through = `diff --git a/out${repository.dir}/pwned b/out${repository.dir}/pwned\nnew file mode 100644\n--- /dev/null\n+++ b/out${repository.dir}/pwned\n@@ -0,0 +1 @@\n+x\n`;
    await expect(applyValue(fresh, { baseSha: sha, patch: through, treeSha: '' })).rejects.toThrow(
      /symbolic link/,
    );
    expect(existsSync(join(repository.dir, 'pwned'))).toBe(false);
  });

  // SEC-3
  it('runs nothing that a repository inside of the checkout asks for', async () => {
    const sha = repository.commit({ 'a.txt': 'one\n' });
    const worktree = await createWorktree({ mirror: await mirrorOf(sha), sha });
    const proof = join(repository.dir, 'ran');
    const inner = join(worktree.path, 'inner');
    mkdirSync(inner);
    const git = (...args: string[]): unknown =>
      execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], { cwd: inner });
    writeFileSync(join(inner, 'f'), 'one\n');
    git('init', '-q');
    git('add', '.');
    git('commit', '-q', '-m', 'x');
    await captureTree(worktree);
    // From now on it is a submodule of what was captured: git would ask it whether it changed.
    git('config', 'filter.x.clean', `touch ${proof}; cat`);
    git('config', 'core.fsmonitor', `touch ${proof}; false`);
    writeFileSync(join(inner, '.gitattributes'), '* filter=x\n');
    writeFileSync(join(inner, 'f'), 'two\n');
    const { patch } = await captureWorktree(worktree);
    expect(existsSync(proof)).toBe(false);
    expect(patch).toContain('new file mode 160000');
  });

  it('captures files that became folders or links, and folders that became files', async () => {
    const sha = repository.commit({ file: 'x\n', 'folder/a.txt': 'a\n', 'linked/b.txt': 'b\n', 'x\ty': '' });
    const mirror = await mirrorOf(sha);
    const worktree = await createWorktree({ mirror, sha });
    for (const name of ['file', 'folder', 'linked']) rmSync(join(worktree.path, name), { recursive: true });
    mkdirSync(join(worktree.path, 'file'));
    writeFileSync(join(worktree.path, 'file/new\nline'), 'in\n');
    writeFileSync(join(worktree.path, 'folder'), 'now a file\n');
    symlinkSync('file', join(worktree.path, 'linked'));
    const value = await captureWorktree(worktree);
    const paths = await changedPaths(worktree, sha, value.treeSha);
    expect(paths).toEqual(['file', 'file/new\nline', 'folder', 'folder/a.txt', 'linked', 'linked/b.txt']);
    const other = await createWorktree({ mirror, sha });
    await applyValue(other, value);
    expect(await captureTree(other)).toBe(value.treeSha);
  });

  it('refuses what is too large to be a fix', async () => {
    const sha = repository.commit({ 'a.txt': 'one\n' });
    const mirror = await mirrorOf(sha);
    const many = await createWorktree({ mirror, sha });
    for (let index = 0; index < 2_001; index += 1) writeFileSync(join(many.path, `f${index}`), '');
    await expect(captureWorktree(many)).rejects.toMatchObject({ kind: 'tooLarge' });
    const big = await createWorktree({ mirror, sha });
    writeFileSync(join(big.path, 'big'), Buffer.alloc(51_000_000, 'a'));
    await expect(captureWorktree(big)).rejects.toMatchObject({ kind: 'tooLarge' });
    const wide = await createWorktree({ mirror, sha });
    writeFileSync(join(wide.path, 'wide'), 'line\n'.repeat(300_000));
    await expect(captureWorktree(wide)).rejects.toMatchObject({ kind: 'tooLarge' });
  });

  // DUR-4: a command may leave folders that its own user, which is the worker's unless that is root, cannot read.
  it('removes a worktree with folders that nobody may read', async () => {
    const sha = repository.commit({ 'a.txt': 'one\n' });
    const script = join(repository.dir, 'locked.ts');
    const source = (path: string): string => JSON.stringify(join(import.meta.dirname, '../../../src', path));
    writeFileSync(
      script,
      `import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
       import { ensureMirror } from ${source('integrations/git/mirror.ts')};
       import { createWorktree } from ${source('integrations/git/worktree.ts')};
       const [sha = '', url = '', cacheDir = ''] = process.argv.slice(2);
       const mirror = await ensureMirror({ cacheDir, url, sha });
       const worktree = await createWorktree({ mirror, sha });
       mkdirSync(worktree.path + '/locked/deep', { recursive: true });
       writeFileSync(worktree.path + '/locked/deep/file', '');
       chmodSync(worktree.path + '/locked/deep', 0);
       chmodSync(worktree.path + '/locked', 0);
       await worktree.remove();
       console.log(process.getuid?.() === 0 ? 'root' : 'user', existsSync(worktree.path));`,
    );
    const asUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    if (asUser.uid !== undefined) execFileSync('chown', ['-R', '65534:65534', repository.dir]);
    const said = execFileSync(process.execPath, [script, sha, repository.url, cacheDir], {
      ...asUser,
      encoding: 'utf8',
    });
    expect(said).toBe('user false\n');
  });

  it('clears worktrees of dead processes only', async () => {
    const sha = repository.commit({ 'a.txt': 'one\n' });
    const mirror = await mirrorOf(sha);
    const mine = await createWorktree({ mirror, sha });
    const parent = join(cacheDir, 'worktrees');
    const [host = ''] = (readdirSync(parent)[0] ?? '').split('-');
    for (const name of [
      `${host}-4194303-aaaa-x`,
      `${host}-${process.pid}-aaaa-x`,
      'otherhost-4194303-aaaa-x',
      `${host}-1-aaaa-x`,
    ])
      mkdirSync(join(parent, name));
    utimesSync(parent, 0, 0);
    await createWorktree({ mirror, sha });
    const left = readdirSync(parent);
    expect(left).toContain('otherhost-4194303-aaaa-x');
    expect(left).toContain(`${host}-1-aaaa-x`);
    expect(left.filter((name) => name.endsWith('-aaaa-x'))).toHaveLength(2);
    expect(existsSync(mine.path)).toBe(true);
  });
});

// DUR-1
describe('commit and push', () => {
  const message = 'Fix the formatting\n\nBody';
  const author = { name: 'Untilgreen', email: 'bot@example.com' };
  const dateIso = '2026-03-04T05:06:07.123Z';

  async function fix(
    text: string,
  ): Promise<{ mirror: Mirror; baseSha: string; patch: string; commitSha: string }> {
    const baseSha = repository.commit({ 'a.txt': 'one\n' });
    const mirror = await mirrorOf(baseSha);
    const worktree = await createWorktree({ mirror, sha: baseSha });
    writeFileSync(join(worktree.path, 'a.txt'), text);
    const { patch } = await captureWorktree(worktree);
    const { commitSha } = await commitValue({ mirror, baseSha, patch, message, author, dateIso });
    return { mirror, baseSha, patch, commitSha };
  }

  it('makes the same commit on every worker', async () => {
    const first = await fix('two\n');
    const otherCache = join(repository.dir, 'cache2');
    mkdirSync(otherCache);
    const mirror = await ensureMirror({ cacheDir: otherCache, url: repository.url });
    const second = await commitValue({
      mirror,
      baseSha: first.baseSha,
      patch: first.patch,
      message: `${message}\n\n`,
      author,
      dateIso: '2026-03-04T06:06:07+01:00',
    });
    expect(second.commitSha).toBe(first.commitSha);
    await expect(
      commitValue({
        mirror,
        baseSha: first.baseSha,
        patch: 'diff --git a/b b/b\n--- a/b\n+++ b/b\n@@ -1 +1 @@\n-x\n+y\n',
        message,
        author,
        dateIso,
      }),
    ).rejects.toBeInstanceOf(GitError);
    await expect(
      commitValue({ mirror, baseSha: first.baseSha, patch: first.patch, message, author, dateIso: 'soon' }),
    ).rejects.toThrow(/dateIso/);
  });

  it('pushes once, knows that it did, and never over somebody else', async () => {
    const { mirror, baseSha, commitSha } = await fix('two\n');
    const to = { mirror, remoteUrl: repository.url, branch: 'untilgreen/fix-1', timeoutMs: 30_000 };
    expect(await remoteBranchSha(to)).toBeNull();
    expect(await pushCommit({ ...to, commitSha, expectedOldSha: null })).toEqual({
      outcome: 'pushed',
      remoteSha: commitSha,
    });
    expect(await remoteBranchSha(to)).toBe(commitSha);
    expect(await pushCommit({ ...to, commitSha, expectedOldSha: null })).toEqual({
      outcome: 'alreadyThere',
      remoteSha: commitSha,
    });
    const theirs = repository.commit({ 'b.txt': 'x\n' }, 'untilgreen/fix-1-theirs');
    repository.git('push', '-q', '-f', 'origin', `${theirs}:refs/heads/untilgreen/fix-1`);
    for (const expectedOldSha of [null, commitSha, baseSha])
      expect(await pushCommit({ ...to, commitSha, expectedOldSha })).toMatchObject({
        outcome: 'rejected',
        remoteSha: theirs,
      });
    expect(await pushCommit({ ...to, commitSha, expectedOldSha: theirs })).toMatchObject({
      outcome: 'pushed',
    });
  });

  it('reports a rejection by the remote, and a remote that is gone', async () => {
    const { mirror, commitSha } = await fix('two\n');
    const to = {
      mirror,
      remoteUrl: repository.url,
      branch: 'fix',
      commitSha,
      expectedOldSha: null,
      timeoutMs: 30_000,
    };
    writeFileSync(join(repository.dir, 'remote.git/hooks/pre-receive'), '#!/bin/sh\nexit 1\n', {
      mode: 0o755,
    });
    expect(await pushCommit(to)).toMatchObject({ outcome: 'rejected', remoteSha: null });
    await expect(
      pushCommit({ ...to, remoteUrl: `file://${repository.dir}/none.git` }),
    ).rejects.toBeInstanceOf(GitError);
    await expect(pushCommit({ ...to, remoteUrl: 'http://127.0.0.1:9/x.git' })).rejects.toMatchObject({
      kind: 'unreachable',
    });
    await expect(pushCommit({ ...to, branch: '-x' })).rejects.toThrow(/branch/);
  });
});

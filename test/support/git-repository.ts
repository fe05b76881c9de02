// A real git repository in a temporary folder, for tests. It uses the machine's git and touches nothing else.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ENV = {
  PATH: process.env.PATH ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.com',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.com',
};

/** A file's text, or the target of a symbolic link, or null to delete it. */
export type TestFile = string | Buffer | { readonly link: string } | null;

export type TestRepository = {
  /** Folder for the test's own use; removed by `remove`. */
  readonly dir: string;
  /** The bare repository that plays the remote. */
  readonly url: string;
  readonly git: (...args: string[]) => string;
  /** Commits files on main (or `branch`) and pushes; returns the SHA. */
  readonly commit: (files: Record<string, TestFile>, branch?: string) => string;
  readonly remove: () => void;
};

/** Makes an empty bare remote and a clone to fill it from. */
export function createTestRepository(): TestRepository {
  const dir = mkdtempSync(join(tmpdir(), 'untilgreen-git-'));
  const bare = join(dir, 'remote.git');
  const clone = join(dir, 'clone');
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: clone,
      env: ENV,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  mkdirSync(clone);
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', bare], { env: ENV });
  git('init', '-q', '-b', 'main');
  git('remote', 'add', 'origin', bare);
  const commit = (files: Record<string, TestFile>, branch = 'main'): string => {
    git('checkout', '-q', '-B', branch);
    for (const [name, content] of Object.entries(files)) {
      const path = join(clone, name);
      mkdirSync(dirname(path), { recursive: true });
      if (content === null || typeof content === 'string' || Buffer.isBuffer(content))
        rmSync(path, { force: true });
      if (typeof content === 'string' || Buffer.isBuffer(content)) writeFileSync(path, content);
      else if (content !== null) symlinkSync(content.link, path);
    }
    git('add', '-A');
    git('commit', '-q', '--allow-empty', '-m', 'change');
    git('push', '-q', 'origin', branch);
    return git('rev-parse', 'HEAD');
  };
  return {
    dir,
    url: `file://${bare}`,
    git,
    commit,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

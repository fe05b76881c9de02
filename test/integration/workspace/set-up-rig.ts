// A registry on loopback that keeps a journal, and checkouts of a small package that depends on what it serves.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureMirror } from '../../../src/integrations/git/mirror.ts';
import { createWorktree, type Worktree } from '../../../src/integrations/git/worktree.ts';
import { runInSandbox, type Sandbox } from '../../../src/integrations/sandbox/run-in-sandbox.ts';
import type { SetUpRequest } from '../../../src/integrations/workspace/set-up.ts';
import { createTestRepository, type TestFile, type TestRepository } from '../../support/git-repository.ts';

export type Registry = {
  readonly port: number;
  /** Paths that were asked for, in order. */
  readonly journal: string[];
  readonly close: () => Promise<void>;
};

/** Serves one package, `dep`, as a registry does. Everything else is 404. */
export async function startRegistry(): Promise<Registry> {
  const folder = mkdtempSync(join(tmpdir(), 'untilgreen-registry-'));
  mkdirSync(join(folder, 'package'));
  writeFileSync(join(folder, 'package', 'package.json'), '{"name":"dep","version":"1.0.0"}');
  writeFileSync(join(folder, 'package', 'index.js'), 'module.exports = "from the registry";\n');
  execFileSync('tar', ['-czf', join(folder, 'dep.tgz'), '-C', folder, 'package']);
  const tarball = readFileSync(join(folder, 'dep.tgz'));
  rmSync(folder, { recursive: true });
  const journal: string[] = [];
  const server = createServer((request, response) => {
    journal.push(request.url ?? '');
    if (request.url === '/dep/-/dep-1.0.0.tgz') response.end(tarball);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    journal,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A package with a lockfile that names the registry, and a script that set-up runs. */
export function shop(port: number, version = '1.0.0'): Record<string, TestFile> {
  const resolved = `http://127.0.0.1:${port}/dep/-/dep-1.0.0.tgz`;
  const root = { name: 'shop', version, dependencies: { dep: '1.0.0' } };
  return {
    'package.json': JSON.stringify({ ...root, scripts: { postinstall: 'sh scripts/after.sh' } }),
    'package-lock.json': JSON.stringify({
      ...root,
      lockfileVersion: 3,
      requires: true,
      packages: { '': root, 'node_modules/dep': { version: '1.0.0', resolved } },
    }),
    'scripts/after.sh': 'echo good > node_modules/after\n',
    '.gitignore': 'node_modules/\n',
  };
}

export type Rig = {
  readonly repository: TestRepository;
  readonly cacheDir: string;
  /** A fresh checkout; removed at the end. */
  readonly checkout: (sha: string) => Promise<Worktree>;
  readonly requestOf: (worktree: Worktree, more?: Partial<SetUpRequest>) => SetUpRequest;
  /** A command after set-up, without a way out: what it said. */
  readonly step: (worktree: Worktree, command: string) => Promise<string>;
  readonly end: () => Promise<void>;
};

export function createRig(sandbox: Sandbox, registry: Registry): Rig {
  const repository = createTestRepository();
  const cacheDir = join(repository.dir, 'cache');
  mkdirSync(cacheDir);
  const worktrees: Worktree[] = [];
  const limits = { timeoutMs: 60_000, memoryBytes: 2_000_000_000, maxOutputBytes: 100_000 };
  return {
    repository,
    cacheDir,
    checkout: async (sha) => {
      const mirror = await ensureMirror({ cacheDir, url: repository.url, sha });
      const worktree = await createWorktree({ mirror, sha });
      worktrees.push(worktree);
      return worktree;
    },
    requestOf: (worktree, more = {}) => ({
      worktree,
      command: 'npm ci --no-audit',
      lockfiles: ['**/package-lock.json'],
      registries: [`127.0.0.1:${registry.port}`],
      trustedBranches: ['main'],
      sandbox,
      limits,
      cacheDir,
      workerEnv: {},
      ...more,
    }),
    step: async (worktree, command) => {
      const { path, homeDir: home } = worktree;
      const done = await runInSandbox({ sandbox, worktree: path, home, command, env: {}, ...limits });
      return done.output.trim();
    },
    end: async () => {
      await Promise.all(worktrees.map((worktree) => worktree.remove()));
      repository.remove();
    },
  };
}

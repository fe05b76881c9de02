// What tests of fixes on a checkout share: the sandbox of this machine, a repository and a cache folder of each test's own, and the check that
// nobody leaves a worktree behind.
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { findSandbox } from '../../../src/integrations/sandbox/find-sandbox.ts';
import type { Sandbox } from '../../../src/integrations/sandbox/run-in-sandbox.ts';
import { createTestRepository, type TestRepository } from '../../support/git-repository.ts';

/** Filled in before each test. */
export type WorkspaceRig = { sandbox: Sandbox; repository: TestRepository; cacheDir: string };

/** For the top of a test file. */
export function useWorkspace(): WorkspaceRig {
  const rig = {} as WorkspaceRig;
  beforeAll(async () => {
    const view = { readOnlyPaths: [], pathPrepend: [], hide: [] };
    rig.sandbox = await findSandbox({ mode: 'required', view });
  });
  beforeEach(() => {
    rig.repository = createTestRepository();
    rig.cacheDir = join(rig.repository.dir, 'cache');
    mkdirSync(rig.cacheDir);
  });
  afterEach(() => {
    const left = readdirSync(join(rig.cacheDir, 'worktrees'));
    rig.repository.remove();
    expect(left).toEqual([]);
  });
  return rig;
}

// How checkouts of a workspace are made ready for commands (CI-6), by its settings: for fixers, the implementer and the verifier alike.
import type { WorkspaceConfig } from '../../contract/tenant-config.ts';
import type { Worktree } from '../../integrations/git/worktree.ts';
import { prepareCheckout, type SetUp } from '../../integrations/workspace/set-up.ts';
import type { Services } from '../services.ts';

const maxOutputBytes = 2_000_000;

/** For one fix; `command` is said where a fixer has its own. What it returns throws like `prepareCheckout`. */
export async function setUpOf(
  services: Services,
  workspace: WorkspaceConfig,
  signal: AbortSignal,
  command?: string,
): Promise<(worktree: Worktree) => Promise<SetUp>> {
  const { branches, sandbox: limits, setup } = workspace.ci;
  const sandbox = await services.sandbox(workspace);
  return (worktree) =>
    prepareCheckout({
      worktree,
      command: command ?? setup.command,
      lockfiles: setup.lockfiles,
      registries: setup.registries,
      trustedBranches: branches,
      sandbox,
      limits: { timeoutMs: limits.timeoutMs, memoryBytes: limits.memoryBytes, maxOutputBytes },
      cacheDir: services.cacheDir,
      workerEnv: process.env,
      signal,
    });
}

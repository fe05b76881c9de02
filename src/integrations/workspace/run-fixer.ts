// From a failing command to a verified patch, with a fixer the workspace configured (CI-5a, CI-6, CI-7): the base must
// fail as the run did, the fixer runs, the gate judges, and a separate checkout that knows nothing but the patch must
// pass twice. It writes nothing outside of its worktrees; what becomes of the patch is decided elsewhere.

import { judgePatch, type PatchGateSettings, type PatchViolation } from '../../policy/patch/gate.ts';
import { pathMatches } from '../../policy/patch/protected-paths.ts';
import { GitError } from '../git/git-command.ts';
import type { Mirror } from '../git/mirror.ts';
import {
  captureTree,
  changedPaths,
  createWorktree,
  diffTrees,
  treeWithPaths,
  type Worktree,
} from '../git/worktree.ts';
import { RefusedCommand } from '../sandbox/bubblewrap.ts';
import type { Sandbox } from '../sandbox/run-in-sandbox.ts';
import { commitToVerify } from './commit-to-verify.ts';
import {
  type FailingCommand,
  failedAsTheRun,
  type RunEvidence,
  runStep,
  type StepLimits,
  StepStopped,
} from './run-step.ts';

export type FixerRequest = {
  readonly mirror: Mirror;
  readonly baseSha: string;
  readonly failing: FailingCommand;
  readonly fixer: {
    readonly name: string;
    readonly command: string;
    /** Globs of what may become part of the fix; absent or empty: everything the fixer changed. */
    readonly paths?: readonly string[] | undefined;
  };
  /** Gets dependencies into a fresh checkout, before a command runs in it. */
  readonly prepare: (worktree: Worktree) => Promise<unknown>;
  readonly sandbox: Sandbox;
  readonly limits: StepLimits;
  readonly gate: PatchGateSettings;
  readonly signal?: AbortSignal | undefined;
  /** Called with each stage's name when it begins, and again while its command is at work (for heartbeats). */
  readonly onProgress?: ((stage: FixerStage) => void) | undefined;
};

export type FixerStage = 'checkout' | 'reproduce' | 'fix' | 'gate' | 'verify';

export type FixResult =
  | {
      readonly kind: 'verified';
      readonly patch: string;
      readonly treeSha: string;
      readonly before: RunEvidence;
      readonly after: readonly [RunEvidence, RunEvidence];
      readonly files: readonly string[];
      /** Added plus removed. */
      readonly lines: number;
      readonly fixer: RunEvidence;
    }
  | { readonly kind: 'cannotReproduce'; readonly reason: string; readonly before: RunEvidence }
  | {
      readonly kind: 'notFixed';
      readonly patch: string;
      readonly before: RunEvidence;
      readonly after: readonly RunEvidence[];
    }
  | { readonly kind: 'noChange'; readonly before: RunEvidence; readonly fixer: RunEvidence }
  | {
      readonly kind: 'gated';
      readonly violations: readonly PatchViolation[];
      readonly patch: string;
      readonly before: RunEvidence;
    }
  | {
      readonly kind: 'failed';
      readonly stage: FixerStage;
      readonly reason: string;
      readonly evidence?: RunEvidence;
    };

/**
 * Runs one fixer against one failing command. Every outcome of the repository's commands is a result.
 *
 * @throws when the caller aborts (the signal's reason), and for failures of the machine that are no result: a full disk,
 *   a mirror without the base commit.
 */
export async function runFixer(request: FixerRequest): Promise<FixResult> {
  const { sandbox, signal } = request;
  if (sandbox.kind === 'unavailable')
    return { kind: 'failed', stage: 'checkout', reason: `no sandbox: ${sandbox.reason}` };
  const worktrees: Worktree[] = [];
  let stage: FixerStage = 'checkout';
  const enter = (next: FixerStage): void => {
    signal?.throwIfAborted();
    stage = next;
    request.onProgress?.(next);
  };
  const step = (worktree: Worktree, command: string, kind: 'failing' | 'fixer'): Promise<RunEvidence> =>
    runStep({
      request,
      worktree,
      command,
      kind,
      onActivity: () => request.onProgress?.(stage),
    });
  const fresh = async (sha: string = request.baseSha): Promise<Worktree> => {
    const worktree = await createWorktree({ mirror: request.mirror, sha });
    worktrees.push(worktree);
    return worktree;
  };

  try {
    enter('checkout');
    const reproduced = await fresh();
    enter('reproduce');
    await request.prepare(reproduced);
    const before = await step(reproduced, request.failing.command, 'failing');
    const otherwise = failedAsTheRun(before, request.failing.signature);
    if (otherwise !== undefined) return { kind: 'cannotReproduce', reason: otherwise, before };
    await reproduced.remove();

    enter('fix');
    const work = await fresh();
    await request.prepare(work);
    const prepared = await captureTree(work);
    const fixer = await step(work, request.fixer.command, 'fixer');
    if (!fixer.passed)
      return {
        kind: 'failed',
        stage,
        reason: `the fixer failed with exit code ${fixer.exitCode}`,
        evidence: fixer,
      };
    const { patch, treeSha } = await changeOf(work, prepared, request.fixer.paths ?? []);
    if (patch === '') return { kind: 'noChange', before, fixer };

    enter('gate');
    const verdict = judgePatch(patch, request.gate);
    if (verdict.verdict === 'person') return { kind: 'gated', violations: verdict.violations, patch, before };

    enter('verify');
    await work.remove();
    const verifier = await fresh(
      await commitToVerify(request.mirror, { baseSha: request.baseSha, patch, treeSha }),
    );
    await request.prepare(verifier);
    const first = await step(verifier, request.failing.command, 'failing');
    if (!first.passed) return { kind: 'notFixed', patch, before, after: [first] };
    const second = await step(verifier, request.failing.command, 'failing');
    if (!second.passed) return { kind: 'notFixed', patch, before, after: [first, second] };
    return {
      kind: 'verified',
      patch,
      treeSha,
      before,
      after: [first, second],
      files: verdict.files,
      lines: verdict.lines,
      fixer,
    };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof StepStopped)
      return { kind: 'failed', stage, reason: error.message, evidence: error.evidence };
    if (error instanceof RefusedCommand) return { kind: 'failed', stage, reason: error.message };
    if (error instanceof GitError && stage !== 'checkout')
      return { kind: 'failed', stage, reason: error.message };
    throw error;
  } finally {
    await Promise.all(worktrees.map((worktree) => worktree.remove()));
  }
}

/** The base with only what the fixer changed: nothing that set-up made, nothing outside of `paths`. */
async function changeOf(
  worktree: Worktree,
  prepared: string,
  paths: readonly string[],
): Promise<{ patch: string; treeSha: string }> {
  const after = await captureTree(worktree);
  const changed = await changedPaths(worktree, prepared, after);
  const wanted = paths.length === 0 ? changed : changed.filter((path) => pathMatches(path, paths));
  if (wanted.length === 0) return { patch: '', treeSha: prepared };
  const treeSha = await treeWithPaths(worktree, worktree.baseSha, after, wanted);
  return { patch: await diffTrees(worktree, worktree.baseSha, treeSha), treeSha };
}

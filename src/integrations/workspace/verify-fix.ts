// Whether a drafted patch is a fix (CI-6, CI-7): the gate judges the diff, the failing command fails on the base as the run did, and passes twice
// in a fresh checkout that knows nothing but the patch, with the tests that failed among those that ran. No text of a model is read here.
import { createFailedTests } from '../../logs/failed-tests.ts';
import { ranTests, testsMissing } from '../../logs/ran-tests.ts';
import { lastLines } from '../../logs/signature.ts';
import { judgePatch, type PatchGateSettings, type PatchViolation } from '../../policy/patch/gate.ts';
import { GitError } from '../git/git-command.ts';
import type { Mirror } from '../git/mirror.ts';
import { createWorktree, type Worktree, type WorktreeValue } from '../git/worktree.ts';
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

/** What a failing command is run with. */
export type Runs = {
  readonly mirror: Mirror;
  readonly failing: FailingCommand;
  readonly sandbox: Sandbox;
  readonly limits: StepLimits;
  /** Gets dependencies into a fresh checkout. */
  readonly prepare: (worktree: Worktree) => Promise<unknown>;
  readonly signal?: AbortSignal | undefined;
};

export type VerifyRequest = Runs & { readonly value: WorktreeValue; readonly gate: PatchGateSettings };

/** The base, as the failing command left it. */
export type Reproduced = {
  readonly before: RunEvidence;
  /** Undefined: it failed as the run did. */
  readonly otherwise: string | undefined;
  /** As the runner printed them. */
  readonly failedTests: readonly string[];
};

export type Verified =
  | {
      readonly kind: 'passed';
      readonly before: RunEvidence;
      readonly after: readonly [RunEvidence, RunEvidence];
      readonly failedTests: readonly string[];
      readonly files: readonly string[];
      /** Added plus removed. */
      readonly lines: number;
    }
  | { readonly kind: 'gated'; readonly violations: readonly PatchViolation[] }
  | { readonly kind: 'cannotReproduce'; readonly reason: string; readonly before: RunEvidence }
  | {
      readonly kind: 'notFixed';
      readonly reason: string;
      readonly before: RunEvidence;
      readonly after: readonly RunEvidence[];
    }
  | { readonly kind: 'failed'; readonly reason: string; readonly evidence?: RunEvidence };

/** Runners that name each test only when asked; what the failing step sets itself stays. */
const namesTests: Readonly<Record<string, string>> = { GOFLAGS: '-v', PYTEST_ADDOPTS: '-v' };

/** Runs the failing command on the base, in a fresh checkout. @throws StepStopped, RefusedCommand; the signal's reason */
export async function reproduce(
  runs: Runs,
  baseSha: string,
): Promise<Reproduced & { readonly output: string }> {
  return inFresh(runs, baseSha, async (worktree) => {
    const { evidence: before, output } = await runFailing(runs, worktree);
    return {
      before,
      output,
      otherwise: failedAsTheRun(before, runs.failing.signature),
      failedTests: failedNames(output),
    };
  });
}

/** Every outcome of the repository's commands is a result. @throws the signal's reason; Error for failures of the machine */
export async function verifyFix(request: VerifyRequest): Promise<Verified> {
  const { value, signal } = request;
  if (request.sandbox.kind === 'unavailable')
    return { kind: 'failed', reason: `no sandbox: ${request.sandbox.reason}` };
  const verdict = judgePatch(value.patch, request.gate);
  if (verdict.verdict === 'person') return { kind: 'gated', violations: verdict.violations };
  try {
    const base = await reproduce(request, value.baseSha);
    const { before, failedTests } = base;
    if (base.otherwise !== undefined) return { kind: 'cannotReproduce', reason: base.otherwise, before };
    const fixed = await commitToVerify(request.mirror, value);
    return await inFresh(request, fixed, async (worktree): Promise<Verified> => {
      const after: RunEvidence[] = [];
      for (const run of ['first', 'second'] as const) {
        const { evidence, output } = await runFailing(request, worktree);
        after.push(evidence);
        const notFixed = (reason: string): Verified => ({ kind: 'notFixed', reason, before, after });
        if (evidence.exitCode === 0 && !evidence.passed) return notFixed(`no test ran in the ${run} run`);
        if (!evidence.passed) return notFixed(`the failing command still fails in the ${run} run`);
        const missing = testsMissing(ranTests(base.output), ranTests(output), failedTests);
        if (missing !== null) return notFixed(missing);
      }
      const [first, second] = after as [RunEvidence, RunEvidence];
      const { files, lines } = verdict;
      return { kind: 'passed', before, after: [first, second], failedTests, files, lines };
    });
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof StepStopped)
      return { kind: 'failed', reason: error.message, evidence: error.evidence };
    if (error instanceof RefusedCommand || error instanceof GitError)
      return { kind: 'failed', reason: error.message };
    throw error;
  }
}

async function inFresh<T>(runs: Runs, sha: string, work: (worktree: Worktree) => Promise<T>): Promise<T> {
  runs.signal?.throwIfAborted();
  const worktree = await createWorktree({ mirror: runs.mirror, sha });
  try {
    await runs.prepare(worktree);
    return await work(worktree);
  } finally {
    await worktree.remove();
  }
}

async function runFailing(
  runs: Runs,
  worktree: Worktree,
): Promise<{ readonly evidence: RunEvidence; readonly output: string }> {
  const { failing, sandbox, limits, signal } = runs;
  let output = '';
  const evidence = await runStep({
    request: {
      sandbox,
      limits,
      signal,
      failing: { ...failing, env: { ...namesTests, ...failing.env } },
    },
    worktree,
    command: failing.command,
    kind: 'failing',
    onActivity: () => {},
    onOutput: (text) => {
      output = text;
    },
  });
  return { evidence, output };
}

function failedNames(output: string): readonly string[] {
  const names = createFailedTests();
  for (const text of lastLines(output, 100_000)) names.push({ text });
  return names.names();
}

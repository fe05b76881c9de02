// One command of a fixer's run in the sandbox, and the evidence it leaves: what ran, how it ended, its last lines.
// It judges by exit code and by what test runners say about themselves; it never trusts a text to widen anything.
import { type ErrorSignature, lastLines, matchesSignature, ranNoTests } from '../../logs/signature.ts';
import type { Worktree } from '../git/worktree.ts';
import { runInSandbox, type Sandbox } from '../sandbox/run-in-sandbox.ts';

/** The command of the failing step, and how its run failed. */
export type FailingCommand = {
  readonly command: string;
  readonly jobName: string;
  readonly stepName: string;
  /** Relative to the repository. */
  readonly workingDirectory?: string | undefined;
  /** Plain values of the workflow file, never secrets. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** `bash` stops on the failure of any part of a pipe. Default `default`. */
  readonly shell?: 'default' | 'bash' | 'sh' | undefined;
  readonly signature: ErrorSignature;
};

/** Bounds of each single command. */
export type StepLimits = {
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  readonly maxOutputBytes: number;
};

/** What is kept of one run of a command: enough for a person to judge, small enough for a record. */
export type RunEvidence = {
  readonly command: string;
  readonly exitCode: number | null;
  /** Exit code 0, and no test runner said that it ran nothing. */
  readonly passed: boolean;
  /** At most 60, without colours and timestamps. */
  readonly lines: readonly string[];
  readonly truncated: boolean;
  readonly durationMs: number;
  /** The output held one of the run's own error lines. */
  readonly signatureMatches: boolean;
};

const EVIDENCE_LINES = 60;

/** A command that did not come to an end of its own, so that nothing can be said about the fix. */
export class StepStopped extends Error {
  readonly evidence: RunEvidence;
  constructor(message: string, evidence: RunEvidence) {
    super(message);
    this.name = 'StepStopped';
    this.evidence = evidence;
  }
}

export type StepRequest = {
  readonly request: {
    readonly sandbox: Sandbox;
    readonly limits: StepLimits;
    readonly failing: FailingCommand;
    readonly signal?: AbortSignal | undefined;
  };
  readonly worktree: Worktree;
  readonly command: string;
  /** Only the failing command runs in the failing step's folder, environment and shell. */
  readonly kind: 'failing' | 'fixer';
  readonly onActivity: () => void;
  /** Told all that was kept of the output, where the evidence's last lines are not enough. */
  readonly onOutput?: ((output: string) => void) | undefined;
};

/** Runs one command to its end. Throws StepStopped when it is ended by a limit, and the signal's reason on abort. */
export async function runStep(step: StepRequest): Promise<RunEvidence> {
  const { failing, limits, sandbox, signal } = step.request;
  const asStep = step.kind === 'failing';
  const result = await runInSandbox({
    sandbox,
    worktree: step.worktree.path,
    home: step.worktree.homeDir,
    command: step.command,
    workingDirectory: asStep ? failing.workingDirectory : undefined,
    pipefail: asStep && failing.shell === 'bash',
    env: asStep ? (failing.env ?? {}) : {},
    timeoutMs: limits.timeoutMs,
    memoryBytes: limits.memoryBytes,
    maxOutputBytes: limits.maxOutputBytes,
    onActivity: step.onActivity,
    ...(signal === undefined ? {} : { signal }),
  });
  signal?.throwIfAborted();
  step.onOutput?.(result.output);
  const evidence: RunEvidence = {
    command: step.command,
    exitCode: result.exitCode,
    passed: result.exitCode === 0 && !(asStep && ranNoTests(result.output)),
    lines: lastLines(result.output, EVIDENCE_LINES),
    truncated: result.truncated,
    durationMs: result.durationMs,
    signatureMatches: asStep && matchesSignature(result.output, failing.signature, result.exitCode),
  };
  const name = { failing: 'failing command', fixer: 'fixer' }[step.kind];
  if (result.end !== 'exited')
    throw new StepStopped(
      `the ${name} did not end by itself: ${result.end} after ${result.durationMs} ms`,
      evidence,
    );
  return evidence;
}

/** Undefined when the base failed as the run did; otherwise why it did not. */
export function failedAsTheRun(before: RunEvidence, signature: ErrorSignature): string | undefined {
  if (before.exitCode === 0 && before.passed) return 'the command passes on the base commit';
  if (signature.errorLines.length === 0 && signature.exitCode === undefined)
    return 'the run left no line and no exit code by which its failure could be recognised';
  if (before.signatureMatches) return undefined;
  if (before.exitCode === 127) return 'the command needs a program that is not installed here';
  return "the command fails on the base commit, but otherwise than the run: none of the run's error lines appears";
}

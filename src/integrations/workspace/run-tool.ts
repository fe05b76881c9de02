// One tool call of the implementer on a worktree as a value: value in, value and output out. It writes nothing else, so that a call which a dead
// worker left is made again from the same value. Commands run in the sandbox without network and secrets (SEC-3); each has a fresh shell.
import { publishedSecrets } from '../../policy/patch/published-secrets.ts';
import { checkSha, GitError, git } from '../git/git-command.ts';
import type { Mirror } from '../git/mirror.ts';
import {
  applyValue,
  captureTree,
  changedPaths,
  createWorktree,
  diffTrees,
  treeWithPaths,
  type Worktree,
  type WorktreeValue,
} from '../git/worktree.ts';
import { RefusedCommand } from '../sandbox/bubblewrap.ts';
import { runInSandbox, type Sandbox } from '../sandbox/run-in-sandbox.ts';
import { EditRefused, editFile } from './edit-file.ts';
import { type StepLimits, StepStopped } from './run-step.ts';
import type { ToolInput } from './tool-inputs.ts';

export type ToolRun = {
  readonly mirror: Mirror;
  readonly value: WorktreeValue;
  readonly call: Exclude<ToolInput, { readonly tool: 'finish' }>;
  readonly sandbox: Sandbox;
  readonly limits: StepLimits;
  /** Gets dependencies into a fresh checkout, before a command runs in it. */
  readonly prepare: (worktree: Worktree) => Promise<unknown>;
  /** What must not be published, of the text of a change. */
  readonly secrets: (text: string) => readonly { readonly name: string; readonly value: string }[];
  readonly signal?: AbortSignal | undefined;
};

export type ToolRan = {
  readonly value: WorktreeValue;
  /** For the model: not redacted yet. */
  readonly output: string;
  readonly isError: boolean;
};

/** What a model reads of one command. */
const maxOutputBytes = 24_000;
const maxCommandMs = 5 * 60_000;

/** A base with nothing changed. */
export async function unchangedValue(mirror: Mirror, baseSha: string): Promise<WorktreeValue> {
  checkSha('baseSha', baseSha);
  const args = ['--git-dir', mirror.path, 'rev-parse', '--verify', `${baseSha}^{tree}`];
  const { stdout } = await git({ args, cwd: mirror.path });
  return { baseSha, treeSha: stdout.trim(), patch: '' };
}

/** Everything the call does wrong is an output. @throws the signal's reason; Error for failures of the machine */
export async function runTool(run: ToolRun): Promise<ToolRan> {
  const { call, value, signal } = run;
  const unchanged = (output: string, isError: boolean): ToolRan => ({ value, output, isError });
  if (call.tool === 'bash' && call.command === null)
    return unchanged('every call has a fresh shell, at the top of the repository', false);
  const worktree = await createWorktree({ mirror: run.mirror, sha: value.baseSha });
  let begun = false;
  try {
    await applyValue(worktree, value);
    begun = true;
    if (call.tool === 'edit') {
      const edited = await editFile(worktree.path, call.input);
      if (!edited.changed) return unchanged(edited.output, false);
      return await keep(run, worktree, await captureTree(worktree), edited.output, false);
    }
    await run.prepare(worktree);
    const prepared = await captureTree(worktree);
    const said = await shell(run, worktree, call.command ?? '');
    signal?.throwIfAborted();
    const after = await captureTree(worktree);
    const changed = await changedPaths(worktree, prepared, after);
    if (changed.length === 0) return unchanged(said.output, said.isError);
    // Nothing that set-up made becomes part of the change.
    const treeSha = await treeWithPaths(worktree, value.treeSha, after, changed);
    return await keep(run, worktree, treeSha, said.output, said.isError);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof EditRefused || error instanceof RefusedCommand)
      return unchanged(error.message, true);
    if (error instanceof StepStopped)
      return unchanged(`${error.message}\n${error.evidence.lines.join('\n')}`, true);
    // What a command left that git cannot take: too much, names that are no text, files that nobody may read.
    if (error instanceof GitError && begun)
      return unchanged(`nothing of this call was kept: ${error.message}`, true);
    throw error;
  } finally {
    await worktree.remove();
  }
}

/** The change as the next value; one that would publish a secret is not kept at all (SEC-2). */
async function keep(
  run: ToolRun,
  worktree: Worktree,
  treeSha: string,
  output: string,
  isError: boolean,
): Promise<ToolRan> {
  const { baseSha } = run.value;
  const patch = await diffTrees(worktree, baseSha, treeSha);
  const secrets = publishedSecrets(patch, run.secrets);
  if (secrets.length > 0)
    return {
      value: run.value,
      output: `nothing of this call was kept: it would publish ${secrets.join(', ')}`,
      isError: true,
    };
  return { value: { baseSha, patch, treeSha }, output, isError };
}

async function shell(
  run: ToolRun,
  worktree: Worktree,
  command: string,
): Promise<{ readonly output: string; readonly isError: boolean }> {
  const { limits, signal } = run;
  const result = await runInSandbox({
    sandbox: run.sandbox,
    worktree: worktree.path,
    home: worktree.homeDir,
    // As in a shell of a person: a command that fails does not end the script.
    command: `set +e\n${command}`,
    env: {},
    timeoutMs: Math.min(limits.timeoutMs, maxCommandMs),
    memoryBytes: limits.memoryBytes,
    maxOutputBytes: Math.min(limits.maxOutputBytes, maxOutputBytes),
    ...(signal === undefined ? {} : { signal }),
  });
  const cut = result.truncated ? '\n(the middle of the output is left out)' : '';
  const end =
    result.end === 'exited'
      ? `exit code ${result.exitCode}`
      : result.end === 'timedOut'
        ? `ended after ${Math.round(result.durationMs / 1_000)} s: it took too long`
        : `it did not run: ${result.end}`;
  return { output: `${result.output.trimEnd()}${cut}\n${end}`, isError: result.exitCode !== 0 };
}

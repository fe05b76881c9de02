// How checkouts of a workspace are made ready for commands (CI-6), by its settings: for fixers, the implementer and the verifier alike; and what
// people read of it.
import type { WorkspaceConfig } from '../../contract/tenant-config.ts';
import type { Worktree } from '../../integrations/git/worktree.ts';
import { prepareCheckout, type SetUp } from '../../integrations/workspace/set-up.ts';
import { redactText } from '../../logs/redact/redact-text.ts';
import type { Services } from '../services.ts';

const maxOutputBytes = 2_000_000;
const reportedLines = 20;

export type Preparation = {
  /** Throws like `prepareCheckout`. */
  readonly prepare: (worktree: Worktree) => Promise<SetUp>;
  /** For people, of what was done until now: one line of Markdown, and what the set-up said, redacted; empty texts where there was none. */
  readonly report: () => { readonly line: string; readonly said: string };
};

/** For one fix; `command` is said where a fixer has its own. */
export async function setUpOf(
  services: Services,
  workspace: WorkspaceConfig,
  signal: AbortSignal,
  command?: string,
): Promise<Preparation> {
  const { branches, sandbox: limits, setup } = workspace.ci;
  const sandbox = await services.sandbox(workspace);
  const line = command ?? setup.command;
  const done: SetUp[] = [];
  return {
    prepare: async (worktree) => {
      const made = await prepareCheckout({
        worktree,
        command: line,
        lockfiles: setup.lockfiles,
        registries: setup.registries,
        trustedBranches: branches,
        sandbox,
        limits: { timeoutMs: limits.timeoutMs, memoryBytes: limits.memoryBytes, maxOutputBytes },
        cacheDir: services.cacheDir,
        workerEnv: process.env,
        signal,
      });
      done.push(made);
      return made;
    },
    report: () => {
      const { line: said, text } = reportOf(line ?? '', done);
      return { line: redactText(said, services.redactor), said: redactText(text, services.redactor) };
    },
  };
}

/** All set-ups of one fix are of the same commit: what ran first says it for all. */
function reportOf(command: string, done: readonly SetUp[]): { readonly line: string; readonly text: string } {
  const name = `\`${command.split('\n', 1)[0]?.replaceAll('`', "'").slice(0, 200)}\``;
  const ran = done.find((one) => one.kind === 'ran');
  if (ran) {
    const { evidence, notKept } = ran;
    const seconds = (evidence.durationMs / 1_000).toFixed(1);
    const again = notKept === undefined ? '' : `\n(not kept for the next checkout: ${notKept})`;
    const text = `$ ${command}\nexit code ${evidence.exitCode} after ${seconds} s\n${evidence.lines.slice(-reportedLines).join('\n')}${again}`;
    return { line: `Dependencies: ${name}, ${seconds} s, before there was no network.`, text };
  }
  if (!done.some(({ kind }) => kind === 'cached')) return { line: '', text: '' };
  const line = `Dependencies: put back from an earlier ${name} of the same lockfiles.`;
  return { line, text: line };
}

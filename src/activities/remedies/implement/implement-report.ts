// What a person reads of a fix by the model, and how a verdict is read out of a conversation. Words of models and commands are shown as what they
// are; what decides are exit codes and the typed verdict, which can only lower (CI-6).
import * as z from 'zod';
import type { NoFix } from '../../../contract/implement.ts';
import { type Conversation, lastToolCalls } from '../../../integrations/anthropic/conversation.ts';
import { fenced } from '../../../integrations/github/body-text.ts';
import type { RunEvidence } from '../../../integrations/workspace/run-step.ts';
import type { Verified } from '../../../integrations/workspace/verify-fix.ts';
import { verdictTool, withText, withToolResult } from './implement-prompts.ts';

/** What a verification found, as it is kept. */
export type Check = {
  readonly before: RunEvidence;
  readonly after: readonly [RunEvidence, RunEvidence];
  readonly files: readonly string[];
  readonly lines: number;
  readonly failedTests: readonly string[];
  /** How its checkouts got their dependencies, in Markdown; absent in a check of before it was kept. */
  readonly setUp?: string;
};

const VerdictInput = z.object({
  rootCauseAddressed: z.boolean(),
  unrelatedChanges: z.array(z.string().max(1_000)).max(50),
  reasons: z.string().max(4_000),
});

export type Verdict = { readonly approved: boolean; readonly reasons: string };

const maxDraftLength = 20_000;

/** `again`: what the model said is no verdict; the conversation goes on with the reason. */
export function readVerdictOf(conversation: Conversation): Verdict | { readonly again: Conversation } {
  const calls = lastToolCalls(conversation);
  const [call] = calls;
  if (call === undefined)
    return { again: withText(conversation, `Answer by calling ${verdictTool}; nothing else is read.`) };
  const read = VerdictInput.safeParse(call.input);
  if (call.name === verdictTool && calls.length === 1 && read.success) {
    const { rootCauseAddressed, unrelatedChanges, reasons } = read.data;
    const unrelated = unrelatedChanges.length > 0 ? ` Unrelated: ${unrelatedChanges.join('; ')}.` : '';
    const cause = rootCauseAddressed ? '' : ' The cause is not addressed.';
    return {
      approved: rootCauseAddressed && unrelatedChanges.length === 0,
      reasons: `${reasons}${cause}${unrelated}`.slice(0, 1_500),
    };
  }
  const why = read.success
    ? `call ${verdictTool} once, and nothing else`
    : `the input does not fit: ${read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`;
  return {
    again: calls.reduce((next, { id }) => withToolResult(next, id, why.slice(0, 1_000), true), conversation),
  };
}

/** The body of the pull request (CI-8). */
export function verifiedReport(check: Check, runUrl: string, verdict: Verdict | null): string {
  const tests =
    check.failedTests.length === 0
      ? ''
      : `Tests that failed before:${fenced(check.failedTests.slice(0, 50).join('\n'))}`;
  const said =
    verdict === null
      ? ''
      : `A second model, which saw the failure and this change only, said (it can refuse a change, not approve one):${fenced(verdict.reasons)}`;
  return [
    '## Evidence\n',
    `Drafted by a model; verified in a sandbox, in fresh checkouts: the failing command failed on the base with the run's own error, and passed twice with this change.\n`,
    `Failing run: ${runUrl}\n`,
    check.setUp ?? '',
    evidence('Before, on the base', check.before),
    evidence('After, first run', check.after[0]),
    evidence('After, second run', check.after[1]),
    tests,
    said,
    `Files: ${check.files.map((file) => `\`${file.replace(/`/g, "'")}\``).join(', ')} (${check.lines} lines)\n`,
  ].join('\n');
}

/** The draft, for the person who takes over. */
export function draftReport(patch: string, address: string): string {
  const cut = patch.length > maxDraftLength ? '(cut)\n' : '';
  return `The draft is kept as evidence \`${address.slice(0, 16)}\`.\n${fenced(patch.slice(0, maxDraftLength), 'diff')}${cut}`;
}

/** A draft that is no fix, with its reason. */
export function noFixOf(
  result: Exclude<Verified, { readonly kind: 'passed' }>,
  patch: string,
  address: string,
  redact: (text: string) => string,
): NoFix {
  const draft = draftReport(patch, address);
  switch (result.kind) {
    case 'gated': {
      const said = result.violations.map(({ rule, path, line, detail }) => {
        const at = line === undefined ? path : `${path}:${line}`;
        return `${rule} ${at}: ${detail}`;
      });
      return { result: 'gated', reason: redact(said.join('; ')).slice(0, 1_000), report: redact(draft) };
    }
    case 'cannotReproduce':
      return {
        result: 'cannotReproduce',
        reason: result.reason,
        report: redact(evidence('On the base', result.before)),
      };
    case 'notFixed':
      return {
        result: 'notFixed',
        reason: redact(result.reason),
        report: redact(`${result.after.map((run) => evidence('After', run)).join('')}\n${draft}`),
      };
    case 'failed':
      return {
        result: 'failed',
        reason: redact(`verify: ${result.reason}`),
        report: redact(`${result.evidence ? evidence('Last command', result.evidence) : ''}\n${draft}`),
      };
  }
}

export function evidence(title: string, run: RunEvidence): string {
  const end = run.exitCode === null ? 'was ended' : `exit code ${run.exitCode}`;
  return `<details><summary>${title}: ${end}</summary>${fenced(`$ ${run.command}\n${run.lines.join('\n')}`)}</details>\n`;
}

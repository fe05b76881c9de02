// What people read of a triage: the class with its evidence for the escalation issue, and the proposal to quarantine a test. Markdown; the
// lines are redacted already, and stand in code blocks that they cannot end.
import type { CiDetail } from '../../../contract/finding.ts';
import type { QuarantineProposal } from '../../../contract/triage.ts';
import { fenced } from '../../../integrations/github/body-text.ts';
import type { TriageDecision } from '../../../policy/ci/ci-triage.ts';
import type { FailureRow } from '../../../store/ci/ci-failures.ts';
import type { FlakyFailure, FlakyJob } from '../../../store/ci/flakes.ts';

const shownTests = 20;

export function triageReport(decision: TriageDecision, detail: CiDetail, failure: FailureRow): string {
  const lines = failure.evidence.map(({ n, text }) => `${n}: ${text}`);
  const tests = failure.failedTests.slice(0, shownTests);
  const more = failure.testsFailed - tests.length;
  return [
    `## Class: ${decision.class} (confidence ${decision.confidence.toFixed(2)})`,
    `Judged by rules over the log of ${detail.url}.`,
    ...(lines.length === 0
      ? ['The log has no line that tells why.']
      : [`Evidence, by line of the log:${fenced(lines.join('\n')).trimEnd()}`]),
    ...(tests.length === 0
      ? []
      : [
          `Failed tests:${fenced([...tests, ...(more > 0 ? [`and ${more} more`] : [])].join('\n')).trimEnd()}`,
        ]),
    ...(failure.runsCut === null
      ? []
      : [
          `Only the newest ${failure.runsCut} runs of the branch were read, and no green one of this workflow is among them: it may have failed for longer.`,
        ]),
    ...(failure.reduced === null ? [] : [`The reduced log is evidence \`${failure.reduced.slice(0, 16)}\`.`]),
  ].join('\n\n');
}

export function quarantineProposal(
  job: FlakyJob,
  flake: {
    readonly test: string;
    readonly rate: number;
    readonly failures: number;
    readonly runsSeen: number;
  },
  failures: readonly (FlakyFailure & { readonly atMs: number })[],
): QuarantineProposal {
  const what = flake.test === '' ? `Job ${job.job}` : flake.test;
  const percent = (100 * flake.rate).toFixed(1);
  const list = failures.map(
    ({ atMs, runId, runAttempt, headSha, passedIn }) =>
      `- ${new Date(atMs).toISOString()}: failed in attempt ${runAttempt} of run ${runId} (${headSha.slice(0, 12)}), passed in ${passedIn}`,
  );
  const first = failures[0]?.line ?? '';
  return {
    test: flake.test === '' ? job.job : flake.test,
    rate: flake.rate,
    title: `Flaky: ${what}`.slice(0, 200),
    body: [
      `This failed and passed on the same commit, in ${flake.failures} of ${flake.runsSeen} runs (${percent} %).`,
      `Job and test:${fenced(`${job.workflowPath} / ${job.job}\n${flake.test}`).trimEnd()}`,
      ...(first === '' ? [] : [`The first failure said:${fenced(first).trimEnd()}`]),
      list.join('\n'),
      'Proposal: quarantine it. Let it run where it blocks nobody until somebody has made it reliable. The agent skips or changes no test by itself; it leaves the ledger after 7 days without a flaky failure.',
    ].join('\n\n'),
  };
}

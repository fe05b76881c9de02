// The loop's side of its remedies: started as children that outlive it, adopted when they are running already, nudged when their finding moved.
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, sleep, startChild, WorkflowIdReusePolicy } from '@temporalio/workflow';
import { type Finding, hasRemedy } from '../../contract/finding.ts';
import type { OpenRemedy, RemedyInput } from '../../contract/loop.ts';
import { aftercareWorkflowId, remedyWorkflowId, workflowTypes } from '../../contract/names.ts';
import { nudge } from '../nudge.ts';
import { findingAttributes } from '../visibility.ts';
import { escapeText } from './details.ts';
import type { Loop } from './loop.ts';

/** How often the loop makes sure that a remedy still runs; at other times than those at which a waiting one looks by itself. */
const checkEveryMs = 100 * 60_000;
const firstWaitMs = 250;
const lastWaitMs = 16_000;

type ToStart = { readonly finding: Finding; readonly remedy: number };

export async function startRemedies(loop: Loop, remedies: readonly ToStart[]): Promise<void> {
  await Promise.all(remedies.map((remedy) => startRemedy(loop, remedy, 'loop')));
}

/** By order of a person: the remedy before, which may be just ending, does not swallow it (LOOP-11). */
export async function startOrdered(loop: Loop, remedy: ToStart, by: string): Promise<void> {
  for (let wait = firstWaitMs; wait <= lastWaitMs; wait *= 2) {
    const { started } = await startRemedy(loop, remedy, by);
    const running = loop.state.openRemedies.find((open) => open.fingerprint === remedy.finding.fingerprint);
    if (started || running?.remedy === remedy.remedy) return;
    await sleep(wait, { summary: 'until the remedy before has ended' });
  }
}

/** After the loop began anew: what was being worked on, or waited for, gets its remedy back; a running one just goes on. */
export async function adoptRemedies(loop: Loop, findings: readonly Finding[]): Promise<void> {
  await Promise.all(
    findings.map((finding) => startRemedy(loop, { finding, remedy: Math.max(1, finding.remedies) }, 'loop')),
  );
}

async function startRemedy(
  loop: Loop,
  { finding, remedy }: ToStart,
  actor: string,
): Promise<{ readonly started: boolean }> {
  const { tenant, queues } = loop.state;
  const { fingerprint, occurrence } = finding;
  const workflowId = remedyWorkflowId({ tenant, kind: finding.kind, fingerprint, occurrence });
  const { rollAtEvents } = loop.state;
  const input: RemedyInput = {
    tenant,
    queues,
    finding,
    remedy,
    actor,
    ...(rollAtEvents === undefined ? {} : { rollAtEvents }),
  };
  let started = true;
  try {
    await startChild(workflowTypes[finding.kind], {
      workflowId,
      args: [input],
      taskQueue: queues.workflows,
      // Continue-as-new of the loop would end its children with the default policy.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: escapeText(finding.title.slice(0, 90)).slice(0, 180),
      ...findingAttributes(tenant, finding),
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    await nudge(workflowId);
    started = false;
  }
  const before = loop.state.openRemedies.find((open) => open.workflowId === workflowId);
  const others = loop.state.openRemedies.filter((open) => open.workflowId !== workflowId);
  const open: OpenRemedy = started
    ? { workflowId, fingerprint, occurrence, remedy, checkAtMs: Date.now() + checkEveryMs }
    : // It may be just ending: the next scheduled cycle makes sure.
      { workflowId, fingerprint, occurrence, ...before, checkAtMs: Date.now() };
  loop.state = { ...loop.state, openRemedies: [...others, open] };
  return { started };
}

/** No finding is without its remedy for long: one that was ended by hand, or lost, is started again with the receipts it has. */
export async function checkRemedies(loop: Loop, findings: readonly Finding[]): Promise<void> {
  const now = Date.now();
  for (const open of loop.state.openRemedies) {
    if ((open.checkAtMs ?? 0) > now) continue;
    const runs = await nudge(open.workflowId);
    loop.state = {
      ...loop.state,
      openRemedies: loop.state.openRemedies.flatMap((one) => {
        if (one.workflowId !== open.workflowId) return [one];
        return runs ? [{ ...one, checkAtMs: now + checkEveryMs }] : [];
      }),
    };
  }
  const orphans = findings.filter(
    (finding) =>
      hasRemedy(finding) &&
      !loop.state.openRemedies.some(
        (open) => open.fingerprint === finding.fingerprint && open.occurrence === finding.occurrence,
      ),
  );
  await adoptRemedies(loop, orphans);
}

export async function informRemedies(loop: Loop, fingerprints: readonly string[]): Promise<void> {
  const moved = loop.state.openRemedies.filter((open) => fingerprints.includes(open.fingerprint));
  await Promise.all(moved.map((open) => nudge(open.workflowId)));
}

/** What comes after resolved findings asks the same door: it is told too. */
export async function informOpen(loop: Loop): Promise<void> {
  const { openRemedies, aftercare = [] } = loop.state;
  await Promise.all([...openRemedies, ...aftercare].map((open) => nudge(open.workflowId)));
}

/**
 * CI-10: what is left to do for resolved findings gets a workflow of its own, once its remedy has ended. It is the store that says what is
 * left: after a loss of Temporal, or of this list, it is started again, and goes on where it was.
 */
export async function startAftercare(loop: Loop, findings: readonly Finding[]): Promise<void> {
  const { tenant, queues, rollAtEvents, openRemedies, aftercare = [] } = loop.state;
  if (findings.length === 0 && aftercare.length === 0) return;
  const now = Date.now();
  const cared = await Promise.all(
    findings.map(async (finding): Promise<readonly OpenRemedy[]> => {
      const { fingerprint, occurrence } = finding;
      if (openRemedies.some((open) => open.fingerprint === fingerprint && open.occurrence === occurrence))
        return [];
      const workflowId = aftercareWorkflowId({ tenant, kind: finding.kind, fingerprint, occurrence });
      // One that was resolved anew is another turn for the same workflow.
      const { remedies: remedy } = finding;
      const known = aftercare.find((open) => open.workflowId === workflowId && open.remedy === remedy);
      if (known && (known.checkAtMs ?? 0) > now) return [known];
      const input: RemedyInput = {
        tenant,
        queues,
        finding,
        remedy: Math.max(1, remedy),
        actor: 'loop',
        ...(rollAtEvents === undefined ? {} : { rollAtEvents }),
      };
      try {
        await startChild(workflowTypes.aftercare, {
          workflowId,
          args: [input],
          taskQueue: queues.workflows,
          parentClosePolicy: ParentClosePolicy.ABANDON,
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
          staticSummary: escapeText(`after ${finding.title.slice(0, 90)}`).slice(0, 180),
          ...findingAttributes(tenant, finding),
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        await nudge(workflowId);
      }
      return [{ workflowId, fingerprint, occurrence, remedy, checkAtMs: now + checkEveryMs }];
    }),
  );
  loop.state = { ...loop.state, aftercare: cared.flat() };
}

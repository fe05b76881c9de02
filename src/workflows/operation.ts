// What a person orders of production (OPS-1): one effect through the one door, and then the service is watched until it runs. It waits for an
// approval as long as it must; a person's order is none. And inspections, which change nothing.
import {
  ActivityFailure,
  condition,
  defineQuery,
  defineSignal,
  getExternalWorkflowHandle,
  log,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { EffectAnswer, EffectRequest, Hold, Receipt } from '../contract/effect.ts';
import { everySource, type WakeSignal } from '../contract/loop.ts';
import { queries, signals, tenantWorkflowId } from '../contract/names.ts';
import type {
  Inspected,
  InspectionInput,
  OperationInput,
  OperationResult,
  OperationView,
  PlannedOperation,
} from '../contract/ops/operation.ts';
import { effectActivities, operationActivities, remedyActivities } from './activities.ts';
import { diagnosisOf } from './diagnosis.ts';
import { holdMs, openingOfActivityIssue } from './effects.ts';
import { escapeText } from './loop/details.ts';

const lookEveryMs = 10_000;
const upWithinMs = 10 * 60_000;

type Order = {
  readonly input: OperationInput;
  view: OperationView;
  nudged: boolean;
};

export async function operation(input: OperationInput): Promise<OperationResult> {
  const order: Order = {
    input,
    view: { describe: input.operation, waitingFor: '', approval: null },
    nudged: false,
  };
  setHandler(defineQuery<OperationView>(queries.state), () => order.view, {
    description: 'What it is, and what it waits for.',
  });
  setHandler(
    defineSignal(signals.nudge),
    () => {
      order.nudged = true;
    },
    { description: 'Asks the door again: after an approval, or a resume. Takes nothing.' },
  );
  const result = await plainly(() => carryOut(order));
  setCurrentDetails(escapeText(`${result.outcome}: ${result.summary}`).slice(0, 2_000));
  return result;
}

export async function inspection(input: InspectionInput): Promise<Inspected> {
  if (input.what === 'diagnosis') return diagnosisOf(input);
  return operationActivities(input.queues, `${input.what} ${input.service ?? ''}`).inspect(input);
}

/** What cannot be done is a result that says why. */
async function plainly(work: () => Promise<OperationResult>): Promise<OperationResult> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    const summary = error.cause?.message ?? error.message;
    return { outcome: 'failed', summary, receipt: null };
  }
}

async function carryOut(order: Order): Promise<OperationResult> {
  const { input } = order;
  const planned = await operationActivities(input.queues, input.operation).planOperation(input);
  order.view = { ...order.view, describe: planned.describe };
  const answer = await askUntilAnswered(order, planned);
  if (answer.status === 'refused') return { outcome: 'refused', summary: answer.reason, receipt: null };
  await note(order, planned, answer);
  const receipt = answer.key.slice(0, 16);
  const done =
    answer.outcome === 'applied' || answer.outcome === 'alreadyApplied' || answer.outcome === 'unknown';
  if (!done) return { outcome: 'failed', summary: `${answer.outcome}: ${answer.reason}`, receipt };
  return { ...(await verified(order, planned, answer)), receipt };
}

async function askUntilAnswered(
  order: Order,
  planned: PlannedOperation,
): Promise<Exclude<EffectAnswer, Hold>> {
  for (let waits = 0; ; waits += 1) {
    order.nudged = false;
    const answer = await ask(order, planned);
    if (answer.status !== 'hold') {
      order.view = { ...order.view, waitingFor: '', approval: null };
      return answer;
    }
    if (waits === 0 && answer.approval) await tellHowToApprove(order, planned, answer.approval.hash);
    order.view = { ...order.view, waitingFor: answer.reason, approval: answer.approval?.hash ?? null };
    setCurrentDetails(`Waiting: ${escapeText(answer.reason)}`);
    await condition(() => order.nudged, holdMs(answer), { summary: answer.reason.slice(0, 180) });
  }
}

type Asked = Pick<EffectRequest, 'kind' | 'target' | 'precondition' | 'input'> & { readonly step?: string };

function ask(
  { input }: Order,
  plan: Asked,
  requester = `${workflowInfo().workflowId}#1`,
): Promise<EffectAnswer> {
  const { kind, target, precondition, step = input.operation } = plan;
  return effectActivities(input.queues, kind, `${target} · ${step}`)[`effect.${kind}`]({
    kind,
    target,
    precondition,
    step,
    input: plan.input,
    tenant: input.tenant,
    workspace: input.workspace,
    requester,
    nowMs: Date.now(),
    actor: input.by,
  });
}

/** The door's question, where a maintainer can answer it, and the loop reads the answers. */
async function tellHowToApprove(order: Order, planned: PlannedOperation, hash: string): Promise<void> {
  const { tenant, by } = order.input;
  await comment(
    order,
    `approval-${hash.slice(0, 12)}`,
    `**${planned.describe}**, ordered by ${by}, waits for approval.\n\nTo approve exactly this, comment \`/approve ${hash}\`; to reject, \`/reject ${hash} reason\`.`,
  );
  const wake: WakeSignal = { reason: 'an order waits for approval', sources: [everySource] };
  await getExternalWorkflowHandle(tenantWorkflowId(tenant))
    .signal(signals.wake, wake)
    .catch((error: unknown) => log.info('no loop to wake', { reason: String(error) }));
}

/** SEE-5: one line with its receipt in the workspace's activity issue. */
async function note(order: Order, planned: PlannedOperation, receipt: Receipt): Promise<void> {
  if (receipt.risk !== 'mutating' && receipt.risk !== 'destructive') return;
  await comment(
    order,
    `activity-${receipt.key.slice(0, 12)}`,
    `${planned.describe}, ordered by ${order.input.by}\n\n\`${receipt.kind}\` ${receipt.outcome}, receipt \`${receipt.key.slice(0, 16)}\``,
  );
}

/** Never holds up the order: what cannot be written on GitHub is in the audit trail. */
async function comment(order: Order, step: string, body: string): Promise<void> {
  const { tenant, workspace, queues } = order.input;
  try {
    const place = await remedyActivities(queues).activityIssue({ tenant, workspace });
    if (!place.enabled) return;
    const number = place.issue ?? (await openActivityIssue(order, place.repository));
    if (number === null) return;
    await ask(order, {
      kind: 'commentOnIssue',
      target: `${place.repository}#${number}`,
      precondition: step,
      step,
      input: { number, body },
    });
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    log.warn('the activity issue could not be written', { reason: String(error.cause) });
  }
}

async function openActivityIssue(order: Order, repository: string): Promise<number | null> {
  const { requester, plan } = openingOfActivityIssue(repository, order.input.workspace);
  const opened = await ask(order, plan, requester);
  return opened.status === 'receipt' && typeof opened.result.number === 'number'
    ? opened.result.number
    : null;
}

/** An effect that was written is done when what it was for is so. */
async function verified(
  { input }: Order,
  { until, describe }: PlannedOperation,
  receipt: Receipt,
): Promise<Pick<OperationResult, 'outcome' | 'summary'>> {
  const { tenant, workspace, queues } = input;
  const place = { tenant, workspace };
  if (until.what === 'written') return { outcome: 'done', summary: `${describe}: done` };
  const read = operationActivities(queues, describe.slice(0, 180));
  const endMs = Date.now() + upWithinMs;
  let said = '';
  while (Date.now() < endMs) {
    if (until.what === 'running') {
      const { status, rawStatus } = await read.serviceStatus({ ...place, serviceId: until.serviceId });
      if (status === 'running') return { outcome: 'done', summary: `${describe}: done, it runs` };
      said = rawStatus;
      if (status === 'failed') break;
    } else {
      const { state, error } = await read.templateState({
        ...place,
        workflowId: String(receipt.result.workflowId ?? ''),
      });
      if (state === 'complete') return { outcome: 'done', summary: `${describe}: done` };
      said = error ?? state;
      if (state === 'failed') break;
    }
    await sleep(lookEveryMs, { summary: `until it runs: ${said}`.slice(0, 180) });
  }
  return { outcome: 'notRunning', summary: `${describe}: written, and it does not run: ${said}` };
}

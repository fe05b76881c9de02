// What people and events can tell a tenant loop: signals, updates, queries. Validators are synchronous and read-only; every handler is
// registered before the first await. The descriptions are what the dialogs of the Temporal UI show.
import {
  ActivityFailure,
  ApplicationFailure,
  condition,
  currentUpdateInfo,
  defineQuery,
  defineSignal,
  defineUpdate,
  log,
  patched,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { AboutRun, AboutRunInput } from '../../contract/focus.ts';
import type {
  AcknowledgeInput,
  AcknowledgeResult,
  CycleNowInput,
  CycleNowResult,
  DecideInput,
  DecideResult,
  DrainInput,
  PauseInput,
  PauseResult,
  RemediateInput,
  RemediateResult,
  RemedyReport,
  ResumeInput,
  ResumeResult,
  TenantView,
  WakeSignal,
} from '../../contract/loop.ts';
import { everySource } from '../../contract/loop.ts';
import { failures, queries, remedyWorkflowId, signals, updates } from '../../contract/names.ts';
import {
  type Inspected,
  type InspectInput,
  type OperateInput,
  type OperateResult,
  operations,
} from '../../contract/ops/operation.ts';
import { aboutRunActivities, loopActivities, operationActivities } from '../activities.ts';
import { diagnosisOf } from '../diagnosis.ts';
import { nudge } from '../nudge.ts';
import { ask, isReport, type Loop, takeReport } from './loop.ts';
import { clip, invalid, scope, service, stringList, text, unverified, words } from './messages.ts';
import { startOperation } from './operations.ts';
import { informOpen, startOrdered } from './remedies.ts';

export const wakeSignal = defineSignal<[WakeSignal]>(signals.wake);
export const remedyReportSignal = defineSignal<[RemedyReport]>(signals.remedyReport);
export const pauseUpdate = defineUpdate<PauseResult, [PauseInput]>(updates.pause);
export const resumeUpdate = defineUpdate<ResumeResult, [ResumeInput]>(updates.resume);
export const drainUpdate = defineUpdate<{ readonly openRemedies: number }, [DrainInput]>(updates.drain);
export const cycleNowUpdate = defineUpdate<CycleNowResult, [CycleNowInput]>(updates.cycleNow);
export const remediateUpdate = defineUpdate<RemediateResult, [RemediateInput]>(updates.remediate);
export const decideUpdate = defineUpdate<DecideResult, [DecideInput]>(updates.decide);
export const acknowledgeUpdate = defineUpdate<AcknowledgeResult, [AcknowledgeInput]>(updates.acknowledge);
export const aboutRunUpdate = defineUpdate<AboutRun, [AboutRunInput]>(updates.aboutRun);
export const operateUpdate = defineUpdate<OperateResult, [OperateInput]>(updates.operate);
export const inspectUpdate = defineUpdate<Inspected, [InspectInput]>(updates.inspect);
export const stateQuery = defineQuery<TenantView>(queries.state);

const keepRequests = 200;

export function tenantHandlers(loop: Loop): void {
  const { tenant, queues } = loop.state;

  setHandler(
    wakeSignal,
    (signal) => ask(loop, { reason: words(signal?.reason), sources: stringList(signal?.sources) }, 'event'),
    {
      description:
        'Reads sources now. Example: {"reason": "webhook", "sources": ["shop/ciRuns"]}; ["*"] reads all.',
    },
  );
  setHandler(
    remedyReportSignal,
    (report) => {
      if (isReport(report)) takeReport(loop, report);
    },
    { description: 'Sent by remedies of this tenant. Not for people.' },
  );

  setHandler(
    pauseUpdate,
    async ({ reason, by, scope: reach, value, untilMs }) => {
      const result = await loopActivities(queues, `pause: ${clip(reason)}`).raisePause({
        reason,
        by,
        ...(reach === undefined ? {} : { scope: reach }),
        ...(value === undefined ? {} : { value }),
        ...(untilMs === undefined ? {} : { untilMs }),
        tenant,
        nowMs: Date.now(),
        requestId: `${workflowInfo().runId}/${currentUpdateInfo()?.id}`,
      });
      loop.wake = true;
      return result;
    },
    {
      validator: (input) => {
        open(loop);
        text('reason', input?.reason, 'say why, e.g. {"reason": "release freeze", "by": "ana"}');
        text('by', input?.by, 'say who you are, e.g. {"reason": "release freeze", "by": "ana"}');
        scope(input);
        if (input.untilMs !== undefined && !(Number.isFinite(input.untilMs) && input.untilMs > 0)) {
          invalid('untilMs', input.untilMs, 'give milliseconds since 1970, or leave it out');
        }
      },
      description:
        'Stops writes within 5 s; answers with the writes already started. Example: {"reason": "release freeze", "by": "ana"}. Optional: "untilMs", "scope": "workspace" or "effect" with "value".',
    },
  );
  setHandler(
    resumeUpdate,
    async ({ reason, by, scope: reach, value }) => {
      const result = await loopActivities(queues, `resume: ${clip(reason)}`).liftPause({
        reason: words(reason),
        by,
        ...(reach === undefined ? {} : { scope: reach }),
        ...(value === undefined ? {} : { value }),
        tenant,
        nowMs: Date.now(),
      });
      await informOpen(loop);
      ask(loop, { reason: 'resumed', sources: [everySource] }, 'operator');
      return result;
    },
    {
      validator: (input) => {
        open(loop);
        text('by', input?.by, 'say who you are, e.g. {"by": "ana", "reason": "freeze is over"}');
        scope(input);
      },
      description:
        'Lifts a pause of the same scope; held remedies go on from the same step. Example: {"by": "ana", "reason": "freeze is over"}.',
    },
  );
  setHandler(
    drainUpdate,
    async (input) => {
      await loopActivities(queues, `drain by ${clip(input.by)}`).drainTenant({
        tenant,
        by: input.by,
        reason: words(input.reason),
        nowMs: Date.now(),
      });
      loop.draining = true;
      return { openRemedies: loop.state.openRemedies.length };
    },
    {
      validator: (input) => {
        open(loop);
        text('by', input?.by, 'say who you are, e.g. {"by": "ana", "reason": "moving"}');
      },
      description:
        'Ends this loop after the running cycle; open remedies finish by themselves. Example: {"by": "ana", "reason": "moving"}.',
    },
  );
  setHandler(
    cycleNowUpdate,
    async (input) => {
      log.info('cycle asked for', { by: input.by });
      // Before that the number of the next cycle is not known.
      await condition(() => loop.opened || loop.draining);
      ask(loop, { reason: `asked by ${input.by}`, sources: [everySource] }, 'operator');
      return { cycle: loop.state.cycle + 1 };
    },
    {
      validator: (input) => {
        open(loop);
        text('by', input?.by, 'say who you are, e.g. {"by": "ana"}');
      },
      description: 'Reads all sources now. Example: {"by": "ana"}.',
    },
  );
  setHandler(
    remediateUpdate,
    async (input) => {
      const seen = loop.state.seenRequests.includes(input.requestId);
      if (!seen) {
        loop.state = {
          ...loop.state,
          seenRequests: [...loop.state.seenRequests, input.requestId].slice(-keepRequests),
        };
      }
      const { finding, remedy } = await plainly(
        loopActivities(queues, `remediate ${clip(input.finding)}`).orderRemedy({
          tenant,
          finding: input.finding,
          by: input.by,
          requestId: input.requestId,
          nowMs: Date.now(),
        }),
      ).catch((error: unknown) => {
        // What failed was not done: the same request again is a new try, and must start what it orders.
        if (!seen && patched('order-again')) {
          const seenRequests = loop.state.seenRequests.filter((id) => id !== input.requestId);
          loop.state = { ...loop.state, seenRequests };
        }
        throw error;
      });
      if (!seen) await startOrdered(loop, { finding, remedy }, input.by);
      return {
        workflowId: remedyWorkflowId({
          tenant,
          kind: finding.kind,
          fingerprint: finding.fingerprint,
          occurrence: finding.occurrence,
        }),
      };
    },
    {
      validator: (input) => {
        open(loop);
        text('by', input?.by, 'say who you are');
        text('requestId', input?.requestId, 'give any unique text; the same one again does nothing twice');
        if (typeof input?.finding !== 'string' || !/^[0-9a-f]{6,64}$/.test(input.finding)) {
          invalid(
            'finding',
            input?.finding,
            'give 6 to 64 hex digits of its fingerprint, see "untilgreen findings"',
          );
        }
      },
      description:
        'Works on one finding now, through the same guards. Example: {"by": "ana", "requestId": "r1", "finding": "3f9a2c"}. Answers with the workflow to watch.',
    },
  );
  setHandler(
    decideUpdate,
    async ({ by, hash, decision, reason, channel }) => {
      const result = await loopActivities(queues, `${decision} ${clip(hash)}`).decideApproval({
        by,
        hash,
        decision,
        reason: words(reason),
        channel: channel ?? 'ui',
        tenant,
        nowMs: Date.now(),
      });
      if (result.nudge) await nudge(result.nudge);
      return { result: result.result, message: result.message };
    },
    {
      validator: (input) => {
        open(loop);
        text('by', input?.by, 'say who you are');
        if (input.decision !== 'approve' && input.decision !== 'reject')
          invalid('decision', input.decision, 'write "approve" or "reject"');
        if (typeof input.hash !== 'string' || !/^[0-9a-f]{6,64}$/.test(input.hash))
          invalid('hash', input.hash, 'give the hash that "untilgreen why" shows');
        unverified(input.channel);
      },
      description:
        'Approves or rejects a held effect by its hash. An unverified channel: enough only where the tenant file says so. Example: {"by": "ana", "hash": "0a1b2c3d", "decision": "approve"}.',
    },
  );
  setHandler(
    acknowledgeUpdate,
    async ({ by, incident, channel }) => {
      const { nudge: workflowId, ...result } = await loopActivities(
        queues,
        `acknowledged by ${clip(by)}`,
      ).acknowledgeIncident({ tenant, by, incident, channel: channel ?? 'ui', nowMs: Date.now() });
      if (workflowId) await nudge(workflowId);
      return result;
    },
    {
      validator: (input) => {
        open(loop);
        text('by', input?.by, 'say who you are');
        if (typeof input?.incident !== 'string' || !/^[0-9a-f]{6,64}$/.test(input.incident))
          invalid(
            'incident',
            input?.incident,
            'give 6 to 64 hex digits of its fingerprint, see "untilgreen findings"',
          );
        unverified(input.channel);
      },
      description:
        'Says that somebody has an incident: no more reminders at its severity. Example: {"by": "ana", "incident": "3f9a2c"}.',
    },
  );
  setHandler(
    aboutRunUpdate,
    async ({ runId, workspaces }) =>
      plainly(aboutRunActivities(queues, `run ${runId}`).aboutRun({ tenant, runId, workspaces })),
    {
      validator: (input) => {
        open(loop);
        text('by', input?.by, 'say who you are');
        if (!Number.isSafeInteger(input?.runId) || input.runId < 1)
          invalid('runId', input?.runId, 'give the id of a workflow run');
        if (stringList(input?.workspaces).length === 0)
          invalid('workspaces', input?.workspaces, 'name at least one workspace');
      },
      description:
        'Says why a workflow run is not worked on. Example: {"by": "ana", "runId": 4711, "workspaces": ["shop"]}.',
    },
  );
  setHandler(operateUpdate, async (input) => ({ workflowId: await startOperation(loop, input) }), {
    validator: (input) => {
      open(loop);
      text('by', input?.by, 'say who you are');
      if (typeof input?.requestId !== 'string' || !/^[A-Za-z0-9._-]{1,64}$/.test(input.requestId))
        invalid(
          'requestId',
          input?.requestId,
          'give up to 64 letters and digits; the same one again does nothing twice',
        );
      text('workspace', input.workspace, 'name the workspace');
      if (!operations.includes(input.operation))
        invalid('operation', input.operation, `write one of ${operations.join(', ')}`);
      service(input.service);
    },
    description:
      'Orders one effect on production, through the same guards. Example: {"by": "ana", "requestId": "r1", "workspace": "shop", "operation": "restart", "service": "backend"}. Answers with the workflow to watch.',
  });
  setHandler(
    inspectUpdate,
    async (input) =>
      plainly(
        input.what === 'diagnosis'
          ? diagnosisOf({ ...input, tenant, queues })
          : operationActivities(queues, `${input.what} ${clip(input.service)}`).inspect({
              ...input,
              tenant,
              queues,
            }),
      ),
    {
      validator: (input) => {
        open(loop);
        text('by', input?.by, 'say who you are');
        text('workspace', input?.workspace, 'name the workspace');
        if (!['services', 'logs', 'variables', 'diagnosis'].includes(input.what))
          invalid('what', input.what, 'write "services", "logs", "variables" or "diagnosis"');
        if (input.what === 'diagnosis' && input.question !== undefined)
          text('question', input.question, 'ask in at most 500 characters, e.g. "check logs backend"');
        service(input.service);
      },
      description:
        'Looks at production and changes nothing. Example: {"by": "ana", "workspace": "shop", "what": "logs", "service": "backend", "lines": 100}.',
    },
  );
  setHandler(stateQuery, () => ({ ...loop.view, openRemedies: loop.state.openRemedies }), {
    description: 'What the loop does right now.',
  });
}

/** An order that fails says why itself: callers see the failure of the update, not what caused it (DUR-4). */
async function plainly<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ActivityFailure && error.cause instanceof ApplicationFailure)) throw error;
    const { message, type } = error.cause;
    throw ApplicationFailure.create({ message, nonRetryable: true, ...(type ? { type } : {}) });
  }
}

function open(loop: Loop): void {
  if (loop.draining)
    throw ApplicationFailure.nonRetryable('the loop is draining and takes nothing new', failures.draining);
  if (loop.rolling)
    throw ApplicationFailure.nonRetryable(
      'the loop is rolling over, try again in a second',
      failures.draining,
    );
}

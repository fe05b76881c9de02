// The steps of asking the operator model about an incident (MODEL-2): open with the state as one message, judge each tool call, tell what came of it, close.
// Each can be taken again after a crash: what was judged stays judged. Nothing here changes anything outside; a proposal that passed is handed to the
// workflow, which asks the door for it.

import { SecretUnavailable } from '../../../config/secrets.ts';
import type { EffectAnswer } from '../../../contract/effect.ts';
import type { ToolCall } from '../../../contract/model.ts';
import type {
  OpenedOperator,
  OperatorActivities,
  OperatorRef,
  OperatorStep,
} from '../../../contract/ops/operator.ts';
import type { ModelSettings } from '../../../contract/tenant-config.ts';
import { asData, visibleText } from '../../../policy/model/outside-text.ts';
import { timelineLine } from '../../../policy/ops/incident/incident-issue.ts';
import type { OperatorCall } from '../../../policy/ops/operator-proposals.ts';
import { appendAudit } from '../../../store/audit.ts';
import { transaction } from '../../../store/database.ts';
import { EvidenceTooLarge } from '../../../store/evidence.ts';
import { openConversation, readConversation } from '../../../store/model/conversations.ts';
import { addEvent, lockIncident, readEvents } from '../../../store/ops/incidents.ts';
import {
  closeConsultation,
  type OpeningKey,
  openConsultation,
  readCalls,
  readConsultation,
  stepsOfOthers,
} from '../../../store/ops/operator.ts';
import { headOf, type Services, workspaceOf } from '../../services.ts';
import { asActivity } from '../../temporal.ts';
import { toolCallOf, withToolResult } from '../implement/implement-prompts.ts';
import type { IncidentParts } from '../incident/parts.ts';
import { platformReader } from '../incident/platform.ts';
import { judgeCall, keyOf, openingOf } from './judge.ts';
import { openingConversation, stateText } from './prompt.ts';
import { type OperatorParts, readSituation } from './situation.ts';
import { readCall } from './tools.ts';

export function createOperatorActivities(
  services: Services,
  { baseBranch }: { readonly baseBranch?: IncidentParts['baseBranch'] } = {},
): OperatorActivities {
  const { pool, redactor } = services;
  const parts: OperatorParts = {
    services,
    platform: platformReader(services),
    baseBranch:
      baseBranch ?? (async (workspace, signal) => (await headOf(services, workspace, signal)).branch),
  };

  /** The conversation with an answer to one call, as long as there is room. */
  async function told(
    { tenant, workspace, conversation, call }: OperatorRef & { conversation: string; call: ToolCall },
    text: string,
    isError: boolean,
  ): Promise<OperatorStep> {
    const { config } = await workspaceOf(services, tenant, workspace);
    const store = { db: pool, redactor, retentionMs: config.retention.evidenceMs };
    const longer = withToolResult(
      await readConversation(store, tenant, conversation),
      call.id,
      text,
      isError,
    );
    try {
      return { result: 'told', conversation: await openConversation(store, tenant, longer) };
    } catch (error) {
      if (error instanceof EvidenceTooLarge) return { result: 'full' };
      throw error;
    }
  }

  const none = async (
    ref: OperatorRef,
    opening: OpeningKey | null,
    outcome: Extract<OpenedOperator, { result: 'none' }>['outcome'],
    reason: string,
  ): Promise<OpenedOperator> => {
    if (opening !== null) {
      await openConsultation(pool, opening, ref.state, ref.nowMs);
      await closeConsultation(pool, opening, ref.state, { steps: 0, outcome });
    }
    return { result: 'none', outcome, reason: redactor.redact(reason) };
  };

  return {
    openOperator: (ref) =>
      asActivity(redactor, async (signal) => {
        const { config } = await workspaceOf(services, ref.tenant, ref.workspace);
        const incident = await transaction(pool, (tx) => lockIncident(tx, ref));
        if (incident?.open !== true) return none(ref, null, 'over', 'the incident is not open any more');
        const opening = { ...keyOf(ref), opening: incident.opening };
        const before = await readConsultation(pool, opening, ref.state);
        if (before !== null && before.outcome !== null)
          return none(ref, null, 'over', 'it was asked about this already');
        const { operator } = config.model;
        const off = await whyNot(services, config.model);
        if (off !== null) return none(ref, opening, 'unavailable', off);
        const steps = operator.steps - (await stepsOfOthers(pool, opening, ref.state));
        if (steps <= 0) return none(ref, opening, 'used', `${operator.steps} answers are used`);
        const situation = await readSituation(parts, ref, { nowMs: ref.nowMs, withLogs: true, signal });
        if (typeof situation === 'string') return none(ref, null, 'over', situation);
        const state = stateText(situation.view);
        if (!state.red) return none(ref, opening, 'allClear', 'nothing is red');
        const made = (await readCalls(pool, opening)).filter(({ mutating }) => mutating).length;
        const events = await readEvents(pool, ref, opening.opening);
        const conversation = openingConversation(state.text, {
          view: situation.view,
          workspace: ref.workspace,
          title: situation.known.finding.title,
          timeline: events.map(timelineLine),
          logs: situation.platform?.logs ?? [],
          left: { steps, effects: Math.max(0, operator.effects - made) },
        });
        const store = { db: pool, redactor, retentionMs: config.retention.evidenceMs };
        await openConsultation(pool, opening, ref.state, ref.nowMs);
        return {
          result: 'opened',
          steps,
          conversation: await openConversation(store, ref.tenant, conversation),
        };
      }),

    judgeOperatorCall: (request) =>
      asActivity(redactor, async (signal): Promise<OperatorStep> => {
        const { call, conversation } = request;
        const { tenant } = request;
        const input = toolCallOf(await readConversation({ db: pool }, tenant, conversation), call.id)?.input;
        const asked = readCall(call.name, input);
        const withLogs = asked.call?.tool === 'startCodeAgent';
        const situation = await readSituation(parts, request, { nowMs: request.nowMs, withLogs, signal });
        if (typeof situation === 'string') return told(request, situation, true);
        const opening = openingOf(request, situation);
        const calls = await readCalls(pool, opening);
        const known = calls.find((one) => one.call === call.id);
        const judged = known ?? (await judgeCall(parts, request, asked, situation, opening, calls, signal));
        if (judged.verdict === 'refused') return told(request, `Refused: ${judged.reason}.`, true);
        if (judged.effect !== null) return { result: 'effect', effect: judged.effect };
        if (asked.call?.tool === 'recordAction') await record(request, opening, asked.call);
        const answer =
          asked.call?.tool === 'getInfrastructureOverview' ? stateText(situation.view).text : 'Written.';
        return told(request, answer, false);
      }),

    tellOperator: (request) =>
      asActivity(redactor, async () => {
        const { answer, effect, nowMs, call } = request;
        const landed = isDone(answer);
        if (landed && effect.kind !== 'sendAlert') {
          // Steps of a ladder are written by the incident that the service belongs to.
          const what = { cleanUp: 'Cleared stale sessions', startCodeAgent: 'Started the code agent' };
          const text = what[effect.kind as keyof typeof what];
          const incident = await transaction(pool, (tx) => lockIncident(tx, request));
          if (text !== undefined && incident !== null)
            await addEvent(pool, request, incident.opening, {
              key: `operator-effect-${call.id}`,
              kind: 'action',
              text: `${text}, proposed by the model`,
              atMs: nowMs,
              comment: '',
            });
        }
        return told(request, answerText(answer), !landed);
      }),

    closeOperator: (request) =>
      asActivity(redactor, async () => {
        const { steps, outcome, reason, nowMs, tenant } = request;
        await transaction(pool, async (tx) => {
          const incident = await lockIncident(tx, request);
          if (incident === null) return;
          const opening = { ...keyOf(request), opening: incident.opening };
          const before = await readConsultation(tx, opening, request.state);
          if (before === null || before.outcome !== null) return;
          await closeConsultation(tx, opening, request.state, { steps, outcome });
          const calls = await readCalls(tx, opening);
          const refused = calls.filter(({ verdict }) => verdict === 'refused').length;
          const clean = redactor.redact(visibleText(reason)).slice(0, 500);
          const text = `The model was asked: ${steps} ${steps === 1 ? 'answer' : 'answers'} (${outcome}: ${clean}); proposals so far: ${calls.length - refused} passed, ${refused} refused`;
          await addEvent(tx, request, incident.opening, {
            key: `operator-${request.state.slice(0, 16)}`,
            kind: 'note',
            text,
            atMs: nowMs,
            comment: null,
          });
          await appendAudit(tx, {
            tenant,
            atMs: nowMs,
            actor: 'model',
            action: `operator.${outcome}`,
            workspace: request.workspace,
            fingerprint: request.fingerprint,
            subject: `incident ${request.fingerprint.slice(0, 12)}`,
            reason: clean,
            detail: { steps },
          });
        });
      }),
  };

  /** On the timeline and the issue, as words of the model: they prove nothing. */
  async function record(
    { nowMs, call }: OperatorRef & { readonly call: ToolCall },
    opening: OpeningKey,
    { action, reasoning, result }: Extract<OperatorCall, { tool: 'recordAction' }>,
  ): Promise<void> {
    const words = [action, reasoning, result].map((text) => visibleText(text).replace(/\s+/g, ' ').trim());
    await addEvent(pool, opening, opening.opening, {
      key: `operator-${call.id}`,
      kind: 'note',
      text: redactor.redact(`The model notes: ${words.join(' · ')}`).slice(0, 900),
      atMs: nowMs,
      comment: '',
    });
  }
}

/** Why nobody can be asked; null: somebody can. */
async function whyNot(
  { secrets }: Pick<Services, 'secrets'>,
  { enabled, apiKey, budgets }: ModelSettings,
): Promise<string | null> {
  if (!enabled) return 'model.enabled is false';
  if (budgets.operatorTokens === 0 || budgets.tokensPerDay === 0) return 'it has no budget';
  try {
    await secrets.resolve(apiKey, 'model.apiKey');
    return null;
  } catch (error) {
    if (error instanceof SecretUnavailable) return error.message;
    throw error;
  }
}

type Answer = EffectAnswer | { readonly status: 'failed'; readonly reason: string };

function isDone(answer: Answer): boolean {
  return answer.status === 'receipt' && ['applied', 'alreadyApplied', 'unknown'].includes(answer.outcome);
}

function answerText(answer: Answer): string {
  const reason = asData('reason', answer.reason);
  switch (answer.status) {
    case 'receipt':
      return `${answer.outcome}\n${reason}`;
    case 'hold':
      return `Held by ${answer.guard}${answer.approval ? ': a person has to approve it' : ''}. Do not ask again.\n${reason}`;
    case 'refused':
      return `Refused by ${answer.guard}.\n${reason}`;
    case 'failed':
      return `No answer; whether it was done is seen by the next reading.\n${reason}`;
  }
}

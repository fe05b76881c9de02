// Judges one tool call of the operator model (MODEL-2, GUARD-1): the facts of now, the pure verdict, the effect that it would be. Noted with its reason, for
// `why` and for the calls that follow.
import type { ToolCall } from '../../../contract/model.ts';
import type { OperatorRef } from '../../../contract/ops/operator.ts';
import { visibleText } from '../../../policy/model/outside-text.ts';
import {
  type AskedCall,
  judgeProposal,
  type OperatorCall,
  type OperatorFacts,
} from '../../../policy/ops/operator-proposals.ts';
import { appendAudit } from '../../../store/audit.ts';
import { transaction } from '../../../store/database.ts';
import {
  noteCall,
  type OpeningKey,
  type OperatorCallRow,
  startedCodeAgent,
} from '../../../store/ops/operator.ts';
import { aboutOf } from '../incident/draft.ts';
import { planEffect } from './plan.ts';
import type { OperatorParts, Situation } from './situation.ts';

/** Judges a call that was not judged before, and notes it with its reason, for `why` and for those that follow. */
export async function judgeCall(
  parts: OperatorParts,
  request: OperatorRef & { readonly call: ToolCall; readonly refuse?: string },
  asked: AskedCall,
  situation: Situation,
  opening: OpeningKey,
  calls: readonly OperatorCallRow[],
  signal: AbortSignal,
): Promise<OperatorCallRow> {
  const { known } = situation;
  const { codeAgent } = known.workspace.incidents;
  const { call } = asked;
  const baseBranch =
    call?.tool === 'startCodeAgent' && codeAgent
      ? await parts.baseBranch(known.workspace, signal).catch(() => null)
      : null;
  const facts = await factsOf(parts, request, situation, opening, calls);
  const verdict =
    request.refuse === undefined
      ? judgeProposal(asked, facts)
      : { verdict: 'refused' as const, reason: request.refuse, subject: '', mutating: false };
  const requester = `operator/${opening.fingerprint}/${opening.occurrence}/${opening.opening}`;
  const effect =
    verdict.verdict === 'passed' && call !== null
      ? planEffect(call, {
          callId: request.call.id,
          requester,
          situation,
          about: alertsOf(opening, situation),
          repository: known.workspace.github.repository,
          baseBranch,
          nowMs: request.nowMs,
        })
      : null;
  const isRead = call?.tool === 'getInfrastructureOverview' || call?.tool === 'recordAction';
  const planned =
    verdict.verdict === 'passed' && effect === null && !isRead
      ? {
          ...verdict,
          verdict: 'refused' as const,
          reason: 'what it needs is not known now',
          mutating: false,
        }
      : verdict;
  const clean = (text: string): string => parts.services.redactor.redact(visibleText(text)).slice(0, 500);
  const row = {
    ...planned,
    call: request.call.id,
    tool: clean(asked.tool),
    subject: clean(planned.subject),
    reason: clean(planned.reason),
    effect,
  };
  await transaction(parts.services.pool, async (tx) => {
    await noteCall(tx, opening, row, request.nowMs);
    await appendAudit(tx, {
      tenant: request.tenant,
      atMs: request.nowMs,
      actor: 'model',
      action: `operator.${row.verdict}`,
      workspace: request.workspace,
      fingerprint: request.fingerprint,
      subject: `${row.tool}${row.subject === '' ? '' : ` ${row.subject}`}`,
      reason: row.reason,
      detail: { said: clean(reasonOf(call)) },
    });
  });
  return row;
}

async function factsOf(
  parts: OperatorParts,
  { nowMs }: OperatorRef,
  { known, incident, services: all }: Situation,
  opening: OpeningKey,
  calls: readonly OperatorCallRow[],
): Promise<OperatorFacts> {
  const { workspace, config } = known;
  const { incidents, services: settings } = workspace;
  const young = nowMs - incident.detectedMs < (settings?.ladder.unhealthyForMs ?? 5 * 60_000);
  const started = await startedCodeAgent(parts.services.pool, opening);
  return {
    nowMs,
    workspace: workspace.name,
    services: all,
    settings: settings?.ladder ?? null,
    cleanUp: !incidents.devopsApi
      ? 'the workspace has no incidents.devopsApi in its settings'
      : young
        ? 'the incident is younger than what a change needs'
        : null,
    codeAgent: !incidents.codeAgent
      ? 'the workspace has no incidents.codeAgent in its settings'
      : incident.issue === null
        ? 'the issue of the incident is not open yet'
        : started
          ? 'a code agent was started for this incident already'
          : null,
    made: calls.filter(({ verdict }) => verdict === 'passed'),
    maxEffects: config.model.operator.effects,
  };
}

/** The model's words are updates of the incident's own alert, also where that goes on with another's. */
function alertsOf(
  opening: OpeningKey,
  { state }: Situation,
): { readonly target: string; readonly id: string } {
  return { target: opening.fingerprint.slice(0, 12), id: state.alerts.about ?? aboutOf(opening) };
}

export function keyOf({ tenant, fingerprint, occurrence }: OperatorRef): Omit<OpeningKey, 'opening'> {
  return { tenant, fingerprint, occurrence };
}

export function openingOf(ref: OperatorRef, { incident }: Situation): OpeningKey {
  return { ...keyOf(ref), opening: incident.opening };
}

function reasonOf(call: OperatorCall | null): string {
  if (call === null) return '';
  if ('reason' in call) return call.reason;
  return 'reasoning' in call ? call.reasoning : '';
}

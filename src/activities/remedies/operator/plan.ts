// From a proposal that passed to an effect (MODEL-2, GUARD-1). All of its content is ours: targets, ids, conditions come from the situation, never from the
// model; of its words only those of an alert go on, marked as its own. A step of a ladder is the ladder's own effect, by the same key: asked for by
// both it is still one.
import type { DueEffect } from '../../../contract/ops/activities.ts';
import { visibleText } from '../../../policy/model/outside-text.ts';
import { nextStep } from '../../../policy/ops/ladder/ladder.ts';
import { type OperatorCall, rungOf } from '../../../policy/ops/operator-proposals.ts';
import type { Situation } from './situation.ts';

export type PlanFor = {
  /** Of the call, by the provider. */
  readonly callId: string;
  readonly requester: string;
  readonly situation: Situation;
  /** The beginning of the finding's fingerprint, as its alerts have it. */
  readonly about: { readonly target: string; readonly id: string };
  readonly repository: string;
  readonly baseBranch: string | null;
  readonly nowMs: number;
};

const severities = { sev1: 'critical', sev2: 'warning', sev3: 'info' } as const;
const ranks = ['info', 'warning', 'critical'] as const;

/** Null: it is no effect, or cannot be one any more. */
export function planEffect(call: OperatorCall, place: PlanFor): DueEffect | null {
  const base = { name: `operator/${place.callId}`, requester: place.requester, step: place.callId };
  const { situation, about } = place;
  switch (call.tool) {
    case 'getInfrastructureOverview':
    case 'recordAction':
      return null;
    case 'sendAlert': {
      // An update of the incident's own alert; never milder than the incident is.
      const own = severities[situation.state.severity.level ?? situation.state.worst];
      const severity = ranks[Math.max(ranks.indexOf(own), ranks.indexOf(call.severity))] ?? own;
      const title = `Operator model: ${visibleText(call.title)}`.slice(0, 250);
      const body = visibleText(call.body);
      return {
        ...base,
        kind: 'sendAlert',
        target: about.target,
        precondition: about.id,
        input: { severity, title, body, about: about.id, state: 'update' },
      };
    }
    case 'cleanUp':
      return {
        ...base,
        kind: 'cleanUp',
        target: `${situation.known.workspace.name}/staleSessions`,
        precondition: about.id,
        input: { what: 'staleSessions' },
      };
    case 'startCodeAgent':
      return planCodeAgent(call.service, base, place);
    case 'restartService':
    case 'redeployService':
    case 'rollBackService':
      return planRung(call.tool, call.service, base.name, place);
  }
}

function planRung(
  kind: keyof typeof rungOf,
  name: string,
  effect: string,
  { situation, nowMs }: PlanFor,
): DueEffect | null {
  const { services } = situation.known.workspace;
  const found = situation.services.find((one) => one.name === name);
  if (!services || !found?.ladder || found.requester === null) return null;
  const step = nextStep(found.ladder, services.ladder, nowMs);
  if (step.do !== rungOf[kind]) return null;
  const asked = found.ladder.rungs.filter(
    (rung) => rung.kind === step.do && rung.outcome !== 'held' && rung.outcome !== 'refused',
  );
  return {
    name: effect,
    kind,
    target: `${services.environment}/${name}`,
    precondition: step.deploymentId,
    requester: found.requester,
    step: `${step.do}-${1 + asked.length}`,
    input: { service: name, serviceId: found.service.id, deploymentId: step.deploymentId },
    ...(step.needsApproval === undefined ? {} : { needsApproval: step.needsApproval }),
  };
}

function planCodeAgent(
  name: string,
  base: Pick<DueEffect, 'name' | 'requester' | 'step'>,
  { situation, repository, baseBranch }: PlanFor,
): DueEffect | null {
  const { codeAgent } = situation.known.workspace.incidents;
  const { issue } = situation.incident;
  const service = situation.services.find((one) => one.name === name)?.service;
  if (codeAgent === undefined || issue === null || baseBranch === null || !service?.latest) return null;
  const log = situation.platform?.logs.find((one) => one.service === name);
  const how =
    codeAgent.kind === 'dispatch'
      ? { kind: 'dispatch' as const, eventType: codeAgent.eventType }
      : { kind: 'label' as const, label: codeAgent.label };
  return {
    ...base,
    kind: 'startCodeAgent',
    target: `${repository}#${issue}`,
    precondition: service.latest.commitSha ?? service.latest.id,
    input: {
      ...how,
      repository,
      base: baseBranch,
      goal: `Look for the cause of incident #${issue} in the code of ${name}.`,
      evidence: [
        `Deployment ${service.latest.id}, ${service.latest.rawStatus}, commit ${service.latest.commitSha ?? 'unknown'}.`,
        '',
        ...(log?.lines ?? []).map(({ text }) => text),
      ].join('\n'),
      issue,
    },
  };
}

// The model as an activity: one call each (MODEL-1), and one alert a day when its budget is nearly used.
import { activityInfo } from '@temporalio/activity';
import type { EffectAnswer, EffectRequest } from '../../contract/effect.ts';
import type { ModelActivities, ModelCallRequest } from '../../contract/model.ts';
import { utcDay } from '../../policy/model/model-budget.ts';
import type { Services } from '../services.ts';
import { asActivity } from '../temporal.ts';
import { createModelCaller, type ModelOptions } from './call.ts';

/** About ten minutes of a provider that is overloaded; then people and rules go on. */
const chances = 10;

/** @param effect the door, for the alert */
export function createModelActivities(
  services: Services,
  effect: (request: EffectRequest, signal: AbortSignal) => Promise<EffectAnswer>,
  options: ModelOptions = {},
): ModelActivities {
  const call = createModelCaller(services, options);
  return {
    callModel: (request) =>
      asActivity(services.redactor, async (signal) => {
        const { attempt, scheduledTimestampMs } = activityInfo();
        // An attempt that waited for hours is paid for by the day on which it is made.
        const waitedMs = Math.max(0, Date.now() - scheduledTimestampMs);
        const nowMs = request.nowMs === undefined ? Date.now() : request.nowMs + waitedMs;
        const answer = await call(request, { signal, nowMs, lastTry: attempt >= chances });
        if (answer.result === 'answered' && answer.warning !== undefined)
          // It is in the audit trail already: an alert that cannot be sent must not lose an answer.
          await effect(alertOf(request, answer.warning, nowMs), signal).catch(() => undefined);
        return answer;
      }),
  };
}

function alertOf({ tenant, workspace }: ModelCallRequest, warning: string, nowMs: number): EffectRequest {
  const day = utcDay(nowMs);
  return {
    tenant,
    workspace,
    kind: 'sendAlert',
    target: 'model budget',
    precondition: day,
    requester: `model/${tenant}`,
    step: `budget ${day}`,
    input: {
      severity: 'warning',
      title: 'The model budget of the day is nearly used',
      body: `${warning}. When it is used up, rules, fixers and people go on until midnight UTC. More: model.budgets in the tenant file.`,
    },
    nowMs,
    actor: 'model',
  };
}

// When the operator model is asked about an incident (MODEL-2): where the ladder waits or is used up, not before it could have done something, and once for
// each state. Pure.
import type { LadderStep, ServiceHealth } from '../../contract/ops/ladder.ts';
import type { IncidentLevel } from '../../contract/ops/settings.ts';

export type AskFacts = {
  readonly nowMs: number;
  readonly detectedMs: number;
  /** What a step of a ladder needs. */
  readonly afterMs: number;
  /** A model is enabled and has a budget. */
  readonly enabled: boolean;
  /** Null: nothing fails (LOOP-5). */
  readonly level: IncidentLevel | null;
  readonly failing: readonly string[];
  readonly ladders: readonly {
    readonly service: string;
    readonly health: ServiceHealth;
    readonly step: Pick<LadderStep, 'do'> | { readonly do: 'well' };
    /** It takes a step in this turn. */
    readonly due: object | null;
    /** When something was done to it. */
    readonly doneMs: readonly number[];
    /** Steps that were held or refused. */
    readonly answered: readonly string[];
  }[];
};

/** What makes it the same state: no times in it. Null: the model is not asked. */
export function operatorQuestion(facts: AskFacts): readonly unknown[] | null {
  const { nowMs, detectedMs, afterMs, enabled, level, failing, ladders } = facts;
  if (!enabled || level === null || nowMs - detectedMs < afterMs) return null;
  // What rules do comes first, and has its time to help.
  if (ladders.some(({ due }) => due !== null)) return null;
  if (ladders.some(({ doneMs }) => doneMs.some((at) => nowMs - at < afterMs))) return null;
  return [
    level,
    [...failing].sort(),
    ladders.map(({ service, health, step, doneMs, answered }) => [
      service,
      health,
      step.do,
      doneMs.length,
      answered,
    ]),
  ];
}

// What the workflow of an incident and the activities of its operator model say to each other (MODEL-2). The model proposes; pure code judges each
// proposal (src/policy/ops/operator-proposals.ts); the one door does what is left.
import type { FindingRef } from '../activities.ts';
import type { EffectAnswer } from '../effect.ts';
import type { ToolCall } from '../model.ts';
import type { DueEffect } from './activities.ts';

/** The closed list: what the model can propose of effects. */
export const operatorEffects = [
  'restartService',
  'redeployService',
  'rollBackService',
  'cleanUp',
  'startCodeAgent',
] as const;
export const operatorTools = [
  'getInfrastructureOverview',
  'sendAlert',
  'recordAction',
  ...operatorEffects,
] as const;
export type OperatorTool = (typeof operatorTools)[number];

/** One asking about one state of an incident. */
export type OperatorRef = FindingRef & {
  readonly nowMs: number;
  /** Hash of the state: the same one is asked about once. */
  readonly state: string;
};

export type OperatorOutcome = {
  /**
   * `ended`: it had its say. `allClear`: nothing is red, nobody was asked (LOOP-5). `unavailable`: no key, no budget, no answer in time. `used`: its
   * answers or its time are used up. `nonsense`: it said nothing that could be read. `over`: the incident is.
   */
  readonly outcome: 'ended' | 'allClear' | 'unavailable' | 'used' | 'nonsense' | 'over';
  readonly reason: string;
  /** Answers of the model. */
  readonly steps: number;
  readonly tokens: number;
};

export type OpenedOperator =
  | {
      readonly result: 'opened';
      /** Address of the conversation; it ends with the state. */
      readonly conversation: string;
      /** Answers that it may still give. */
      readonly steps: number;
    }
  | {
      readonly result: 'none';
      readonly outcome: OperatorOutcome['outcome'];
      readonly reason: string;
    };

export type OperatorStep =
  /** Answered without an effect: what it asked to see, or why it is refused. */
  | { readonly result: 'told'; readonly conversation: string }
  /** It passed: the door is asked for this, as for any effect. */
  | { readonly result: 'effect'; readonly effect: DueEffect }
  /** There is no room for an answer. */
  | { readonly result: 'full' };

type OfCall = OperatorRef & { readonly conversation: string; readonly call: ToolCall };

export type OperatorActivities = {
  readonly openOperator: (request: OperatorRef) => Promise<OpenedOperator>;
  /** Judges one tool call. `refuse`: it is refused for this reason, whatever it is. */
  readonly judgeOperatorCall: (request: OfCall & { readonly refuse?: string }) => Promise<OperatorStep>;
  /** Tells the model what came of an effect. */
  readonly tellOperator: (
    request: OfCall & {
      readonly effect: DueEffect;
      readonly answer: EffectAnswer | { readonly status: 'failed'; readonly reason: string };
    },
  ) => Promise<OperatorStep>;
  readonly closeOperator: (
    request: OperatorRef & Pick<OperatorOutcome, 'outcome' | 'reason' | 'steps'>,
  ) => Promise<void>;
};

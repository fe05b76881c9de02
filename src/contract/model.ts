// What workflows say to the model and get back (MODEL-1). Conversations are evidence in Postgres; a history holds their addresses only.
import type { FindingRef } from './activities.ts';

/** `operator`: what to do about an incident that rules do not end (MODEL-2). */
export type ModelPurpose = 'triage' | 'implement' | 'verify' | 'operator';

/**
 * One turn. `conversation` is the address (sha256) of a stored conversation that ends in a user turn. The same purpose, model and
 * conversation again gives the answer that is stored, without a call.
 */
export type ModelCallRequest = FindingRef & {
  readonly purpose: ModelPurpose;
  readonly conversation: string;
  /** Workflow time: whose UTC day pays. Absent: the clock of the worker. */
  readonly nowMs?: number;
};

export type ToolCall = { readonly id: string; readonly name: string };

export type ModelCallAnswer =
  | {
      readonly result: 'answered';
      /** Address of the conversation with the model's turn appended. */
      readonly conversation: string;
      readonly stopReason: 'end_turn' | 'tool_use' | 'max_tokens' | 'refusal' | 'other';
      /** Inputs stay in the conversation. */
      readonly toolCalls: readonly ToolCall[];
      /** Input (cached too) and output, 0 when the stored answer was used. */
      readonly tokens: number;
      /** Millionths of a US dollar. */
      readonly costMicroUsd: number;
      /** Once per tenant and day: most of the day's tokens are used. It was alerted. */
      readonly warning?: string;
    }
  /** No key, no budget left, model switched off: people and rules go on. `untilMs`: when to ask again; null: only after a change of settings. */
  | { readonly result: 'unavailable'; readonly reason: string; readonly untilMs: number | null }
  /** The provider refused the request for good (bad request, unknown model). */
  | { readonly result: 'failed'; readonly reason: string };

export type ModelActivities = {
  readonly callModel: (request: ModelCallRequest) => Promise<ModelCallAnswer>;
};

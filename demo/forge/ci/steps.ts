// What both runners say and refuse about a step. Pure.
import type { StepDefinition } from './workflow.ts';

/** The name that GitHub shows. */
export function stepName(step: StepDefinition): string {
  return step.name ?? `Run ${step.uses ?? step.run?.split('\n')[0] ?? ''}`;
}

/** Whether an action (`owner/name`) only brings what this machine has, or keeps what nobody asks for. */
export function needsNothing(action: string): boolean {
  return /^actions\/(setup-[\w-]+|cache|upload-artifact)$/.test(action);
}

export function unresolvable(uses: string): string {
  return `Unable to resolve action \`${uses}\`: the forge runs actions/checkout and actions/setup-* only`;
}

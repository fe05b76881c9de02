// Which commands a drift source runs, as plain data (DRIFT-1). Nothing here runs anything.
import type { DriftSettings } from '../../contract/tenant-config.ts';

export type DriftCommandSettings = Pick<
  DriftSettings,
  'preset' | 'environment' | 'plan' | 'apply' | 'export'
>;

/** `output`: the plan is what the command prints. `savedPlan`: OpenTofu and Terraform, where exactly the plan that was looked at is applied. */
export type PlanCommands =
  | { readonly kind: 'output'; readonly plan: readonly string[] }
  | {
      readonly kind: 'savedPlan';
      readonly init: readonly string[];
      readonly plan: readonly string[];
      readonly show: readonly string[];
    };

export interface DriftCommands {
  readonly plan: PlanCommands;
  /** Absent: this source cannot apply. */
  readonly apply: readonly string[] | undefined;
  readonly export: readonly string[] | undefined;
}

/** @param planFile where `savedPlan` keeps its plan: an absolute path that only this run can read */
export function driftCommands(settings: DriftCommandSettings, planFile: string): DriftCommands {
  return {
    plan: planCommands(settings, planFile),
    apply: applyCommand(settings, planFile),
    export: settings.export === undefined ? undefined : shell(settings.export.command),
  };
}

function planCommands(settings: DriftCommandSettings, planFile: string): PlanCommands {
  if (settings.plan !== undefined) return { kind: 'output', plan: shell(settings.plan) };
  switch (settings.preset) {
    case 'hybrid':
      return { kind: 'output', plan: ['hybrid', 'drift-plan', '--env', settings.environment] };
    case 'opentofu':
    case 'terraform': {
      const program = programOf(settings.preset);
      return {
        kind: 'savedPlan',
        init: [program, 'init', '-input=false', '-no-color'],
        plan: [program, 'plan', '-detailed-exitcode', '-input=false', '-no-color', `-out=${planFile}`],
        show: [program, 'show', '-json', '-no-color', planFile],
      };
    }
    case 'command':
      throw new Error('drift: preset "command" has no plan; give the setting "plan" a shell line');
  }
}

function applyCommand(settings: DriftCommandSettings, planFile: string): readonly string[] | undefined {
  if (settings.apply !== undefined) return shell(settings.apply);
  switch (settings.preset) {
    case 'hybrid':
      return ['hybrid', 'apply', '--env', settings.environment];
    case 'opentofu':
    case 'terraform': {
      const apply = [programOf(settings.preset), 'apply', '-input=false', '-no-color', '-auto-approve'];
      return settings.plan === undefined ? [...apply, planFile] : apply;
    }
    case 'command':
      return undefined;
  }
}

function programOf(preset: 'opentofu' | 'terraform'): string {
  return preset === 'opentofu' ? 'tofu' : 'terraform';
}

function shell(line: string): readonly string[] {
  return ['bash', '-c', line];
}

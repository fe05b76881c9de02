// The drift source (DRIFT-1): plans one environment in a checkout of the default branch's head.
import type { DriftSettings, WorkspaceConfig } from '../../contract/tenant-config.ts';
import type { DriftPlan } from '../../integrations/drift/plan.ts';
import { driftPlan } from '../../integrations/drift/run-drift.ts';
import { atHead, type Services } from '../services.ts';
import type { SourceDefinition } from './definition.ts';

const ruleVersion = 1;

export function createDriftSource(services: Services): SourceDefinition {
  return {
    kind: 'drift',
    timeoutMs: ({ workspace, target }) => (driftSettings(workspace, target)?.timeoutMs ?? 60_000) + 60_000,
    targets: (workspace) => workspace.drift.map((drift) => drift.environment),
    read: async ({ workspace, target, signal }) => {
      const settings = driftSettings(workspace, target);
      if (!settings) throw new Error(`environment "${target}" is not in the settings any more`);
      const plan = await planNow(services, workspace, settings, signal);
      if (plan.state === 'failed') throw new Error(plan.reason);
      if (plan.state === 'clean') return { state: 'green', reason: 'plan is clean', findings: [] };
      const { environment } = settings;
      return {
        state: 'red',
        reason: plan.summary,
        findings: [
          {
            kind: 'drift',
            target: environment,
            // One finding per environment: what drifts may change while it is worked on.
            signature: 'drift',
            ruleVersion,
            severity: 'warning',
            title: `${environment} drifts: ${plan.summary}`,
            detail: {
              kind: 'drift',
              environment,
              planHash: plan.planHash,
              destroys: plan.destroys,
              changes: plan.changes,
            },
          },
        ],
      };
    },
  };
}

export function driftSettings(
  workspace: WorkspaceConfig,
  environment: string | undefined,
): DriftSettings | undefined {
  return workspace.drift.find((drift) => drift.environment === environment);
}

export async function planNow(
  services: Services,
  workspace: WorkspaceConfig,
  settings: DriftSettings,
  signal: AbortSignal,
): Promise<DriftPlan> {
  const env = await driftEnvironment(services, workspace, settings);
  return atHead(services, workspace, signal, (worktree) =>
    driftPlan({ settings, worktree: worktree.path, env, signal }),
  );
}

export async function driftEnvironment(
  services: Services,
  workspace: WorkspaceConfig,
  settings: DriftSettings,
): Promise<Record<string, string>> {
  return services.secrets.resolveEnv(
    settings.env,
    `workspaces.${workspace.name}.drift.${settings.environment}.env`,
  );
}

// All activities of a worker, by queue: what waits on the network, and what uses processor and disk.
import { decideApproval } from '../store/approvals.ts';
import { loadEvidence } from '../store/evidence.ts';
import { acknowledgeIncident } from '../store/ops/incidents.ts';
import { createDiagnosticActivities } from './diagnostics/activities.ts';
import { createEffectActivities } from './effects/activities.ts';
import { createAlertEffects } from './effects/alert.ts';
import type { EffectDefinition } from './effects/definition.ts';
import { createDoor, type DoorOptions } from './effects/door.ts';
import { createDriftEffects } from './effects/drift.ts';
import { createGitHubEffects } from './effects/github/github-effects.ts';
import type { GitHubEffectParts } from './effects/github/parts.ts';
import { createMigrationEffects } from './effects/migrations.ts';
import { createOpsEffects } from './effects/ops/ops-effects.ts';
import { createModelActivities } from './model/activities.ts';
import { createModelCaller, type ModelOptions } from './model/call.ts';
import { createClassify } from './model/classify.ts';
import { createOperationActivities } from './operations/activities.ts';
import { createCareActivities } from './record/aftercare.ts';
import { createLoopActivities } from './record/loop.ts';
import { createRemedyActivities } from './record/remedy.ts';
import { createAboutRunActivities } from './remedies/about-run.ts';
import { createCiActivities } from './remedies/ci.ts';
import { createDriftActivities } from './remedies/drift.ts';
import { createImplementActivities } from './remedies/implement/implement.ts';
import { createIncidentActivities } from './remedies/incident/activities.ts';
import { createMigrationActivities } from './remedies/migrations.ts';
import { createOperatorActivities } from './remedies/operator/operator.ts';
import { createTriageActivities } from './remedies/triage/triage.ts';
import type { Services } from './services.ts';
import { createApprovalsSource } from './sources/approvals.ts';
import { createCiRunsSource } from './sources/ci-runs.ts';
import type { SourceDefinition } from './sources/definition.ts';
import { createDriftSource } from './sources/drift.ts';
import { createMigrationsSource } from './sources/migrations.ts';
import { createChannelsSource } from './sources/ops/channels.ts';
import { createDeploymentsSource } from './sources/ops/deployments.ts';
import { createHealthSource } from './sources/ops/health.ts';
import { createMentionsSource } from './sources/ops/mentions.ts';
import { createVersionsSource } from './sources/ops/versions.ts';
import { createSourceActivities } from './sources/read.ts';

export type ActivityOptions = {
  /** Where an alert on the console goes. */
  readonly console: (line: string) => void;
  /** How many cycles read at the same time in this worker. */
  readonly maxCycles: number;
  readonly door?: Pick<DoorOptions, 'times' | 'dryRun' | 'atPoint'>;
  /** Address of the Temporal UI, for links in issues. */
  readonly uiUrl?: string;
  /** Of tests whose repository is none. */
  readonly baseBranch?: () => Promise<string>;
  /** Crash points and times of tests. */
  readonly model?: ModelOptions;
  /** Instead of our own: sources and effects of a test's scripted world, read and written through the same activities. */
  readonly sources?: readonly SourceDefinition[];
  readonly definitions?: readonly EffectDefinition[];
};

type Activities = { readonly [name: string]: (...args: never[]) => Promise<unknown> };

/** All kinds of effect, for the registry of the door. `console`: where an alert on the console goes. */
export function createEffectDefinitions(
  services: Services,
  console: ActivityOptions['console'],
): readonly EffectDefinition[] {
  const { pool, redactor, cacheDir, github } = services;
  const onGitHub: GitHubEffectParts = {
    github,
    gitRemote: async (workspace) => ({
      url: workspace.github.gitUrl,
      token: await services.secrets.resolve(
        workspace.github.token,
        `workspaces.${workspace.name}.github.token`,
      ),
    }),
    cacheDir,
    redactor,
    loadEvidence: (tenant, hash) => loadEvidence(pool, tenant, hash),
  };
  return [
    ...createGitHubEffects(onGitHub),
    ...createDriftEffects(services),
    ...createMigrationEffects(services),
    ...createOpsEffects(services, onGitHub),
    ...createAlertEffects(services, console),
  ];
}

/** Every activity runs on either queue: which one is the workflow's choice, by what the work needs. */
export function createActivities(services: Services, options: ActivityOptions): Activities {
  const { pool, redactor, github } = services;
  const sources = options.sources ?? [
    createCiRunsSource({ github }),
    createDriftSource(services),
    createMigrationsSource(services),
    createDeploymentsSource(services),
    createHealthSource({ resolve: services.secrets.resolve }),
    createVersionsSource(services),
    createChannelsSource(services),
    createMentionsSource({ github }),
    createApprovalsSource({
      github,
      decide: (decision) => decideApproval(pool, decision),
      acknowledge: (ack) => acknowledgeIncident(pool, ack),
    }),
  ];
  const door = createDoor({
    pool,
    redactor,
    ...options.door,
    definitions: options.definitions ?? createEffectDefinitions(services, options.console),
  });
  return {
    ...createSourceActivities(services, sources, options.maxCycles),
    ...createEffectActivities(door, redactor),
    ...createLoopActivities(services, sources),
    ...createRemedyActivities(services),
    ...createCareActivities(services),
    ...createAboutRunActivities(services),
    ...createCiActivities(services),
    ...createTriageActivities(services, {
      classify: createClassify(services, createModelCaller(services, options.model)),
      alert: (request, signal) => door.run(request, signal),
    }),
    ...createModelActivities(services, (request, signal) => door.run(request, signal), options.model),
    ...createImplementActivities(services),
    ...createDriftActivities(services),
    ...createMigrationActivities(services),
    ...createOperationActivities(services),
    ...createDiagnosticActivities(services),
    ...createIncidentActivities(services, options),
    ...createOperatorActivities(services, options),
  };
}

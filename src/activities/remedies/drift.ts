// What the drift remedy reads and runs: policy, plan, export. The export runs in a throw-away checkout; its result is a patch as evidence.
import picomatch from 'picomatch';
import type { DriftExport, DriftView, WorkspaceActivities } from '../../contract/activities.ts';
import type { DriftSettings, WorkspaceConfig } from '../../contract/tenant-config.ts';
import type { DriftPlan } from '../../integrations/drift/plan.ts';
import { driftExport, driftPlan } from '../../integrations/drift/run-drift.ts';
import { captureTree, changedPaths, diffTrees, treeWithPaths } from '../../integrations/git/worktree.ts';
import { secretsInCode } from '../../logs/redact/secrets-in-code.ts';
import { publishedSecrets } from '../../policy/patch/published-secrets.ts';
import { saveEvidence } from '../../store/evidence.ts';
import { atHead, headOf, type Services, workspaceOf } from '../services.ts';
import { driftEnvironment, driftSettings, planNow } from '../sources/drift.ts';
import { asActivity } from '../temporal.ts';

type Place = { readonly tenant: string; readonly workspace: string; readonly environment: string };

export function createDriftActivities(
  services: Services,
): Pick<WorkspaceActivities, 'driftPolicy' | 'planDrift' | 'exportDrift'> {
  const { redactor } = services;

  async function settingsOf(
    place: Place,
  ): Promise<{ workspace: WorkspaceConfig; settings: DriftSettings; evidenceMs: number }> {
    const { workspace, config } = await workspaceOf(services, place.tenant, place.workspace);
    const settings = driftSettings(workspace, place.environment);
    if (!settings) throw new Error(`environment "${place.environment}" is not in the settings any more`);
    return { workspace, settings, evidenceMs: config.retention.evidenceMs };
  }

  return {
    driftPolicy: (place) =>
      asActivity(redactor, async (signal) => {
        const { workspace, settings } = await settingsOf(place);
        const head = await headOf(services, workspace, signal);
        return {
          hasExport: settings.export !== undefined,
          autoMerge: settings.autoMerge,
          policy: settings.policy,
          repository: workspace.github.repository,
          baseBranch: head.branch,
        };
      }),
    planDrift: (place) =>
      asActivity(redactor, async (signal) => {
        const { workspace, settings } = await settingsOf(place);
        return viewOf(await planNow(services, workspace, settings, signal));
      }),
    exportDrift: (place) =>
      asActivity(redactor, async (signal): Promise<DriftExport> => {
        const { workspace, settings, evidenceMs } = await settingsOf(place);
        const env = await driftEnvironment(services, workspace, settings);
        return atHead(services, workspace, signal, async (worktree, head): Promise<DriftExport> => {
          const run = { settings, worktree: worktree.path, env, signal };
          const before = await captureTree(worktree);
          const exported = await driftExport(run);
          if (exported.outcome === 'failed')
            return { result: 'failed', reason: redactor.redact(exported.reason) };
          const after = await captureTree(worktree);
          const changed = await changedPaths(worktree, before, after);
          // DRIFT-2: the pull request holds what the export generates and nothing else.
          const allowed = settings.export?.paths ?? [];
          const files = changed.filter((path) => picomatch.isMatch(path, [...allowed], { dot: true }));
          if (files.length === 0) {
            const outside =
              changed.length > 0
                ? `it only wrote outside of its paths: ${changed.slice(0, 5).join(', ')}`
                : 'it changed no file';
            return { result: changed.length > 0 ? 'outside' : 'noChange', reason: outside };
          }
          const treeSha = await treeWithPaths(worktree, before, after, files);
          const patch = await diffTrees(worktree, before, treeSha);
          const secrets = publishedSecrets(patch, (text) => secretsInCode(text, redactor));
          if (secrets.length > 0)
            return {
              result: 'failed',
              reason: `it would publish a secret (${secrets.join(', ')}): let the command leave it out`,
            };
          const planAfter = viewOf(await driftPlan(run));
          const patchEvidence = await saveEvidence(services.pool, {
            tenant: place.tenant,
            kind: 'patch',
            body: patch,
            retentionMs: evidenceMs,
          });
          return { result: 'exported', patchEvidence, baseSha: head.sha, treeSha, planAfter, files };
        });
      }),
  };

  function viewOf(plan: DriftPlan): DriftView {
    return {
      state: plan.state,
      planHash: plan.planHash,
      destroys: plan.destroys,
      summary: redactor.redact(plan.summary),
      reason: redactor.redact(plan.reason),
    };
  }
}

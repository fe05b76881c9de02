// Answers a person who asks for a run that is no finding (CI-14): reads it once, and says why it is not worked on. Reads only.
import type { AboutRun, AboutRunActivities } from '../../contract/focus.ts';
import { readRun } from '../../integrations/github/read.ts';
import { whyNoFinding } from '../../policy/ci/about-run.ts';
import { readTenant } from '../../store/tenants.ts';
import type { Services } from '../services.ts';
import { asActivity } from '../temporal.ts';

export function createAboutRunActivities(services: Services): AboutRunActivities {
  return {
    aboutRun: ({ tenant, workspaces, runId }) =>
      asActivity(services.redactor, async (signal): Promise<AboutRun> => {
        const row = await readTenant(services.pool, tenant);
        if (!row) throw new Error(`tenant "${tenant}" is not known`);
        await services.learn(row);
        const asked = row.config.workspaces.filter(({ name }) => workspaces.includes(name));
        const answers: string[] = [];
        for (const workspace of asked) {
          const { repository } = workspace.github;
          const github = await services.github(workspace);
          const run = await readRun({ github, repository, signal }, runId);
          const why = whyNoFinding(runId, run && { ...run, branch: run.branch ?? '' }, workspace.ci);
          if (run !== null) return { why: `${why} (${repository})` };
          answers.push(`${repository}: ${why}`);
        }
        return { why: answers.join('; ') || 'no workspace was named' };
      }),
  };
}

// Runs the failed jobs of a workflow run once more (CI-3). The number of the run's attempt says whether it was done: at most once.
import * as z from 'zod';
import { readRun } from '../../../integrations/github/read.ts';
import { NothingShape } from '../../../integrations/github/shapes.ts';
import { defineEffect, type EffectDefinition } from '../definition.ts';
import { type GitHubEffectParts, placeOf, reading, write } from './parts.ts';

const RerunFailedJobs = z.strictObject({
  runId: z.int().min(1),
  /** The attempt that failed. */
  runAttempt: z.int().min(1),
});
type RerunFailedJobs = z.output<typeof RerunFailedJobs>;

export function rerunEffect(parts: GitHubEffectParts): EffectDefinition {
  return defineEffect<RerunFailedJobs>({
    kind: 'rerunFailedJobs',
    schema: RerunFailedJobs,
    delivery: 'exactlyOnce',
    autonomy: () => 'act',
    risk: () => 'mutating',
    describe: (input) => `rerun the failed jobs of run ${input.runId} (attempt ${input.runAttempt})`,
    forbidden: (_input, workspace) =>
      workspace.ci.rerun ? null : 'ci.rerun is off: failed jobs are not rerun in this workspace',
    probe: (context, input) =>
      reading(async () => {
        const run = await readRun(await placeOf(parts, context), input.runId);
        return run !== null && run.attempt > input.runAttempt
          ? { runId: run.id, runAttempt: run.attempt, url: run.url }
          : null;
      }),
    precondition: (context, input) =>
      reading(async () => {
        const run = await readRun(await placeOf(parts, context), input.runId);
        if (run === null) return `there is no run ${input.runId}`;
        if (run.attempt !== input.runAttempt)
          return `run ${input.runId} is at attempt ${run.attempt}, planned on ${input.runAttempt}`;
        if (run.status !== 'completed') return `run ${input.runId} is ${run.status}`;
        return run.conclusion === 'success' ? `run ${input.runId} passed` : null;
      }),
    apply: async (context, input) => {
      const place = await placeOf(parts, context);
      await write(place, context, {
        method: 'POST',
        path: '/actions/runs/{run_id}/rerun-failed-jobs',
        params: { run_id: input.runId },
        schema: NothingShape,
      });
      return { runId: input.runId, runAttempt: input.runAttempt + 1 };
    },
  });
}

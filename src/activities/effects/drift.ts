// Effect `applyDrift` (DRIFT-2): plans again, applies only the plan that was meant, under the source's own lock and one of ours that lives as
// long as the child. Exactly once by its probe: a clean plan is the receipt.
import * as z from 'zod';
import { driftApply } from '../../integrations/drift/run-drift.ts';
import { atHead, type Services } from '../services.ts';
import { driftEnvironment, driftSettings, planNow } from '../sources/drift.ts';
import { defineEffect, type EffectContext, type EffectDefinition, NotWritten, Stale } from './definition.ts';

const Input = z.object({
  environment: z.string(),
  planHash: z.string().min(1),
  destroys: z.int().min(0),
  /** The person who merged the export approved this very plan. */
  approvedByMerge: z.boolean(),
});
type Input = z.output<typeof Input>;

export function createDriftEffects(services: Services): readonly EffectDefinition[] {
  return [
    defineEffect<Input>({
      kind: 'applyDrift',
      schema: Input,
      delivery: 'exactlyOnce',
      autonomy: () => 'act',
      // DRIFT-3: a destroy always needs an approval, and one over a verified channel.
      risk: ({ destroys }) => (destroys > 0 ? 'destructive' : 'mutating'),
      longRunning: true,
      describe: ({ environment, planHash }) => `apply plan ${planHash.slice(0, 12)} to ${environment}`,
      needsApproval: ({ environment, approvedByMerge }, workspace) =>
        approvedByMerge || driftSettings(workspace, environment)?.policy === 'auto'
          ? undefined
          : `the policy of ${environment} is approval`,
      probe: async (context, input) => {
        const plan = await planNow(services, context.workspace, settingsOf(context, input), context.signal);
        return plan.state === 'clean' ? { planHash: input.planHash } : null;
      },
      apply: async (context, input) => {
        const settings = settingsOf(context, input);
        const env = await driftEnvironment(services, context.workspace, settings);
        const { request } = context;
        const result = await context.exclusively(
          `drift ${request.tenant} ${request.workspace} ${input.environment}`,
          () =>
            atHead(services, context.workspace, context.signal, (worktree) =>
              driftApply({
                settings,
                worktree: worktree.path,
                env,
                signal: context.signal,
                expectedPlanHash: input.planHash,
                fence: context.assertMayWrite,
              }),
            ),
        );
        switch (result.outcome) {
          case 'applied':
            return { planHash: input.planHash };
          case 'alreadyApplied':
            return { planHash: input.planHash, already: true };
          case 'stale':
            throw new Stale(`the plan is now ${result.plan.planHash.slice(0, 12)}: ${result.plan.summary}`);
          case 'failed':
            // Ended from outside (lease over, worker shuts down): what it did is to be found out, by this or the next attempt.
            if (context.signal.aborted) throw new Error(result.reason);
            // What an apply changed before it failed shows in the next plan, which has another hash.
            throw new NotWritten(result.reason, {
              permanent: true,
              result: { mayHaveChanged: result.mayHaveChanged },
            });
        }
      },
    }),
  ];
}

function settingsOf(context: EffectContext, input: Input) {
  const settings = driftSettings(context.workspace, input.environment);
  if (!settings)
    throw new NotWritten(`environment "${input.environment}" is not in the settings any more`, {
      permanent: true,
    });
  return settings;
}

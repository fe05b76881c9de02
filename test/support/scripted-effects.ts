// Kinds of effect that a test scripts, one of each delivery class, over `PUT` and `GET /things/<id>` of a server. Kinds are a closed list, so
// they borrow names.
import * as z from 'zod';
import { defineEffect, type EffectDefinition, NotWritten } from '../../src/activities/effects/definition.ts';
import type { Risk } from '../../src/contract/effect.ts';

const Input = z.object({
  id: z.string(),
  risk: z.enum(['safe', 'proposing', 'mutating', 'destructive']).default('mutating'),
  title: z.string().default('thing'),
  /** Read again before the write; anything but null is a change. */
  changed: z.string().nullable().default(null),
});
type Input = z.output<typeof Input>;

/** Kind `rerunFailedJobs` exactly once, `applyDrift` at most once, `sendAlert` at least once: kinds are a closed list. */
export function scriptedEffects(
  remoteUrl: string,
  more: Partial<EffectDefinition<Input>> = {},
): readonly EffectDefinition[] {
  const count = async (id: string, signal: AbortSignal): Promise<number> => {
    const response = await fetch(`${remoteUrl}/things/${id}`, { signal });
    return ((await response.json()) as { count: number }).count;
  };
  const base: Omit<EffectDefinition<Input>, 'kind' | 'delivery'> = {
    schema: Input as z.ZodType<Input>,
    autonomy: () => 'act',
    risk: (input): Risk => input.risk,
    describe: (input) => `put ${input.title} ${input.id}`,
    precondition: async (_context, input) => input.changed,
    apply: async (context, input) => {
      context.assertMayWrite();
      const response = await fetch(`${remoteUrl}/things/${input.id}`, {
        method: 'PUT',
        signal: context.signal,
      });
      if (response.status >= 500) throw new Error(`answered ${response.status}`);
      if (response.status === 429) throw new NotWritten('slow down', { permanent: false, retryAfterMs: 60 });
      if (!response.ok) throw new NotWritten(`answered ${response.status}`, { permanent: true });
      return { id: input.id };
    },
    ...more,
  };
  const probe: EffectDefinition<Input>['probe'] = async (context, input) =>
    (await count(input.id, context.signal)) > 0 ? { id: input.id } : null;
  return [
    defineEffect<Input>({ probe, ...base, kind: 'rerunFailedJobs', delivery: 'exactlyOnce' }),
    defineEffect<Input>({ ...base, kind: 'applyDrift', delivery: 'atMostOnce' }),
    defineEffect<Input>({ ...base, kind: 'sendAlert', delivery: 'atLeastOnce', autonomy: () => 'observe' }),
  ];
}

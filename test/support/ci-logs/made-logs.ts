// Labelled logs of failed jobs, made from phrases: what failed, times which CI system wrote it down, times what stands around it.
import { createChance } from './chance.ts';
import { deterministic } from './deterministic.ts';
import { transient } from './transient.ts';
import { quietLines, systems } from './wrappers.ts';

export type MadeLog = {
  /** Not the change's fault. */
  readonly transient: boolean;
  readonly kind: string;
  readonly system: string;
  readonly text: string;
};

/** Each failure once per seed, each in another CI system. */
export function madeLogs(seeds: readonly number[]): readonly MadeLog[] {
  return seeds.flatMap((seed) => {
    const chance = createChance(seed);
    const made = [
      ...transient(chance).map((one) => ({ ...one, transient: true })),
      ...deterministic(chance).map((one) => ({ ...one, transient: false })),
    ];
    return made.map(({ kind, step, transient: isTransient }) => {
      const able = systems.filter(({ name }) => step.end === undefined || step.end[name] !== undefined);
      const system = chance.pick(able);
      const text = system.wrap(step, quietLines(chance), chance).join('\n');
      return { transient: isTransient, kind, system: system.name, text };
    });
  });
}

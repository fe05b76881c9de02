// `untilgreen drain`: ends a tenant's loop cleanly and keeps it ended.
import type { Command } from 'commander';
import type { CommonOptions, Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy, withCommon } from '../options.ts';

type DrainOptions = CommonOptions & ByOptions & { readonly reason: string };

export function drainCommand(program: Command, frame: Frame): void {
  withBy(withCommon(program.command('drain')))
    .argument('[tenant]', 'default: the only one')
    .option('--reason <text>', 'why', 'asked for')
    .description('end the loop after its running cycle; open remedies finish by themselves')
    .action((tenant: string | undefined, options: DrainOptions) =>
      frame.ask(options, async (client) => {
        const drained = await client.drain(tenant, { by: byOf(options, frame), reason: options.reason });
        const loop = {
          ending: 'its loop ends after the running cycle',
          notRunning: 'its loop does not run',
          unreachable: 'Temporal does not answer: its loop ends with its next cycle',
        }[drained.loop];
        return {
          json: drained,
          text: `${drained.tenant} is drained: ${loop}; ${drained.openRemedies} open remedies finish by themselves. "untilgreen start ${drained.tenant}" takes it back`,
        };
      }),
    );
}

// `untilgreen ack`: says that somebody has an incident, so that nobody is reminded of it any more at its severity (INC-4).
import type { Command } from 'commander';
import type { CommonOptions, Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy, withCommon } from '../options.ts';

type AckOptions = CommonOptions & ByOptions & { readonly tenant?: string };

export function ackCommand(program: Command, frame: Frame): void {
  withBy(withCommon(program.command('ack')))
    .argument('<incident>', 'at least 6 hex digits of its finding, see "untilgreen findings"')
    .option('--tenant <name>', 'whose; default: the only one')
    .description('say that you have an incident: no more reminders at its severity')
    .action((incident: string, options: AckOptions) =>
      frame.ask(options, async (client) => {
        const done = await client.acknowledge(options.tenant, incident, byOf(options, frame));
        return { json: done, text: done.message };
      }),
    );
}

// What `approve` and `reject` share: the options and the answer.
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy, withCommon } from '../options.ts';

type DecideOptions = CommonOptions & ByOptions & { readonly tenant?: string; readonly reason?: string };

export function decideCommand(command: Command, frame: Frame, decision: 'approve' | 'reject'): void {
  withBy(withCommon(command))
    .argument('<hash>', 'of the approval, or at least 6 hex digits of its beginning')
    .option('--tenant <name>', 'whose; default: the one that has it')
    .option('--reason <text>', 'why')
    .action((hash: string, options: DecideOptions) =>
      frame.ask(options, async (client) => {
        const { tenant, reason } = options;
        const decided = await client.decide({
          hash,
          decision,
          by: byOf(options, frame),
          ...(tenant === undefined ? {} : { tenant }),
          ...(reason === undefined ? {} : { reason }),
        });
        return {
          json: decided,
          text: `${decided.hash} of ${decided.tenant}: ${decided.message}`,
          exitCode: decided.sufficient ? exitCodes.done : exitCodes.red,
        };
      }),
    );
}

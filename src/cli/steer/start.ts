// `untilgreen start`: takes back a drain and starts the loop.
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy, withCommon } from '../options.ts';
import { paragraphs } from '../text/table.ts';

export function startCommand(program: Command, frame: Frame): void {
  withBy(withCommon(program.command('start')))
    .argument('[tenant]', 'default: the only one')
    .description('take back a drain; start the loop when it does not run')
    .action((tenant: string | undefined, options: CommonOptions & ByOptions) =>
      frame.ask(options, async (client) => {
        const started = await client.start(tenant, byOf(options, frame));
        const text =
          started.loop === 'started'
            ? `the loop of ${started.tenant} runs`
            : `${started.tenant}: ${started.loop}`;
        return {
          json: started,
          text: paragraphs(text, started.notes.join('\n')),
          exitCode: started.loop === 'unreachable' ? exitCodes.unreachable : exitCodes.done,
        };
      }),
    );
}

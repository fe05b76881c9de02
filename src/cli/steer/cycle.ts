// `untilgreen cycle`: reads all sources now and waits for the record of that cycle.
import type { Command } from 'commander';
import { exitCodeOfStates } from '../exit-codes.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy, withCommon } from '../options.ts';
import { paint } from '../text/table.ts';
import { lengthOf, parseDuration } from '../text/time.ts';

type CycleOptions = CommonOptions & ByOptions & { readonly timeout: string };

export function cycleCommand(program: Command, frame: Frame): void {
  withBy(withCommon(program.command('cycle')))
    .argument('[tenant]', 'default: the only one')
    .option('--timeout <time>', 'how long to wait for its record', '10m')
    .description('a cycle now, over all sources; exit code by the state after it')
    .action((tenant: string | undefined, options: CycleOptions) =>
      frame.ask(options, async (client) => {
        const timeoutMs = parseDuration('--timeout', options.timeout);
        const done = await client.cycleNow(tenant, byOf(options, frame), {
          timeoutMs,
          signal: frame.stopped,
          onProgress: frame.say,
        });
        const { state } = await client.status(done.tenant);
        const { cycle, outcome, summary, durationMs } = done.cycle;
        const took = durationMs === null ? '' : ` in ${lengthOf(durationMs)}`;
        return {
          json: { ...done, state },
          text: `cycle ${cycle} of ${done.tenant}: ${outcome ?? done.cycle.state}${took}, ${summary ?? ''}; now ${paint(state)}`,
          exitCode: exitCodeOfStates([state]),
        };
      }),
    );
}

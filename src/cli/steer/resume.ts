// `untilgreen resume`: lifts a pause of the same scope; what was held goes on from the same step.
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { pauseText } from '../look/status-text.ts';
import { type ByOptions, byOf, withBy, withCommon } from '../options.ts';
import { paragraphs } from '../text/table.ts';
import { type ScopeOptions, targetOf, withScope } from './pause.ts';

type ResumeOptions = CommonOptions & ByOptions & ScopeOptions & { readonly reason?: string };

export function resumeCommand(program: Command, frame: Frame): void {
  withBy(withScope(withCommon(program.command('resume'))))
    .option('--reason <text>', 'why')
    .description('lift a pause of the same scope')
    .action((tenant: string | undefined, options: ResumeOptions) =>
      frame.ask(options, async (client) => {
        const resumed = await client.resume(targetOf(tenant, options), {
          by: byOf(options, frame),
          ...(options.reason === undefined ? {} : { reason: options.reason }),
        });
        const what = `${resumed.tenant ?? 'everything'}${resumed.value === null ? '' : `, ${resumed.scope} ${resumed.value}`}`;
        const still = resumed.stillPaused.map((pause) => `still paused: ${pauseText(pause, Date.now())}`);
        return {
          json: resumed,
          text: paragraphs(
            resumed.lifted === 0 ? `${what} had no pause of this scope` : `${what} is resumed`,
            still.join('\n'),
          ),
          exitCode: still.length > 0 ? exitCodes.red : exitCodes.done,
        };
      }),
    );
}

// `untilgreen remediate`: works on one finding now, through the same guards and records as the loop, and comes back with the result (LOOP-11).
import type { Command } from 'commander';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy, withCommon } from '../options.ts';
import { facts } from '../text/table.ts';

type RemediateOptions = CommonOptions & ByOptions & { readonly tenant?: string; readonly toTheEnd?: boolean };

export function remediateCommand(program: Command, frame: Frame): void {
  withBy(withCommon(program.command('remediate')))
    .argument('<finding>', 'beginning of its fingerprint (6 hex digits), or the id of its workflow run')
    .option('--tenant <name>', 'whose; default: the only one')
    .option('--to-the-end', 'wait through approvals too, however long')
    .description('work on one finding now and wait for the result')
    .action((finding: string, options: RemediateOptions) =>
      frame.ask(options, async (client) => {
        const result = await client.remediate(options.tenant, finding, byOf(options, frame), {
          stopWhenWaiting: options.toTheEnd !== true,
          signal: frame.stopped,
          onProgress: frame.say,
        });
        const text = facts([
          ['outcome', `${result.outcome}: ${result.summary}`],
          ['finding', `${result.finding.status}: ${result.finding.title}`],
          ['remedy', result.link ?? result.workflowId],
          ['more', `untilgreen why ${result.tenant} ${result.fingerprint.slice(0, 12)}`],
        ]);
        return { json: result, text, exitCode: codeOf(result.outcome) };
      }),
    );
}

/** Of a remedy's outcome. */
export function codeOf(outcome: string): ExitCode {
  switch (outcome) {
    case 'green':
    case 'gone':
      return exitCodes.done;
    case 'refused':
      return exitCodes.failed;
    default:
      return exitCodes.red;
  }
}

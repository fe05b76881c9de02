// `untilgreen findings`: what is not green, and what was resolved lately.
import type { Command } from 'commander';
import type { CommonOptions, Frame } from '../frame.ts';
import { withCommon } from '../options.ts';
import { parseDuration } from '../text/time.ts';
import { findingsTable } from './status-text.ts';

type FindingsOptions = CommonOptions & { readonly resolved?: string | true };

export function findingsCommand(program: Command, frame: Frame): void {
  withCommon(program.command('findings'))
    .argument('[tenant]', 'default: the only one')
    .option('--resolved [time]', 'also those resolved in this time (default 7d)')
    .description('what is not green, with attempts and what each waits for')
    .action((tenant: string | undefined, options: FindingsOptions) =>
      frame.ask(options, async (client) => {
        const { resolved } = options;
        const within =
          resolved === undefined ? 0 : parseDuration('--resolved', resolved === true ? '7d' : resolved);
        const about = await client.tenants.show(tenant);
        const findings = await client.findings(about.tenant, { resolvedWithinMs: within });
        return {
          json: { tenant: about.tenant, findings },
          text: findingsTable(findings, Date.now()) || 'no findings',
        };
      }),
    );
}

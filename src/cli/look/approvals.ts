// `untilgreen approvals`: what waits for a person's yes or no.
import type { Command } from 'commander';
import type { CommonOptions, Frame } from '../frame.ts';
import { withCommon } from '../options.ts';
import { shorten, table } from '../text/table.ts';
import { relative } from '../text/time.ts';

export function approvalsCommand(program: Command, frame: Frame): void {
  withCommon(program.command('approvals'))
    .argument('[tenant]', 'default: all')
    .description('held effects that wait for approval, and how to approve each')
    .action((tenant: string | undefined, options: CommonOptions) =>
      frame.ask(options, async (client) => {
        const approvals = await client.approvals(tenant);
        const nowMs = Date.now();
        const text = table(
          ['hash', 'tenant', 'what', 'risk', 'state', 'expires', 'how'],
          approvals.map((approval) => [
            approval.hash,
            approval.tenant,
            shorten(approval.what, 60),
            approval.risk,
            approval.state,
            relative(approval.expiresAt, nowMs),
            approval.howToApprove,
          ]),
        );
        return { json: { approvals }, text: text || 'nothing waits for approval' };
      }),
    );
}

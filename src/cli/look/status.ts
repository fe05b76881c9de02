// `untilgreen status`: how a tenant is, or all of them.
import type { Command } from 'commander';
import { exitCodeOfStates } from '../exit-codes.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { withCommon } from '../options.ts';
import { paint, shorten, table } from '../text/table.ts';
import { relative } from '../text/time.ts';
import { statusText } from './status-text.ts';

export function statusCommand(program: Command, frame: Frame): void {
  withCommon(program.command('status'))
    .argument('[tenant]', 'default: all')
    .description('how a tenant is: findings, what they wait for, limits, next cycle')
    .action((tenant: string | undefined, options: CommonOptions) =>
      frame.ask(options, async (client) => {
        const names =
          tenant === undefined ? (await client.tenants.list()).map((one) => one.tenant) : [tenant];
        const statuses = await Promise.all(names.map((name) => client.status(name)));
        const [only] = statuses;
        const nowMs = Date.now();
        const exitCode = exitCodeOfStates(statuses.map(({ state }) => state));
        if (only !== undefined && statuses.length === 1)
          return { json: only, text: statusText(only, nowMs), exitCode };
        const text = table(
          ['tenant', 'state', 'cycle', 'findings', 'next cycle', 'summary'],
          statuses.map((status) => [
            status.tenant,
            paint(status.state),
            status.cycle,
            status.findings.length,
            relative(status.nextCycleAt, nowMs),
            shorten(status.summary, 60),
          ]),
        );
        return {
          json: { tenants: statuses },
          text: text || 'no tenant is registered: run "untilgreen tenant apply -f tenant.yaml"',
          exitCode,
        };
      }),
    );
}

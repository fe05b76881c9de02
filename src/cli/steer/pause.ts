// `untilgreen pause`: no write begins any more, within 5 s, whether or not a worker or Temporal is there (LOOP-10).
import type { Command } from 'commander';
import { UsageError } from '../../client/errors.ts';
import type { PauseTarget } from '../../client/steer/pause.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy, withCommon } from '../options.ts';
import { paragraphs, table } from '../text/table.ts';
import { parseUntil } from '../text/time.ts';

export type ScopeOptions = {
  readonly everything?: boolean;
  readonly workspace?: string;
  readonly effect?: string;
};
type PauseOptions = CommonOptions &
  ByOptions &
  ScopeOptions & { readonly reason: string; readonly until?: string };

export function withScope(command: Command): Command {
  return command
    .argument('[tenant]', 'default: the only one')
    .option('--everything', 'all tenants')
    .option('--workspace <name>', 'only this workspace of the tenant')
    .option('--effect <kind>', 'only this kind of effect, e.g. applyMigrations');
}

export function pauseCommand(program: Command, frame: Frame): void {
  withBy(withScope(withCommon(program.command('pause'))))
    .requiredOption('--reason <text>', 'why, for everybody who asks')
    .option('--until <time>', 'when it ends by itself: e.g. 2h, or 2026-11-21T18:00Z')
    .description('stop writes now; answers with the writes that had begun')
    .action((tenant: string | undefined, options: PauseOptions) =>
      frame.ask(options, async (client) => {
        const untilMs =
          options.until === undefined ? undefined : parseUntil('--until', options.until, Date.now());
        const paused = await client.pause(targetOf(tenant, options), {
          reason: options.reason,
          by: byOf(options, frame),
          ...(untilMs === undefined ? {} : { untilMs }),
        });
        const what = paused.tenant ?? 'everything';
        const scope = paused.value === null ? '' : `, ${paused.scope} ${paused.value}`;
        const text = paragraphs(
          `${what}${scope} is paused ${paused.until === null ? 'until resumed' : `until ${paused.until}`}: ${paused.reason}`,
          paused.started.length === 0
            ? 'no write had begun'
            : `${paused.started.length} writes had begun and may still land, nothing else writes:`,
          table(
            ['tenant', 'effect', 'target', 'what'],
            paused.started.map((write) => [write.tenant, write.kind, write.target, write.what]),
          ),
        );
        return { json: paused, text };
      }),
    );
}

export function targetOf(tenant: string | undefined, options: ScopeOptions): PauseTarget {
  const { everything, workspace, effect } = options;
  if (everything) {
    if (tenant !== undefined || workspace !== undefined || effect !== undefined)
      throw new UsageError(
        '--everything: goes with no tenant, workspace or effect. Fix: leave one of them out',
      );
    return { everything: true };
  }
  return {
    ...(tenant === undefined ? {} : { tenant }),
    ...(workspace === undefined ? {} : { workspace }),
    ...(effect === undefined ? {} : { effect }),
  };
}

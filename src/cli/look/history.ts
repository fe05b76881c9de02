// `untilgreen history`: cycles, the audit trail and effects with their receipts, newest first.
import type { Command } from 'commander';
import { UsageError } from '../../client/errors.ts';
import type { EffectView, EventView } from '../../client/look/views.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { withCommon } from '../options.ts';
import { paragraphs, shorten, shortId, table } from '../text/table.ts';
import { lengthOf, parseDuration, stamp } from '../text/time.ts';

type HistoryCommandOptions = CommonOptions & {
  readonly finding?: string;
  readonly since?: string;
  readonly limit: string;
};

export function historyCommand(program: Command, frame: Frame): void {
  withCommon(program.command('history'))
    .argument('[tenant]', 'default: the only one')
    .option('--finding <id>', 'only what concerns this finding')
    .option('--since <time>', 'only the last e.g. 2h or 7d')
    .option('--limit <count>', 'of each list', '30')
    .description('cycles, audit trail and effects with receipts, newest first')
    .action((tenant: string | undefined, options: HistoryCommandOptions) =>
      frame.ask(options, async (client) => {
        const { finding, since } = options;
        const history = await client.history(tenant, {
          ...(finding === undefined ? {} : { finding }),
          ...(since === undefined ? {} : { sinceMs: Date.now() - parseDuration('--since', since) }),
          limit: countOf('--limit', options.limit),
        });
        const cycles = table(
          ['cycle', 'started', 'took', 'by', 'outcome', 'summary'],
          history.cycles.map((cycle) => [
            cycle.cycle,
            stamp(cycle.startedAt),
            cycle.durationMs === null ? null : lengthOf(cycle.durationMs),
            cycle.trigger,
            cycle.outcome ?? cycle.state,
            shorten(cycle.summary, 70),
          ]),
        );
        const text = paragraphs(cycles, eventsTable(history.events), effectsTable(history.effects));
        return { json: history, text: text || 'no history yet' };
      }),
    );
}

export function eventsTable(events: readonly EventView[]): string {
  return table(
    ['at', 'who', 'what', 'on', 'why', 'finding'],
    events.map((event) => [
      stamp(event.at),
      shorten(event.actor, 24),
      event.action,
      shorten(event.subject, 60),
      shorten(event.reason, 70),
      event.fingerprint === null ? null : shortId(event.fingerprint),
    ]),
  );
}

export function effectsTable(effects: readonly EffectView[]): string {
  return table(
    ['effect', 'planned', 'what', 'outcome', 'receipt'],
    effects.map((effect) => [
      shortId(effect.key),
      stamp(effect.plannedAt),
      shorten(effect.what, 60),
      effect.outcome ?? effect.state,
      effect.receipt === null ? null : shorten(JSON.stringify(effect.receipt), 80),
    ]),
  );
}

function countOf(option: string, text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= 10_000) return count;
  throw new UsageError(`${option}: "${text}" is no count. Fix: give a number from 1 to 10000`);
}

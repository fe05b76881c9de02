// `untilgreen show`: one record in full.
import type { Command } from 'commander';
import type { Shown } from '../../client/look/records.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { withCommon } from '../options.ts';
import { facts, paragraphs, printable } from '../text/table.ts';
import { effectsTable, eventsTable } from './history.ts';
import { findingsTable } from './status-text.ts';

type ShowOptions = CommonOptions & { readonly tenant?: string };

export function showCommand(program: Command, frame: Frame): void {
  withCommon(program.command('show'))
    .argument('<id>', 'number of a cycle, or the beginning (6 hex digits) of a finding or an effect')
    .option('--tenant <name>', 'whose; default: the only one')
    .description('one cycle, finding, effect or piece of evidence in full')
    .action((id: string, options: ShowOptions) =>
      frame.ask(options, async (client) => {
        const shown = await client.show(options.tenant, id);
        return { json: shown, text: shownText(shown) };
      }),
    );
}

function shownText(shown: Shown): string {
  switch (shown.type) {
    case 'evidence':
      return printable(shown.body);
    case 'effect':
      return fields(shown.effect);
    case 'cycle':
      return paragraphs(fields(shown.cycle), effectsTable(shown.effects));
    case 'finding':
      return paragraphs(
        findingsTable([shown.finding], Date.now()),
        fields(shown.finding),
        effectsTable(shown.effects),
        eventsTable(shown.events),
      );
  }
}

function fields(record: object): string {
  return facts(
    Object.entries(record).map(
      ([name, value]) =>
        [
          name,
          value === null ? null : typeof value === 'object' ? JSON.stringify(value) : String(value),
        ] as const,
    ),
  );
}

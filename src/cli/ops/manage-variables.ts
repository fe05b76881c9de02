// `untilgreen manage-variables list | set`: names are shown, values never (OPS-1). A value is named by a reference that the worker resolves.
import type { Command } from 'commander';
import { UsageError } from '../../client/errors.ts';
import { referencePattern } from '../../config/schema-fields.ts';
import type { Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy } from '../options.ts';
import { type OrderOptions, orderNow, type PlaceOptions, withOrder, withPlace } from './order.ts';

export function manageVariablesCommand(program: Command, frame: Frame): void {
  const group = program
    .command('manage-variables')
    .description('names of variables; set one from a reference');
  withBy(withPlace(group.command('list')))
    .argument('[service]', 'its name; default: what the environment shares')
    .description('names of variables, without values')
    .action((service: string | undefined, options: PlaceOptions & ByOptions) =>
      frame.ask(options, async (client) => {
        const wanted = { what: 'variables', ...(service === undefined ? {} : { service }) } as const;
        const seen = await client.inspect(options, wanted, byOf(options, frame));
        return { json: seen, text: (seen.variables ?? []).join('\n') || 'no variables' };
      }),
    );
  withOrder(group.command('set'))
    .argument('<name>', 'of the variable')
    .requiredOption('--from <reference>', "env:NAME or file:/path on the worker's machine")
    .option('--service <name>', 'whose; default: shared by the environment')
    .description('set one variable; its value is read on the worker and never sent, printed or stored')
    .action((variable: string, options: OrderOptions & { from: string; service?: string }) =>
      frame.ask(options, (client) => {
        const { service } = options;
        const from = reference(options.from);
        const whose = service === undefined ? {} : { service };
        return orderNow(client, frame, options, { operation: 'setVariable', variable, from, ...whose });
      }),
    );
}

/** What was typed may be the secret itself: it is not repeated. */
function reference(text: string): string {
  if (!referencePattern.test(text))
    throw new UsageError(
      "--from: is not a reference. Fix: put the value into the worker's environment and write env:NAME, or file:/path/to/it",
    );
  return text;
}

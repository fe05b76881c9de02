// `untilgreen services`, `restart-service`: what is deployed and how it is, and one service restarted or deployed anew by order of a person (OPS-1).
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.ts';
import type { Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy } from '../options.ts';
import { table } from '../text/table.ts';
import { type OrderOptions, orderNow, type PlaceOptions, withOrder, withPlace } from './order.ts';

const fine: readonly string[] = ['running', 'deploying', 'stopped'];

export function servicesCommand(program: Command, frame: Frame): void {
  withBy(withPlace(program.command('services')))
    .description('what is deployed, and how it is, as the platform says it now')
    .action((options: PlaceOptions & ByOptions) =>
      frame.ask(options, async (client) => {
        const seen = await client.inspect(options, { what: 'services' }, byOf(options, frame));
        const { services = [] } = seen;
        const rows = services.map((one) => [
          one.name,
          one.rawStatus,
          one.sinceMs === null ? null : new Date(one.sinceMs).toISOString().slice(0, 16),
          one.deployment,
          one.image,
          one.watched ? 'yes' : 'no',
        ]);
        const text = table(['service', 'status', 'since', 'deployment', 'image', 'watched'], rows);
        const bad = services.some((one) => one.watched && !fine.includes(one.status));
        return { json: seen, text: text || 'no services', exitCode: bad ? exitCodes.red : exitCodes.done };
      }),
    );
}

export function restartServiceCommand(program: Command, frame: Frame): void {
  withOrder(program.command('restart-service'))
    .argument('<service>', 'its name')
    .option('--redeploy', 'the same source again as a new deployment')
    .option(
      '--roll-back [deployment]',
      'make an older deployment the live one; default: the last before the newest',
    )
    .description('restart a service, and wait until it runs')
    .action((service: string, options: OrderOptions & { redeploy?: boolean; rollBack?: string | true }) =>
      frame.ask(options, (client) => {
        const { rollBack } = options;
        const operation = rollBack !== undefined ? 'rollBack' : options.redeploy ? 'redeploy' : 'restart';
        const deployment = typeof rollBack === 'string' ? { deployment: rollBack } : {};
        return orderNow(client, frame, options, { operation, service, ...deployment });
      }),
    );
}

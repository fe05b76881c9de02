// `untilgreen provision-infrastructure service | database | scale | remove`: by order of a person, with approval (OPS-1, DEPLOY-1).
import { type Command, InvalidArgumentError } from 'commander';
import type { Frame } from '../frame.ts';
import { type OrderOptions, orderNow, withOrder } from './order.ts';

export function provisionCommand(program: Command, frame: Frame): void {
  const group = program
    .command('provision-infrastructure')
    .description(
      'a new service or database, other scale or version, a deployment taken down; each needs an approval',
    );
  withOrder(group.command('service'))
    .argument('<name>', 'of the new service')
    .option('--image <image>', 'container image it runs')
    .option('--repository <owner/name>', 'repository it is built from')
    .description('create a service')
    .action((service: string, options: OrderOptions & { image?: string; repository?: string }) =>
      frame.ask(options, (client) =>
        orderNow(client, frame, options, {
          operation: 'createService',
          service,
          ...given(options, ['image', 'repository']),
        }),
      ),
    );
  withOrder(group.command('database'))
    .argument('<kind>', 'postgres or redis', databaseKind)
    .description("add a database by the platform's template")
    .action((database: 'postgres' | 'redis', options: OrderOptions) =>
      frame.ask(options, (client) =>
        orderNow(client, frame, options, { operation: 'addDatabase', database }),
      ),
    );
  withOrder(group.command('scale'))
    .argument('<service>', 'its name')
    .option('--replicas <count>', 'from 1 to 50', replicaCount)
    .option('--image <image>', 'another version')
    .description('change scale or version of a service')
    .action((service: string, options: OrderOptions & { replicas?: number; image?: string }) =>
      frame.ask(options, (client) =>
        orderNow(client, frame, options, {
          operation: 'update',
          service,
          ...given(options, ['replicas', 'image']),
        }),
      ),
    );
  withOrder(group.command('remove'))
    .argument('<service>', 'its name')
    .option('--deployment <id>', 'which of its deployments; default: the live one')
    .description('take a deployment down; needs an approval over a verified channel')
    .action((service: string, options: OrderOptions & { deployment?: string }) =>
      frame.ask(options, (client) =>
        orderNow(client, frame, options, { operation: 'remove', service, ...given(options, ['deployment']) }),
      ),
    );
}

/** Those of the options that were given. */
function given<Options extends object, Name extends keyof Options>(
  options: Options,
  names: readonly Name[],
): { [Key in Name]?: NonNullable<Options[Key]> } {
  return Object.fromEntries(
    names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  ) as {
    [Key in Name]?: NonNullable<Options[Key]>;
  };
}

function databaseKind(text: string): string {
  if (text !== 'postgres' && text !== 'redis')
    throw new InvalidArgumentError('Fix: write postgres or redis.');
  return text;
}

function replicaCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 50)
    throw new InvalidArgumentError('Fix: give a number from 1 to 50.');
  return count;
}

// `untilgreen db connect`: psql for a person, with a connection string that is resolved in this process only (OPS-1): it is in no argument, output or
// record. What psql shows is not ours.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Command } from 'commander';
import { UsageError } from '../../client/errors.ts';
import { createSecretResolver } from '../../config/secrets.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy } from '../options.ts';
import { psqlEnvironment, withoutLibpq } from './psql-environment.ts';

type ConnectOptions = CommonOptions & ByOptions & { readonly tenant?: string; readonly workspace?: string };

export function dbCommand(program: Command, frame: Frame): void {
  const group = program.command('db').description('databases of a tenant');
  withBy(group.command('connect'))
    .argument('<database>', 'its name in the tenant file')
    .argument('[psql arguments...]', 'passed on, after "--"')
    .option('--tenant <name>', 'whose; default: the only one')
    .option('--workspace <name>', 'which, when several have a database of this name')
    .option('--data <dir>', 'data folder of the "untilgreen up" to talk to')
    .description('open psql on a database; its connection string is read on this machine')
    .action((database: string, rest: string[], options: ConnectOptions) =>
      frame.ask(options, async (client) => {
        const access = await client.databaseAccess(options, database, byOf(options, frame));
        const resolver = createSecretResolver({ env: frame.env, redactor: frame.redactor });
        const url = await resolver.resolve(access.reference, access.field).catch((error: unknown) => {
          // The message names the reference; it is this machine's environment that misses it.
          throw new UsageError(
            (error instanceof Error ? error.message : String(error)).replace(
              'of the worker',
              'of this command',
            ),
          );
        });
        const code = await psql(rest, {
          ...withoutLibpq(frame.env),
          ...psqlEnvironment(url, access.field),
        });
        return { json: null, text: '', exitCode: code === 0 ? exitCodes.done : exitCodes.failed };
      }),
    );
}

/** Takes over the terminal until psql ends. @returns its exit code */
function psql(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    // Ctrl-C is for psql: it ends a query, not the session.
    const ignore = (): void => {};
    process.on('SIGINT', ignore);
    const child: ChildProcess = spawn('psql', [...args], { env, stdio: 'inherit' });
    child.once('error', (error) => {
      process.off('SIGINT', ignore);
      const missing = 'code' in error && error.code === 'ENOENT';
      reject(
        missing
          ? new UsageError(
              'psql is not on PATH. Fix: install the client of PostgreSQL ("postgresql-client" on Debian)',
            )
          : error,
      );
    });
    child.once('exit', (code) => {
      process.off('SIGINT', ignore);
      resolve(code ?? 1);
    });
  });
}

// `untilgreen migrate`: brings our own tables to this version. Not the tenants' databases: their migrations are findings.
import type { Command } from 'commander';
import { findEndpoints } from '../../client/endpoints.ts';
import { asPostgresError, postgresAddress } from '../../client/errors.ts';
import { migrateOwnSchema } from '../../embedded/schema.ts';
import { createPool } from '../../store/database.ts';
import { type CommonOptions, type Frame, registerUrl } from '../frame.ts';
import { withCommon } from '../options.ts';

export function migrateCommand(program: Command, frame: Frame): void {
  withCommon(program.command('migrate'))
    .description("bring Untilgreen's own tables to this version")
    .action((options: CommonOptions) =>
      frame.run(options, async () => {
        const { data } = options;
        const { databaseUrl } = await findEndpoints({
          env: frame.env,
          ...(data === undefined ? {} : { dataDir: data }),
        });
        registerUrl(frame.redactor, databaseUrl);
        await requireReachable(databaseUrl);
        await migrateOwnSchema(databaseUrl);
        const database = postgresAddress(databaseUrl);
        return { json: { migrated: true, database }, text: `the tables in ${database} are of this version` };
      }),
    );
}

/** @throws UnreachableError */
async function requireReachable(databaseUrl: string): Promise<void> {
  const pool = createPool(databaseUrl, () => {}, 1);
  try {
    await pool.query('select 1');
  } catch (error) {
    throw asPostgresError(error, databaseUrl);
  } finally {
    await pool.end();
  }
}

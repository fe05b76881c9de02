// Temporal and Postgres of a test's own, on folders that outlive them, so that they can be killed and started again in the middle.
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import pg from 'pg';
import { searchAttributes } from '../../src/contract/names.ts';
import { freePort } from '../../src/embedded/machine/ports.ts';
import { type PostgresServer, startPostgres } from '../../src/embedded/postgres.ts';
import { migrateOwnSchema } from '../../src/embedded/schema.ts';
import { startTemporal, type TemporalServer } from '../../src/embedded/temporal.ts';
import { ensureTemporalBinary } from '../../src/embedded/temporal-binary.ts';
import type { TestDatabase } from '../support/database.ts';
import type { OwnServers } from './rig.ts';

export type Killable = OwnServers & {
  /** SIGKILL, then started again on the same data and ports. */
  readonly killTemporal: () => Promise<void>;
  readonly killPostgres: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export async function startOwnServers(): Promise<Killable> {
  const folder = await mkdtemp(join(tmpdir(), 'untilgreen-servers-'));
  await chmod(folder, 0o755);
  const binary = await ensureTemporalBinary({ progress: () => {} });
  const ports = { postgres: await freePort(), temporal: await freePort(), http: await freePort() };
  const postgresNow = (): Promise<PostgresServer> =>
    startPostgres({ dataDir: join(folder, 'postgres'), port: ports.postgres });
  const temporalNow = (): Promise<TemporalServer> =>
    startTemporal({
      binary,
      dataDir: join(folder, 'temporal'),
      port: ports.temporal,
      httpPort: ports.http,
      searchAttributes: Object.fromEntries(Object.values(searchAttributes).map((name) => [name, 'Keyword'])),
    });
  let postgres = await postgresNow();
  let temporal = await temporalNow();
  const connection = await Connection.connect({ address: temporal.address });
  const nativeConnection = await NativeConnection.connect({ address: temporal.address });
  const { address } = temporal;
  return {
    temporal: {
      address,
      namespace: 'default',
      metricsUrl: '',
      client: new Client({ connection, namespace: 'default' }),
      nativeConnection,
      close: async () => {},
    },
    createDatabase: (options = {}) => createDatabase(postgres.url, options.empty === true),
    killTemporal: async () => {
      process.kill(temporal.pid, 'SIGKILL');
      await temporal.exited;
      temporal = await temporalNow();
    },
    killPostgres: async () => {
      process.kill(postgres.pid, 'SIGKILL');
      await postgres.exited;
      postgres = await postgresNow();
    },
    stop: async () => {
      await connection.close();
      await nativeConnection.close();
      await temporal.stop();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function createDatabase(adminUrl: string, empty: boolean): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  if (!empty) await migrateOwnSchema(url.href);
  const pool = new pg.Pool({ connectionString: url.href });
  pool.on('error', () => {}); // the server is killed under it
  // The database goes with its server.
  return { url: url.href, pool, drop: () => pool.end() };
}

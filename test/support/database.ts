// A database of its own for a test, on the one real Postgres of the run.

import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { TEMPLATE_DATABASE, testResource } from './temporal/test-servers.ts';

export interface TestDatabase {
  url: string;
  pool: pg.Pool;
  /** Closes the pool and removes the database, whoever is still connected. */
  drop(): Promise<void>;
}

/** A fresh database with our tables; `{ empty: true }` gives one without any, e.g. for a tenant's own. */
export async function createTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const { url: adminUrl } = await testResource('postgres');
  const name = `test_${randomBytes(8).toString('hex')}`;
  const template = options.empty === true ? 'template0' : TEMPLATE_DATABASE;
  await asAdmin(adminUrl, `create database ${name} template ${template}`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.href });
  pool.on('error', () => {}); // idle connections end when the database is dropped or its server killed
  return {
    url: url.href,
    pool,
    drop: async () => {
      await pool.end();
      await asAdmin(adminUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

async function asAdmin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

// Our own tables by the real dbmate on the real Postgres: once for two callers, and errors without secrets.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrateOwnSchema } from '../../../src/embedded/schema.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let folder: string;

beforeEach(async () => {
  database = await createTestDatabase({ empty: true });
  folder = await mkdtemp(join(tmpdir(), 'untilgreen-migrations-'));
});

afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

test('three callers at once apply each migration once', async () => {
  await migration(
    '20260101000000_first.sql',
    'create table counted (value int); insert into counted values (1);',
  );

  await Promise.all([1, 2, 3].map(() => migrateOwnSchema(database.url, folder)));

  expect((await database.pool.query('select * from counted')).rows).toEqual([{ value: 1 }]);
});

test('it works beside a dbmate schema of somebody else', async () => {
  await database.pool.query(
    "create table schema_migrations (version varchar primary key); insert into schema_migrations values ('20260101000000')",
  );
  await migration('20260101000000_first.sql', 'create table ours ();');

  await migrateOwnSchema(database.url, folder);

  expect((await database.pool.query("select to_regclass('ours') as found")).rows).toEqual([
    { found: 'ours' },
  ]);
});

// DUR-4, SEC-2
test('a failing migration gives the message of the database and no password', async () => {
  const { password } = new URL(database.url);
  await migration('20260101000000_broken.sql', `create table broken (value nonsense); -- ${password}`);

  const failure = await migrateOwnSchema(database.url, folder).catch((error: unknown) => String(error));

  expect(failure).toContain('type "nonsense" does not exist');
  expect(failure).not.toContain(password);
});

// DUR-4, SEC-2
test('a wrong password is named without being shown', async () => {
  const url = new URL(database.url);
  url.password = 'wrong-and-secret';

  const failure = await migrateOwnSchema(url.href, folder).catch((error: unknown) => String(error));

  expect(failure).toMatch(/DATABASE_URL.*password authentication failed/);
  expect(failure).not.toContain('wrong-and-secret');
});

async function migration(name: string, up: string): Promise<void> {
  await writeFile(join(folder, name), `-- migrate:up\n${up}\n\n-- migrate:down\n`);
}

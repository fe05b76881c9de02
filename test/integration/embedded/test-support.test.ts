// The servers that all other tests stand on: they are real, separate for each test, and answer.

import { afterAll, expect, test } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';
import { type TestTemporal, testTemporal, timeSkipping } from '../../support/temporal/temporal.ts';

let temporal: TestTemporal | undefined;

afterAll(async () => {
  await temporal?.close();
});

test('a test database has our tables, is alone, and goes', async () => {
  const [first, second] = await Promise.all([createTestDatabase(), createTestDatabase()]);

  await first.pool.query('create table only_here ()');

  expect((await first.pool.query("select to_regclass('only_here') as found")).rows[0].found).toBe(
    'only_here',
  );
  expect((await second.pool.query("select to_regclass('only_here') as found")).rows[0].found).toBeNull();
  const migrated = await second.pool.query('select count(*)::int as count from untilgreen_schema_migrations');
  expect(migrated.rows[0].count).toBeGreaterThan(0);
  await first.drop();
  await expect(second.pool.query('select 1')).resolves.toBeDefined();
  await second.drop();
});

test('an empty test database has no tables of ours', async () => {
  const database = await createTestDatabase({ empty: true });

  const found = await database.pool.query("select to_regclass('untilgreen_schema_migrations') as found");

  expect(found.rows[0].found).toBeNull();
  await database.drop();
});

test('the dev server has our search attributes and a metric of actions', async () => {
  temporal = await testTemporal();

  const { customAttributes } = await temporal.client.connection.operatorService.listSearchAttributes({
    namespace: temporal.namespace,
  });

  expect(Object.keys(customAttributes)).toEqual(
    expect.arrayContaining(['untilgreenTenant', 'untilgreenStatus']),
  );
  const metrics = await (await fetch(temporal.metricsUrl)).text();
  expect(metrics).toContain('# TYPE');
});

test('the time-skipping server skips a day', async () => {
  const environment = await timeSkipping();
  const before = await environment.currentTimeMs();

  await environment.sleep('1 day');

  expect((await environment.currentTimeMs()) - before).toBeGreaterThan(23 * 3600 * 1000);
  await environment.teardown();
});

// CI-3: what the ledger held before it told lanes apart is kept, each row in its lane; and the way back.
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

const folder = fileURLToPath(new URL('../../../db/migrations/', import.meta.url));
const own = '20261121150000_flake_lanes.sql';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase({ empty: true });
});
afterEach(() => database.drop());

async function run(file: string, way: 'up' | 'down'): Promise<void> {
  const [up = '', down = ''] = (await readFile(`${folder}${file}`, 'utf8')).split('-- migrate:down');
  await database.pool.query(way === 'up' ? up : down);
}

it('puts rows of a pull request into its lane, all others into that of the branches', async () => {
  for (const file of (await readdir(folder)).filter((name) => name < own).sort()) await run(file, 'up');
  const { pool } = database;
  await pool.query(`insert into tenants (tenant, config, version) values ('acme', '{}', 1)`);
  const detail = (sha: string, more: object) =>
    JSON.stringify({
      kind: 'ci',
      repository: 'acme/shop',
      workflowPath: 'ci.yml',
      job: 'test',
      headSha: sha,
      ...more,
    });
  for (const [fingerprint, one] of [
    ['main', detail('aaa', {})],
    ['pull', detail('bbb', { pullRequest: 7 })],
  ])
    await pool.query(
      `insert into findings (tenant, fingerprint, occurrence, workspace, source, kind, target, signature, rule_version, severity, title, detail, status,
         first_seen_ms, last_seen_ms)
       values ('acme', $1, 1, 'shop', 'ciRuns', 'ci', '', '', 1, 'warning', '', $2, 'resolved', 0, 0)`,
      [fingerprint, one],
    );
  for (const [run_id, sha] of [
    [1, 'aaa'],
    [2, 'bbb'],
    [3, 'ccc'],
  ]) {
    await pool.query(
      `insert into ci_flakes (tenant, repository, workflow_path, job, test, run_id, run_attempt, head_sha, line, passed_in, at_ms)
       values ('acme', 'acme/shop', 'ci.yml', 'test', 'adds', $1, 1, $2, '', '', 0)`,
      [run_id, sha],
    );
    await pool.query(
      `insert into ci_runs_seen (tenant, repository, workflow_path, run_id, at_ms) values ('acme', 'acme/shop', 'ci.yml', $1, 0)`,
      [run_id],
    );
  }
  await pool.query(
    `insert into ci_quarantines (tenant, repository, workflow_path, job, test, run_id, at_ms) values ('acme', 'acme/shop', 'ci.yml', 'test', 'adds', 2, 0)`,
  );
  await run(own, 'up');
  const lanes = async (table: string) =>
    (await pool.query(`select run_id, lane from ${table} order by run_id`)).rows.map(
      (row: { run_id: number; lane: string }) => `${row.run_id} ${row.lane}`,
    );
  expect(await lanes('ci_flakes')).toEqual(['1 branches', '2 pulls', '3 branches']);
  expect(await lanes('ci_runs_seen')).toEqual(['1 branches', '2 pulls', '3 branches']);
  expect(await lanes('ci_quarantines')).toEqual(['2 pulls']);
  await run(own, 'down');
  expect((await pool.query('select run_id from ci_flakes')).rows).toHaveLength(2);
  await run(own, 'up');
});

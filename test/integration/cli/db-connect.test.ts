// OPS-1, SEC-2: `db connect` opens psql with a connection string that no argument, output or record has. The command line is a process, psql a script that
// shows what it was given; and the real one, where it is there.
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAudit } from '../../../src/store/audit.ts';
import { type Cli, createCli } from '../../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { register } from './seed.ts';

const password = 'g3heim/Wort:9';
const address = `postgres://shop:${encodeURIComponent(password)}@db.example:6543/shop?sslmode=require`;
const ends: (() => Promise<unknown>)[] = [];
let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
  await register(database.pool, 'acme');
  folder = await mkdtemp(join(tmpdir(), 'untilgreen-psql-'));
});
afterAll(async () => {
  for (const end of ends) await end();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function cliWith(env: Record<string, string>): Promise<Cli> {
  const cli = await createCli({ DATABASE_URL: database.url, SHOP_DATABASE_URL: address, ...env });
  ends.push(() => cli.remove());
  return cli;
}

test('OPS-1: psql gets the address by its environment, and its own arguments', async () => {
  const bin = await mkdtemp(join(folder, 'bin-'));
  const psql = join(bin, 'psql');
  await writeFile(
    psql,
    '#!/bin/sh\necho "args: $*"\necho "to: $PGUSER@$PGHOST:$PGPORT/$PGDATABASE $PGSSLMODE"\n' +
      `[ "$PGPASSWORD" = '${password}' ] && echo "the password is right"\ntr '\\0' ' ' < /proc/$$/cmdline\nexit "\${1:-0}"\n`,
  );
  await chmod(psql, 0o755);
  const cli = await cliWith({
    PATH: `${bin}:${process.env.PATH}`,
    PGSSLMODE: 'disable',
    PGSERVICE: 'elsewhere',
  });
  const done = await cli.spawn('db', 'connect', 'main', '--by', 'ana');
  expect(done.code, done.stderr).toBe(0);
  expect(done.stdout).toContain('to: shop@db.example:6543/shop require');
  expect(done.stdout).toContain('the password is right');
  const failed = await cli.spawn('db', 'connect', 'main', '--', '7', '-c', 'select 1');
  expect(failed.code).toBe(1);
  expect(failed.stdout).toContain('args: 7 -c select 1');
  for (const { stdout, stderr } of [done, failed]) {
    expect(stdout + stderr).not.toContain(password);
    expect(stdout + stderr).not.toContain(encodeURIComponent(password));
  }
  const [line] = (await readAudit(database.pool, { tenant: 'acme', limit: 10 })).filter(
    ({ action, actor }) => action === 'database.connect' && actor === 'ana',
  );
  expect(line).toMatchObject({ subject: 'main', workspace: 'shop' });
  expect(JSON.stringify(line)).not.toContain('g3heim');
});

test('OPS-1: what is missing is said, with the fix', async () => {
  const bin = await mkdtemp(join(folder, 'empty-'));
  await symlink(process.execPath, join(bin, 'node'));
  const missing = await (await cliWith({ PATH: bin })).spawn('db', 'connect', 'main');
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('psql is not on PATH. Fix: install');
  const unset = await (await cliWith({ SHOP_DATABASE_URL: '' })).spawn('db', 'connect', 'main');
  expect(unset.code).toBe(2);
  expect(unset.stderr).toContain('env:SHOP_DATABASE_URL is empty');
  const wrong = await (await cliWith({})).spawn('db', 'connect', 'mainn');
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('did you mean "main"?');
});

const real = spawnSync('psql', ['--version']).status === 0;
test.skipIf(!real)('OPS-1: the real psql, where this machine has one, is in the database', async () => {
  const cli = await cliWith({ SHOP_DATABASE_URL: database.url });
  const done = await cli.spawn('db', 'connect', 'main', '--', '-At', '-c', 'select tenant from tenants');
  expect(done.stdout.trim(), done.stderr).toBe('acme');
});

// What is published (issue: `npm pack`, an empty folder, Node 24): the command line and a five-line program work from compiled JavaScript with
// types. Dependencies are this checkout's own, linked, so that no registry is asked.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../../..');

test('SEE-2: the packed package runs "untilgreen status" and a five-line program on the client', {
  timeout: 300_000,
}, async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'untilgreen-package-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: root,
    maxBuffer: 10_000_000,
  });
  const [{ filename, files }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('['))) as [
    { filename: string; files: { path: string }[] },
  ];
  const paths = files.map((file) => file.path);
  expect(paths).toContain('dist/client.d.ts');
  expect(paths.filter((path) => /^(test|demo|src)\//.test(path) || /(?<!\.d)\.ts$/.test(path))).toEqual([]);

  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, 'untilgreen'), { recursive: true });
  await run('tar', [
    '-xzf',
    join(folder, filename),
    '--strip-components=1',
    '-C',
    join(modules, 'untilgreen'),
  ]);
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name !== 'untilgreen') await symlink(join(root, 'node_modules', name), join(modules, name));
  }

  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: '127.0.0.1:1',
  };
  const cli = await run(
    process.execPath,
    [join(modules, 'untilgreen/bin/untilgreen'), 'tenant', 'list', '--json'],
    { env },
  );
  expect(JSON.parse(cli.stdout)).toMatchObject({ tenants: [] });
  const status = await run(process.execPath, [join(modules, 'untilgreen/bin/untilgreen'), 'status'], { env });
  expect(status.stdout).toContain('no tenant is registered');

  const program = [
    "import { connectUntilgreen } from 'untilgreen';",
    'const untilgreen = await connectUntilgreen();',
    'const tenants = await untilgreen.tenants.list();',
    'console.log(JSON.stringify(tenants));',
    'await untilgreen.close();',
  ].join('\n');
  await writeFile(join(folder, 'program.mjs'), program);
  const ran = await run(process.execPath, ['program.mjs'], { cwd: folder, env });
  expect(JSON.parse(ran.stdout)).toEqual([]);
  expect(await readFile(join(modules, 'untilgreen/dist/client.d.ts'), 'utf8')).toContain('connectUntilgreen');
});

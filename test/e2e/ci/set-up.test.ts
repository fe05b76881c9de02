// CI-6, SEC-3 end to end: a project whose tests need a package of a registry. CI installs it; the sandbox gets it by ci.setup, from the one registry
// that is allowed, and then drafts and verifies without a network. Red, fixed by the model, merged, green.
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { approveAndMergeVerified } from '../../../demo/forge/maintainer.ts';
import { shop, startRegistry } from '../../integration/workspace/set-up-rig.ts';
import { start } from '../people/approving.ts';
import {
  bash,
  createFixingWorld,
  type Files,
  honestTurns,
  implementing,
  type Project,
  turn,
  verdict,
  verifying,
} from './fixing.ts';

const install = 'npm ci --no-audit --no-fund';
const tarball = '/dep/-/dep-1.0.0.tgz';
const pages = (rounding: string): string =>
  `// Pages of a list.\nexports.pages = (items, size) => Math.${rounding}(items / size);\n`;

function projectWith(port: number): Project {
  return {
    name: 'JavaScript with a dependency',
    install,
    command: `${process.execPath} --test test/pages.test.js`,
    source: 'src/pages.js',
    test: 'test/pages.test.js',
    wrong: 'Math.floor(items / size)',
    right: 'Math.ceil(items / size)',
    assertion: ['assert.equal(pages(11, 5), 3)', 'assert.equal(pages(11, 5), 2)'],
    good: {
      ...(shop(port) as Files),
      'src/pages.js': pages('ceil'),
      'test/pages.test.js': `const assert = require('node:assert/strict');
const { test } = require('node:test');
const dep = require('dep');
const { pages } = require('../src/pages.js');

test('the package is the one of the registry', () => {
  assert.equal(dep, 'from the registry');
});

test('a list that ends within a page', () => {
  assert.equal(pages(11, 5), 3);
});
`,
    },
    broken: { 'src/pages.js': pages('floor') },
  };
}

test('CI-6: dependencies come by ci.setup from the allowed registry; red, fixed, verified, merged, green', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const registry = await startRegistry();
  onTestFinished(registry.close);
  const project = projectWith(registry.port);
  const setup = { command: install, registries: [`127.0.0.1:${registry.port}`] };
  const world = await createFixingWorld(project, {
    ci: { setup, sandbox: { readOnlyPaths: [dirname(process.execPath)] } },
  });
  onTestFinished(world.stop);
  const { claude, forge } = world;
  const [look, mend, ...rest] = honestTurns(project);
  if (!look || !mend) throw new Error('an honest model looks and mends');
  // What a command tries while it drafts: the registry is out of reach by then.
  const reach = turn(
    bash(
      `curl -sS -m 5 http://127.0.0.1:${registry.port}/reached-from-a-command 2>&1; cat node_modules/dep/index.js`,
    ),
  );
  claude.script({ name: 'implement', when: implementing(), replies: [look, reach, mend, ...rest] });
  claude.script({ name: 'verify', when: verifying, replies: [verdict(true, 'It counts the last page.')] });
  await start(world);

  const pull = await world.until('a pull request', async () => {
    const [first] = await world.maria.request<{ number: number; body: string }[]>('GET', '/pulls?state=all');
    return first;
  });
  expect(pull.body).toContain('Before, on the base: exit code 1');
  expect(pull.body).toContain('After, second run: exit code 0');
  // Which set-up came first is the worker's business: the drafts' own, or the verifier's.
  expect(pull.body).toMatch(/Dependencies: (?:put back from an earlier )?`npm ci --no-audit --no-fund`/);
  const files = await world.maria.request<{ filename: string }[]>('GET', `/pulls/${pull.number}/files`);
  expect(files.map(({ filename }) => filename)).toEqual(['src/pages.js']);
  const { rows } = await world.own.pool.query<{ body: string }>(
    `select body from evidence where tenant = $1 and kind = 'setUp'`,
    [world.tenant],
  );
  expect(rows.map(({ body }) => body).join('\n')).toContain(install);
  expect(registry.journal).toContain(tarball);
  expect(registry.journal.filter((path) => path !== tarball)).toEqual([]);

  const maintainer = approveAndMergeVerified({
    url: forge.url,
    token: world.maintainerToken,
    owner: 'acme',
    repo: 'shop',
    label: 'verified',
    evidenceHeading: 'Evidence',
    intervalMs: 500,
  });
  onTestFinished(() => maintainer.stop());
  await world.until('green', async () => (await world.finding('ci'))?.status === 'resolved');
  const [run] = (await forge.actions.runs({ owner: 'acme', repo: 'shop' })).filter(
    ({ branch }) => branch === 'main',
  );
  expect(run?.conclusion).toBe('success');
  expect((await world.finding('ci'))?.attempts).toBe(1);
  claude.verify();
  expect(await forge.journal.unexpected()).toEqual([]);
});

// SEC-3: whatever a command leaves, its checkout can be removed: what cannot would be made again with each attempt, until the disk is full.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { removeFolder } from '../../../src/integrations/git/worktree.ts';

it.each([
  ['folders deeper than a path may be long', 'for n in $(seq 60); do mkdir "$long"; cd "$long"; done'],
  ['a folder that nobody may read', 'mkdir -p a/b; touch a/b/c; chmod 000 a/b; chmod 500 a'],
  ['a link to what is not its own', 'ln -s / a; ln -s /nowhere b'],
])('%s', async (_name, script) => {
  const folder = mkdtempSync(join(tmpdir(), 'untilgreen-remove-'));
  const long = 'a'.repeat(200);
  execFileSync('bash', ['-c', `cd "$0"; ${script}`, folder], { env: { PATH: process.env.PATH, long } });
  await removeFolder(folder);
  expect(existsSync(folder)).toBe(false);
});

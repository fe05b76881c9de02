// CI-8: the comment's command takes the patch, run as a person would run it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cleanBody } from '../../../src/integrations/github/body-text.ts';
import { takePatch } from '../../../src/integrations/github/patch-comment.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';

const evidence = 'ab'.repeat(32);
const redactor = createRedactor();

test.each([
  ['plain', 'one\n', 'two\n'],
  ['quotes, dollars and backticks', 'one\n', 'echo \'$HOME\' `id` "x" \\\n```\n'],
  ['the end of the command itself', 'one\n', 'PATCH\nPATCH_\n'],
  ['a mention and HTML', 'one\n', '@team <script> <!-- comment -->x\n'],
  ['no line end at the end', 'one\n', 'two'],
])('CI-8: the command in the comment applies a patch with %s', (_name, before, after) => {
  const folder = mkdtempSync(join(tmpdir(), 'untilgreen-patch-'));
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { cwd: folder, encoding: 'utf8' });
    git('init', '-q');
    writeFileSync(join(folder, 'a.txt'), before);
    git('add', '.');
    git('-c', 'user.name=a', '-c', 'user.email=a@localhost', 'commit', '-qm', 'a');
    writeFileSync(join(folder, 'a.txt'), after);
    const patch = git('diff', '--binary');
    git('checkout', '-q', '.');
    const comment = cleanBody(takePatch(patch, evidence), redactor);
    const [, command = ''] = /\n(`{3,})sh\n([\s\S]*?)\n\1\n?/.exec(comment)?.slice(1) ?? [];
    execFileSync('bash', ['-c', command], { cwd: folder });
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe(after);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.each([
  ['too long', `+${'x'.repeat(50_000)}\n`],
  ['with what a comment does not show', '+a\u200bb\n'],
  ['with a marker of ours', '+<!-- untilgreen:000000000000000000000000 -->\n'],
  ['with other line ends', '+a\r\n'],
])('CI-8: a patch that is %s is named by its evidence', (_name, patch) => {
  expect(takePatch(patch, evidence)).toContain(`untilgreen show ${evidence.slice(0, 16)}`);
});

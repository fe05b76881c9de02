// What a triage and a fix send to the model, in tokens (MODEL-3): the end-to-end scenarios run as they are, and say what their journals hold.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Line = { readonly scenario: string; readonly triage: number; readonly fix: number };

/** The most that one of the small projects needed, and each of them. */
export async function tokensOfFixes(): Promise<{ readonly [name: string]: number | string }> {
  const directory = await mkdtemp(join(tmpdir(), 'untilgreen-bench-'));
  const file = join(directory, 'tokens.jsonl');
  try {
    const child = spawn(
      process.execPath,
      // What runs the workflows makes no difference to the model.
      ['node_modules/vitest/vitest.mjs', 'run', 'test/e2e/ci/ci-fix.test.ts', '-t', 'runs by forge'],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, UNTILGREEN_TOKEN_REPORT: file },
      },
    );
    const [code] = await once(child, 'exit');
    const text = await readFile(file, 'utf8').catch(() => '');
    const lines = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
    if (code !== 0 || lines.length === 0)
      return { tokens: 'not counted: test/e2e/ci/ci-fix.test.ts does not pass here' };
    return {
      triageTokens: Math.max(...lines.map(({ triage }) => triage)),
      fixTokens: Math.max(...lines.map(({ fix }) => fix)),
      ...Object.fromEntries(lines.map(({ scenario, fix }) => [`fixTokens.${scenario}`, fix])),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

// SEE-2: every command line that the documents show is one that the program takes, and every test or document that they name is there.
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createCli } from '../../support/cli.ts';

const documents = ['README.md', 'AGENTS.md', 'docs/operations.md', 'docs/architecture.md', 'CONTRIBUTING.md'];
const text = documents.map((name) => readFileSync(name, 'utf8')).join('\n');

/** `untilgreen pause --reason "…"` → its words up to the first option or placeholder, and its long options. */
const commands = [
  ...new Set(
    [...text.matchAll(/untilgreen ((?:[a-z][a-z-]*)(?: [^`\n#"]*)?)/g)].map(([, line]) => line?.trim() ?? ''),
  ),
]
  .map((line) => ({
    line,
    words: line
      .split(/\s+/)
      .filter((_word, index, all) => all.slice(0, index + 1).every((one) => /^[a-z][a-z-]*$/.test(one))),
    options: line.split(/\s+/).filter((word) => /^--[a-z-]+$/.test(word)),
  }))
  .filter(({ words }) => words.length > 0);

test('SEE-2: the documents show commands', () => {
  expect(commands.length).toBeGreaterThan(15);
});

test.each(commands)('SEE-2: untilgreen $line', async ({ words, options }) => {
  const cli = await createCli({});
  try {
    const known = ['tenant', 'ci', 'drift'].includes(words[0] ?? '') ? words.slice(0, 2) : words.slice(0, 1);
    if (known[0] === 'up') return;
    const help = await cli.run(...known, '--help');
    expect(help.stdout).toContain(`Usage: untilgreen ${known.join(' ')}`);
    for (const option of options) expect(help.stdout).toContain(option);
  } finally {
    await cli.remove();
  }
});

test('SEE-2: files that the documents name are there', () => {
  const named = [
    ...text.matchAll(/`((?:test|docs|src|examples|scripts|demo)\/[\w./-]+\.\w+)`|\]\(([\w./-]+\.\w+)\)/g),
  ].map(([, code, link]) => code ?? link ?? '');
  expect(named.length).toBeGreaterThan(15);
  const missing = named.filter(
    (path) => !path.includes('YYYY') && !existsSync(path) && !existsSync(`docs/${path}`),
  );
  expect(missing).toEqual([]);
});

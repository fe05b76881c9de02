// What tools print when they fail, as text files beside this one: `## kind [exit code] $ command`, then the lines, with {words} to fill in.
import { readFileSync } from 'node:fs';
import type { Step } from './wrappers.ts';

export type Phrase = {
  readonly kind: string;
  readonly command: string;
  readonly exitCode: number;
  readonly lines: string;
};
export type Made = { readonly kind: string; readonly step: Step };

export function readPhrases(file: 'transient' | 'tests' | 'builds'): readonly Phrase[] {
  const text = readFileSync(new URL(`./phrases/${file}.txt`, import.meta.url), 'utf8');
  const blocks = text.split(/^## /m).slice(1);
  return blocks.map((block) => {
    const [head = '', ...lines] = block.trimEnd().split('\n');
    const [, kind = '', exitCode = '1', command = ''] = /^(\S+)(?: (\d+))? \$ (.+)$/.exec(head) ?? [];
    if (command === '') throw new Error(`${file}.txt: "${head}" is no "kind [exit code] $ command"`);
    return { kind, command, exitCode: Number(exitCode), lines: lines.join('\n') };
  });
}

/** A word that is not given stays as it is; a line that gets empty stays. */
export function filled(
  { kind, command, exitCode, lines }: Phrase,
  words: Readonly<Record<string, string>>,
): Made {
  const text = lines.replace(/\{(\w+)\}/g, (whole, word: string) => words[word] ?? whole);
  return { kind, step: { command, exitCode, output: text.split('\n') } };
}

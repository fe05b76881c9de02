// How many tests a run of a command ran, and which by name, as the runner itself says (CI-6): a fix that only takes the failing test away passes
// with an exit code of 0. What a runner does not print is not guessed. Pure text work over one run's output.
import { lastLines } from './signature.ts';

export type RanTests = {
  /** Passed or failed; null when no runner said it. What was skipped, ignored or expected to fail did not run. */
  readonly ran: number | null;
  readonly passedNames: readonly string[];
  readonly skippedNames: readonly string[];
};

const MAX_LINES = 200_000;

type Counts = { readonly [word: string]: number };
type Summary = {
  readonly line: RegExp;
  /** Tests that ran, from the numbers of the line. */
  readonly ran: (counts: Counts) => number;
};

const sum = (counts: Counts, ...words: readonly string[]): number =>
  words.reduce((total, word) => total + (counts[word] ?? 0), 0);

/** One line per run, file or module each: numbers of all lines that fit are added up. The first kind that fits a log counts. */
const SUMMARIES: readonly Summary[] = [
  // jest, vitest
  { line: /^\s*Tests:?\s+.*\b\d+ (?:passed|failed)\b/, ran: (counts) => sum(counts, 'passed', 'failed') },
  // pytest
  {
    line: /^=*\s*(?:\d+ \w+, )*\d+ (?:passed|failed|errors?|skipped|xfailed|deselected)\b.* in [\d.]+s\b/,
    ran: (counts) => sum(counts, 'passed', 'failed'),
  },
  // cargo
  { line: /^test result: \w+\. \d+ passed; /, ran: (counts) => sum(counts, 'passed', 'failed') },
  // Maven, the totals; each class has a line with its time as well
  {
    line: /^(?:\[\w+\]\s*)?Tests run: \d+, Failures: \d+, Errors: \d+, Skipped: \d+(?!.*Time elapsed)/,
    ran: (counts) => sum(counts, 'tests run:') - sum(counts, 'skipped:'),
  },
  // dotnet test
  {
    line: /^\s*(?:Passed|Failed)!\s+-\s+Failed:\s+\d+, Passed:\s+\d+/,
    ran: (counts) => sum(counts, 'passed:', 'failed:'),
  },
  // RSpec
  {
    line: /^\d+ examples?, \d+ failures?/,
    ran: (counts) => sum(counts, 'example', 'examples') - sum(counts, 'pending'),
  },
  // minitest
  {
    line: /^\d+ (?:runs|tests), \d+ assertions, \d+ failures/,
    ran: (counts) => sum(counts, 'runs', 'tests') - sum(counts, 'skips'),
  },
  // PHPUnit
  {
    line: /^Tests: \d+, Assertions: \d+/,
    ran: (counts) => sum(counts, 'tests:') - sum(counts, 'skipped:', 'incomplete:'),
  },
  { line: /^OK \(\d+ tests?, \d+ assertions?\)/, ran: (counts) => sum(counts, 'test', 'tests') },
];

const NAMED: readonly { readonly state: 'passed' | 'failed' | 'skipped'; readonly line: RegExp }[] = [
  // go test -v
  { state: 'passed', line: /^\s*--- PASS: (\S+) \(/ },
  { state: 'failed', line: /^\s*--- FAIL: (\S+) \(/ },
  { state: 'skipped', line: /^\s*--- SKIP: (\S+) \(/ },
  // pytest -v
  { state: 'passed', line: /^(\S+::\S.*?) PASSED\b/ },
  { state: 'failed', line: /^(\S+::\S.*?) (?:FAILED|ERROR)\b/ },
  { state: 'skipped', line: /^(\S+::\S.*?) (?:SKIPPED|XFAIL|XPASS)\b/ },
  // cargo
  { state: 'passed', line: /^test (\S.*?) \.\.\. ok$/ },
  { state: 'failed', line: /^test (\S.*?) \.\.\. FAILED$/ },
  { state: 'skipped', line: /^test (\S.*?) \.\.\. ignored\b/ },
  // unittest -v
  { state: 'passed', line: /^(\w+ \([\w.]+\)).* \.\.\. ok$/ },
  { state: 'failed', line: /^(\w+ \([\w.]+\)).* \.\.\. (?:FAIL|ERROR)$/ },
  { state: 'skipped', line: /^(\w+ \([\w.]+\)).* \.\.\. (?:skipped|expected failure)\b/ },
  // node --test, vitest, jest, mocha in their long forms
  { state: 'skipped', line: /^\s*(?:[✔✓√﹣↓○-]|ok \d+ -) (.+?)(?: \([\d.]+\s?m?s\))? # (?:SKIP|TODO)\b/ },
  { state: 'skipped', line: /^\s*[﹣↓○] (?:skipped )?(.+?)(?: \([\d.]+\s?m?s\)| [\d.]+m?s)?$/ },
  { state: 'passed', line: /^\s*(?:[✔✓√]|ok \d+ -) (.+?)(?: \([\d.]+\s?m?s\)| [\d.]+m?s)?$/ },
  { state: 'failed', line: /^\s*(?:[✖✕✗×]|not ok \d+ -) (.+?)(?: \([\d.]+\s?m?s\)| [\d.]+m?s)?$/ },
];

/** Reads one run's output. Never throws. */
export function ranTests(output: string): RanTests {
  const lines = lastLines(output, MAX_LINES);
  const names = { passed: new Set<string>(), failed: new Set<string>(), skipped: new Set<string>() };
  for (const line of lines) {
    const found = NAMED.find((kind) => kind.line.test(line));
    const name = found?.line.exec(line)?.[1]?.trim();
    if (found && name) names[found.state].add(name);
  }
  return {
    ran: counted(lines) ?? goCount(names),
    passedNames: [...names.passed],
    skippedNames: [...names.skipped],
  };
}

/**
 * Null when the tests that failed before did run after; otherwise which did not, in words.
 * @param failed names of the tests that failed before, as the runner printed them
 */
export function testsMissing(before: RanTests, after: RanTests, failed: readonly string[]): string | null {
  for (const name of failed) {
    if (
      after.skippedNames.some((one) => isSame(one, name)) &&
      !after.passedNames.some((one) => isSame(one, name))
    )
      return `the failing test ${name} is skipped`;
  }
  // Only where the runner names every test that passed does a name that is missing mean anything.
  const complete = after.ran !== null && after.passedNames.length >= after.ran && after.ran > 0;
  const gone = failed.filter((name) => complete && !after.passedNames.some((one) => isSame(one, name)));
  if (gone.length > 0) return `the failing test ${gone[0]} did not run`;
  if (before.ran !== null && after.ran !== null && after.ran < before.ran)
    return `${before.ran} tests ran before, ${after.ran} after`;
  return null;
}

function counted(lines: readonly string[]): number | null {
  for (const { line, ran } of SUMMARIES) {
    const fitting = lines.filter((text) => line.test(text));
    if (fitting.length > 0) return fitting.reduce((total, text) => total + ran(countsIn(text)), 0);
  }
  return unittestCount(lines) ?? nodeCount(lines) ?? mochaCount(lines);
}

/** `5 passed`, `Passed: 5`, `skipped=1` → by the word, lower case; the colon stays. */
function countsIn(text: string): Counts {
  const counts: Record<string, number> = {};
  const count = (word: string, number: string): void => {
    counts[word.toLowerCase()] = (counts[word.toLowerCase()] ?? 0) + Number(number);
  };
  for (const [, number = '', word = ''] of text.matchAll(/\b(\d+) ([A-Za-z]+)/g)) count(word, number);
  for (const [, word = '', number = ''] of text.matchAll(/\b((?:Tests )?[A-Za-z]+:)\s*(\d+)/g))
    count(word, number);
  for (const [, word = '', number = ''] of text.matchAll(/\b([A-Za-z ]+)=(\d+)/g))
    count(`${word.trim()}=`, number);
  return counts;
}

function unittestCount(lines: readonly string[]): number | null {
  const ran = lines.flatMap((line) => /^Ran (\d+) tests? in /.exec(line)?.[1] ?? []);
  if (ran.length === 0) return null;
  const ends = lines.filter((line) => /^(?:OK|FAILED)(?: \(|$)/.test(line)).map(countsIn);
  const not = ends.reduce((total, counts) => total + sum(counts, 'skipped=', 'expected failures='), 0);
  return ran.reduce((total, count) => total + Number(count), 0) - not;
}

function nodeCount(lines: readonly string[]): number | null {
  const value = (word: string): number | null => {
    const found = lines.flatMap((line) => new RegExp(`^[#ℹ] ${word} (\\d+)$`).exec(line)?.[1] ?? []);
    return found.length === 0 ? null : found.reduce((total, count) => total + Number(count), 0);
  };
  const tests = value('tests');
  return tests === null ? null : tests - (value('skipped') ?? 0) - (value('todo') ?? 0);
}

function mochaCount(lines: readonly string[]): number | null {
  const found = lines.flatMap((line) => /^\s*(\d+) (?:passing|failing)\b/.exec(line)?.[1] ?? []);
  return found.length === 0 ? null : found.reduce((total, count) => total + Number(count), 0);
}

function goCount(names: {
  readonly passed: ReadonlySet<string>;
  readonly failed: ReadonlySet<string>;
}): number | null {
  const all = names.passed.size + names.failed.size;
  return all === 0 ? null : all;
}

/** Runners print a test with and without its file or class: the last part decides. */
function isSame(one: string, other: string): boolean {
  return one === other || one.endsWith(other) || other.endsWith(one) || last(one) === last(other);
}

function last(name: string): string {
  return (name.split(/::| > | › /).at(-1) ?? name).replace(/ \([\w.]+\)$/, '').trim();
}

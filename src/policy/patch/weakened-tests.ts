// Finds changes that make a check weaker instead of fixing what it found (CI-7): skipped tests, fewer assertions,
// raised timeouts, swallowed exit codes, lowered coverage. It reads only the lines of a diff, for many languages,
// and prefers a false alarm (a person looks) over a miss. A line that was only reformatted is not a new line.

import { isCheckScript } from './check-files.ts';
import { codeOf, codeWithoutTexts } from './code-of-line.ts';
import { hiddenFrom } from './hidden-code.ts';
import { isTestFile } from './test-files.ts';
import type { DiffFile, DiffLine } from './unified-diff.ts';
import { limitChanges } from './weakened-limits.ts';
import type { Weakening } from './weakening.ts';
import { JS_TEST, newLinePatterns } from './weakening-patterns.ts';

const ASSERTION =
  /\b((?<!\)\.)expect|assert\w*|Assert|should\w*|Should|verify|require\s*\.\s*\w+|EXPECT_\w+|ASSERT_\w+|XCTAssert\w*|t\s*\.\s*(Error|Errorf|Fatal|Fatalf|Fail|FailNow|is|equal|deepEqual|truthy|throws|not\w*)|must\w*Equal|refute\w*|pytest\s*\.\s*raises|to_eq|must_equal|wont_\w+|plan|ok)\b\s*[!(.\s]/g;
const DECLARED_TEST = new RegExp(
  [
    `\\b(${JS_TEST}|fit|xit)\\s*(\\.\\s*\\w{1,40}\\s*){0,6}\\(`,
    '\\b(async\\s+)?def\\s+test\\w*',
    '\\bclass\\s+Test\\w*',
    '\\bfunc\\s+(Test|Benchmark|Fuzz|Example)\\w*\\s*\\(',
    '#\\s*\\[\\s*(\\w+::)*(test|rstest|proptest)\\b',
    '@(Test|ParameterizedTest|RepeatedTest|TestFactory)\\b',
    '\\[\\s*(Test|Fact|Theory|TestMethod|TestCase)\\b',
    '\\bfunction\\s+test\\w+',
    '\\bfunc\\s+test\\w*\\s*\\(\\s*\\)',
    '\\bTEST(_F|_P)?\\s*\\(',
    '^\\s*(it|specify|scenario|test|describe|context)\\s+[\'"]',
    '^\\s*(Scenario|Scenario Outline|Example):',
    '^\\s*@test\\b',
    '^\\s*exports\\[`',
    '\\badd_test\\s*\\(',
    '\\bvoid\\s+test\\w+\\s*\\(',
  ].join('|'),
  'g',
);
const CHECK_COMMAND =
  /\b(?:npm|yarn|pnpm|bun) (?:run )?[\w:-]*(?:test|lint|check|typecheck|types|e2e)[\w:-]*|\b(?:npx |pnpm )?(?:jest|vitest|mocha|ava|eslint|biome|tsc|playwright|cypress)\b|\bnode --test\b|\bpy(?:test|lint|right)\b|\b(?:python3?|coverage) (?:run )?-m (?:pytest|unittest)|\b(?:mypy|ruff|flake8|black|tox|nox)\b|\bgo (?:test|vet)\b|\bgolangci-lint\b|\bcargo (?:test|nextest|clippy|fmt)|\b(?:mvnw?|gradlew?)\b[^#|]{0,80}\b(?:test|verify|check|build)\b|\b(?:rspec|rubocop|rake test|rails test|phpunit|phpstan|psalm|pest)\b|\bdotnet (?:test|format)|\b(?:shellcheck|make (?:test|check|lint))\b/g;
/** A command that is only named: `echo npm test`. */
const PRINTED = /\b(?:echo|printf)\b[^;&|]*/g;
const STOPS_ON_ERROR = /\bset\s+-\w*e|\bpipefail\b|\berrexit\b/g;
const TEST_SCRIPT =
  /^\s*(?:"scripts"\s*:\s*\{\s*)?"((pre|post)?(test|lint|check|ci|verify|typecheck|types|coverage|e2e|build)[\w:.-]*)"\s*:\s*"(?!(?:[~^<>=v]|workspace:)*[\d*])/;
/** Brings in tests that stand elsewhere. */
const BRINGS_TESTS =
  /^\s*import\s+['"`]|^\s*require_relative\b|^\s*(?:pub\s+)?mod\s+\w+\s*;|\bRUN_TEST\b|\baddTests?\s*\(/g;
const PROSE = /(?<!(^|\/)CMakeLists)\.(md|mdx|rst|txt|adoc)$/i;

/** True for a line of code that declares a test. */
export function declaresTest(text: string, path: string): boolean {
  return (codeWithoutTexts(text, path).match(DECLARED_TEST)?.length ?? 0) > 0;
}

/** All weakenings in one file of a patch. Prose (Markdown and the like) is only read for checks of prose that are switched off. */
export function weakenings(file: DiffFile): readonly Weakening[] {
  const path = file.newPath ?? file.oldPath ?? '';
  const added = file.lines.filter((line) => line.kind === 'added');
  const removed = file.lines.filter((line) => line.kind === 'removed');
  const isProse = PROSE.test(path);
  const known = countOf(removed.map((line) => normalise(line.text)));
  const found: Weakening[] = [];
  for (const line of added) {
    const key = normalise(line.text);
    const left = known.get(key) ?? 0;
    if (left > 0) {
      known.set(key, left - 1);
      continue;
    }
    for (const pattern of newLinePatterns) {
      if (isProse && !(pattern.prose === true && line.text.includes('<!--'))) continue;
      if (pattern.only !== undefined && !pattern.only.test(path)) continue;
      if (pattern.inTests === true && !isTestFile(path)) continue;
      if (pattern.match.test(line.text))
        found.push({ rule: pattern.rule, line: line.line, detail: `new: ${pattern.name}` });
    }
    if (/(^|\/)package\.json$/.test(path) && TEST_SCRIPT.test(line.text)) {
      // New ones too: of two with one name the last one counts, and `pretest` runs before what is there.
      const script = TEST_SCRIPT.exec(line.text)?.[1] ?? '';
      found.push({
        rule: 'changedTestCommand',
        line: line.line,
        detail: `the script "${script}" is new or runs something else`,
      });
    }
  }
  if (isProse) return found;
  const fewer = (
    rule: Weakening['rule'],
    what: string,
    pattern: RegExp,
    seen: (text: string) => string,
  ): void => {
    const count = (lines: readonly DiffLine[]): number =>
      lines.reduce((sum, line) => sum + (seen(line.text).match(pattern)?.length ?? 0), 0);
    const gone = count(removed) - count(added);
    if (gone > 0) found.push({ rule, detail: `${gone} fewer ${what}` });
  };
  const code = (text: string): string => codeWithoutTexts(text, path);
  fewer('fewerAssertions', 'assertions', ASSERTION, code);
  fewer('deletedTest', 'tests', DECLARED_TEST, code);
  if (isTestFile(path)) fewer('deletedTest', 'lines that bring in tests', BRINGS_TESTS, code);
  if (isCheckScript(path)) {
    const commands = (text: string): string => codeOf(text, path).replace(PRINTED, '');
    fewer('changedTestCommand', 'commands that check', CHECK_COMMAND, commands);
    fewer('swallowedFailure', 'settings that stop on an error', STOPS_ON_ERROR, commands);
  }
  const hidden = isTestFile(path) ? hiddenFrom(file) : null;
  if (hidden !== null)
    found.push({ rule: 'skippedTest', line: hidden, detail: 'new: a comment around code that was there' });
  found.push(...limitChanges(path, added, removed));
  return found;
}

function normalise(text: string): string {
  return text.replace(/[\s;,]+/g, '').replace(/['"`]/g, '"');
}

function countOf(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

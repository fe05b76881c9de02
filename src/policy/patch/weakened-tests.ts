// Finds changes that make a check weaker instead of fixing what it found (CI-7): skipped tests, fewer assertions,
// raised timeouts, swallowed exit codes, lowered coverage. It reads only the lines of a diff, for many languages,
// and prefers a false alarm (a person looks) over a miss. A line that was only reformatted is not a new line.

import { hiddenFrom } from './hidden-code.ts';
import { isTestFile } from './test-files.ts';
import type { DiffFile } from './unified-diff.ts';
import { limitChanges } from './weakened-limits.ts';
import type { Weakening } from './weakening.ts';

/** A weakening; `line` is in the new file, absent when it is about lines that are gone. */

type Pattern = {
  readonly rule: Weakening['rule'];
  readonly name: string;
  readonly match: RegExp;
  readonly only?: RegExp;
  readonly inTests?: true;
};

const JS_TEST = 'describe|it|test|suite|context|specify|bench|Deno\\.test';

/** Things that may not newly appear. `only` and `inTests` limit a pattern to paths; the others hold for every file. */
const NEW_LINE_PATTERNS: readonly Pattern[] = [
  // JavaScript, TypeScript
  {
    rule: 'skippedTest',
    name: 'skip, only or todo',
    match: new RegExp(
      `\\b(${JS_TEST})\\s*(\\.\\s*\\w{1,40}\\s*){0,6}\\.\\s*(skip|only|todo|fails|failing|fixme|skipIf|runIf|ignore)\\b`,
    ),
  },
  {
    rule: 'skippedTest',
    name: 'skip, only or todo',
    match: /\[\s*(['"`])(skip|only|todo|fails|failing|fixme)\1\s*\]/,
  },
  {
    rule: 'skippedTest',
    name: 'skip, only or todo',
    match: /^\s*\.\s*(skip|only|todo|fails|failing|fixme|skipIf|runIf)\b/,
    only: /\.[cm]?[jt]sx?$/i,
  },
  {
    rule: 'skippedTest',
    name: 'skip, only or todo',
    match: /\b(this|t|ctx|context)\s*\.\s*(skip|todo)\s*\(/,
  },
  {
    rule: 'skippedTest',
    name: 'x- or f-prefixed test',
    match: /\b(xit|xdescribe|xtest|xcontext|xspecify|fit|fdescribe|fcontext|ftest)\s*[(.'"]/,
  },
  {
    rule: 'skippedTest',
    name: 'skip option',
    match: /\b(skip|todo|only|ignore|sanitizeOps)\s*[:=]\s*(true|['"`])/i,
  },
  // Python
  {
    rule: 'skippedTest',
    name: 'pytest skip or xfail',
    match: /\b(pytest|mark)\s*\.\s*(skip|skipif|xfail|importorskip)\b/,
  },
  {
    rule: 'skippedTest',
    name: 'unittest skip',
    match: /\b(skipTest|SkipTest|skipIf|skipUnless|expectedFailure|unittest\s*\.\s*skip)\b/,
  },
  {
    rule: 'skippedTest',
    name: 'uncollected tests',
    match: /\b(collect_ignore|collect_ignore_glob|__test__)\b|--deselect\b|\bnorecursedirs\b/,
  },
  // Go, Rust, Java, Kotlin, C#, Ruby, PHP, Elixir, Swift, C++, Dart
  {
    rule: 'skippedTest',
    name: 'Go skip',
    match: /\b\w+\s*\.\s*(Skip|Skipf|SkipNow)\s*\(|\btesting\s*\.\s*Short\s*\(/,
  },
  { rule: 'skippedTest', name: 'build constraint', match: /^\s*\/\/\s*(go:build|\+build)\b/ },
  {
    rule: 'skippedTest',
    name: 'Rust ignore',
    match:
      /#\s*!?\[\s*(ignore|should_panic|cfg\s*\(\s*(any\s*\(\s*\)|not\s*\(\s*test))|cfg_attr\s*\([^)]*ignore/,
  },
  {
    rule: 'skippedTest',
    name: 'disabled by annotation',
    match:
      /@(Disabled|Ignore|Ignored|DisabledIf|DisabledOn|EnabledIf|EnabledOn)\w*\b|\bassume(True|False|That|Not)\s*\(|\bAssume\s*\./,
  },
  {
    rule: 'skippedTest',
    name: 'disabled by annotation',
    match: /\[\s*(Ignore|Explicit)\b|\bSkip\s*=\s*["$@]|\benabled\s*=\s*false\b/,
  },
  {
    rule: 'skippedTest',
    name: 'Ruby pending or skip',
    match: /^\s*(skip|pending)\b|,\s*:?(skip|pending)\b/,
    only: /\.(rb|exs?)$/i,
  },
  { rule: 'skippedTest', name: 'PHP skip', match: /\bmarkTest(Skipped|Incomplete)\b|->\s*(skip|todo)\s*\(/ },
  { rule: 'skippedTest', name: 'Elixir tag', match: /@(tag|moduletag|describetag)\s*:?\s*skip/ },
  { rule: 'skippedTest', name: 'Swift or C++ skip', match: /\bXCTSkip|\bGTEST_SKIP\b|\bDISABLED_\w/ },
  {
    rule: 'skippedTest',
    name: 'excluded tests',
    match:
      /\b(testPathIgnorePatterns|testIgnore|modulePathIgnorePatterns|grepInvert)\b|\bskipTests?\b|-DskipTests|maven\.test\.skip/,
  },
  {
    rule: 'skippedTest',
    name: 'excluded tests',
    match:
      /--(ignore|ignore-glob|exclude|skip|deselect|testPathIgnorePatterns|grep-invert|exclude-tag)\b|\bexclude\b\s*["']?\s*[:=]/,
    only: /(\.(json|ya?ml|toml|ini|cfg|sh|mk|gradle|kts|xml|config\.[cm]?[jt]s)|(^|\/)(Makefile|justfile|Taskfile[^/]*))$/i,
  },
  {
    rule: 'skippedTest',
    name: 'code that is never reached',
    match:
      /^\s*return\s*;?\s*$|\b(if|while)\s*\(?\s*(false|False|0|!1|!true)\b|^\s*#\s*if\s+0\b|\bfalse\s*&&/,
    inTests: true,
  },
  {
    rule: 'fewerAssertions',
    name: 'an assertion that is always true',
    match:
      /\bexpect\s*\(\s*(true|1|!0)\s*\)|\bassert(_?true|\.ok|\.isTrue|True|!)?\s*\(?\s*(true|True|1)\s*[),;]?\s*$|\bassert\s+True\b|\bassertTrue\s*\(\s*(true|True)\b|\bassert_?eq!?\s*\(\s*(\w+)\s*,\s*\5\s*\)/,
  },
  // Exit codes
  {
    rule: 'swallowedFailure',
    name: '|| true',
    match: /\|\|\s*(true|:|exit\s+0|echo\b|return\s+0|\/bin\/true|printf\b)/,
  },
  { rule: 'swallowedFailure', name: '; true', match: /;\s*(true|:|exit\s+0)\s*["']?\s*,?\s*$/ },
  {
    rule: 'swallowedFailure',
    name: 'errors ignored',
    match:
      /\bset\s+\+(e|o\s+errexit|o\s+pipefail)|\bignore_errors\s*:|\bignoreFailures\b|\bfailOnError\b.*false|\btestFailureIgnore\b/,
  },
  {
    rule: 'swallowedFailure',
    name: 'continue-on-error',
    match:
      /\bcontinue-on-error\b|\bcontinueOnError\b|\ballow_failure\b|\ballowFailure\b|\bfail-fast\b|\bsoft_fail\b/,
  },
  {
    rule: 'swallowedFailure',
    name: 'a flag that hides failures',
    match:
      /--(passWithNoTests|pass-with-no-tests|no-verify|exit-zero|force-exit|forceExit|no-error-on-unmatched-pattern|allow-empty|no-fail|suppress)\b|\bpassWithNoTests\b/,
  },
  {
    rule: 'swallowedFailure',
    name: 'a condition that is never true',
    match: /^\s*-?\s*if\s*:\s*(\$\{\{\s*)?['"]?(false|0)\b/,
  },
  {
    rule: 'swallowedFailure',
    name: 'a recipe whose failure is ignored',
    match: /^\t\s*@?-/,
    only: /(^|\/)(GNU)?[Mm]akefile$|\.mk$/,
  },
  {
    rule: 'swallowedFailure',
    name: 'an exit code forced to 0',
    match: /\b(process\.exit|sys\.exit|os\._exit|os\.Exit|exit)\s*\(\s*0?\s*\)|\bprocess\.exitCode\s*=\s*0/,
  },
  // Coverage and other checks
  {
    rule: 'loweredCoverage',
    name: 'code taken out of coverage',
    match:
      /\b(istanbul|c8|v8)\s+ignore\b|pragma:\s*no\s*cover|\bcoveragePathIgnorePatterns\b|\bcoverage\b.*\b(exclude|omit)\b|^\s*omit\s*=|LCOV_EXCL|simplecov.*nocov|:nocov:|@codeCoverageIgnore|ExcludeFromCodeCoverage/i,
  },
  {
    rule: 'suppressedCheck',
    name: 'a suppressed check',
    match:
      /\beslint-disable|@ts-(ignore|expect-error|nocheck)|\b(tslint|jshint|stylelint|rubocop|pylint|shellcheck|phpcs|ktlint|swiftlint|markdownlint|biome|oxlint|deno-lint)[-: ]*(disable|ignore)|#\s*noqa|#\s*type:\s*ignore|#\s*(pyright|mypy|ruff|nosec|nosemgrep)|\/\/\s*nolint|#!?\[\s*allow\s*\(|@SuppressWarnings|@Suppress\b|#pragma\s+warning\s+disable|\bprettier-ignore|NOLINT|@phpstan-ignore/i,
  },
];

const ASSERTION =
  /\b(expect|assert\w*|should|verify|require\s*\.\s*\w+|EXPECT_\w+|ASSERT_\w+|XCTAssert\w*|t\s*\.\s*(Error|Errorf|Fatal|Fatalf|Fail|FailNow|is|equal|deepEqual|truthy|throws|not\w*)|must\w*Equal|refute\w*|pytest\s*\.\s*raises|to_eq|must_equal|wont_\w+|plan|ok)\b\s*[!(.\s]/g;
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
    '\\bfunc\\s+test\\w+',
    '\\bTEST(_F|_P)?\\s*\\(',
    '^\\s*(it|specify|scenario|test|describe|context)\\s+[\'"]',
    '^\\s*(Scenario|Scenario Outline|Example):',
    '^\\s*@test\\b',
    '^\\s*exports\\[`',
  ].join('|'),
  'g',
);
const COMMENT = /^\s*(\/\/|#(?!\s*!?\[)|\*|\/\*|--|<!--|"""|''')/;
const TEST_SCRIPT =
  /^\s*"((pre|post)?(test|lint|check|ci|verify|typecheck|types|coverage|e2e|build)[\w:.-]*)"\s*:\s*"/;
const PROSE = /\.(md|mdx|rst|txt|adoc)$/i;

/** All weakenings in one file of a patch. Prose (Markdown and the like) is only read for swallowed failures. */
export function weakenings(file: DiffFile): readonly Weakening[] {
  const path = file.newPath ?? file.oldPath ?? '';
  const added = file.lines.filter((line) => line.kind === 'added');
  const removed = file.lines.filter((line) => line.kind === 'removed');
  if (PROSE.test(path)) return [];
  const known = countOf(removed.map((line) => normalise(line.text)));
  const found: Weakening[] = [];
  for (const line of added) {
    const key = normalise(line.text);
    const left = known.get(key) ?? 0;
    if (left > 0) {
      known.set(key, left - 1);
      continue;
    }
    for (const pattern of NEW_LINE_PATTERNS) {
      if (pattern.only !== undefined && !pattern.only.test(path)) continue;
      if (pattern.inTests === true && !isTestFile(path)) continue;
      if (pattern.match.test(line.text))
        found.push({ rule: pattern.rule, line: line.line, detail: `new: ${pattern.name}` });
    }
    if (/(^|\/)package\.json$/.test(path) && TEST_SCRIPT.test(line.text)) {
      const script = TEST_SCRIPT.exec(line.text)?.[1] ?? '';
      if (removed.some((old) => TEST_SCRIPT.exec(old.text)?.[1] === script))
        found.push({
          rule: 'changedTestCommand',
          line: line.line,
          detail: `the script "${script}" runs something else`,
        });
    }
  }
  const fewer = (rule: 'fewerAssertions' | 'deletedTest', what: string, pattern: RegExp): void => {
    const before = occurrences(removed, pattern);
    const after = occurrences(added, pattern);
    if (after < before) found.push({ rule, detail: `${before - after} fewer ${what}` });
  };
  fewer('fewerAssertions', 'assertions', ASSERTION);
  fewer('deletedTest', 'tests', DECLARED_TEST);
  const hidden = isTestFile(path) ? hiddenFrom(file) : null;
  if (hidden !== null)
    found.push({ rule: 'skippedTest', line: hidden, detail: 'new: a comment around code that was there' });
  found.push(...limitChanges(path, added, removed));
  return found;
}

function occurrences(lines: readonly { readonly text: string }[], pattern: RegExp): number {
  let count = 0;
  for (const line of lines) if (!COMMENT.test(line.text)) count += line.text.match(pattern)?.length ?? 0;
  return count;
}

function normalise(text: string): string {
  return text.replace(/[\s;,]+/g, '').replace(/['"`]/g, '"');
}

function countOf(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

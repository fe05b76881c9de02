// Lines that name a failing test by themselves, by runner. The first row that fits decides; group 1 (or 2) is the name, and a row without a
// group says that the line is none. Patterns are anchored, so that the name of a passing test cannot look like one. Pure.

type Row = {
  /** Who prints it. */
  readonly by: string;
  /** A text the line must hold: cheaper than the pattern. */
  readonly has: string;
  readonly pattern: RegExp;
  readonly weak?: true;
};

export type FoundName = { readonly name: string; readonly weak: boolean };

const rows: readonly Row[] = [
  // What looks like a failing test and is none.
  { by: 'counts', has: 'ests', pattern: /^\[ {2}FAILED {2}\] \d+ tests?|^Tests run:/ },
  { by: 'gradle, make', has: '>', pattern: /^> (?:Task|Configure) / },
  { by: 'cargo', has: 'test result', pattern: /^test result:/ },
  { by: 'spec', has: '(skipped)', pattern: /\(skipped\)$/ },
  { by: 'TAP', has: 'not ok', pattern: /^\s*not ok \d+.*\s# (?:TODO|SKIP|todo|skip)\b/ },

  // Python
  { by: 'pytest', has: 'FAILED', pattern: /^FAILED +((?:\S+::|\[doctest\] ).*?)$/ },
  { by: 'pytest', has: 'FAILED', pattern: /^FAILED +([^\s:]+\.\w{2,4}(?:::.*?)?)$/ },
  { by: 'pytest', has: 'ERROR', pattern: /^ERROR +(?:collecting +)?([^\s:]+\.py(?:(?:::| - ).*)?)$/ },
  { by: 'pytest -v', has: '::', pattern: /^([^\s:]+\.py::.+?) +(?:FAILED|ERROR)(?: +\[ *\d+%\])?$/ },
  {
    by: 'pytest subtests',
    has: 'SUBFAIL',
    pattern: /^SUBFAIL(?:ED)?(?:\([^)]{0,200}\)|\[[^\]]{0,200}\]){0,2} +([^\s:]+\.py::[^\s[(]+)/,
  },
  { by: 'pytest-xdist', has: '[gw', pattern: /^\[gw\d+\] (?:\[ *\d+%\] )?(?:FAILED|ERROR) +(\S.*)$/ },
  { by: 'unittest', has: ': ', pattern: /^(?:FAIL|ERROR): (\S+ \([\w.<>-]+\).*)$/ },
  {
    by: 'stestr',
    has: ': ',
    pattern: /^(?:FAIL|ERROR): ((?:\w+\.){2,12}\w+(?:\[[^\]]{0,100}\])?(?:\([^)]{0,100}\))?)$/,
  },
  { by: 'trial', has: '[', pattern: /^((?:\w+\.){1,12}\w+) \.\.\. +\[(?:FAIL|ERROR)\]$/ },
  { by: 'behave', has: 'FAILED', pattern: /^\[behave\] FAILED (.+)$/ },
  { by: 'robot', has: '| FAIL |', pattern: /^(\S.*?)\s+\| FAIL \|$/ },

  // Go
  { by: 'go test', has: '--- FAIL: ', pattern: /^\s*--- FAIL: (\S+)(?: \([\d.]+s\))?/ },
  { by: 'gotestsum', has: '=== FAIL: ', pattern: /^=== FAIL: \S+ (Test\S+|Example\S*|Fuzz\S+|Benchmark\S+)/ },
  { by: 'go test -json', has: '"Action":"fail"', pattern: /"Test":"([^"]{1,300})"/ },
  {
    by: 'ginkgo',
    has: '[',
    pattern:
      /^\s*\[(?:Fail|FAIL|Panic!|PANICKED!|TIMEDOUT|Timedout)\] (\S.*\[(?:It|BeforeEach|AfterEach|BeforeSuite|AfterSuite|JustBeforeEach|Measurement|SynchronizedBeforeSuite)\].*)$/,
  },
  { by: 'gocheck', has: 'FAIL: ', pattern: /^FAIL: [\w.-]+\.go:\d+: (\S+)$/ },

  // Rust
  { by: 'cargo test', has: ' ... ', pattern: /^test (\S.*?)(?: - should panic)? \.\.\. (?:FAILED|failed)\b/ },
  {
    by: 'nextest',
    has: '[',
    pattern: /^\s*(?:FAIL|TIMEOUT|SIG[A-Z]+|ABORT|LEAK-FAIL) \[ *>?[\d.]+s\](?: \(? *\d+\/\d+\))? +(\S.*)$/,
  },
  {
    by: 'nextest',
    has: 'TRY ',
    pattern: /^\s*TRY \d+ (?:FAIL|TIMEOUT|TMT|SIG[A-Z]+|ABORT) \[ *>?[\d.]+s\](?: \(? *\d+\/\d+\))? +(\S.*)$/,
  },
  {
    by: 'cargo test',
    has: 'panicked at',
    pattern: /^thread '((?:\w+::)+\w+)' (?:\(\d+\) )?panicked at/,
    weak: true,
  },

  { by: 'cargo test', has: '---- ', pattern: /^---- (\S.*?) stdout ----$/ },

  // Java, Kotlin, Scala
  {
    by: 'surefire',
    has: '<<< ',
    pattern: /^\s*(\S.{0,400}?)\s+(?:-- )?Time elapsed: [\d.,]+ ?(?:s|sec|ms)\b.*<<< (?:FAILURE|ERROR)!/,
  },
  {
    by: 'surefire',
    has: '<<< ',
    pattern: /^\s*([\w.$]+\([\w.$]+\)|(?:[\w$]+\.)+[\w$]+) +<<< (?:FAILURE|ERROR)!/,
  },
  {
    by: 'surefire',
    has: 'ests',
    pattern: /^(?:Failed tests|Tests in error): +([\w$]+(?:\[[^\]]{0,100}\])?\([\w.$]+\))/,
  },
  { by: 'gradle', has: ' FAILED', pattern: /^\s*(\S.{0,500} > .{1,500}?) FAILED$/ },
  { by: 'gradle', has: '] FAILED', pattern: /^\s*([\w.$]+\[[^\]]{1,80}\]) FAILED$/ },
  {
    by: 'testng',
    has: 'FAILED: ',
    pattern: /^FAILED(?: CONFIGURATION)?: (?:@\w+ )?([\w.$]+(?:\([^)]{0,200}\))?)$/,
  },
  { by: 'scalatest', has: '*** FAILED ***', pattern: /^\s*(?:- )?(\S.*?) \*\*\* (?:FAILED|ABORTED) \*\*\*/ },
  {
    by: 'gradle',
    has: ' FAILED',
    pattern: /^((?:[A-Za-z_][\w$]{0,80}\.){2,20}[\w$]{1,200}) FAILED$/,
  },
  {
    by: 'JUnit console',
    has: 'MethodSource [',
    pattern: /^\s*MethodSource \[className = '([^']{1,300})', methodName = '([^']{1,200})'/,
  },
  { by: 'munit', has: '==> X ', pattern: /^\s*==> X (\S.*?) +[\d.]+m?s\b/ },
  { by: 'sbt junit', has: ' failed: ', pattern: /^Test ((?:[\w$]+\.)+[\w$]+(?:\[[^\]]{0,80}\])?) failed: / },
  { by: 'JUnit console', has: '[X]', pattern: /^[│├└─+|'\s-]{2,60}(\S.*?) \[X\](?: |$)/ },
  {
    by: 'ant',
    has: 'FAILED',
    pattern: /^\s*Testcase: (\S+(?:\([\w.$]+\))?).*:\s+(?:FAILED|Caused an ERROR)/,
  },
  { by: 'ant', has: 'FAILED', pattern: /^\s*(?:\[junit\] )?Test ((?:[\w$]+\.)+[\w$]+) FAILED(?: \(\w+\))?$/ },
  { by: 'ant', has: 'FAILED', pattern: /^\s*TEST ((?:[\w$]+\.)+[\w$]+) FAILED$/ },

  // .NET
  { by: 'xUnit', has: '[FAIL]', pattern: /^\s*(?:\[xUnit\.net [\d:. ]+\] +)?(\S.*?) \[FAIL\]$/ },
  { by: 'vstest', has: 'ailed ', pattern: /^\s*Failed (\S.*?) \[[<\d][^\]]*(?:ms|s|m|h)\]$/ },
  { by: 'vstest', has: 'Failed ', pattern: /^Failed {2,10}((?:[\w`]+\.)+[\w`]+(?:\(.*\))?)$/ },
  {
    by: 'testing platform',
    has: 'failed ',
    pattern: /^\s*failed (\S.*?) \((?:\d+h )?(?:\d+m )?(?:\d+s )?\d+ms\)$/,
  },
  { by: 'vstest', has: 'X ', pattern: /^\s+X (\S.*?) \[[<\d][^\]]*(?:ms|s|m)\]$/ },
  { by: 'NUnit', has: ') ', pattern: /^\s*\d+\) (?:Failed|Error|Test Failure|Test Error|Invalid) : (\S.*)$/ },

  // C and C++
  {
    by: 'ctest',
    has: 'Test',
    pattern:
      /^\s*\d+\/\d+ Test +#\d+: (\S.*?) ?\.*\s*(?:\*\*\*|Subprocess aborted\*\*\*|Child aborted\*\*\*)(?:Failed|Exception|Timeout|Not Run)/,
  },
  { by: 'gtest', has: '[  FAILED  ]', pattern: /^\s*(?:\d+: )?\[ {2}FAILED {2}\] ([\w/.<>-]+)(?:,| \(|$)/ },
  { by: 'boost', has: 'error: in "', pattern: /(?:fatal )?error: in "([^"]{1,300})":/ },
  { by: 'QtTest', has: 'FAIL!', pattern: /^(?:FAIL!|XPASS) {1,4}: (\S+?\([^)]*\))/ },
  { by: 'CppUTest', has: 'Failure in ', pattern: /error: Failure in (?:IGNORE_)?TEST\((\w+, ?\w+)\)/ },
  { by: 'Unity', has: ':FAIL', pattern: /^[^\s:]+:\d+:(\w+):FAIL\b/ },
  { by: 'criterion', has: '[FAIL] ', pattern: /^\[FAIL\] ([\w:]+): \(/ },
  {
    by: 'meson',
    has: '/',
    pattern: /^\s*\d+\/\d+ (\S.*?)\s+(?:FAIL|ERROR|TIMEOUT|UNEXPECTEDPASS)\s+[\d.]+ ?s\b/,
  },
  {
    by: 'lit',
    has: ': ',
    pattern: /^(?:FAIL|XPASS|TIMEOUT|UNRESOLVED): (\S+ :: \S.*?)(?: \(\d+ of \d+\))?$/,
  },
  { by: 'dejagnu', has: 'FAIL: ', pattern: /^FAIL: (\S+(?:\/\S+)+(?: .{1,300})?)$/ },
  { by: 'automake', has: 'FAIL: ', pattern: /^(?:FAIL|XPASS): ([\w./+-]+(?: \d+(?: - .*)?)?)$/ },
  { by: 'automake', has: 'ERROR: ', pattern: /^ERROR: ([\w./+-]+\.(?:test|sh|log|py|pl|t)(?: - .*)?)$/ },

  // JavaScript
  {
    by: 'vitest',
    has: ' > ',
    pattern: /^\s*(?:❌ |× )?FAIL +((?:\|[^|]{1,40}\| +)?\S+\.\w+ (?:\|[^|]{1,40}\| )?> \S.*?)$/,
  },
  { by: 'vitest', has: 'FAIL', pattern: /^\s*FAIL +(\S+\.[cm]?[jt]sx?) +\[ .+ \]$/ },
  {
    by: 'playwright',
    has: ' › ',
    pattern: /^\s*\d+\) ((?:\[[^\]]{1,60}\] › )?[^\s›]+:\d+(?::\d+)? › .*?)[ ─-]*$/,
  },
  {
    by: 'jest',
    has: '● ',
    pattern:
      /^\s*● (\S.* › .*|(?!Test suite failed|Console|Cannot log|Deprecation|Validation|Process|Snapshot|Unhandled|Invalid|Multiple|Deferred|process\.)\S.*)$/,
  },
  { by: 'ava', has: '[fail]:', pattern: /^\s*[✖✘×✗] \[(?:fail|exception)\]: (\S.*)$/ },
  {
    by: 'karma',
    has: ' FAILED',
    pattern:
      /^(?:Headless ?)?(?:Chrome|Firefox|Safari|PhantomJS|Edge|IE|Mobile Safari|Electron)[\w .]*(?:\([^)]{0,80}\)|\d[\d.]*)?\)? (?!Executed|ERROR)(\S.*) FAILED$/,
  },
  { by: 'bun', has: '(fail) ', pattern: /^\s*\(fail\) (\S.*?)(?: \[[\d.]+m?s\])?$/ },
  {
    by: 'testem',
    has: 'not ok ',
    pattern: /^not ok \d+ (?:Chrome|Firefox|Headless|Safari|Edge)[^-]* - (?:\[[^\]]*\] - )?(\S.*)$/,
  },
  { by: 'TAP', has: 'not ok ', pattern: /^\s*not ok \d+(?: -)? (\S.*)$/ },

  // Ruby, PHP, Perl
  { by: 'rspec', has: 'rspec ', pattern: /^rspec (?:'[^']+'|\S+) # (\S.*)$/ },
  {
    by: 'cucumber',
    has: 'cucumber ',
    pattern: /^cucumber (?:-\S+ (?:\S+ )?)*\S+:\d+ # (?:Scenario(?: Outline)?: )?(\S.*)$/,
  },
  { by: 'crystal', has: 'crystal spec ', pattern: /^crystal spec \S+ # (\S.*)$/ },
  { by: 'test-unit', has: ': ', pattern: /^(?:Failure|Error): (test[^\s(]*\([\w:]+\))/ },
  { by: 'pest', has: 'FAILED', pattern: /^\s*FAILED {2,}(\S+ > .*?)(?: {2,}\S+)?$/ },
  { by: 'pest', has: '⨯ ', pattern: /^\s*⨯ (\S.*?)(?: {2,}[\d.]+s)?$/ },
  { by: 'pest', has: '• ', pattern: /^\s*• ([\w\\]+ > \S.*)$/ },
  { by: 'prove', has: 'Wstat', pattern: /^(\S+\.t)\s+\(Wstat: [1-9]/ },
  { by: 'prove', has: 'Failed test', pattern: /^#\s+Failed test '(.+)'$/ },

  { by: 'ExUnit', has: ') ', pattern: /^\s*\d+\) ((?:test|doctest|property|feature) .+ \([\w.]+\))$/ },

  // Swift, Dart, and the rest
  { by: 'XCTest', has: "Test Case '", pattern: /^\s*Test Case '([^']{1,300})' failed/ },
  { by: 'XCTest', has: 'error: ', pattern: /\.swift:\d+: error: (-?\[?[\w. ]+?\]?) : / },
  {
    by: 'Swift Testing',
    has: ' failed after ',
    pattern: /^\s*[✘✗􀢄] Test (?!run |case )"?(\S.*?)"? failed after [\d.]+ seconds/u,
  },
  {
    by: 'dart',
    has: '[E]',
    pattern: /^\s*(?:\d\d:)?\d\d:\d\d (?:\+\d+)?(?: ~\d+)?(?: -\d+)?: (\S.*) \[E\]$/,
  },
  { by: 'flutter', has: '(failed)', pattern: /^❌ (\S.*) \(failed\)$/ },
  {
    by: 'bazel',
    has: '//',
    pattern: /^((?:@\S*)?\/\/\S+) +(?:\(cached\) )?(?:FAILED in|FAILED TO BUILD|TIMEOUT in|FAILED +in)\b/,
  },
  { by: 'bazel', has: 'FAIL: //', pattern: /^FAIL: (\/\/\S+)/ },
  { by: 'testthat', has: ': ', pattern: /^[─-]{2} (?:Failure|Error) \([^)]{1,200}\): (\S.*?)[ ─-]*$/ },
  { by: 'testthat', has: ': ', pattern: /^[─-]{2} \d+\. (?:Failure|Error): (\S.*?)(?: \(@\S+\))?[ ─-]*$/ },
  { by: 'tasty', has: 'FAIL', pattern: /^\s+(\S.*?): +FAIL(?:ED)?(?: \([\d.]+ ?m?s\))?$/ },
  { by: 'hspec', has: 'FAILED [', pattern: /^\s*(\S.*?) FAILED \[\d+\]$/ },
  { by: 'deno, unittest', has: ' ... ', pattern: /^(\w+ \([\w.]+\)) \.\.\. (?:FAIL|ERROR)$/ },
  { by: 'deno', has: ' ... ', pattern: /^\s*(\S.*?) \.\.\. (?:.{0,40})?FAILED(?: \([^)]{1,20}\))?$/ },
  { by: 'clojure.test', has: ' in ', pattern: /^(?:FAIL|ERROR) in \(?([\w./?!*<>-]+)\)?/ },
  { by: 'eunit', has: '*failed*', pattern: /^\s*(\S.*?)\.\.\.\*failed\*$/ },
  { by: 'common test', has: ': FAILED', pattern: /^%%% (\S+ ==> \S+): FAILED/ },
  { by: 'alcotest', has: '[FAIL]', pattern: /^[>│\s]*\[FAIL\] +(\S.*?)\.?$/ },
  { by: 'nim', has: '[FAILED]', pattern: /^\s*\[FAILED\] (\S.*)$/ },
  {
    by: 'zig',
    has: "error: '",
    pattern: /^error: '([^']{1,300})' (?:failed|timed out|leaked|crashed|terminated)/,
  },
  { by: 'zig', has: '... FAIL', pattern: /^(?:Test )?\[?\d+\/\d+\]? (\S.*?)\.\.\. ?FAIL/ },
  { by: 'julia', has: 'Test Failed at', pattern: /^(\S.*?): (?:Test Failed|Error During Test) at / },
  {
    by: 'marks',
    has: '',
    pattern:
      /^\s*[✖✕✗✘×] (?!\d+ (?:tests?|problems?|of|failed|errors?|out)\b|failing tests)(\S.*?)(?: ?\(?[\d.]+ ?m?s\)?)?$/,
    weak: true,
  },
];

export function testNameOf(line: string): FoundName | undefined {
  for (const { has, pattern, weak, by } of rows) {
    if (!line.includes(has)) continue;
    const match = pattern.exec(line);
    if (!match) continue;
    const name = match[2] === undefined ? match[1] : `${match[1]}.${match[2]}`;
    if (name === undefined || NO_TEST.test(name)) return undefined;
    return { name: by.startsWith('pytest') ? withoutReason(name) : name, weak: weak === true };
  }
  return undefined;
}

/** Programs that mark their failures as runners do. */
const NO_TEST =
  /^(?:Tests run:|\d+ (?:tests?|specs?|of|out of)\b|Build(?:ing)? |Compil|Command |Failed to |Error:|error\b|Process |Task |Job |Running |Installing |Downloading |Checking |Executed |Tests? failed|All tests|npm |yarn |pnpm |eslint|tsc\b|prettier|husky|lint|Found \d+|https?:)/i;

/** pytest's summary: `path::name[params] - reason`. A parameter may hold a dash. */
function withoutReason(name: string): string {
  const open = name.indexOf('[');
  const dash = name.indexOf(' - ');
  if (dash === -1) return name;
  if (open === -1 || open > dash) return name.slice(0, dash);
  const close = name.indexOf('] - ', open);
  return close === -1 ? name : name.slice(0, close + 1);
}

/** Runners that retry say so: the test is no failing one (nextest, surefire, bazel). */
export function passedAfterAll(line: string): string | undefined {
  if (!/FLAKY|flaky|TRY/.test(line)) return undefined;
  return (
    /^\s*(?:FLAKY \d+\/\d+|TRY \d+ PASS) \[ *[\d.]+s\](?: \(? *\d+\/\d+\))? +(\S.*)$/.exec(line)?.[1] ??
    /^\s*((?:@\S*)?\/\/\S+) +FLAKY, failed in/.exec(line)?.[1]
  );
}

/** A retry that passed, of a test by the name that it failed with. */
export function passesAfterFailing(line: string): string | undefined {
  if (!line.includes('PASS')) return undefined;
  return (
    /^\s*--- PASS: (\S+) \([\d.]+s\)/.exec(line)?.[1] ??
    /^([^\s:]+\.py::.+?) +PASSED(?: +\[ *\d+%\])?$/.exec(line)?.[1] ??
    /^\s*(\S.{0,500} > .{1,500}?) PASSED$/.exec(line)?.[1]
  );
}

// Things that may not newly appear in a patch, because they make a check weaker instead of fixing what it found (CI-7), for many languages: data only.
// A pattern is tried on one added line. In doubt it matches: a person looks then.
import type { Weakening } from './weakening.ts';

export type Pattern = {
  readonly rule: Weakening['rule'];
  readonly name: string;
  readonly match: RegExp;
  readonly only?: RegExp;
  readonly inTests?: true;
  /** Holds for prose as well. */
  readonly prose?: true;
};

/** Programs that check, at the start of a command of a script. */
const CHECK =
  '(?:npm|npx|yarn|pnpm|bun|node|deno|pytest|python3?|tox|go|cargo|mvnw?|(?:\\./)?gradlew?|make|bundle|rspec|rake|rubocop|phpunit|composer|dotnet|jest|vitest|mocha|eslint|biome|tsc|mypy|ruff|swift|mix)';
const SCRIPT = /(\.(json|ya?ml|sh|bash|mk)|(^|\/)(Makefile|justfile|Taskfile[^/]*|[^./]+))$/;

export const JS_TEST = 'describe|it|test|suite|context|specify|bench|Deno\\.test';

/** Things that may not newly appear. `only` and `inTests` limit a pattern to paths; the others hold for every file. */
export const newLinePatterns: readonly Pattern[] = [
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
  {
    rule: 'skippedTest',
    name: 'skip option',
    match: /[{,]\s*(skip|todo|only)\s*:\s*(?!false\b)\S/,
    only: /\.[cm]?[jt]sx?$/i,
    inTests: true,
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
  {
    rule: 'skippedTest',
    name: 'a hook that takes tests away',
    match: /\bpytest_(collection_modifyitems|ignore_collect|runtest_makereport|pycollect_makeitem)\b/,
  },
  {
    rule: 'fewerAssertions',
    name: 'an assertion that is always true',
    match: /\bassert\b.*\bor\s+(True|1)\b|\bexpect(NotToPerformAssertions|_any_args)\b/,
  },
  // Go, Rust, Java, Kotlin, C#, Ruby, PHP, Elixir, Swift, C++, Dart
  {
    rule: 'skippedTest',
    name: 'Go skip',
    match: /\b\w+\s*\.\s*(Skip|Skipf|SkipNow)\s*\(|\btesting\s*\.\s*Short\s*\(/,
  },
  {
    rule: 'skippedTest',
    name: 'C# ignored, inconclusive or passed by hand',
    match:
      /[[,]\s*(Ignore|Explicit)\b|\bSkip\.(If|IfNot|When|Unless)\b|\bAssert\.(Ignore|Inconclusive|Pass)\b/,
    only: /\.(cs|fs|vb)$/i,
  },
  {
    rule: 'skippedTest',
    name: 'an expected exception instead of a result',
    match: /@Test\s*\([^)]*\bexpected\s*=|\[\s*ExpectedException\b/,
  },
  {
    rule: 'skippedTest',
    name: 'Rust tests that are not built',
    match: /#!\[\s*cfg\s*\(|^\s*(harness|test|doctest)\s*=\s*false\b/,
    only: /\.(rs|toml)$/i,
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
  {
    rule: 'skippedTest',
    name: 'Ruby focus or omit',
    match: /^\s*(omit|omit_if|omit_unless)\b|,\s*:(focus|fit)\b|\bfocus:\s*true/,
    only: /\.rb$/i,
  },
  {
    rule: 'skippedTest',
    name: 'PHP requirement or group',
    match:
      /#\[\s*(Requires\w+|Group|DoesNotPerformAssertions)\b|@(requires|group|doesNotPerformAssertions)\b/,
    only: /\.php$/i,
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
    name: 'excluded tests',
    match: /<exclude>|<excludes>|\bexclude\s+['"]|\bexcludeTestsMatching\b/,
    only: /(\.(xml|gradle|kts)|(^|\/)phpunit[^/]*)$/i,
  },
  {
    rule: 'skippedTest',
    name: 'a selection of tests',
    match:
      /\bgo test\b.*\s-(run|short|skip|vet=off)\b|\b(pytest|py\.test|addopts)\b.*\s(-k|-m)\b|\b(jest|vitest|mocha)\b.*\s(-t|-g|--grep|--testNamePattern)\b|\brspec\b.*\s(-e|-t|--tag)\b|\bphpunit\b.*--(filter|exclude-group|group)\b|\bdotnet test\b.*--filter\b|\s-D(test|it\.test)=|--tests\s/,
    only: /(\.(json|ya?ml|toml|ini|cfg|sh|mk|gradle|kts|xml)|(^|\/)(Makefile|justfile|Taskfile[^/]*|noxfile\.py))$/i,
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
      /\bexpect\s*\(\s*(true|1|!0)\s*\)|\bassert(_?true|\.ok|\.isTrue|True|!)?\s*\(?\s*(true|True|1)\s*[),;]*\s*$|\bassert\s+True\b|\bassertTrue\s*\(\s*(true|True)\b|\bassert_?eq!?\s*\(\s*(\w+)\s*,\s*\5\s*\)/,
  },
  {
    rule: 'skippedTest',
    name: 'a skip under another name',
    match:
      /\{[^{}]{0,60}\b(skip|only|todo|failing)\b[^{}]{0,60}\}\s*=\s*(it|test|describe)\b|\b__unittest_skip__\b/,
  },
  {
    rule: 'skippedTest',
    name: 'a test without cases',
    match: /\bparametrize\s*\([^[]{0,200}\[\s*\]|\.\s*(each|for)\s*\(\s*\[\s*\]\s*\)/,
  },
  {
    rule: 'skippedTest',
    name: 'code that is not read',
    match:
      /^__(END|DATA)__\s*$|\b__halt_compiler\b|^\s*#\s*if\s+\w+\s*$|^\s*#\[\s*cfg\s*\(\s*(feature|target)/,
    inTests: true,
  },
  {
    rule: 'skippedTest',
    name: 'a test that may fail, or is hidden',
    match:
      /\bXCTExpectFailure\b|\bwithKnownIssue\b|@Test\s*\([^)]{0,100}\.(disabled|enabled)\b|\bTEST_CASE\b.{0,200}\[!?(\.|mayfail|shouldfail)|\bset_tests_properties\b.{0,200}\b(DISABLED|WILL_FAIL)\b|\btest\s*\(\s*"!/,
  },
  {
    rule: 'skippedTest',
    name: 'excluded tests',
    match:
      /<skip\w*>\s*true|<excludedGroups>|\bexclude(Tags|Categories)\b|\binclude(TestsMatching)\b|\bonlyIf\s*[({]|\bCompile\s+Remove\b|<IsTestProject>\s*false|^\s*autotests\s*=\s*false|^\s*required-features\b/,
    only: /(\.(xml|gradle|kts|csproj|fsproj|props|targets)|(^|\/)Cargo\.toml)$/i,
  },
  {
    rule: 'skippedTest',
    name: 'excluded tests',
    match:
      /\bfilter_run(_excluding|_including)?\b|\bExUnit\.(start|configure)\b.{0,200}\b(exclude|only_test_ids)\b|\bexclude:\s*\[|--(co|collect-only|list-tests|dry-run)\b/,
    only: /\.(rb|exs?|swift|ini|cfg|toml|json|ya?ml|sh|mk)$|(^|\/)Makefile$/i,
  },
  {
    rule: 'skippedTest',
    name: 'a skip of another language',
    match:
      /\bskip_all\b|\b(SKIP|TODO)\s*:\s*\{|\bskip_(on|if|unless)\w*\s*\(|@test_(skip|broken)\b|\bpendingWith\b|@PendingFeature|\bSkipZigTest\b|\s-(Skip|Pending)\b|\bSet-ItResult\b|\bQ(SKIP|EXPECT_FAIL)\b|\bdoctest::(skip|may_fail|should_fail)|\.disabled\s*=\s*true|\{\s*skip\s*,|\bPass Execution\b|\^:(kaocha\/)?skip\b|^\s*(SKIP|Skip)(\s*\(|\s{1,}\S)|^\s*(ignore|pending)\s*\(\s*["']/,
    inTests: true,
  },
  { rule: 'skippedTest', name: 'bats skip', match: /^\s*skip\b/, only: /\.(bats|t)$/i },
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
    name: 'an error that is caught and dropped',
    match:
      /\bcatch\s*(\([^)]*\))?\s*\{\s*\}|\bcatch\s*\{|^\s*except\b[^#]*:\s*(pass\b.*)?$|\brescue\s+nil\b|^\s*rescue\s*$|\brecover\s*\(\s*\)|\bcontextlib\s*\.\s*suppress\b|\bsuppress\s*\(/,
    inTests: true,
  },
  {
    rule: 'swallowedFailure',
    name: 'a pipe that hides the exit code',
    match:
      /\b(npm|npx|yarn|pnpm|node|pytest|python3?|go|cargo|mvnw?|gradlew?|make|bundle|rspec|phpunit|dotnet|jest|vitest|eslint|tsc)\b[^|#]*\|\s*(tee|cat|grep|head|tail|sed|awk|xargs)\b|^\s*if\s+!?\s*(npm|npx|yarn|pnpm|pytest|go|cargo|mvnw?|gradlew?|make|bundle|dotnet)\b/,
    only: /(\.(json|ya?ml|sh|bash|mk)|(^|\/)(Makefile|justfile|Taskfile[^/]*))$/i,
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
  {
    rule: 'swallowedFailure',
    name: 'an exit code forced to 0',
    match:
      /\b(process\.exit|sys\.exit|os\._exit|exit)\s*\(\s*(false|False|null|None|undefined)\s*\)|\bprocess\s*\[\s*['"`]exit|\breallyExit\b|\b(syscall\.Exit|Environment\.Exit|System\.halt|halt|_Exit|quick_exit)\s*\(\s*(0|:abort)?\s*\)|\bruntime\.Goexit\b|\braise\s+SystemExit\s*(\(\s*(0|None|False)?\s*\))?\s*$|\bexit!/,
  },
  {
    rule: 'swallowedFailure',
    name: 'an exit code forced to 0',
    match: /(^|[{;&|]|\b(do|then|else))\s*(exit|exec)\s+(0|true|:)(?=\s|['"};]|$)/,
    only: /(\.(sh|bash|zsh|rb|ya?ml|json|mk)|(^|\/)(Makefile|justfile|[^./]+))$/,
  },
  {
    rule: 'swallowedFailure',
    name: 'an end before the tests',
    match: /^\s*(exit|die)\s*(\(\s*0?\s*\))?\s*;/,
    only: /\.php$/i,
    inTests: true,
  },
  {
    rule: 'swallowedFailure',
    name: 'an error that is caught',
    match:
      /^\s*rescue\b(?!.*\b(raise|flunk)\b)|^\s*except\s*\(?\s*(AssertionError|BaseException)\b|\bcatch\s*\(\s*(AssertionError|AssertionFailedError|Throwable)\b/,
    inTests: true,
  },
  {
    rule: 'swallowedFailure',
    name: 'errors ignored',
    match: /\bset\s+\+\w*e|\btrap\s+(['"]?\s*(:|true|exit\s+0)|''|""|-\s)/,
    only: SCRIPT,
  },
  {
    rule: 'swallowedFailure',
    name: 'a check whose failure ends nothing',
    match: new RegExp(
      `\\b${CHECK}\\b[^#|]{0,200}\\|\\|(?!\\s*\\{?\\s*(?:exit\\s+[1-9$]|false\\b|return\\s+[1-9$]))|\\b${CHECK}\\s[^#;]{0,200};\\s*(?:echo|printf|date|ls|pwd|cat)\\b|^\\s*${CHECK}\\s[^#]*[^&>]&\\s*$|(?:^|[;&|]\\s*)!\\s+${CHECK}\\b`,
    ),
    only: SCRIPT,
  },
  {
    rule: 'swallowedFailure',
    name: 'a program with another meaning',
    match: new RegExp(`^\\s*(?:function\\s+)?${CHECK}\\s*\\(\\s*\\)|\\balias\\s+${CHECK}=`),
    only: SCRIPT,
  },
  {
    rule: 'swallowedFailure',
    name: 'recipes whose failures are ignored',
    match:
      /^\.IGNORE\b|^\s*(export\s+)?MAKEFLAGS\s*[:+?]*=.{0,80}(\b|-)\w{0,20}[ik]|^\s*(SHELL|\.SHELLFLAGS)\s*[:+?]*=/,
    only: /(^|\/)(GNU)?[Mm]akefile$|\.mk$/,
  },
  // Coverage and other checks
  {
    rule: 'loweredCoverage',
    name: 'code taken out of coverage',
    match:
      /\b(istanbul|c8|v8)\s+ignore\b|pragma:\s*no\s*cover|\bcoveragePathIgnorePatterns\b|\bcoverage\b.*\b(exclude|omit)\b|^\s*omit\s*=|LCOV_EXCL|simplecov.*nocov|:nocov:|\bcoverage\s*\(\s*off\b|\bno_coverage\b|@codeCoverageIgnore|ExcludeFromCodeCoverage/i,
  },
  {
    rule: 'suppressedCheck',
    name: 'a suppressed check',
    match:
      /\beslint-disable|@ts-(ignore|expect-error|nocheck)|\b(tslint|jshint|stylelint|rubocop|pylint|shellcheck|phpcs|ktlint|swiftlint|markdownlint|biome|oxlint|deno-lint)[-: ]*(disable|ignore)|#\s*noqa|#\s*type:\s*ignore|#\s*(pyright|mypy|ruff|nosec|nosemgrep)|\/\/\s*nolint|#!?\[\s*allow\s*\(|@SuppressWarnings|@Suppress\b|#pragma\s+warning\s+disable|\bprettier-ignore|NOLINT|@phpstan-ignore/i,
    prose: true,
  },
  {
    rule: 'suppressedCheck',
    name: 'a suppressed check',
    match:
      /\bCHECKSTYLE[:.]OFF|\bNOPMD\b|\bNOSONAR\b|@?psalm-suppress|\bSuppressMessage\b|@SuppressFBWarnings|\bSuppressLint\b|<NoWarn>|<TreatWarningsAsErrors>\s*false|\bcap-lints\b|-Awarnings\b|\bphpcs:(ignore|disable)|\bsteep:ignore|\bsorbet:|#\s*pyre-|\bdetekt:|noinspection\b/i,
  },
  {
    rule: 'suppressedCheck',
    name: 'a suppressed check',
    match:
      /\/\*\s*eslint\s|\bnosemgrep\b|\$Flow(FixMe|Issue|ExpectedError)\b|\bgitleaks:\s*allow|\ballowlist secret|\bnoqa\b|\bno_type_check\b|#\s*(fmt|yapf):\s*(off|skip|disable)|\bisort:\s*skip|\/\/\s*lint:ignore|@file:Suppress|\brubocop:\s*todo|#!?\[\s*expect\s*\(|\brustfmt::skip|\bclang-format\s+off|#\s*nullable\s+disable|<Nullable>\s*(disable|annotations|warnings)|\bcredo:\s*disable|@nowarn\b|@dialyzer\b|\bhadolint\s+ignore|\byamllint\s+disable|\b(checkov:\s*skip|tfsec:\s*ignore|trivy:\s*ignore)|\bcspell:\s*(disable|ignore)|\bvale\s+off|\b(swiftformat|scalastyle|spotless|formatter):\s*(disable|off)|\bjscpd:\s*ignore/i,
    prose: true,
  },
  {
    rule: 'suppressedCheck',
    name: 'a check that is switched off',
    match:
      /["']?[\w/@-]+["']?\s*:\s*\[?\s*["'](off|warn)["']|["']?[\w/@-]+["']?\s*:\s*\[?\s*0\b|\bseverity\s*=\s*(none|silent)|^\s*Enabled:\s*false|\b(ignore_errors|ignoreErrors|extend-ignore|per-file-ignores|filterwarnings|skipLibCheck|disable_error_code)\b|^\s*(ignore|disable|exclude)\s*[=:]|"strict\w*"\s*:\s*false/,
    only: /(^|\/)(\.?eslint[^/]*|biome\.jsonc?|tsconfig[^/]*\.json|pyproject\.toml|setup\.cfg|\.flake8|mypy\.ini|pytest\.ini|tox\.ini|\.?ruff\.toml|\.?pylintrc|\.golangci[^/]*|\.rubocop[^/]*|phpstan[^/]*|psalm[^/]*|\.editorconfig|\.globalconfig)$/i,
  },
];

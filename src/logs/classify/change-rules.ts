// Evidence that the code, or a test of it, is at fault: compilers, type checkers, linters, formatters, test runners. These failures come again
// on every run of the same commit.
import type { RuleTable } from './rule.ts';

export const compileRules: RuleTable = {
  class: 'regression',
  kind: 'ordinary',
  rules: [
    {
      id: 'rust',
      weight: 0.93,
      pattern:
        /^\s*error(?:\[E\d{4}\])?: (?:(?:mismatched|cannot find|unresolved|unused|borrow|could not compile `|aborting due to|linking with|no method named|the trait bound|expected |cannot borrow|use of|this function takes|failed to resolve: ))|^error\[E\d{4}\]/,
    },
    {
      id: 'typescript',
      weight: 0.93,
      pattern:
        /\berror TS\d{3,5}\b|TS\d{4,5}: |Found \d+ errors? in \d+ files?|TypeScript error in|Type error: /,
    },
    {
      id: 'c',
      weight: 0.92,
      pattern:
        /^[^\s:][^:]{0,300}\.(?:c|cc|cpp|cxx|h|hpp|hh|m|mm|cu|inl|ipp|cppm|swift)(?::\d+){1,2}: (?:fatal )?error:(?! in ")|\(\d+(?:,\d+)?\): (?:fatal )?error C\d{4}|undefined reference to|ld returned \d+ exit status|LNK\d{4}|Undefined symbols for architecture|multiple definition of|ld: symbol\(s\) not found|duplicate symbol|error: linker command failed|ld\.lld: error:|collect2: error/,
    },
    {
      id: 'werror',
      weight: 0.93,
      pattern:
        /-Werror[\]=]|warnings? (?:being )?treated as errors?|warnings found and -Werror|treat(?:ing|ed)? warnings as errors|because `process\.env\.CI = true`|(?:error: )?[Ww]arnings found.{0,30}(?:failOnWarning|-Xfatal-warnings|fail)|No warnings can be incurred under -Xfatal/,
    },
    {
      id: 'java',
      weight: 0.92,
      pattern:
        /COMPILATION ERROR|Compilation (?:failure\b|failed)|\.(?:java|kt|groovy|scala):\[?\d+(?:[,:]\d+\]?)?:? (?:error:|\[\w+\]|(?:cannot|incompatible|package|method|class|unreported|unclosed|';'|symbol)\b)|error: (?:cannot find symbol|incompatible types|package \S+ does not exist|class \S+ is public)|^e: (?:file:\/\/)?\S+\.kts?|error: unreported exception|^\[?error\]?:? \S+\.scala:\d+(?::\d+)?:|Compilation error\. See log|compiler(?:\.err| found) \d+ errors?|startup failed:|unable to resolve class|static import only from classes|error: type mismatch/,
    },
    {
      id: 'dotnet',
      weight: 0.92,
      pattern: /\berror (?:CS|FS|BC|VB|AL|CA|SA|IDE|RS|NETSDK1045|xUnit)\d{3,5}:/,
    },
    {
      id: 'go',
      weight: 0.92,
      pattern:
        /^(?:\.{0,2}\/)?[\w./-]+\.go:\d+:\d+: (?!.*(?:connection|timeout))(?:undefined|cannot use|too many|not enough|missing return|syntax error|declared and not used|\S+ declared|imported and not used|"\S+" imported|invalid operation|assignment mismatch|unknown field|\S+ redeclared|\S+ undefined|expected |non-|unreachable|undeclared|cannot infer|multiple-value|method has|type )|\[build failed\]|\[setup failed\]|^# \S+ \[\S+\.test\]|vet: |import cycle not allowed/,
    },
    {
      id: 'script-syntax',
      weight: 0.88,
      pattern:
        /^\s*(?:SyntaxError|IndentationError|TabError)\b|(?:PHP )?(?:Parse|Fatal) error: +(?:syntax error|Uncaught|Cannot|Declaration|Class|Interface|Access|Call|Allowed)|syntax error, unexpected|: syntax error near unexpected|syntax error at \S+ line \d+|\*\* \((?:CompileError|SyntaxError|TokenMissingError|UndefinedFunctionError)\)|== Compilation error in file|Uncaught SyntaxError|Unexpected token|unexpected end of input|BareWord|Global symbol ".{1,60}" requires|unterminated (?:string|comment)/,
    },
    {
      id: 'functional',
      weight: 0.92,
      pattern:
        /Couldn't match (?:expected )?type|\.hs:\d+:\d+: error|Not in scope:|Could not deduce|-- (?:TYPE MISMATCH|NAMING ERROR|MISSING PATTERNS|UNEXPECTED|MODULE NOT FOUND|PARSE ERROR|UNFINISHED|TOO (?:MANY|FEW) ARGS) -|Error: (?:Unbound (?:value|module|constructor|type)|This (?:expression|pattern|variant) )|Error \(alert |ERROR: LoadError: (?:UndefVarError|syntax|MethodError)|syntax: |Unhandled: |Error: Library ".{1,60}" not found|\.(?:ex|erl|nim|zig|d|v|cr|ml|hs|elm|purs|fs|jl|pas|f90|adb|ads)[:(]\d+(?:[:,] ?\d+)?\)?:? (?:Error|error)\b/,
    },
    {
      id: 'bundler',
      weight: 0.84,
      pattern:
        /Module not found: (?:Error: )?(?:Can't resolve|Error)|Could not resolve ["'].{1,200}["'] from|\[vite\]: Rollup failed to resolve|is not exported by |Failed to compile\.|Build failed because of webpack errors|Module build failed|RollupError|\[!\] |✘ \[ERROR\]|Transform failed with \d+ error|Build optimization failed|Export encountered errors|Error occurred prerendering|Prerender error|Pre-transform error|SassError|Undefined (?:mixin|variable|function)\.|export .{1,80} was not found in|ngtsc|error NG\d+|Angular compilation/,
    },
    {
      id: 'documents',
      weight: 0.8,
      pattern:
        /^! (?:Undefined control sequence|LaTeX Error|Missing)|build finished with problems|WARNING: .{1,200} \[(?:docutils|ref|toc|autodoc|misc|image|myst)|broken link|Aborted with \d+ warnings in strict mode|\d+ dead links? found|ERROR: \d+ dead links|html-?proofer found \d+|Unresolved link to/i,
    },
    {
      id: 'infrastructure-code',
      weight: 0.78,
      pattern:
        /Error: (?:Unsupported (?:argument|block type|attribute)|Invalid (?:reference|resource type|expression|block definition)|Missing required argument|Reference to undeclared)|error validating data|helm.{0,40}\[ERROR\]|Error: \d+ chart\(s\) linted, [1-9]\d* chart\(s\) failed|error converting YAML to JSON/,
    },
  ],
};

export const lintRules: RuleTable = {
  class: 'regression',
  kind: 'ordinary',
  rules: [
    {
      id: 'counts',
      weight: 0.9,
      pattern:
        /✖ \d+ problems?|\b[1-9]\d* problems? \([1-9]\d* errors?|\d+ files? inspected, [1-9]\d* offenses?|FOUND [1-9]\d* ERRORS?|\[ERROR\] Found [1-9]\d* errors?|Found [1-9]\d* (?:errors?|issues?|warnings?|violations?|problems?|lint)\b|\b[1-9]\d* (?:lint |style |linting |Checkstyle |PMD |SpotBugs |ktlint |code style )(?:errors?|violations?|issues?|warnings?|problems?)|errors reported by Checkstyle|[1-9]\d* errors? reported by|There (?:was|were) [1-9]\d* (?:lint|error)|\d+ issues? found\.|Done linting!? Found|analysis failed with \d+|Analysis failed|found [1-9]\d* (?:serious|high|critical) (?:issues|violations)|\d+ ERRORS? AND \d+ WARN/i,
    },
    {
      id: 'format',
      weight: 0.92,
      pattern:
        /would (?:be )?reformat(?:ted)?\b|Code style issues (?:found|were found)|code should be clang-formatted|^Diff in \S+|not (?:properly |correctly )?formatted|files? (?:need|needs|require|requires) (?:re)?formatting|had format violations|Imports are incorrectly sorted|is not gofmt|not gofmt(?:'ed|ed)?|gofmt.{0,40}(?:needs|differ|failed)|File is not (?:`|")?(?:gofumpt|goimports|gofmt|gci)|mix format failed|Run (?:mix format|cargo fmt|prettier|black|gofmt|make fmt|yarn format|npm run format|spotlessApply)|[Ff]ormatting (?:issues|check failed|errors)|files were modified by this hook|black\.{3,}Failed|the following files aren't formatted|trailing whitespace|Forgot to run Prettier|Please (?:run|reformat).{0,60}(?:format|prettier|fmt)\b|File content differs from formatting output|scalafmt.{0,40}(?:must be|fail)|ormolu|lint-staged.{0,40}fail/,
    },
    {
      id: 'place-code',
      weight: 0.8,
      pattern:
        /^\S+\.\w{1,5}:\d+:\d+: (?:[EWFCNBDSIPR]\d{2,4}|[a-z]+-[a-z-]+|error|warning|style|\[\w)\b|^\s*\d+:\d+ +error +\S.* {2,}\S+$|^\S+\.py:\d+: error: |^\S+:\d+:\d+: .{1,300} \([a-z]+\)$|^\S+\.(?:rb|cr|swift|kt|kts|sh|scala|go|md):\d+(?::\d+)?: (?:[CWEF]: |error: |warning: |Lint|style|MD\d{3})|^In \S+ line \d+:$|SC\d{4} \(|\[(?:error|warn)\] \S+\.(?:js|ts|tsx|jsx|css|scss|json|md|vue|ya?ml)$|^\s+error +\S.* @?[\w-]+\/[\w/-]+$/,
    },
    {
      id: 'tools',
      weight: 0.86,
      pattern:
        /(?:eslint|tslint|stylelint|standard|xo|rubocop|flake8|pylint|mypy|pyright|ruff|black|isort|pycodestyle|pydocstyle|golangci-lint|gofmt|golint|govet|go vet|staticcheck|clippy|rustfmt|checkstyle|spotbugs|findbugs|pmd|ktlint|detekt|phpcs|phpstan|psalm|swiftlint|swiftformat|shellcheck|hadolint|yamllint|markdownlint|commitlint|codespell|cspell|clang-format|clang-tidy|cppcheck|credo|dialyzer|hlint|scalastyle|scalafmt|scalafix|prettier|spotless|bandit|reek|brakeman|erb_lint|slim-lint|haml-lint|luacheck|dartfmt|dart format|flutter analyze|lintr|typos|biome|oxlint|vale|tflint|buf lint|spectral|license-eye|reuse lint|apache-rat|animal-sniffer|japicmp|revapi|forbiddenapis|errorprone)\b.{0,100}(?:\bfailed\b|Failed$|violation|exit(?:ed)? (?:with )?(?:code|status)? ?[1-9]|found (?:errors|issues|problems)|FAILED|offens|\berrors?$)|Missing header in: |Too many (?:files with )?unapproved licen[sc]e|Rat check|API changes: [1-9]|Use of.{0,60}forbidden|subject may not be empty|type may not be empty|husky.{0,60}failed|hook id: |Signed-off-by.{0,40}missing|CHANGELOG.{0,40}(?:missing|not updated|entry)|You must add a changelog/i,
    },
    {
      id: 'stale-output',
      weight: 0.86,
      pattern:
        /(?:generated|vendor(?:ed)?|snapshot|snapshots|schema|docs|code ?gen|protobuf|manifests|mocks|bindings|README|baseline|golden)\b.{0,80}(?:out of date|out-of-date|not up[- ]to[- ]date|stale|outdated|obsolete|differ)|git diff --exit-code|(?:working (?:tree|directory)|repository|repo) (?:is )?(?:not clean|dirty|has (?:changes|uncommitted))|uncommitted changes|Unstaged changes|Please (?:run|commit|regenerate|update).{0,60}(?:generate|commit|the changes|again)|have you run|did you forget to (?:run|commit)/i,
    },
    {
      id: 'limits',
      weight: 0.85,
      pattern:
        /[Cc]overage .{0,60}(?:does not meet|below|less than|not met|lower than|under|dropped|failed)|Required test coverage of|FAIL Required|coverage threshold|minimum coverage|thresholds? on metrics .{1,100} crossed|bundle ?size.{0,60}(?:exceed|larger|too)|exceeds? (?:the )?(?:maximum|size limit|budget)|Package size limit has exceeded|Rule violated for bundle|Mutation score below|performance regression/i,
    },
    {
      id: 'security-check',
      weight: 0.7,
      pattern:
        /[1-9]\d* (?:(?:low|moderate|high|critical) )?(?:severity )?vulnerabilit(?:y|ies)\b.{0,40}(?:found)?|vulnerabilities found|error: [1-9]\d* vulnerabilit|One or more dependencies were identified with vulnerabilities|CVE-\d{4}-\d+ .{0,40}(?:HIGH|CRITICAL)|gitleaks.{0,20}leaks found|Potential secrets? (?:about to be committed|detected)/i,
    },
  ],
};

export const testRules: RuleTable = {
  class: 'regression',
  kind: 'ordinary',
  rules: [
    {
      id: 'summary',
      weight: 0.88,
      pattern:
        /^\s*(?:Tests?|Test Suites|Test Files|Specs|Assertions)?:? *[1-9]\d* (?:failed|failing|failures?)\b|Tests run: ?\d+, +Failures: (?:[1-9]\d*|0, +Errors: [1-9])|\b\d+ (?:examples?|specs?|tests?|runs?|scenarios?|features?|steps?)\b.{0,60}\b[1-9]\d* (?:failures?|failed|errors?)\b|\b[1-9]\d* of \d+ (?:tests?|specs?|assertions?|suites)? ?failed|[1-9]\d* tests? (?:failed|FAILED)|^Tests Passed: \d+, Failed: [1-9]|^\[ FAIL [1-9]|^FAILED \((?:failures|errors)=|FAILURES!|^Tests: .{0,60}(?:Failures|Errors): [1-9]|test result: FAILED|TEST RUN FAILED|Failed!? {1,3}- Failed: +[1-9]|Total tests: .{0,60}Failed: [1-9]|^\s*Failed: [1-9]\d*$|Some tests failed|There (?:are|were) (?:test )?failures|^\s*not ok \d+ |^FAIL(?:ED)?\s*$|^FAIL\s+\S+\s+[\d.]+s$|# fail(?:ed)? [1-9]|Result: FAIL|tests passed, [1-9]\d* tests? failed|with [1-9]\d* failures?|\*\*\* [1-9]\d* failures?|Errors while running CTest|\(Test \/ test\) sbt\.TestsFailedException|There are test failures|There were failing tests|[1-9]\d* tests? (?:completed|executed), [1-9]\d* failed|TESTS? FAILED|-- FAILURES?|Executed \d+ out of \d+ tests?: .{0,60}fail|Test Run Failed|specs?, [1-9]\d* failures?|Assertion failed|BUILD FAILED.{0,20}tests|===+ .{0,60}\b[1-9]\d* (?:failed|error)|^UVM_(?:ERROR|FATAL) [^:]{1,200}@/,
    },
    {
      id: 'assertion',
      weight: 0.86,
      pattern:
        /\bAssert(?:ion)?(?:Failed)?(?:Error|Exception)\b|^E +assert |AssertionFailedError|ComparisonFailure|expected:? ?<.{0,200}> but (?:was|found)|Failed asserting that|expect\(received\)|Expected.{0,200}(?:but (?:was|got|found)|to (?:equal|be|have|contain|match|include)|received)|assertion (?:`?.{0,60}`? )?failed|Failure\/Error: .{0,80}(?:expect|assert|should)|REQUIRE\(|CHECK\(.{0,100}\) (?:failed|is NOT)|XCTAssert\w+ failed|EXPECT_\w+|Assert\.\w+\(\) Failure|Assertion `.{1,200}' failed|\(Failure\) |Snapshot.{0,40}(?:obsolete|mismatch|failed|does not match)|toMatchSnapshot|doctest.{0,20}fail|Error Trace:|did not (?:equal|match)|were not equal|is not equal to|Test Failed at|\b[Aa]ssert(?:ion|ions)?\b.{0,80}\b(?:[Ff]ail(?:ed|ure)?|FAIL(?:ED)?|violated)\b|^\s*(?:[-+] )?(?:[Ee]xpected|EXPECTED|[Aa]ctual|ACTUAL|[Rr]eceived|left|right|got|want|have|Which is|To be equal to)(?: value)?\b *[:=]|\bgot\b.{1,120}\b(?:want(?:ed)?|expected)\b|\b(?:want(?:ed)?|expected)\b.{1,120}\b(?:got|but|received|actual|found|was)\b|\bexpected .{1,120} to (?:not )?(?:be|equal|have|contain|match|include|throw|exist|eq|deep|raise|return)\b|\bshould (?:be|equal|have been|match|contain) .{1,80}\bbut\b|!== |values? (?:are|is) not|(?:are|is) not (?:identical|the same)|does not match (?:expected|snapshot|golden)|not to be (?:equal|thrown)|Values (?:differ|have the same)|mismatch(?:ed)? (?:at|in|between)|is False : |is not true$|AssertThat|Mismatch \[|DID NOT RAISE|\b(?:nothing|no (?:error|exception)) was (?:raised|thrown)|\bdid not (?:throw|raise|panic)\b|resolved instead of rejected|[;,] want(?:ed)? \S|^Expected equality of these values|^#\s+`.{1,300}' failed|^\s*Condition not satisfied:|\bnot equal to\b|^\W{0,12}(?:[Ee]xpected|[Aa]ctual|[Rr]eceived|got|want) (?:\w{1,12} )?[:=]|^\W{0,12}(?:expected|got|have|want|found)\b *[:=]|^(?!Caused by: )(?:E +)?\S.{0,120} != \S.{0,120}$|\bhas failed \[.{1,200} [!=<>]=? |\bbut the (?:text|value|status|result) was\b|\bexpected .{1,120} to have (?:text|value|length|status|count|been)|[Tt]imed? ?out .{0,30}waiting for expect\(|, found [^,]{1,80}$|\b(?:was|is|got|returned) [^,]{1,80}, (?:but )?(?:expected|want(?:ed)?)\b/,
    },
  ],
};

export const scriptRules: RuleTable = {
  class: 'regression',
  kind: 'ordinary',
  rules: [
    {
      id: 'exception',
      weight: 0.5,
      pattern:
        /^(?:\w+\.)*(?:TypeError|NameError|AttributeError|KeyError|IndexError|ValueError|ReferenceError|RangeError|UnboundLocalError|RuntimeError|NotImplementedError|ZeroDivisionError|RecursionError|NoMethodError|ArgumentError|NullPointerException|IllegalArgumentException|IllegalStateException|ClassCastException|StackOverflowError|NoSuchMethodError|NoSuchFieldError|NoClassDefFoundError|AbstractMethodError)\b|Exception in thread "|\bpanic: |thread '.{1,80}' panicked|Uncaught (?:Error|Exception|\w+Error)|undefined method [`']|undefined local variable|cannot read propert(?:y|ies) of|is not a function\b|Caused by: java\.lang\.(?:NullPointer|Illegal|NoSuch|NoClassDef|ClassNotFound|ClassCast)|Segmentation fault|SIGSEGV|SIGABRT|AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error: |stack overflow|Aborted \(core dumped\)|ImportError: cannot import name|ERROR: LoadError/,
    },
    {
      // Any exception by its class, except those that networks, machines and time make.
      id: 'exception',
      weight: 0.5,
      pattern:
        /^\s*(?:E +|Caused by: |\*\* \()?(?:[A-Za-z_]\w{0,60}(?:\.|::|\\)){0,10}(?!\w*(?:Time[dO]|Connect|Socket|Network|Unavailable|Stale|Session|WebDriver|Closed|Reset|Refused|Host|Memory|Interrupt|Bind|EOF|IO|OS|HTTP|Http|URL|SSL|Disk|Busy|Lock|Throttl|RateLimit|Quota|Cancel|Abort|BrokenPipe|Channel|Rpc|Fetch|Download|Concurrent|Module|Import|Subprocess|CalledProcess|Build|Execution|Permission|NotFound))[A-Z]\w{2,60}(?:Error|Exception|Exhausted)\b(?::|\)|$)/,
    },
    {
      id: 'goal',
      weight: 0.42,
      pattern:
        /Failed to execute goal|Execution failed for task|make(?:\[\d+\])?: \*\*\* .{1,200} Error \d|ninja: build stopped|FAILED: \S+\.o\b|Process '.{1,200}' finished with non-zero exit value|rake aborted!|gulp.{0,40}errored|grunt.{0,40}(?:Warning|aborted)|npm ERR! (?:code ELIFECYCLE|Test failed)|Command failed with exit code|Script .{1,100} returned with error code|error: command '.{1,100}' failed/,
    },
  ],
};

export const changeTables: readonly RuleTable[] = [compileRules, lintRules, testRules, scriptRules];

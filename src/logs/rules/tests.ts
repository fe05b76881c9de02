// How test runners show a failure.
import type { Rule } from './rule.ts';

export const testRules: readonly Rule[] = [
  // pytest, unittest, doctest
  [91, /^E {3,}(?:\w+\.)*\w*(?:Error|Exception|Failed|Exit|Interrupt|Warning)\b/],
  [84, /^E {3,}\S/],
  [91, /^(?:FAILED|ERROR) \S{1,300}(?:::\S|\.py\b)/],
  [76, /^_{3,} .{1,200} _{3,}$/],
  [84, /^\S{1,200}\.py:\d+: (?:\w+\.)*\w+(?:Error|Exception|Failed|Failure)?$/],
  [86, /^(?:FAIL|ERROR): \w.{0,200}\(\S{1,200}\)/],
  [84, /^Failed example:/],
  // go
  [86, /^--- FAIL: /],
  [90, /^\S{1,200}_test\.go:\d+: /],
  [74, /^FAIL\s+\S+\s+(?:[\d.]+s|\[|\(cached)/],
  [86, /^Error Trace:|^Error:\s{2,}\S|^Messages?:\s{3,}/],
  [93, /^WARNING: DATA RACE/],
  [90, /^\[Fail\] |^• (?:Failure|\[FAILED\])|^\[FAILED\] (?!in |\[)/],
  // jest, vitest, mocha, jasmine, karma, ava, tap, playwright, cypress, node
  [87, /^● (?!Console$|Deprecation|Validation Warning)\S/],
  [80, /^FAIL\s+\S.{0,200}(?:\.[jt]sx?|\.vue|>)/],
  [89, /^not ok \d*(?!.{0,300}# (?:TODO|SKIP|todo|skip))/],
  [84, /^(?:✖|✗|✘|×|⨯|❌|✕|🔴) {1,3}\S/u],
  [86, /^\d+\) \[.{1,30}\] › /],
  [
    88,
    /\bexpect\(.{0,200}\)\.(?:not\.)?to|\bexpected .{1,300} (?:to|but|got|not|instead|actual|received|in )/i,
  ],
  [85, /\) .{1,200} FAILED$|^\S.{0,200} > .{1,200} FAILED$/],
  // rust
  [90, /^test .{1,200} \.\.\. FAILED$|^---- .{1,200} (?:stdout|stderr) ----$|^FAIL \[ *[\d.]+s\]/],
  [95, /^thread '.{0,200}' (?:\(\d+\) )?panicked at/],
  // JVM
  [86, /<<< (?:FAILURE|ERROR)!/],
  [89, /^[A-Za-z]\w*(?:[.>][\w$]+)+(?:\(.{0,60}\))?:\d+ \S/],
  [88, /^FAILED: \S|\*\*\* FAILED \*\*\*|^Test \S{1,200} (?:failed: |FAILED$)|^\[FAIL(?:ED|URE)?\] \S/],
  [90, /\bComparisonFailure\b|\bAssertionFailedError\b|\bWantedButNotInvoked\b|\bMismatchedInput/],
  // ruby
  [93, /^Failure\/Error: /],
  [86, /^rspec '?\.\/|^cucumber \S{1,200}:\d+|^(?:bin\/)?rails test \S{1,200}:\d+/],
  [89, /^\d+\) (?:Failure|Error|Skipped): ?$|^(?:Failure|Error): ?$|^(?:Failure|Error): \S{1,200}(?:\(|#)/],
  [89, /^(?:\w|::)+#\w.{0,120} \[\S{1,200}:\d+\]:?$/],
  [86, /^(?:\w|::)+#test\w*.{0,60}:$/],
  // PHP
  [95, /^Failed asserting that/],
  [90, /^\d+\) (?:\w|\\)+::\w/],
  [89, /^FAILED\s+(?:\w|\\)+ >|^Failed scenarios:/],
  // .NET
  [90, /^\d+\) (?:Failed|Error|Invalid) : |\[FAIL\]$/],
  [86, /^(?:X|Failed|✗) (?:\w|\.){3,200}(?:\(.{0,200}\))?(?: \[[\d<, ]+ ?m?s\])?$/],
  [94, /\bAssert\.\w+\(\) Failure|^Assert\.\w+ failed\.|^Expected string length/],
  [84, /^Error Message:|^(?:Expected|But was|Actual|Received|Got|Want|have|want)\s?:\s/i],
  // C, C++
  [86, /^\[ {2}FAILED {2}\] (?!\d+ tests?)/],
  [93, /^\S{1,200}(?::\d+|\(\d+\)): (?:Failure|FAILED:?)$|: error: in "/],
  [86, /\*{3}(?:Failed|Exception|Timeout|Not Run)\b/],
  [
    90,
    /: (?:FAILED|CHECK FAILED|REQUIRE FAILED):?$|^(?:CHECK|REQUIRE)\w*\( .{1,200} \)$|: CHECK_?\w*\(.{1,200}\) (?:is NOT correct|failed)/,
  ],
  [
    88,
    /^==\d+== (?:Invalid|Conditional|Use of|Process terminating|.{0,60}(?:definitely|indirectly) lost: [1-9])/,
  ],
  // functional and others
  [90, /^\d+\) (?:test|doctest|property) |^Assertion with \S+ failed|^(?:FAIL|ERROR) in \(/],
  [90, /^FAIL(?:ED)? \[\d+\]| FAILED \[\d+\]$|\*\*\* ?failed ?\*\*\*/],
  [89, /^Test \S{1,120} condition:|^FAILED\s+\d+\/\d+\s|^\[-\] \S/],
  [89, /^(?:Failure|Error) → |(?:^|: )(?:Test Failed|Error During Test) at /],
  [
    88,
    /\[E\]$|^#\s+Failed (?:\(.{1,20}\) )?test\b|^──+ (?:Failure|Error|\d+\. )|^-- (?:Failure|Error|FAIL)[:( ]/,
  ],
  [94, /: error: -\[|: error: .{1,200} : XCTAssert|: error: \S{1,200} : (?:failed|XCT)/],
  [82, /^Test Case '.{1,200}' failed|^✗ \S|^\(X\) |\| FAIL \|$/],
  [95, /core\.exception\.AssertError@|^Assertion failed: |^assert(?:ion)? failed/i],
  [88, /^(?:FAIL|XPASS|FAILED|UNEXPECTED|TIMEOUT|ERROR): \S|^\/\/\S{1,200}\s+(?:FAILED|TIMEOUT)\b/],
  [86, /^##teamcity\[(?:testFailed|buildProblem)/],
  // sections
  [
    62,
    /^(?:\d+ failing|Failures:|Failed examples:|failures:|Failed Tests\b|FAILED TESTS|Failing tests:|Failed tests?:|Tests in error:|Failing scenarios:|The following build commands failed:|Testing failed:)/i,
  ],
  [66, /^There (?:was|were) \d+ (?:failure|error|warning|risky)/],
  [66, /^The following tests? (?:FAILED|failed)/],
  [60, /^=+ (?:FAILURES|ERRORS) =+|^=+ short test summary/],
  // coverage
  [
    90,
    /coverage.{0,80}(?:below|less than|does not meet|not met|not reached|under the|threshold|fail_?under)|^Required test coverage/i,
  ],
  [88, /\bXCTAssert\w* failed|expected:? ?<.{0,200} but was/],
  [80, /^\S{3,200} FAILED$/],
  [84, /^INTERNALERROR> \S/],
  [76, /^FAIL:? \S{3,200} /],
  // totals
  [52, /\b[1-9]\d* (?:tests? )?(?:failed|failing|failures?|errors?|errored|broken)\b/i],
  [52, /\b(?:failures?|failed|errors?|fail)\s?[:=]\s?[1-9]/i],
  [48, /^(?:FAILURES|ERRORS)!|^test result: FAILED|^Result: FAIL|^Some tests failed|^FAILED \(/],
  [84, /\.\.\. ?(?:FAILED|FAIL|ERROR|failed|not ok)\b/],
  [60, /(?:^|[^\w-])(?:FAILED|FAIL|FAILURE)(?:[^\w-]|$)/],
];

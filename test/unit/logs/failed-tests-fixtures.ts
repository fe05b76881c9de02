// What runners print when tests fail, in our own words: one log per runner, the names that must be found, and nothing else.

export type RunnerLog = {
  readonly runner: string;
  readonly log: string;
  /** All of them, in order. */
  readonly names: readonly string[];
};

export const runnerLogs: readonly RunnerLog[] = [
  {
    runner: 'jest',
    log: `
PASS src/basket.test.ts
FAIL src/price.test.ts (5.1 s)
  price
    ✓ adds tax (3 ms)
    ✕ rounds half up (12 ms)
  ● Console

    console.log
      FAIL is only a word here

  ● price › rounds half up

    expect(received).toBe(expected) // Object.is equality

FAIL src/broken.test.ts
  ● Test suite failed to run

    Cannot find module './gone' from 'src/broken.test.ts'

Test Suites: 2 failed, 1 passed, 3 total
Tests:       1 failed, 2 passed, 3 total`,
    names: ['price › rounds half up', 'src/broken.test.ts'],
  },
  {
    runner: 'vitest',
    log: `
 ✓ src/ok.test.ts (3 tests) 12ms
 ❯ src/price.test.ts (2 tests | 1 failed) 22ms
   ✓ price > adds tax
   × price > rounds half up 14ms
     → expected 2 to be 3
⎯⎯⎯⎯⎯⎯⎯ Failed Tests 1 ⎯⎯⎯⎯⎯⎯⎯
 FAIL  src/price.test.ts > price > rounds half up
AssertionError: expected 2 to be 3
 FAIL  |web| src/view.test.tsx > view > shows > a title
 FAIL  src/broken.test.ts [ src/broken.test.ts ]
 Test Files  3 failed | 1 passed (4)
      Tests  2 failed | 4 passed (6)`,
    names: [
      'src/price.test.ts > price > rounds half up',
      '|web| src/view.test.tsx > view > shows > a title',
      'src/broken.test.ts',
    ],
  },
  {
    runner: 'mocha and cypress',
    log: `
  basket
    ✓ is empty
    1) holds an item
  2 passing (31ms)
  1 pending
  2 failing

  1) basket
       holds an item
         with a price:

      AssertionError: expected 1 to equal 2
      at Context.<anonymous> (test/basket.js:12:14)

  2) "before each" hook for "opens":
     Error: timeout`,
    names: ['basket holds an item with a price', '"before each" hook for "opens"'],
  },
  {
    runner: 'ava',
    log: `
  ✔ adds tax
  ✘ [fail]: rounds › half up
  ─
  rounds › half up
  1 test failed`,
    names: ['rounds › half up'],
  },
  {
    runner: 'node:test as TAP',
    log: `
TAP version 13
# Subtest: price
    ok 1 - adds tax
    not ok 2 - rounds half up
      ---
      failureType: 'testCodeFailure'
      ...
not ok 1 - price
ok 2 - basket # SKIP
not ok 3 - later # TODO not done
# tests 4
# fail 1`,
    names: ['rounds half up', 'price'],
  },
  {
    runner: 'node:test as spec',
    log: `
▶ price
  ✔ adds tax (0.3ms)
  ✖ rounds half up (1.2ms)
ℹ tests 2
ℹ fail 1
✖ failing tests:
test at test/price.test.js:3:1
✖ rounds half up (1.2ms)`,
    names: ['rounds half up'],
  },
  {
    runner: 'playwright',
    log: `
Running 3 tests using 2 workers
  ✓  1 [chromium] › tests/a.spec.ts:3:1 › opens (1.0s)
  1) [chromium] › tests/a.spec.ts:9:3 › basket › pays ──────────────────────────
    Error: expect(locator).toBeVisible() failed
  2) [firefox] › tests/a.spec.ts:20:3 › basket › empties ───────────────────────
    Error: timeout
  1 failed
    [chromium] › tests/a.spec.ts:9:3 › basket › pays ───────────────────────────
  1 flaky
    [firefox] › tests/a.spec.ts:20:3 › basket › empties ────────────────────────
  1 passed (4.1s)`,
    names: ['[chromium] › tests/a.spec.ts:9:3 › basket › pays'],
  },
  {
    runner: 'karma',
    log: `
Chrome Headless 120.0.0.0 (Linux x86_64) price rounds half up FAILED
	Expected 1 to be 2.
Chrome Headless 120.0.0.0 (Linux x86_64): Executed 3 of 3 (1 FAILED) (0.1 secs / 0.09 secs)
TOTAL: 1 FAILED, 2 SUCCESS`,
    names: ['price rounds half up'],
  },
  {
    runner: 'jasmine',
    log: `
Started
.F.
Failures:
1) price rounds half up
  Message:
    Expected 1 to be 2.
  Stack:
    at <Jasmine>
3 specs, 1 failure
Finished in 0.01 seconds`,
    names: ['price rounds half up'],
  },
  {
    runner: 'bun',
    log: `
test/price.test.ts:
(pass) price > adds tax [0.10ms]
(fail) price > rounds half up [0.32ms]
 1 pass
 1 fail`,
    names: ['price > rounds half up'],
  },
  {
    runner: 'deno',
    log: `
running 2 tests from ./price_test.ts
adds tax ... ok (4ms)
rounds half up ... FAILED (7ms)
 ERRORS
rounds half up => ./price_test.ts:9:6
error: AssertionError: Values are not equal.
FAILED | 1 passed | 1 failed (20ms)`,
    names: ['rounds half up'],
  },
  {
    runner: 'pytest',
    log: `
============================= test session starts ==============================
tests/test_price.py::test_tax PASSED                                     [ 20%]
tests/test_price.py::test_round[1.5 - up] FAILED                         [ 40%]
tests/test_price.py::TestBasket::test_pay ERROR                          [ 60%]
=================================== FAILURES ===================================
___________________________ test_round[1.5 - up] ____________________________
    def test_round(value):
>       assert round_half(value) == 2
E       AssertionError
=========================== short test summary info ============================
FAILED tests/test_price.py::test_round[1.5 - up] - AssertionError: assert 1 == 2
ERROR tests/test_price.py::TestBasket::test_pay - RuntimeError: no basket - sorry
ERROR tests/test_gone.py - ModuleNotFoundError: No module named 'gone'
==================== 1 failed, 1 passed, 2 errors in 0.12s =====================`,
    names: [
      'tests/test_price.py::test_round[1.5 - up]',
      'tests/test_price.py::TestBasket::test_pay',
      'tests/test_gone.py',
    ],
  },
  {
    runner: 'pytest without a summary',
    log: `
=================================== FAILURES ===================================
______________________ TestBasket.test_pay[card-eur] ______________________
E   assert 1 == 2
____________________ ERROR at setup of test_open ____________________
E   fixture 'db' not found
=========================== 1 failed in 0.12s ===========================`,
    names: ['TestBasket.test_pay[card-eur]', 'test_open'],
  },
  {
    runner: 'pytest-xdist',
    log: `
[gw0] [ 10%] PASSED tests/test_a.py::test_one
[gw1] [ 20%] FAILED tests/test_a.py::test_two
========= 1 failed, 1 passed in 0.12s =========`,
    names: ['tests/test_a.py::test_two'],
  },
  {
    runner: 'unittest',
    log: `
test_tax (tests.test_price.PriceTest) ... ok
test_round (tests.test_price.PriceTest) ... FAIL
======================================================================
FAIL: test_round (tests.test_price.PriceTest)
----------------------------------------------------------------------
Traceback (most recent call last):
AssertionError: 1 != 2
======================================================================
ERROR: test_pay (tests.test_basket.BasketTest.test_pay) (kind='card')
----------------------------------------------------------------------
Ran 3 tests in 0.001s
FAILED (failures=1, errors=1)`,
    names: [
      'test_round (tests.test_price.PriceTest)',
      "test_pay (tests.test_basket.BasketTest.test_pay) (kind='card')",
    ],
  },
  {
    runner: 'go test',
    log: `
=== RUN   TestTax
--- PASS: TestTax (0.00s)
=== RUN   TestRound
=== RUN   TestRound/half_up
    price_test.go:12: got 1, want 2
--- FAIL: TestRound (0.00s)
    --- FAIL: TestRound/half_up (0.00s)
    --- PASS: TestRound/down (0.00s)
FAIL
FAIL	example.com/shop/price	0.004s
ok  	example.com/shop/basket	0.003s`,
    names: ['TestRound', 'TestRound/half_up'],
  },
  {
    runner: 'go test -json',
    log: `
{"Time":"2026-01-01T00:00:00Z","Action":"pass","Package":"example.com/shop","Test":"TestTax","Elapsed":0}
{"Time":"2026-01-01T00:00:00Z","Action":"fail","Package":"example.com/shop","Test":"TestRound","Elapsed":0}`,
    names: ['TestRound'],
  },
  {
    runner: 'gotestsum',
    log: `
✓  basket (4ms)
✖  price (3ms)
=== Failed
=== FAIL: price TestRound/half_up (0.00s)
    price_test.go:12: got 1, want 2
DONE 12 tests, 1 failure in 0.412s`,
    names: ['TestRound/half_up'],
  },
  {
    runner: 'go test with a timeout',
    log: `
panic: test timed out after 1s
running tests:
	TestSlow (1s)
goroutine 17 [running]:
FAIL	example.com/shop/price	1.004s`,
    names: ['TestSlow'],
  },
  {
    runner: 'ginkgo',
    log: `
Summarizing 1 Failure:
  [FAIL] Price rounding [It] rounds half up
  /src/price_test.go:12
Ran 3 of 3 Specs in 0.001 seconds`,
    names: ['Price rounding [It] rounds half up'],
  },
  {
    runner: 'cargo test',
    log: `
running 3 tests
test price::tests::adds_tax ... ok
test price::tests::rounds_half_up ... FAILED
test src/lib.rs - price::round (line 12) ... FAILED

failures:

---- price::tests::rounds_half_up stdout ----
thread 'price::tests::rounds_half_up' panicked at src/price.rs:12:9:
assertion \`left == right\` failed
    left

failures:
    price::tests::rounds_half_up
    src/lib.rs - price::round (line 12)

test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out`,
    names: ['price::tests::rounds_half_up', 'src/lib.rs - price::round (line 12)'],
  },
  {
    runner: 'nextest',
    log: `
        PASS [   0.004s] shop price::tests::adds_tax
        FAIL [   0.005s] shop price::tests::rounds_half_up
  TRY 1 FAIL [   0.005s] shop net::tests::connects
  TRY 2 PASS [   0.006s] shop net::tests::connects
     SIGSEGV [   0.005s] (3/4) shop::it crashes
------------
     Summary [   0.030s] 4 tests run: 2 passed (1 flaky), 2 failed, 0 skipped
   FLAKY 2/3 [   0.006s] shop net::tests::connects
        FAIL [   0.005s] shop price::tests::rounds_half_up`,
    names: ['shop price::tests::rounds_half_up', 'shop::it crashes'],
  },
  {
    runner: 'surefire 3',
    log: `
[INFO] Running com.acme.PriceTest
[ERROR] Tests run: 3, Failures: 1, Errors: 1, Skipped: 0, Time elapsed: 0.05 s <<< FAILURE! -- in com.acme.PriceTest
[ERROR] com.acme.PriceTest.roundsHalfUp -- Time elapsed: 0.01 s <<< FAILURE!
org.opentest4j.AssertionFailedError: expected: <2> but was: <1>
[ERROR] com.acme.PriceTest.pays(String)[2] -- Time elapsed: 0.002 s <<< ERROR!
[INFO] Results:
[ERROR] Failures:
[ERROR]   PriceTest.roundsHalfUp:21 expected: <2> but was: <1>
[ERROR] Errors:
[ERROR]   PriceTest.pays:33->open:12 » NullPointer
[ERROR] Tests run: 3, Failures: 1, Errors: 1, Skipped: 0`,
    names: ['com.acme.PriceTest.roundsHalfUp', 'com.acme.PriceTest.pays(String)[2]', 'PriceTest.pays'],
  },
  {
    runner: 'surefire 2',
    log: `
Running com.acme.PriceTest
Tests run: 2, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.05 sec <<< FAILURE!
roundsHalfUp(com.acme.PriceTest)  Time elapsed: 0.012 sec  <<< FAILURE!
java.lang.AssertionError: expected:<2> but was:<1>

Results :

Failed tests:   roundsHalfUp(com.acme.PriceTest): expected:<2> but was:<1>
  rejects(com.acme.OrderTest): no

Tests in error:
  pays(com.acme.BasketTest): null

Tests run: 2, Failures: 1, Errors: 0, Skipped: 0`,
    names: ['roundsHalfUp(com.acme.PriceTest)', 'rejects(com.acme.OrderTest)', 'pays(com.acme.BasketTest)'],
  },
  {
    runner: 'surefire with a retry',
    log: `
[ERROR] com.acme.NetTest.connects -- Time elapsed: 0.01 s <<< FAILURE!
[WARNING] Flakes:
[WARNING] com.acme.NetTest.connects
[ERROR]   Run 1: NetTest.connects:21 refused
[INFO]   Run 2: PASS
[WARNING] Tests run: 1, Failures: 0, Errors: 0, Skipped: 0, Flakes: 1`,
    names: [],
  },
  {
    runner: 'gradle',
    log: `
> Task :compileTestJava
> Task :test FAILED

PriceTest > roundsHalfUp() FAILED
    org.opentest4j.AssertionFailedError at PriceTest.java:21

com.acme.BasketTest > when empty > pays(String) > [1] card FAILED
com.acme.KotlinTest.opens[jvm] FAILED
BasketTest > opens() PASSED

12 tests completed, 3 failed
FAILURE: Build failed with an exception.
* What went wrong:
Execution failed for task ':test'.`,
    names: [
      'PriceTest > roundsHalfUp()',
      'com.acme.BasketTest > when empty > pays(String) > [1] card',
      'com.acme.KotlinTest.opens[jvm]',
    ],
  },
  {
    runner: 'TestNG',
    log: `
PASSED: addsTax
FAILED: roundsHalfUp
java.lang.AssertionError: expected [2] but found [1]
===============================================
    Tests run: 2, Failures: 1, Skips: 0
===============================================`,
    names: ['roundsHalfUp'],
  },
  {
    runner: 'ScalaTest with sbt',
    log: `
[info] PriceSpec:
[info] - should add tax
[info] - should round half up *** FAILED *** (12 milliseconds)
[info]   1 did not equal 2 (PriceSpec.scala:12)
[info] Tests: succeeded 1, failed 1, canceled 0, ignored 0, pending 0
[error] Failed tests:
[error] 	com.acme.PriceSpec
[error] (Test / test) sbt.TestsFailedException: Tests unsuccessful`,
    names: ['should round half up', 'com.acme.PriceSpec'],
  },
  {
    runner: 'RSpec',
    log: `
Pending: (Failures listed here are expected and do not affect your suite's status)

  1) Basket is not done
     # later

Failures:

  1) Price#round rounds half up
     Failure/Error: expect(price.round).to eq(2)

       expected: 2
            got: 1

Finished in 0.01 seconds
3 examples, 1 failure, 1 pending

Failed examples:

rspec ./spec/price_spec.rb:12 # Price#round rounds half up`,
    names: ['Price#round rounds half up'],
  },
  {
    runner: 'minitest',
    log: `
Run options: --seed 1
  1) Failure:
PriceTest#test_rounds [test/price_test.rb:12]:
Expected: 2
  Actual: 1

  2) Error:
BasketTest#test_pays:
NoMethodError: undefined method 'pay' for nil
3 runs, 3 assertions, 1 failures, 1 errors, 0 skips`,
    names: ['PriceTest#test_rounds', 'BasketTest#test_pays'],
  },
  {
    runner: 'PHPUnit',
    log: `
PHPUnit 10.5.1 by Sebastian Bergmann and contributors.
There was 1 error:

1) Tests\\BasketTest::testPays
Error: Call to a member function pay() on null

--

There were 2 failures:

1) Tests\\PriceTest::testRounds with data set #0 (1, 2)
Failed asserting that 1 matches expected 2.

2) Tests\\PriceTest::testTax
Failed asserting that false is true.

--

There was 1 risky test:

1) Tests\\PriceTest::testNothing
This test did not perform any assertions

FAILURES!
Tests: 3, Assertions: 3, Errors: 1, Failures: 2.`,
    names: [
      'Tests\\BasketTest::testPays',
      'Tests\\PriceTest::testRounds with data set #0 (1, 2)',
      'Tests\\PriceTest::testTax',
    ],
  },
  {
    runner: 'Pest',
    log: `
   PASS  Tests\\Unit\\BasketTest
  ✓ it opens
   FAIL  Tests\\Unit\\PriceTest
  ⨯ it rounds half up                                          0.02s
  ────────────────────────────────────────────────────────────────
   FAILED  Tests\\Unit\\PriceTest > it rounds half up
  Failed asserting that 1 is identical to 2.
  Tests:    1 failed, 1 passed (2 assertions)`,
    names: ['Tests\\Unit\\PriceTest > it rounds half up'],
  },
  {
    runner: 'dotnet test',
    log: `
[xUnit.net 00:00:00.51]     Acme.PriceTests.Rounds(value: 1.5) [FAIL]
  Passed Acme.PriceTests.Tax [1 ms]
  Failed Acme.PriceTests.Rounds(value: 1.5) [12 ms]
  Error Message:
   Assert.Equal() Failure
  Failed Pays [< 1 ms]
Failed!  - Failed:     2, Passed:     1, Skipped:     0, Total:     3, Duration: 30 ms - Acme.Tests.dll (net8.0)`,
    names: ['Acme.PriceTests.Rounds(value: 1.5)', 'Pays'],
  },
  {
    runner: 'NUnit console',
    log: `
Errors, Failures and Warnings

1) Failed : Acme.PriceTests.Rounds
  Expected: 2
  But was:  1

Run Settings`,
    names: ['Acme.PriceTests.Rounds'],
  },
  {
    runner: 'ctest',
    log: `
      Start  1: price_test
 1/3 Test  #1: price_test .......................***Failed    0.01 sec
 2/3 Test  #2: basket_test ......................   Passed    0.01 sec
 3/3 Test  #3: crash_test .......................***Exception: SegFault  0.10 sec

33% tests passed, 2 tests failed out of 3

The following tests FAILED:
	  1 - price_test (Failed)
	  3 - crash_test (SEGFAULT)
Errors while running CTest`,
    names: ['price_test', 'crash_test'],
  },
  {
    runner: 'gtest',
    log: `
[ RUN      ] PriceTest.Rounds
price_test.cc:12: Failure
[  FAILED  ] PriceTest.Rounds (0 ms)
[ RUN      ] PriceTest.Tax
[       OK ] PriceTest.Tax (0 ms)
[  FAILED  ] Values/RoundTest.Up/2, where GetParam() = 3 (0 ms)
[==========] 3 tests from 1 test suite ran. (1 ms total)
[  PASSED  ] 1 test.
[  FAILED  ] 2 tests, listed below:
[  FAILED  ] PriceTest.Rounds
[  FAILED  ] Values/RoundTest.Up/2, where GetParam() = 3`,
    names: ['PriceTest.Rounds', 'Values/RoundTest.Up/2'],
  },
  {
    runner: 'Catch2',
    log: `
-------------------------------------------------------------------------------
price rounding
  half up
-------------------------------------------------------------------------------
test/price.cpp:12
...............................................................................

test/price.cpp:15: FAILED:
  REQUIRE( price() == 2 )
===============================================================================
test cases: 2 | 1 passed | 1 failed`,
    names: ['price rounding > half up'],
  },
  {
    runner: 'Boost.Test and QtTest',
    log: `
price_test.cpp(12): error: in "prices/rounding": check price() == 2 has failed [1 != 2]
PASS   : PriceTest::tax()
FAIL!  : PriceTest::rounding() Compared values are not the same
*** 1 failure is detected in the test module "shop"`,
    names: ['prices/rounding', 'PriceTest::rounding()'],
  },
  {
    runner: 'bats',
    log: `
1..2
ok 1 opens
not ok 2 prints a total
# (in test file test/cli.bats, line 12)
#   \`[ "$total" = 2 ]' failed`,
    names: ['prints a total'],
  },
  {
    runner: 'ExUnit',
    log: `
..

  1) test rounds half up (Shop.PriceTest)
     test/shop/price_test.exs:12
     Assertion with == failed

  2) doctest Shop.Price.round/1 (3) (Shop.DocTest)
     test/doc_test.exs:4
5 tests, 2 failures`,
    names: ['test rounds half up (Shop.PriceTest)', 'doctest Shop.Price.round/1 (3) (Shop.DocTest)'],
  },
  {
    runner: 'XCTest and Swift Testing',
    log: `
Test Case '-[ShopTests.PriceTests testTax]' passed (0.001 seconds).
/src/PriceTests.swift:12: error: -[ShopTests.PriceTests testRounds] : XCTAssertEqual failed: ("1") is not equal to ("2")
Test Case '-[ShopTests.PriceTests testRounds]' failed (0.002 seconds).
✘ Test "a basket pays" failed after 0.001 seconds with 1 issue.
✘ Test run with 2 tests failed after 0.002 seconds with 1 issue.
Executed 2 tests, with 1 failure (0 unexpected) in 0.003 (0.004) seconds`,
    names: ['-[ShopTests.PriceTests testRounds]', 'a basket pays'],
  },
  {
    runner: 'Dart and Flutter',
    log: `
00:01 +1: test/price_test.dart: price adds tax
00:01 +1 -1: test/price_test.dart: price rounds half up [E]
  Expected: <2>
00:02 +2 -1: Some tests failed.`,
    names: ['test/price_test.dart: price rounds half up'],
  },
  {
    runner: 'Bazel',
    log: `
//price:price_test                                     FAILED in 0.3s
//net:net_test                                          FLAKY, failed in 1 out of 2 in 0.2s
//basket:basket_test                                   PASSED in 0.1s
//slow:slow_test                                       TIMEOUT in 300.0s
Executed 4 out of 4 tests: 2 tests pass and 2 fail locally.`,
    names: ['//price:price_test', '//slow:slow_test'],
  },
  {
    runner: 'testthat',
    log: `
══ Failed tests ════════════════════════════════════════════════════════════════
── Failure ('test-price.R:12:3'): rounds half up ───────────────────────────────
Error: Test failures
[ FAIL 1 | WARN 0 | SKIP 0 | PASS 3 ]`,
    names: ['rounds half up'],
  },
  {
    runner: 'prove',
    log: `
#   Failed test 'rounds half up'
#   at t/price.t line 12.
t/price.t .... Dubious, test returned 1 (wstat 256, 0x100)
Failed 1/3 subtests

Test Summary Report
-------------------
t/price.t  (Wstat: 256 (exited 1) Tests: 3 Failed: 1)
  Failed test:  2`,
    names: ['rounds half up', 't/price.t'],
  },
  {
    runner: 'hspec and tasty',
    log: `
Price
  adds tax [✔]
  rounds half up FAILED [1]

Failures:

  test/PriceSpec.hs:12:5:
  1) Price rounds half up
       expected: 2
        but got: 1

Finished in 0.0010 seconds
2 examples, 1 failure
    all.money.sums up:         FAIL (0.01s)`,
    names: ['Price rounds half up', 'all.money.sums up'],
  },
  {
    runner: 'elm-test',
    log: `
↓ Price
✗ rounds half up

    1
    ╷
    │ Expect.equal
    2

TEST RUN FAILED

Passed:   3
Failed:   1`,
    names: ['rounds half up'],
  },
  {
    runner: 'meson, automake and lit',
    log: `
 3/10 shop:price          FAIL            0.10s   exit status 1
PASS: tests/basket.sh
FAIL: tests/price.sh
FAIL: Shop :: rounding/half-up.ll (3 of 100)
# FAIL:  1`,
    names: ['shop:price', 'tests/price.sh', 'Shop :: rounding/half-up.ll'],
  },
  {
    runner: 'clojure.test, Crystal and Zig',
    log: `
FAIL in (rounds-half-up) (price_test.clj:12)
crystal spec spec/price_spec.cr:12 # Price rounds half up
error: 'price.test.rounds' failed: expected 2, found 1`,
    names: ['rounds-half-up', 'Price rounds half up', 'price.test.rounds'],
  },
  {
    runner: 'cucumber and behave',
    log: `
Failing Scenarios:
cucumber features/price.feature:12 # Scenario: rounds half up

Failing scenarios:
  features/basket.feature:3  pays with a card

0 features passed, 1 failed`,
    names: ['rounds half up', 'pays with a card'],
  },
  {
    runner: 'JUnit by Ant',
    log: `
    [junit] Testsuite: com.acme.PriceTest
    [junit] Testcase: tax took 0.001 sec
    [junit] Testcase: rounds[half up] took 0.002 sec
    [junit] 	FAILED
    [junit] Failures (1):
    [junit]   JUnit Jupiter:BasketTest:pays()
    [junit]     MethodSource [className = 'com.acme.BasketTest', methodName = 'pays', methodParameterTypes = '']`,
    names: ['com.acme.PriceTest.rounds[half up]', 'com.acme.BasketTest.pays'],
  },
  {
    runner: 'nose with generated tests',
    log: `
======================================================================
FAIL: Prices: "rounds/half up"
----------------------------------------------------------------------
AssertionError: 1 != 2
Ran 3 tests in 0.001s`,
    names: ['Prices: "rounds/half up"'],
  },
  {
    runner: 'pytest with the file below the header',
    log: `
=================================== FAILURES ===================================
______________________ TestBasket.test_pay[card-1.5] ______________________
>       assert pay() == 2
E       assert 1 == 2
tests/test_basket.py:12: AssertionError
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _
=========================== 1 failed in 0.12s ===========================`,
    names: ['tests/test_basket.py::TestBasket::test_pay[card-1.5]'],
  },
  {
    runner: 'no test runner',
    log: `
✖ 12 problems (12 errors, 0 warnings)
✖ eslint --fix
✗ Build failed in 3.2s
FAILURE: Build failed with an exception.
> Task :compileJava FAILED
npm ERR! code ELIFECYCLE
ERROR: Job failed: exit code 1
FAILED: build/price.o
checking for strlcpy... FAILED
error: build failed
[ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.8:compile`,
    names: [],
  },
];

// What test runners print when a test fails, in our own words and with made-up names. `! ` marks what explains (see ci-log.ts).
import type { LogCase } from './ci-log.ts';

export const testCases: readonly LogCase[] = [
  {
    tool: 'pytest',
    system: 'github',
    said: `
collected 42 items
tests/test_errors.py ........                                            [ 19%]
tests/test_cart.py ..F....                                               [ 36%]
! =================================== FAILURES ===================================
! _________________________________ test_total ___________________________________
!
!     def test_total():
! >       assert total([2, 3]) == 6
! E       assert 5 == 6
! E        +  where 5 = total([2, 3])
!
! tests/test_cart.py:14: AssertionError
! =========================== short test summary info ============================
! FAILED tests/test_cart.py::test_total - assert 5 == 6
========================= 1 failed, 41 passed in 0.52s =========================`,
  },
  {
    tool: 'unittest',
    system: 'travis',
    said: `
test_error_is_raised (tests.test_cart.CartTest) ... ok
test_total (tests.test_cart.CartTest) ... FAIL
======================================================================
! FAIL: test_total (tests.test_cart.CartTest)
! ----------------------------------------------------------------------
! Traceback (most recent call last):
!   File "/home/travis/build/shop/tests/test_cart.py", line 14, in test_total
!     self.assertEqual(total([2, 3]), 6)
! AssertionError: 5 != 6
----------------------------------------------------------------------
Ran 42 tests in 0.311s
FAILED (failures=1)`,
  },
  {
    tool: 'jest',
    system: 'github',
    said: `
 PASS  src/errors.test.js
 FAIL  src/cart.test.js
  cart
    ✓ handles errors (2 ms)
    ✕ adds up (5 ms)
!   ● cart › adds up
!
!     expect(received).toBe(expected) // Object.is equality
!
!     Expected: 6
!     Received: 5
!
!       12 | test('adds up', () => {
!     > 13 |   expect(total([2, 3])).toBe(6);
!          |                         ^
!       14 | });
!
!       at Object.<anonymous> (src/cart.test.js:13:25)
Test Suites: 1 failed, 1 passed, 2 total
Tests:       1 failed, 12 passed, 13 total`,
  },
  {
    tool: 'vitest',
    system: 'gitlab',
    said: `
 ✓ src/errors.test.ts (4 tests) 3ms
 ❯ src/cart.test.ts (2 tests | 1 failed) 7ms
   × cart > adds up 4ms
⎯⎯⎯⎯⎯⎯⎯ Failed Tests 1 ⎯⎯⎯⎯⎯⎯⎯
!  FAIL  src/cart.test.ts > cart > adds up
! AssertionError: expected 5 to be 6 // Object.is equality
! - Expected
! + Received
! - 6
! + 5
!  ❯ src/cart.test.ts:13:25
 Test Files  1 failed | 1 passed (2)
      Tests  1 failed | 5 passed (6)`,
  },
  {
    tool: 'mocha',
    system: 'travis',
    said: `
  errors
    ✓ throws an error for no items
  cart
    1) adds up
  41 passing (230ms)
  1 failing
!   1) cart
!        adds up:
!
!       AssertionError [ERR_ASSERTION]: 5 == 6
!       + expected - actual
!       -5
!       +6
!       at Context.<anonymous> (test/cart.js:13:14)
npm ERR! Test failed.  See above for more details.`,
  },
  {
    tool: 'tap',
    system: 'circleci',
    said: `
ok 1 - errors are told
ok 2 - error codes
! not ok 3 - adds up
!   ---
!   found: 5
!   wanted: 6
!   at:
!     file: test/cart.js
!     line: 13
!   ...
1..3
# failed 1 test`,
  },
  {
    tool: 'go test',
    system: 'github',
    said: `
=== RUN   TestErrors
--- PASS: TestErrors (0.00s)
=== RUN   TestTotal
!     cart_test.go:14: total = 5, want 6
! --- FAIL: TestTotal (0.00s)
FAIL
! FAIL	example.org/shop/cart	0.011s
ok  	example.org/shop/errors	0.004s
FAIL`,
  },
  {
    tool: 'go panic',
    system: 'gitlab',
    said: `
ok  	example.org/shop/errors	0.004s
! panic: runtime error: index out of range [3] with length 3
!
! goroutine 19 [running]:
! example.org/shop/cart.(*Cart).At(...)
! 	/builds/shop/cart/cart.go:22
! example.org/shop/cart.TestAt(0xc0000a6680)
! 	/builds/shop/cart/cart_test.go:31 +0x1d
FAIL	example.org/shop/cart	0.011s`,
  },
  {
    tool: 'cargo test',
    system: 'azure',
    said: `
running 3 tests
test errors::are_told ... ok
test cart::adds_up ... FAILED
! failures:
!
! ---- cart::adds_up stdout ----
! thread 'cart::adds_up' panicked at src/cart.rs:31:9:
! assertion \`left == right\` failed
!   left: 5
!  right: 6
! note: run with \`RUST_BACKTRACE=1\` environment variable to display a backtrace
!
! failures:
!     cart::adds_up
test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out
error: test failed, to rerun pass \`--lib\``,
  },
  {
    tool: 'surefire',
    system: 'jenkins',
    said: `
[INFO] Running shop.ErrorsTest
[INFO] Tests run: 4, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.04 s - in shop.ErrorsTest
[INFO] Running shop.CartTest
! [ERROR] Tests run: 2, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.06 s <<< FAILURE! - in shop.CartTest
! [ERROR] addsUp  Time elapsed: 0.02 s  <<< FAILURE!
! java.lang.AssertionError: expected:<6> but was:<5>
! 	at org.junit.Assert.fail(Assert.java:89)
! 	at shop.CartTest.addsUp(CartTest.java:14)
[INFO] Results:
! [ERROR] Failures:
! [ERROR]   CartTest.addsUp:14 expected:<6> but was:<5>
[ERROR] Tests run: 6, Failures: 1, Errors: 0, Skipped: 0
[INFO] BUILD FAILURE
! [ERROR] Failed to execute goal org.apache.maven.plugins:maven-surefire-plugin:3.1.2:test (default-test) on project shop: There are test failures.`,
  },
  {
    tool: 'gradle test',
    system: 'github',
    said: `
> Task :core:test FAILED
ErrorsTest > tellsErrors() PASSED
! CartTest > addsUp() FAILED
!     org.opentest4j.AssertionFailedError: expected: <6> but was: <5>
!         at app//shop.CartTest.addsUp(CartTest.java:14)
42 tests completed, 1 failed
FAILURE: Build failed with an exception.
* What went wrong:
Execution failed for task ':core:test'.
> There were failing tests. See the report at: file:///home/runner/work/shop/core/build/reports/tests/test/index.html`,
  },
  {
    tool: 'rspec',
    system: 'travis',
    said: `
..............F...............
! Failures:
!
!   1) Cart adds up
!      Failure/Error: expect(cart.total).to eq(6)
!
!        expected: 6
!             got: 5
!
!        (compared using ==)
!      # ./spec/cart_spec.rb:14:in \`block (2 levels) in <top (required)>'
Finished in 0.4 seconds (files took 1.2 seconds to load)
30 examples, 1 failure
Failed examples:
! rspec ./spec/cart_spec.rb:12 # Cart adds up`,
  },
  {
    tool: 'minitest',
    system: 'travis',
    said: `
Run options: --seed 4121
# Running:
.....F....
!   1) Failure:
! CartTest#test_total [test/cart_test.rb:14]:
! Expected: 6
!   Actual: 5
10 runs, 14 assertions, 1 failures, 0 errors, 0 skips`,
  },
  {
    tool: 'phpunit',
    system: 'circleci',
    said: `
.........F....                                                    14 / 14 (100%)
Time: 00:00.210, Memory: 10.00 MB
! There was 1 failure:
!
! 1) Shop\\Tests\\CartTest::testTotal
! Failed asserting that 5 matches expected 6.
!
! /root/project/tests/CartTest.php:14
FAILURES!
Tests: 14, Assertions: 21, Failures: 1.`,
  },
  {
    tool: 'xunit',
    system: 'azure',
    said: `
Starting test execution, please wait...
! [xUnit.net 00:00:00.61]     Shop.Tests.CartTests.AddsUp [FAIL]
!   Failed Shop.Tests.CartTests.AddsUp [12 ms]
!   Error Message:
!    Assert.Equal() Failure
! Expected: 6
! Actual:   5
!   Stack Trace:
!      at Shop.Tests.CartTests.AddsUp() in /home/vsts/work/1/s/Tests/CartTests.cs:line 14
Failed!  - Failed:     1, Passed:    20, Skipped:     0, Total:    21, Duration: 95 ms`,
  },
  {
    tool: 'gtest and ctest',
    system: 'gitlab',
    said: `
[ RUN      ] Errors.AreTold
[       OK ] Errors.AreTold (0 ms)
[ RUN      ] Cart.AddsUp
! /builds/shop/test/cart_test.cc:14: Failure
! Expected equality of these values:
!   cart.total()
!     Which is: 5
!   6
! [  FAILED  ] Cart.AddsUp (0 ms)
[==========] 2 tests from 2 test suites ran. (1 ms total)
[  PASSED  ] 1 test.
! [  FAILED  ] 1 test, listed below:
! [  FAILED  ] Cart.AddsUp
The following tests FAILED:
	  2 - cart_test (Failed)
Errors while running CTest`,
  },
  {
    tool: 'exunit',
    system: 'github',
    said: `
...............
!   1) test adds up (Shop.CartTest)
!      test/shop/cart_test.exs:13
!      Assertion with == failed
!      code:  assert Cart.total(cart) == 6
!      left:  5
!      right: 6
Finished in 0.1 seconds (0.1s async, 0.00s sync)
16 tests, 1 failure`,
  },
  {
    tool: 'bats',
    system: 'gitlab',
    said: `
1..3
ok 1 prints an error for no file
! not ok 2 adds up
! # (in test file test/cart.bats, line 14)
! #   \`[ "$output" = 6 ]' failed
ok 3 exits with 1`,
  },
  {
    tool: 'perl prove',
    system: 'travis',
    said: `
t/errors.t .. ok
! #   Failed test 'adds up'
! #   at t/cart.t line 14.
! #          got: '5'
! #     expected: '6'
# Looks like you failed 1 test of 9.
t/cart.t .... Dubious, test returned 1 (wstat 256, 0x100)
! Failed 1/9 subtests
Result: FAIL`,
  },
  {
    tool: 'hspec',
    system: 'travis',
    said: `
Cart
  adds up FAILED [1]
Errors
  are told
! Failures:
!
!   test/CartSpec.hs:14:5:
!   1) Cart adds up
!        expected: 6
!         but got: 5
Randomized with seed 1119
Finished in 0.0021 seconds
12 examples, 1 failure`,
  },
  {
    tool: 'scalatest',
    system: 'travis',
    said: `
[info] CartSpec:
[info] - tells errors
! [info] - adds up *** FAILED ***
! [info]   5 did not equal 6 (CartSpec.scala:14)
[info] Tests: succeeded 9, failed 1, canceled 0, ignored 0, pending 0
[info] *** 1 TEST FAILED ***
[error] Failed tests:
[error] 	shop.CartSpec
[error] (Test / test) sbt.TestsFailedException: Tests unsuccessful`,
  },
  {
    tool: 'clojure.test',
    system: 'circleci',
    said: `
lein test shop.errors-test
lein test shop.cart-test
! FAIL in (total-test) (cart_test.clj:14)
! adds up
! expected: (= 6 (total [2 3]))
!   actual: (not (= 6 5))
Ran 12 tests containing 30 assertions.
1 failures, 0 errors.
Tests failed.`,
  },
  {
    tool: 'xctest',
    system: 'github',
    said: `
Test Case '-[ShopTests.ErrorsTests testTold]' passed (0.001 seconds).
Test Case '-[ShopTests.CartTests testTotal]' started.
! /Users/runner/work/shop/Tests/CartTests.swift:14: error: -[ShopTests.CartTests testTotal] : XCTAssertEqual failed: ("5") is not equal to ("6")
! Test Case '-[ShopTests.CartTests testTotal]' failed (0.002 seconds).
Executed 12 tests, with 1 failure (0 unexpected) in 0.040 (0.044) seconds
** TEST FAILED **`,
  },
  {
    tool: 'julia',
    system: 'gitlab',
    said: `
! cart: Test Failed at /builds/shop/test/cart.jl:14
!   Expression: total([2, 3]) == 6
!    Evaluated: 5 == 6
Test Summary: | Pass  Fail  Total
cart          |   11     1     12
ERROR: LoadError: Some tests did not pass: 11 passed, 1 failed, 0 errored, 0 broken.`,
  },
  {
    tool: 'dart',
    system: 'github',
    said: `
00:01 +11: errors are told
! 00:01 +11 -1: cart adds up [E]
!   Expected: <6>
!     Actual: <5>
!   package:matcher             expect
!   test/cart_test.dart 14:5    main.<fn>.<fn>
00:02 +11 -1: Some tests failed.`,
  },
];

// What compilers, linters and formatters print when something is wrong, in our own words and with made-up names. A line that
// begins with `! ` explains the failure; the mark is taken off before the log is made.
import type { LogCase } from './ci-log.ts';

export const compilerCases: readonly LogCase[] = [
  {
    tool: 'gcc',
    system: 'travis',
    said: `
gcc -Wall -Werror -Iinclude -c -o build/queue.o src/queue.c
gcc -Wall -Werror -Iinclude -c -o build/error.o src/error.c
! src/error.c: In function 'report_error':
! src/error.c:41:12: error: 'struct entry' has no member named 'sevrity'; did you mean 'severity'?
!    41 |   if (entry->sevrity > LIMIT)
!       |            ^~~~~~~
!       |            severity
make: *** [Makefile:17: build/error.o] Error 1`,
  },
  {
    tool: 'clang linker',
    system: 'gitlab',
    said: `
[31/33] Building CXX object src/CMakeFiles/engine.dir/render.cpp.o
[32/33] Linking CXX executable engine
FAILED: engine
: && /usr/bin/clang++ -O2 src/CMakeFiles/engine.dir/main.cpp.o -o engine && :
! /usr/bin/ld: src/CMakeFiles/engine.dir/main.cpp.o: in function \`main':
! main.cpp:(.text+0x2c): undefined reference to \`Renderer::resize(int, int)'
! clang: error: linker command failed with exit code 1 (use -v to see invocation)
ninja: build stopped: subcommand failed.`,
  },
  {
    tool: 'javac by Gradle',
    system: 'github',
    said: `
> Task :core:compileJava FAILED
! /home/runner/work/shop/core/src/main/java/shop/Basket.java:58: error: incompatible types: String cannot be converted to int
!         int total = price.format();
!                                 ^
1 error
FAILURE: Build failed with an exception.
* What went wrong:
Execution failed for task ':core:compileJava'.
> Compilation failed; see the compiler error output for details.
* Try:
> Run with --info option to get more log output.
BUILD FAILED in 12s`,
  },
  {
    tool: 'kotlinc',
    system: 'circleci',
    said: `
> Task :app:compileDebugKotlin FAILED
! e: file:///home/circleci/project/app/src/main/java/shop/Cart.kt:23:17 Unresolved reference: totl
w: file:///home/circleci/project/app/src/main/java/shop/Old.kt:9:5 'lowercase(): String' is deprecated
* What went wrong:
Execution failed for task ':app:compileDebugKotlin'.
> A failure occurred while executing org.jetbrains.kotlin.compilerRunner.GradleCompilerRunnerWithWorkers
BUILD FAILED in 48s`,
  },
  {
    tool: 'maven javac',
    system: 'jenkins',
    said: `
[INFO] Compiling 41 source files to /var/lib/jenkins/workspace/shop/target/classes
[INFO] -------------------------------------------------------------
[ERROR] COMPILATION ERROR :
[INFO] -------------------------------------------------------------
! [ERROR] /var/lib/jenkins/workspace/shop/src/main/java/shop/Tax.java:[17,25] cannot find symbol
!   symbol:   method rateOf(java.lang.String)
!   location: class shop.Rates
[INFO] 1 error
[INFO] BUILD FAILURE
[INFO] Total time:  9.204 s
! [ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.11.0:compile (default-compile) on project shop: Compilation failure
! [ERROR] /var/lib/jenkins/workspace/shop/src/main/java/shop/Tax.java:[17,25] cannot find symbol
[ERROR] -> [Help 1]
[ERROR] To see the full stack trace of the errors, re-run Maven with the -e switch.`,
  },
  {
    tool: 'rustc',
    system: 'github',
    said: `
   Compiling thiserror v1.0.50
   Compiling basket v0.3.1 (/home/runner/work/basket/basket)
warning: unused variable: \`old\`
  --> src/lib.rs:4:9
! error[E0382]: borrow of moved value: \`items\`
!   --> src/lib.rs:31:20
!    |
! 27 |     let total = sum(items);
!    |                     ----- value moved here
! 31 |     println!("{}", items.len());
!    |                    ^^^^^ value borrowed here after move
!    |
!    = note: this error originates in a macro
error: aborting due to previous error; 1 warning emitted
error: could not compile \`basket\` (lib) due to 1 previous error`,
  },
  {
    tool: 'go build',
    system: 'gitlab',
    said: `
go: downloading github.com/pkg/errors v0.9.1
$ go build ./...
! # example.org/shop/internal/price
! internal/price/price.go:44:16: cannot use rate (variable of type float64) as int value in argument to round
! internal/price/price.go:51:2: declared and not used: sum`,
  },
  {
    tool: 'tsc',
    system: 'azure',
    said: `
> shop@1.4.0 build
> tsc -p tsconfig.json
! src/cart.ts(12,9): error TS2322: Type 'string' is not assignable to type 'number'.
! src/cart.ts(30,21): error TS2339: Property 'prcie' does not exist on type 'Item'.
npm ERR! code ELIFECYCLE
npm ERR! errno 2
npm ERR! shop@1.4.0 build: \`tsc -p tsconfig.json\`
npm ERR! Exit status 2
npm ERR! A complete log of this run can be found in:
npm ERR!     /home/vsts/.npm/_logs/2024-02-01T10_11_12_345Z-debug.log`,
  },
  {
    tool: 'eslint',
    system: 'circleci',
    said: `
> shop@1.4.0 lint
> eslint src --max-warnings 0
! /root/project/src/cart.js
    3:7   warning  Unexpected console statement  no-console
!   18:11  error    'discount' is assigned a value but never used  no-unused-vars
!   25:1   error    Expected indentation of 2 spaces but found 4   indent
! ✖ 3 problems (2 errors, 1 warning)
npm error Lifecycle script \`lint\` failed with error:
npm error code 1`,
  },
  {
    tool: 'mypy',
    system: 'github',
    said: `
mypy --strict shop
! shop/cart.py:14: error: Incompatible return value type (got "float", expected "int")  [return-value]
! shop/tax.py:8: error: Module "shop.rates" has no attribute "of"  [attr-defined]
! Found 2 errors in 2 files (checked 31 source files)`,
  },
  {
    tool: 'flake8',
    system: 'travis',
    said: `
$ flake8 shop tests
! shop/cart.py:3:1: F401 'os' imported but unused
! shop/cart.py:44:80: E501 line too long (96 > 79 characters)`,
  },
  {
    tool: 'black',
    system: 'gitlab',
    said: `
$ black --check --diff .
! --- shop/cart.py	2024-03-01 10:00:00.000000 +0000
! +++ shop/cart.py	2024-03-01 10:00:05.000000 +0000
! @@ -4,3 +4,3 @@
! -x = { 'a':1 }
! +x = {"a": 1}
! would reformat shop/cart.py
Oh no! 💥 💔 💥
1 file would be reformatted, 30 files would be left unchanged.`,
  },
  {
    tool: 'prettier',
    system: 'github',
    said: `
> prettier --check .
Checking formatting...
! [warn] src/cart.ts
! [warn] Code style issues found in the above file. Run Prettier with --write to fix.`,
  },
  {
    tool: 'ghc',
    system: 'travis',
    said: `
[12 of 14] Compiling Shop.Errors      ( src/Shop/Errors.hs, dist/Shop/Errors.o )
[13 of 14] Compiling Shop.Cart        ( src/Shop/Cart.hs, dist/Shop/Cart.o )
! src/Shop/Cart.hs:27:18: error:
!     • Couldn't match expected type 'Int' with actual type '[Char]'
!     • In the second argument of 'addItem', namely '"three"'
!    |
! 27 | total = addItem 4 "three"
!    |                   ^^^^^^^
--  While building package shop-0.1.0.0 using:
      Process exited with code: ExitFailure 1`,
  },
  {
    tool: 'swift',
    system: 'github',
    said: `
[4/9] Compiling Shop Errors.swift
! /Users/runner/work/shop/Sources/Shop/Cart.swift:19:22: error: cannot convert value of type 'String' to expected argument type 'Int'
!         add(count: "two")
!                     ^
error: fatalError`,
  },
  {
    tool: 'scala sbt',
    system: 'travis',
    said: `
[info] Compiling 12 Scala sources to /home/travis/build/shop/target/scala-2.13/classes ...
! [error] /home/travis/build/shop/src/main/scala/shop/Cart.scala:31:14: type mismatch;
! [error]  found   : String("two")
! [error]  required: Int
! [error]     add("two")
! [error]         ^
[error] one error found
[error] (Compile / compileIncremental) Compilation failed
[error] Total time: 21 s, completed Feb 1, 2024`,
  },
  {
    tool: 'dotnet build',
    system: 'azure',
    said: `
  Determining projects to restore...
  Restored D:\\a\\1\\s\\Shop\\Shop.csproj (in 2.1 sec).
D:\\a\\1\\s\\Shop\\Old.cs(9,13): warning CS0618: 'Old.Run()' is obsolete [D:\\a\\1\\s\\Shop\\Shop.csproj]
! D:\\a\\1\\s\\Shop\\Cart.cs(22,18): error CS1061: 'Item' does not contain a definition for 'Prise' [D:\\a\\1\\s\\Shop\\Shop.csproj]
Build FAILED.
    1 Warning(s)
    1 Error(s)`,
  },
  {
    tool: 'php',
    system: 'circleci',
    said: `
$ php bin/console cache:warmup
! PHP Fatal error:  Uncaught Error: Class "Shop\\Rates" not found in /root/project/src/Cart.php:12
! Stack trace:
! #0 /root/project/src/Kernel.php(40): Shop\\Cart->__construct()
! #1 {main}
!   thrown in /root/project/src/Cart.php on line 12`,
  },
  {
    tool: 'ruby',
    system: 'travis',
    said: `
$ bundle exec rake
! rake aborted!
! NameError: undefined local variable or method \`rates' for main:Object
! /home/travis/build/shop/Rakefile:14:in \`block in <top (required)>'
! /home/travis/.rvm/gems/ruby-2.7.2/gems/rake-13.0.1/exe/rake:27:in \`<top (required)>'
(See full trace by running task with --trace)`,
  },
  {
    tool: 'elixir',
    system: 'github',
    said: `
==> shop
Compiling 14 files (.ex)
warning: variable "old" is unused
! == Compilation error in file lib/shop/cart.ex ==
! ** (CompileError) lib/shop/cart.ex:21: undefined function rate/1 (expected Shop.Cart to define such a function, but none are available)`,
  },
  {
    tool: 'cmake',
    system: 'gitlab',
    said: `
-- The CXX compiler identification is GNU 12.2.0
-- Looking for pthread.h - found
! CMake Error at CMakeLists.txt:31 (find_package):
!   By not providing "FindBoost.cmake" in CMAKE_MODULE_PATH this project has
!   asked CMake to find a package configuration file provided by "Boost", but
!   CMake did not find one.
-- Configuring incomplete, errors occurred!
See also "/builds/shop/build/CMakeFiles/CMakeOutput.log".`,
  },
  {
    tool: 'bazel',
    system: 'github',
    said: `
INFO: Analyzed 41 targets (12 packages loaded).
! ERROR: /home/runner/work/shop/shop/cart/BUILD:7:11: Compiling cart/cart.cc failed: (Exit 1): gcc failed: error executing command
! cart/cart.cc:12:5: error: 'basket' was not declared in this scope
Target //cart:cart failed to build
Use --verbose_failures to see the command lines of failed build steps.
INFO: Elapsed time: 8.213s
FAILED: Build did NOT complete successfully`,
  },
  {
    tool: 'ocaml dune',
    system: 'travis',
    said: `
$ dune build @all
! File "src/cart.ml", line 14, characters 10-15:
! 14 |   add 4 "two"
!                ^^^^^
! Error: This expression has type string but an expression was expected of type int`,
  },
  {
    tool: 'bash',
    system: 'gitlab',
    said: `
$ ./scripts/publish.sh
+ set -euo pipefail
! ./scripts/publish.sh: line 12: VERSION: unbound variable`,
  },
  {
    tool: 'perl',
    system: 'travis',
    said: `
$ perl Makefile.PL
! Can't locate Shop/Rates.pm in @INC (you may need to install the Shop::Rates module) (@INC contains: lib /usr/share/perl5) at lib/Shop.pm line 4.
! BEGIN failed--compilation aborted at lib/Shop.pm line 4.`,
  },
];

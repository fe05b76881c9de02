// Logs of failed jobs in our own words, of many languages and CI systems, and what each must be called.

export type LabelledLog = {
  readonly what: string;
  readonly class: 'flake' | 'regression' | 'env' | 'config' | 'infra' | 'unknown';
  readonly log: string;
};

const stamp = (lines: readonly string[]): string =>
  lines
    .map(
      (line, n) =>
        `2026-03-01T10:${String(10 + Math.floor(n / 60)).padStart(2, '0')}:${String(n % 60).padStart(2, '0')}.1234567Z ${line}`,
    )
    .join('\n');

/** A job log of GitHub Actions whose step failed. */
export function github(
  command: string,
  output: string,
  ending = 'Process completed with exit code 1.',
): string {
  return stamp([
    'Current runner version: 2.311.0',
    '##[group]Operating System',
    'Ubuntu 22.04.3 LTS',
    '##[endgroup]',
    '##[group]Run actions/checkout@v4',
    'with:',
    '  repository: acme/shop',
    '##[endgroup]',
    'Syncing repository: acme/shop',
    '##[warning]Failed to restore: Cache service responded with 503',
    `##[group]Run ${command}`,
    `\u001b[36;1m${command}\u001b[0m`,
    'shell: /usr/bin/bash -e {0}',
    '##[endgroup]',
    ...output.trim().split('\n'),
    `##[error]${ending}`,
    'Post job cleanup.',
    '[command]/usr/bin/git version',
    'Cleaning up orphan processes',
  ]);
}

const travis = (output: string, command = 'make test'): string =>
  [
    'travis_fold:start:system_info',
    'Build system information',
    'travis_fold:end:system_info',
    `$ ${command}`,
    output.trim(),
    `The command "${command}" exited with 1.`,
    '',
    'Done. Your build exited with 1.',
  ].join('\n');

const gitlab = (output: string): string =>
  [
    'Running with gitlab-runner 16.5.0 (853330f9)',
    'section_start:1700000000:step_script',
    'Executing "step_script" stage of the job script',
    output.trim(),
    'section_end:1700000009:step_script',
    'Cleaning up project directory and file based variables',
    'ERROR: Job failed: exit code 1',
  ].join('\n');

const jenkins = (output: string): string =>
  [
    'Started by an SCM change',
    '[Pipeline] sh',
    output.trim(),
    "Build step 'Execute shell' marked build as failure",
    'Finished: FAILURE',
  ].join('\n');

export const labelledLogs: readonly LabelledLog[] = [
  // The change is at fault.
  {
    what: 'a jest assertion',
    class: 'regression',
    log: github(
      'npm test',
      ' FAIL  src/price.test.ts\n  ● price › rounds\n\n    expect(received).toBe(expected)\n\n    Expected: 2\n    Received: 1\n\nTests:       1 failed, 8 passed, 9 total',
    ),
  },
  {
    what: 'an assertion about a time-out',
    class: 'regression',
    log: github(
      'npm test',
      ' FAIL  src/client.test.ts\n  ● client › gives up after ETIMEDOUT\n\n    expect(received).toEqual(expected)\n\n    Expected: "connect ETIMEDOUT 10.0.0.1:443"\n    Received: "socket hang up"\n\nTests:       1 failed, 8 passed, 9 total',
    ),
  },
  {
    what: 'a test of network code that compares wrongly beside resets',
    class: 'regression',
    log: travis(
      'test/http.py:12: ConnectionResetError: [Errno 104] Connection reset by peer (expected)\nFAILED tests/test_http.py::test_retries - AssertionError: assert 2 == 3\n1 failed, 20 passed in 1.2s\nE   assert 2 == 3',
    ),
  },
  {
    what: 'rust types',
    class: 'regression',
    log: github(
      'cargo build',
      '   Compiling shop v0.1.0\nerror[E0308]: mismatched types\n  --> src/price.rs:12:5\nerror: could not compile `shop` (lib) due to 1 previous error',
      'Process completed with exit code 101.',
    ),
  },
  {
    what: 'typescript types',
    class: 'regression',
    log: gitlab("src/price.ts(12,3): error TS2322: Type 'string' is not assignable to type 'number'."),
  },
  {
    what: 'a C compiler',
    class: 'regression',
    log: travis(
      "src/price.c:12:3: error: 'total' undeclared (first use in this function)\nmake: *** [Makefile:7: price.o] Error 1",
      'make',
    ),
  },
  {
    what: 'the linker',
    class: 'regression',
    log: jenkins(
      "/usr/bin/ld: price.o: in function `main':\nprice.c:(.text+0x5): undefined reference to `round_half'\ncollect2: error: ld returned 1 exit status",
    ),
  },
  {
    what: 'javac by Maven',
    class: 'regression',
    log: jenkins(
      '[ERROR] COMPILATION ERROR :\n[ERROR] /src/Price.java:[12,9] cannot find symbol\n[ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.11.0:compile (default-compile) on project shop: Compilation failure',
    ),
  },
  {
    what: 'kotlinc by Gradle',
    class: 'regression',
    log: github(
      './gradlew build',
      "e: file:///src/Price.kt:12:9 Unresolved reference: total\n> Task :compileKotlin FAILED\nFAILURE: Build failed with an exception.\n* What went wrong:\nExecution failed for task ':compileKotlin'.",
    ),
  },
  {
    what: 'a Gradle test',
    class: 'regression',
    log: github(
      './gradlew test',
      'PriceTest > rounds() FAILED\n    org.opentest4j.AssertionFailedError: expected: <2> but was: <1>\n12 tests completed, 1 failed\n> There were failing tests. See the report',
    ),
  },
  {
    what: 'surefire with an error',
    class: 'regression',
    log: jenkins(
      '[ERROR] Tests run: 3, Failures: 0, Errors: 1, Skipped: 0\n[ERROR]   PriceTest.rounds:12 » NullPointer\njava.lang.NullPointerException: Cannot invoke "Price.total()"',
    ),
  },
  {
    what: 'a go test',
    class: 'regression',
    log: github(
      'go test ./...',
      '--- FAIL: TestRound (0.00s)\n    price_test.go:12: got 1, want 2\nFAIL\nFAIL\texample.com/shop/price\t0.004s',
    ),
  },
  {
    what: 'a go build',
    class: 'regression',
    log: travis(
      '# example.com/shop/price\nprice/price.go:12:5: undefined: total\nFAIL\texample.com/shop/price [build failed]',
      'go test ./...',
    ),
  },
  {
    what: 'C#',
    class: 'regression',
    log: github(
      'dotnet build',
      "/src/Price.cs(12,9): error CS0103: The name 'total' does not exist in the current context [/src/Shop.csproj]\nBuild FAILED.",
    ),
  },
  {
    what: 'a dotnet test',
    class: 'regression',
    log: github(
      'dotnet test',
      '  Failed Acme.PriceTests.Rounds [12 ms]\n  Error Message:\n   Assert.Equal() Failure: Values differ\nFailed!  - Failed:     1, Passed:     9, Skipped:     0, Total:    10',
    ),
  },
  {
    what: 'eslint',
    class: 'regression',
    log: github(
      'npm run lint',
      "/src/price.ts\n  12:5  error  'total' is assigned a value but never used  no-unused-vars\n\n✖ 1 problem (1 error, 0 warnings)",
    ),
  },
  {
    what: 'prettier',
    class: 'regression',
    log: gitlab(
      'Checking formatting...\n[warn] src/price.ts\n[warn] Code style issues found in the above file. Run Prettier with --write to fix.',
    ),
  },
  {
    what: 'black',
    class: 'regression',
    log: github(
      'black --check .',
      'would reformat src/price.py\nOh no! 💥 💔 💥\n1 file would be reformatted, 12 files would be left unchanged.',
    ),
  },
  {
    what: 'flake8',
    class: 'regression',
    log: travis('./shop/price.py:12:80: E501 line too long (92 > 79 characters)', 'flake8'),
  },
  {
    what: 'mypy',
    class: 'regression',
    log: github(
      'mypy .',
      'shop/price.py:12: error: Incompatible return value type (got "str", expected "int")  [return-value]\nFound 1 error in 1 file (checked 12 source files)',
    ),
  },
  {
    what: 'rubocop',
    class: 'regression',
    log: travis(
      'lib/price.rb:12:3: C: Style/StringLiterals: Prefer single-quoted strings.\n12 files inspected, 1 offense detected',
      'bundle exec rubocop',
    ),
  },
  {
    what: 'rspec',
    class: 'regression',
    log: travis(
      'Failures:\n\n  1) Price rounds\n     Failure/Error: expect(price.round).to eq(2)\n\n       expected: 2\n            got: 1\n\n3 examples, 1 failure\n\nrspec ./spec/price_spec.rb:12 # Price rounds',
      'bundle exec rspec',
    ),
  },
  {
    what: 'phpunit',
    class: 'regression',
    log: travis(
      'There was 1 failure:\n\n1) Tests\\PriceTest::testRounds\nFailed asserting that 1 matches expected 2.\n\nFAILURES!\nTests: 3, Assertions: 3, Failures: 1.',
      'vendor/bin/phpunit',
    ),
  },
  {
    what: 'PHP that does not parse',
    class: 'regression',
    log: gitlab('PHP Parse error:  syntax error, unexpected token "}" in src/Price.php on line 12'),
  },
  {
    what: 'Elixir',
    class: 'regression',
    log: github(
      'mix test',
      '  1) test rounds (Shop.PriceTest)\n     test/price_test.exs:12\n     Assertion with == failed\n     left:  1\n     right: 2\n\n3 tests, 1 failure',
      'Process completed with exit code 2.',
    ),
  },
  {
    what: 'Haskell',
    class: 'regression',
    log: travis(
      "src/Price.hs:12:5: error:\n    • Couldn't match expected type ‘Int’ with actual type ‘String’",
      'stack build',
    ),
  },
  {
    what: 'Swift',
    class: 'regression',
    log: github(
      'swift test',
      '/src/PriceTests.swift:12: error: PriceTests.testRounds : XCTAssertEqual failed: ("1") is not equal to ("2")\nTest Case \'PriceTests.testRounds\' failed (0.002 seconds)\nExecuted 3 tests, with 1 failure (0 unexpected) in 0.01 seconds',
    ),
  },
  {
    what: 'ctest',
    class: 'regression',
    log: github(
      'ctest',
      ' 1/3 Test  #1: price_test .......................***Failed    0.01 sec\n67% tests passed, 1 tests failed out of 3\nErrors while running CTest',
      'Process completed with exit code 8.',
    ),
  },
  {
    what: 'gofmt',
    class: 'regression',
    log: github(
      'make lint',
      'price.go:12:1: File is not `gofmt`-ed with `-s` (gofmt)\nmake: *** [Makefile:3: lint] Error 1',
      'Process completed with exit code 2.',
    ),
  },
  {
    what: 'coverage',
    class: 'regression',
    log: github(
      'pytest',
      'FAIL Required test coverage of 90% not reached. Total coverage: 88.12%\n12 passed in 1.1s',
    ),
  },
  {
    what: 'generated files',
    class: 'regression',
    log: github(
      'make verify',
      'api/schema.json is out of date. Please run make generate and commit the changes\nmake: *** [Makefile:3: verify] Error 1',
    ),
  },
  {
    what: 'a webpack import',
    class: 'regression',
    log: github(
      'npm run build',
      "ERROR in ./src/index.js 3:0-30\nModule not found: Error: Can't resolve './pricee' in '/home/runner/work/shop/src'\nwebpack compiled with 1 error",
    ),
  },
  {
    what: 'an exception of a script',
    class: 'regression',
    log: gitlab(
      'Traceback (most recent call last):\n  File "tools/build.py", line 12, in <module>\n    main()\nTypeError: main() missing 1 required positional argument: \'path\'',
    ),
  },
  {
    what: 'warnings as errors',
    class: 'regression',
    log: jenkins('[WARNING] COMPILATION WARNING :\n[ERROR] warnings found and -Werror specified'),
  },
  {
    what: 'ten tests without a comparison',
    class: 'regression',
    log: github(
      'npm test',
      `${Array.from({ length: 10 }, (_, n) => `not ok ${n + 1} - price case ${n}\n  TypeError: total is not a function`).join('\n')}\n# fail 10`,
    ),
  },

  {
    what: 'a refused connection to what the change should have started',
    class: 'regression',
    log: github(
      'npm test',
      '  40 passing (3s)\n  1 failing\n\n  1) server answers:\n     Error: connect ECONNREFUSED 127.0.0.1:3000',
    ),
  },
  {
    what: 'several tests that take too long',
    class: 'regression',
    log: github(
      'npm test',
      `${Array.from(
        { length: 4 },
        (_, n) => `  ● queue › drains ${n}\n    thrown: "Exceeded timeout of 5000 ms for a test."`,
      ).join('\n')}\nTests:       4 failed, 8 passed, 12 total`,
    ),
  },

  {
    what: 'a compiler by a problem matcher',
    class: 'regression',
    log: github('make', "##[error]src/price.c:12:3: error: 'total' undeclared (first use in this function)"),
  },

  // Machine, network, services.
  {
    what: 'a runner that is shut down',
    class: 'infra',
    log: github(
      'make',
      'building...',
      'The runner has received a shutdown signal. This can happen when the runner service is stopped, or a manually started runner is canceled.',
    ),
  },
  {
    what: 'memory',
    class: 'infra',
    log: github(
      'npm run build',
      'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\nAborted (core dumped)',
      'Process completed with exit code 134.',
    ),
  },
  {
    what: 'a killed compiler',
    class: 'infra',
    log: travis(
      'c++: fatal error: Killed signal terminated program cc1plus\ncompilation terminated.\nmake: *** [price.o] Error 1',
      'make',
    ),
  },
  {
    what: 'exit code 137',
    class: 'infra',
    log: github('yarn test', 'Running 120 tests', 'Process completed with exit code 137.'),
  },
  {
    what: 'no disk space',
    class: 'infra',
    log: gitlab('write /var/lib/docker/tmp/layer: no space left on device'),
  },
  {
    what: 'name resolution by git',
    class: 'infra',
    log: jenkins(
      "fatal: unable to access 'https://git.example/acme/shop.git/': Could not resolve host: git.example",
    ),
  },
  {
    what: 'npm without network',
    class: 'infra',
    log: github(
      'npm ci',
      'npm ERR! code ECONNRESET\nnpm ERR! network aborted\nnpm ERR! network This is a problem related to network connectivity.',
    ),
  },
  {
    what: 'pip without network',
    class: 'infra',
    log: travis(
      "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError: Temporary failure in name resolution'\nERROR: Could not find a version that satisfies the requirement flask (from versions: none)\nERROR: No matching distribution found for flask\npip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool(host='pypi.example', port=443): Read timed out.",
      'pip install -r requirements.txt',
    ),
  },
  {
    what: 'Maven and a slow repository',
    class: 'infra',
    log: jenkins(
      '[ERROR] Failed to execute goal on project shop: Could not resolve dependencies for project com.acme:shop:jar:1.0: Could not transfer artifact com.acme:base:jar:1.0 from/to central (https://repo.example): Connect to repo.example:443 failed: Connection timed out',
    ),
  },
  {
    what: 'Gradle and a broken server',
    class: 'infra',
    log: github(
      './gradlew build',
      "* What went wrong:\nExecution failed for task ':compileJava'.\n> Could not resolve all files for configuration ':compileClasspath'.\n   > Could not resolve com.acme:base:1.0.\n      > Could not GET 'https://repo.example/base-1.0.pom'. Received status code 503 from server: Service Unavailable",
    ),
  },
  {
    what: 'apt mirrors',
    class: 'infra',
    log: travis(
      'Err:7 http://mirror.example/ubuntu jammy/main amd64 libfoo\n  503  Service Unavailable\nE: Failed to fetch http://mirror.example/pool/libfoo.deb  503  Service Unavailable\nE: Unable to fetch some archives, maybe run apt-get update',
      'sudo apt-get install libfoo',
    ),
  },
  {
    what: 'Docker Hub limits',
    class: 'infra',
    log: github(
      'docker build .',
      'ERROR: failed to solve: toomanyrequests: You have reached your pull rate limit.',
    ),
  },
  {
    what: 'TLS of a registry',
    class: 'infra',
    log: gitlab('error: failed to fetch https://crates.example/index: net/http: TLS handshake timeout'),
  },
  {
    what: 'a clone that breaks',
    class: 'infra',
    log: github(
      'git submodule update',
      'error: RPC failed; curl 92 HTTP/2 stream 0 was not closed cleanly\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output',
      'Process completed with exit code 128.',
    ),
  },
  {
    what: 'a missing secret',
    class: 'infra',
    log: github('./deploy.sh', 'Error: DEPLOY_TOKEN secret is not set'),
  },
  {
    what: 'a deploy key',
    class: 'infra',
    log: travis(
      'git@git.example: Permission denied (publickey).\nfatal: Could not read from remote repository.',
      'git push',
    ),
  },
  {
    what: 'npm publish without a login',
    class: 'infra',
    log: github(
      'npm publish',
      'npm ERR! code ENEEDAUTH\nnpm ERR! need auth This command requires you to be logged in',
    ),
  },
  {
    what: 'no output',
    class: 'infra',
    log: 'Running the tests\n\nNo output has been received in the last 10m0s, this potentially indicates a stalled build or something wrong with the build itself.\n\nThe build has been terminated',
  },
  {
    what: 'an agent that goes away',
    class: 'infra',
    log: jenkins(
      'Cannot contact agent-7: hudson.remoting.ChannelClosedException: Channel "unknown": Remote call failed',
    ),
  },
  {
    what: 'a system failure of the runner',
    class: 'infra',
    log: 'Running with gitlab-runner 16.5.0\nERROR: Job failed (system failure): prepare environment: waiting for pod running: timed out waiting for pod to start',
  },
  {
    what: 'a job that is cancelled',
    class: 'infra',
    log: github('make', 'building', 'The operation was canceled.'),
  },
  {
    what: 'a download',
    class: 'infra',
    log: travis(
      'curl: (28) Operation timed out after 30001 milliseconds with 0 bytes received',
      './get-tools.sh',
    ),
  },
  {
    what: 'GitHub API limits',
    class: 'infra',
    log: github('./release.sh', 'HTTP 403: API rate limit exceeded for installation ID 12345.'),
  },
  {
    what: 'a service container',
    class: 'infra',
    log: github(
      'Initialize containers',
      'Service container postgres failed.',
      'One or more containers failed to start.',
    ),
  },

  {
    what: 'a module proxy that does not answer',
    class: 'infra',
    log: github(
      'go mod download',
      'go: example.com/money@v1.2.3: Get "https://proxy.example/money/@v/v1.2.3.mod": context deadline exceeded',
    ),
  },
  {
    what: 'a slave of Jenkins',
    class: 'infra',
    log: jenkins('Slave went offline during the build\nERROR: Connection was broken'),
  },
  {
    what: 'an image that cannot be pulled',
    class: 'infra',
    log: 'Running with gitlab-runner 16.5.0\nERROR: Job failed: prepare environment: image pull failed: Back-off pulling image "registry.example/ci:1"',
  },

  // The environment of the job.
  {
    what: 'a missing command',
    class: 'env',
    log: github(
      'make docs',
      '/home/runner/work/_temp/a.sh: line 1: sphinx-build: command not found',
      'Process completed with exit code 127.',
    ),
  },
  {
    what: 'a missing command with make',
    class: 'env',
    log: travis('make: dot: Command not found\nmake: *** [docs] Error 127', 'make docs'),
  },
  {
    what: 'an old Java',
    class: 'env',
    log: jenkins(
      '[ERROR] COMPILATION ERROR :\n[ERROR] /src/Price.java:[3,13] cannot access Shop\n[ERROR]   bad class file: shop.jar\n[ERROR]     class file has wrong version 61.0, should be 52.0',
    ),
  },
  {
    what: 'an old Node',
    class: 'env',
    log: gitlab(
      'error shop@1.0.0: The engine "node" is incompatible with this module. Expected version ">=18". Got "14.21.3"',
    ),
  },
  {
    what: 'a Python that is too old',
    class: 'env',
    log: travis("ERROR: Package 'shop' requires a different Python: 3.7.1 not in '>=3.9'", 'pip install .'),
  },
  {
    what: 'a missing header',
    class: 'env',
    log: travis(
      'src/tls.c:3:10: fatal error: openssl/ssl.h: No such file or directory\ncompilation terminated.',
      'make',
    ),
  },
  {
    what: 'a missing library',
    class: 'env',
    log: github(
      './shop',
      './shop: error while loading shared libraries: libpq.so.5: cannot open shared object file: No such file or directory',
      'Process completed with exit code 127.',
    ),
  },
  {
    what: 'a package of the system',
    class: 'env',
    log: travis('E: Unable to locate package libfoo-dev', 'sudo apt-get install libfoo-dev'),
  },
  {
    what: 'a variable',
    class: 'env',
    log: github('./run.sh', './run.sh: line 3: SHOP_REGION: unbound variable'),
  },
  {
    what: 'JAVA_HOME',
    class: 'env',
    log: gitlab('ERROR: JAVA_HOME is not set and no "java" command could be found in your PATH.'),
  },
  {
    what: 'a permission',
    class: 'env',
    log: travis(
      '/bin/sh: ./gradlew: Permission denied\nThe command "./gradlew build" failed and exited with 126 during .',
      './gradlew build',
    ),
  },
  {
    what: 'no Docker',
    class: 'env',
    log: gitlab(
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    ),
  },
  {
    what: 'glibc',
    class: 'env',
    log: github(
      './tool',
      "./tool: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by ./tool)",
    ),
  },
  {
    what: 'a browser',
    class: 'env',
    log: github(
      'npx playwright test',
      "browserType.launch: Executable doesn't exist at /home/runner/.cache/chrome\nHost system is missing dependencies to run browsers.",
    ),
  },

  // Workflow, build files, dependencies.
  {
    what: 'a workflow input',
    class: 'config',
    log: github('actions/setup-java@v3', 'setting up', 'Input required and not supplied: distribution'),
  },
  {
    what: 'an action that is gone',
    class: 'config',
    log: stamp([
      'Prepare all required actions',
      'Getting action download info',
      '##[error]Unable to resolve action `acme/setup@v9`, unable to find version `v9`',
    ]),
  },
  {
    what: 'npm ci and the lock file',
    class: 'config',
    log: github(
      'npm ci',
      'npm ERR! `npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync.\nnpm ERR! Missing: left-pad@1.3.0 from lock file',
    ),
  },
  {
    what: 'pnpm and the lock file',
    class: 'config',
    log: github(
      'pnpm i',
      ' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with package.json',
    ),
  },
  {
    what: 'yarn and the lock file',
    class: 'config',
    log: travis(
      'error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.',
      'yarn --frozen-lockfile',
    ),
  },
  {
    what: 'go.sum',
    class: 'config',
    log: github(
      'go build ./...',
      'price/price.go:4:2: missing go.sum entry for module providing package example.com/money; to add:',
    ),
  },
  {
    what: 'cargo --locked',
    class: 'config',
    log: github(
      'cargo build --locked',
      'error: the lock file /src/Cargo.lock needs to be updated but --locked was passed to prevent this',
      'Process completed with exit code 101.',
    ),
  },
  {
    what: 'peer dependencies',
    class: 'config',
    log: gitlab('npm ERR! code ERESOLVE\nnpm ERR! ERESOLVE unable to resolve dependency tree'),
  },
  {
    what: 'pip conflicts',
    class: 'config',
    log: github(
      'pip install -r requirements.txt',
      'ERROR: Cannot install flask==1.0 and werkzeug==3.0 because these package versions have conflicting dependencies.\nERROR: ResolutionImpossible: for help visit the manual',
    ),
  },
  {
    what: 'a Maven artifact that does not exist',
    class: 'config',
    log: jenkins(
      '[ERROR] Failed to execute goal on project shop: Could not resolve dependencies for project com.acme:shop:jar:1.0: Could not find artifact com.acme:base:jar:9.9 in central (https://repo.example)',
    ),
  },
  {
    what: 'the enforcer',
    class: 'config',
    log: jenkins(
      '[ERROR] Failed to execute goal org.apache.maven.plugins:maven-enforcer-plugin:3.0.0:enforce (check) on project shop: Some Enforcer rules have failed.',
    ),
  },
  {
    what: 'composer',
    class: 'config',
    log: travis(
      'Your requirements could not be resolved to an installable set of packages.\n\n  Problem 1\n    - acme/money 2.0 requires acme/base ^3',
      'composer install',
    ),
  },
  {
    what: 'bundler',
    class: 'config',
    log: travis('Bundler could not find compatible versions for gem "rack":', 'bundle install'),
  },
  {
    what: 'a Gradle script',
    class: 'config',
    log: github(
      './gradlew build',
      "* Where:\nBuild file '/src/build.gradle' line: 12\n* What went wrong:\nA problem occurred evaluating root project 'shop'.\n> Could not find method compileOnlyy() for arguments",
    ),
  },
  {
    what: 'a missing npm script',
    class: 'config',
    log: github('npm run e2e', 'npm ERR! Missing script: "e2e"'),
  },
  {
    what: 'a missing make target',
    class: 'config',
    log: travis("make: *** No rule to make target 'checks'.  Stop.", 'make checks'),
  },
  {
    what: 'a Dockerfile',
    class: 'config',
    log: github(
      'docker build .',
      'ERROR: failed to solve: failed to compute cache key: failed to calculate checksum of ref: "/dist": not found',
    ),
  },
  {
    what: 'an image tag',
    class: 'config',
    log: gitlab(
      'Error response from daemon: manifest for acme/api:9.9 not found: manifest unknown: manifest unknown',
    ),
  },
  {
    what: 'CMake',
    class: 'config',
    log: github(
      'cmake .',
      'CMake Error at CMakeLists.txt:12 (add_librry):\n  Unknown CMake command "add_librry".',
    ),
  },
  {
    what: 'an unknown flag',
    class: 'config',
    log: github(
      'golangci-lint run --fastt',
      'Error: unknown flag: --fastt',
      'Process completed with exit code 3.',
    ),
  },

  // Chance.
  {
    what: 'a flaky test by the runner',
    class: 'flake',
    log: github(
      'npx playwright test',
      '  1) [chromium] › tests/a.spec.ts:9:3 › basket › pays ───────\n    Error: page.goto: timeout\n  1 flaky\n    [chromium] › tests/a.spec.ts:9:3 › basket › pays ───────\n  12 passed (4.1s)',
    ),
  },
  {
    what: 'a time-out of one test',
    class: 'flake',
    log: github(
      'npm test',
      '  41 passing (9s)\n  1 failing\n\n  1) queue\n       drains:\n     Error: Timeout of 2000ms exceeded. For async tests and hooks, ensure "done()" is called',
    ),
  },
  {
    what: 'a port in use',
    class: 'flake',
    log: travis(
      '  40 passing (3s)\n  1 failing\n\n  1) server starts:\n     Error: listen EADDRINUSE: address already in use :::3000',
      'npm test',
    ),
  },
  {
    what: 'a stale element',
    class: 'flake',
    log: jenkins(
      'Tests run: 12, Failures: 0, Errors: 1, Skipped: 0\n[ERROR] com.acme.BasketIT.pays -- Time elapsed: 3.1 s <<< ERROR!\norg.openqa.selenium.StaleElementReferenceException: stale element reference: element is not attached to the page document',
    ),
  },
  {
    what: 'a connection reset in a test',
    class: 'flake',
    log: github(
      'go test ./...',
      '--- FAIL: TestProxy (0.02s)\n    proxy_test.go:40: read tcp 127.0.0.1:4000->127.0.0.1:4001: read: connection reset by peer\nFAIL\nFAIL\texample.com/shop/proxy\t0.1s',
    ),
  },
  {
    what: 'a locked database in a test',
    class: 'flake',
    log: github(
      'bundle exec rake test',
      '  1) Error:\nOrderTest#test_saves:\nSQLite3::BusyException: database is locked\n12 runs, 11 assertions, 0 failures, 1 errors, 0 skips',
    ),
  },

  // Nothing to hold on to.
  { what: 'an exit code alone', class: 'unknown', log: github('./do.sh', 'doing it') },
];

// What package managers, build tools and the machine itself print when they fail, in our own words. `! ` marks what explains.
import type { LogCase } from './ci-log.ts';

export const toolCases: readonly LogCase[] = [
  {
    tool: 'npm ci',
    system: 'github',
    said: `
npm warn deprecated inflight@1.0.6: This module is not supported
! npm error code EUSAGE
! npm error
! npm error \`npm ci\` can only install packages when your package.json and package-lock.json are in sync.
! npm error Missing: left-pad@1.3.0 from lock file
npm error A complete log of this run can be found in: /home/runner/.npm/_logs/2024-02-01T10_11_12_345Z-debug-0.log`,
  },
  {
    tool: 'npm ERESOLVE',
    system: 'travis',
    said: `
$ npm install
! npm ERR! code ERESOLVE
! npm ERR! ERESOLVE unable to resolve dependency tree
! npm ERR! Found: react@18.2.0
! npm ERR! Could not resolve dependency:
! npm ERR! peer react@"^17.0.0" from old-widget@2.1.0
npm ERR! A complete log of this run can be found in:`,
  },
  {
    tool: 'yarn',
    system: 'circleci',
    said: `
[1/4] Resolving packages...
[2/4] Fetching packages...
! error shop-tool@3.0.0: The engine "node" is incompatible with this module. Expected version ">=20". Got "18.19.0"
! error Found incompatible module.
info Visit https://yarnpkg.com/en/docs/cli/install for documentation about this command.`,
  },
  {
    tool: 'pnpm',
    system: 'gitlab',
    said: `
Lockfile is up to date, resolution step is skipped
! ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with package.json`,
  },
  {
    tool: 'pip',
    system: 'gitlab',
    said: `
Collecting shop-rates==9.1 (from -r requirements.txt (line 4))
! ERROR: Could not find a version that satisfies the requirement shop-rates==9.1 (from versions: 1.0, 2.0)
! ERROR: No matching distribution found for shop-rates==9.1`,
  },
  {
    tool: 'poetry',
    system: 'github',
    said: `
Updating dependencies
Resolving dependencies...
! Because shop depends on rates (^3.0) which doesn't match any versions, version solving failed.`,
  },
  {
    tool: 'bundler',
    system: 'travis',
    said: `
$ bundle install --jobs=3 --retry=3 --deployment
Fetching gem metadata from https://rubygems.org/.........
! Bundler could not find compatible versions for gem "rack":
!   In Gemfile:
!     rails (~> 5.0) was resolved to 5.2.8, which depends on
!       rack (~> 2.0, >= 2.0.8)`,
  },
  {
    tool: 'apt',
    system: 'azure',
    said: `
Reading package lists...
Building dependency tree...
! E: Unable to locate package libshop-dev
! E: Couldn't find any package by glob 'libshop-dev'`,
  },
  {
    tool: 'go mod',
    system: 'github',
    said: `
go: downloading golang.org/x/text v0.3.7
! cart/cart.go:6:2: no required module provides package example.org/rates; to add it:
! 	go get example.org/rates`,
  },
  {
    tool: 'maven dependency',
    system: 'jenkins',
    said: `
[INFO] BUILD FAILURE
[INFO] Total time:  3.1 s
! [ERROR] Failed to execute goal on project shop: Could not resolve dependencies for project shop:shop:jar:1.0: Could not find artifact shop:rates:jar:9.1 in central (https://repo.maven.apache.org/maven2)
! [ERROR] -> [Help 1]`,
  },
  {
    tool: 'gradle reason',
    system: 'travis',
    said: `
> Task :core:rules FAILED
FAILURE: Build failed with an exception.
* What went wrong:
! Execution failed for task ':core:rules'.
! > Unable to load the rules from /home/travis/build/shop/rules.xml
* Try:
> Run with --info option to get more log output.
BUILD FAILED in 4s`,
  },
  {
    tool: 'docker build',
    system: 'github',
    said: `
#11 [builder 4/6] RUN npm run build
#11 1.204 > shop@1.4.0 build
#11 4.881 src/cart.ts(12,9): error TS2322: Type 'string' is not assignable to type 'number'.
#11 ERROR: process "/bin/sh -c npm run build" did not complete successfully: exit code: 2
------
!  > [builder 4/6] RUN npm run build:
! 4.881 src/cart.ts(12,9): error TS2322: Type 'string' is not assignable to type 'number'.
------
! Dockerfile:14
! ERROR: failed to solve: process "/bin/sh -c npm run build" did not complete successfully: exit code: 2`,
  },
  {
    tool: 'terraform',
    system: 'azure',
    said: `
Initializing the backend...
Initializing provider plugins...
! ╷
! │ Error: Unsupported argument
! │
! │   on main.tf line 14, in resource "aws_s3_bucket" "shop":
! │   14:   acll = "private"
! │
! │ An argument named "acll" is not expected here. Did you mean "acl"?
! ╵`,
  },
  {
    tool: 'helm',
    system: 'gitlab',
    said: `
Release "shop" does not exist. Installing it now.
! Error: INSTALLATION FAILED: template: shop/templates/deployment.yaml:14:21: executing "shop/templates/deployment.yaml" at <.Values.image.tag>: nil pointer evaluating interface {}.tag`,
  },
  {
    tool: 'git clone',
    system: 'jenkins',
    said: `
Cloning repository https://git.example.org/shop.git
 > git fetch --tags --progress -- https://git.example.org/shop.git +refs/heads/*:refs/remotes/origin/* # timeout=10
! ERROR: Error cloning remote repo 'origin'
! hudson.plugins.git.GitException: Command "git fetch --tags" returned status code 128:
! stderr: fatal: unable to access 'https://git.example.org/shop.git/': The requested URL returned error: 502`,
  },
  {
    tool: 'segfault',
    system: 'travis',
    said: `
$ ./run-tests
running 14 checks
checking errors ... ok
! ./run-tests: line 9:  2211 Segmentation fault      (core dumped) ./build/checks --all`,
  },
  {
    tool: 'sanitizer',
    system: 'gitlab',
    said: `
=================================================================
! ==4211==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x4f2a11
! READ of size 4 at 0x602000000010 thread T0
!     #0 0x4f2a10 in total /builds/shop/src/cart.c:22:12
!     #1 0x4f2c00 in main /builds/shop/src/main.c:9:3
! SUMMARY: AddressSanitizer: heap-use-after-free /builds/shop/src/cart.c:22:12 in total`,
  },
  {
    tool: 'out of memory',
    system: 'circleci',
    said: `
<--- Last few GCs --->
[77:0x5d1b40]    91012 ms: Mark-sweep 2044.1 (2051.3) -> 2043.6 (2051.8) MB
! FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
!  1: 0xb090e0 node::Abort() [node]
Aborted (core dumped)`,
  },
  {
    tool: 'no space',
    system: 'github',
    said: `
#9 exporting layers
! ERROR: failed to copy files: write /app/data.bin: no space left on device`,
  },
  {
    tool: 'no output',
    system: 'travis',
    said: `
$ npm run e2e
starting browser
! No output has been received in the last 10m0s, this potentially indicates a stalled build or something wrong with the build itself.
! Check the details on how to adjust your build configuration on: https://docs.travis-ci.com/
The build has been terminated`,
  },
  {
    tool: 'missing input',
    system: 'github',
    said: `
! ##[error]Input required and not supplied: distribution`,
  },
  {
    tool: 'coverage',
    system: 'gitlab',
    said: `
TOTAL                 412     71    82%
! FAIL Required test coverage of 85% not reached. Total coverage: 82.77%`,
  },
  {
    tool: 'merge conflict',
    system: 'circleci',
    said: `
Auto-merging src/cart.js
! CONFLICT (content): Merge conflict in src/cart.js
! Automatic merge failed; fix conflicts and then commit the result.`,
  },
  {
    tool: 'unknown tool',
    system: 'gitlab',
    said: `
$ ./ship-it
contacting the harbour
! the harbour master refuses: manifest 12 has cargo that nobody signed for`,
  },
];

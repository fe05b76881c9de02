// Logs of CI systems around what one tool says: set-up, downloads and passing tests before it, the system's own end after it.
// Everything is made here; nothing is copied from a real log.

export type System = 'github' | 'gitlab' | 'travis' | 'jenkins' | 'circleci' | 'azure';

export type LogCase = {
  readonly tool: string;
  readonly system: System;
  /** Output of the failing step; `! ` in front marks lines that explain the failure. */
  readonly said: string;
};

export type CiLog = {
  readonly text: string;
  /** Numbers of the lines that explain. */
  readonly explaining: ReadonlySet<number>;
  /** The same job when it passed. */
  readonly passing: string;
};

export function ciLog({ system, said }: LogCase): CiLog {
  const marked = said.replace(/^\n/, '').split('\n');
  const output = marked.map((line) => (line === '!' ? '' : line.startsWith('! ') ? line.slice(2) : line));
  const { before, after, good, stamp } = frames[system];
  const text = [...before, ...noise, ...output, ...after];
  const first = before.length + noise.length + 1;
  return {
    text: text.map(stamp).join('\n'),
    explaining: new Set(
      marked.flatMap((line, index) => (line === '!' || line.startsWith('! ') ? [first + index] : [])),
    ),
    passing: [...before, ...noise, ...good].map(stamp).join('\n'),
  };
}

/** Lines of any run: names and libraries that sound like failures, levels below an error, echoed commands. */
const noise: readonly string[] = [
  'Downloading https://repo.example.org/maven2/org/example/error-handling/1.2/error-handling-1.2.pom',
  'Downloaded: https://repo.example.org/maven2/org/example/failsafe/2.4/failsafe-2.4.jar (41 kB at 2.1 MB/s)',
  'Collecting exceptiongroup>=1.0',
  'Successfully installed exceptiongroup-1.2.0 pyerror-0.1',
  'npm WARN deprecated request@2.88.2: request has been deprecated',
  'warning: LF will be replaced by CRLF in docs/errors.md.',
  'added 911 packages, and audited 912 packages in 14s',
  'found 0 vulnerabilities',
  ...Array.from(
    { length: 120 },
    (_, index) => `ok ${index + 1} - tells error ${index} when input is invalid`,
  ),
  ...Array.from({ length: 60 }, (_, index) => `  ✓ fails for missing field ${index} (${index} ms)`),
  '12:01:02.113 [main] ERROR shop.Audit - could not write audit line, will retry',
  '12:01:02.314 [main] INFO  shop.Audit - audit line written',
  'checking whether the C compiler works... yes',
  'checking for error.h... no',
  'Tests run: 12, Failures: 0, Errors: 0, Skipped: 0',
  '0 errors, 0 warnings',
];

type Frame = {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly good: readonly string[];
  readonly stamp: (line: string, index: number) => string;
};

const plain = (line: string): string => line;
const time = (index: number): string =>
  new Date(1_706_780_000_000 + index * 731).toISOString().replace('Z', '4321Z');

const frames: Readonly<Record<System, Frame>> = {
  github: {
    before: [
      '##[group]Runner Image',
      'Image: ubuntu-22.04',
      '##[endgroup]',
      '##[group]Run actions/checkout@v4',
      '##[endgroup]',
      '[command]/usr/bin/git version',
      '[command]/usr/bin/git config --global --add safe.directory /home/runner/work/shop/shop',
      "hint: Using 'master' as the name for the initial branch. This default branch name",
      '##[group]Run make ci',
      'make ci',
      'shell: /usr/bin/bash -e {0}',
      '##[endgroup]',
    ],
    after: [
      '##[error]Process completed with exit code 1.',
      'Post job cleanup.',
      '[command]/usr/bin/git version',
      '[command]/usr/bin/git config --local --name-only --get-regexp core\\.sshCommand',
      'Cleaning up orphan processes',
    ],
    good: ['Post job cleanup.', 'Cleaning up orphan processes'],
    stamp: (line, index) => `${time(index)} ${line}`,
  },
  gitlab: {
    before: [
      'Running with gitlab-runner 16.8.0 (c72a09b6)',
      'section_start:1706780000:prepare_executor\rPreparing the "docker" executor'.replace('\r', ' '),
      'Using Docker executor with image node:20 ...',
      'Fetching changes with git depth set to 20...',
      'Executing "step_script" stage of the job script',
    ],
    after: [
      'Running after_script',
      'Uploading artifacts for failed job',
      'WARNING: reports/*.xml: no matching files. Ensure that the artifact path is relative to the working directory',
      'Cleaning up project directory and file based variables',
      'ERROR: Job failed: exit code 1',
    ],
    good: ['Cleaning up project directory and file based variables', 'Job succeeded'],
    stamp: plain,
  },
  travis: {
    before: [
      'travis_fold:start:worker_info',
      '\u001b[33;1mWorker information\u001b[0m',
      'hostname: 3b1f@1.production-2-worker-org-gce',
      'travis_fold:end:worker_info',
      'travis_fold:start:git.checkout',
      '$ git clone --depth=50 https://github.com/example/shop.git example/shop',
      'travis_fold:end:git.checkout',
      'travis_time:start:0a1b2c3d',
    ],
    after: [
      'travis_time:end:0a1b2c3d:start=1706780000,finish=1706780090,duration=90',
      '\u001b[31;1mThe command "make ci" exited with 1.\u001b[0m',
      'travis_fold:start:after_failure',
      '$ cat debug.log',
      'cat: debug.log: No such file or directory',
      'travis_fold:end:after_failure',
      'Done. Your build exited with 1.',
    ],
    good: ['\u001b[32;1mThe command "make ci" exited with 0.\u001b[0m', 'Done. Your build exited with 0.'],
    stamp: plain,
  },
  jenkins: {
    before: [
      'Started by timer',
      'Running as SYSTEM',
      '[WS-CLEANUP] Deleting project workspace...',
      ' > git rev-parse refs/remotes/origin/main^{commit} # timeout=10',
      '[shop] $ /bin/sh -xe /tmp/jenkins1234567890.sh',
      '+ make ci',
    ],
    after: [
      "Build step 'Execute shell' marked build as failure",
      'Sending e-mails to: dev@example.org',
      'Finished: FAILURE',
    ],
    good: ['Finished: SUCCESS'],
    stamp: plain,
  },
  circleci: {
    before: ['Build-agent version 1.0.200', '#!/bin/bash -eo pipefail', 'make ci'],
    after: ['', 'Exited with code exit status 1', '', 'CircleCI received exit code 1'],
    good: [],
    stamp: plain,
  },
  azure: {
    before: [
      '##[section]Starting: Build',
      '==============================================================================',
      'Task         : Command line',
      'Generating script.',
      '========================== Starting Command Output ===========================',
    ],
    after: ["##[error]Bash exited with code '1'.", '##[section]Finishing: Build'],
    good: ['##[section]Finishing: Build'],
    stamp: (line, index) => `${time(index)} ${line}`,
  },
};

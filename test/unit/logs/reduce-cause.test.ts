// CI-2: which line is named first where a failing step says several things that sound like a cause. Logs in our own words; `! ` marks the line.
import { expect, it } from 'vitest';
import { reduceLog } from '../../../src/logs/reduce/reduce.ts';

async function causesOf(lines: readonly string[]): Promise<readonly number[]> {
  async function* open(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(lines.map((line) => line.replace(/^! /, '')).join('\n'));
  }
  return (await reduceLog(open())).cause.map(({ n }) => n);
}

const github = (...printed: readonly string[]): readonly string[] => [
  '##[group]Run make check',
  '##[endgroup]',
  ...printed,
  '##[error]Process completed with exit code 1.',
];

it.each<readonly [what: string, lines: readonly string[]]>([
  [
    'not what a test made happen',
    github(
      'simulated: no space left on device',
      'There was 1 failure:',
      '1) Shop\\JournalTest::testRolls',
      '! Failed asserting that two strings are identical.',
    ),
  ],
  [
    'not what a program logged before a test compared',
    github(
      'worker 3 was killed (out of memory), started again',
      'working',
      'working',
      'tests/test_journal.py:14: in test_rolls',
      "! E   AssertionError: assert 'closed' == 'open'",
    ),
  ],
  [
    'not a try that was tried again',
    github(
      'curl: (6) Could not resolve host: files.example.org',
      'Attempt 1 failed. Trying again in 5 seconds...',
      'Downloaded tool.tgz',
      '! failed to load prices.csv',
    ),
  ],
  [
    'not what Travis runs after the command that failed',
    [
      '$ make check',
      '! cat: prices.csv: No such file or directory',
      'The command "make check" exited with 2.',
      '$ ./report.sh',
      'curl: (22) The requested URL returned error: 403',
      'fatal: no report was accepted',
      'Done. Your build exited with 1.',
    ],
  ],
  [
    'not that a bundle is complete',
    [
      '$ bundle install',
      'Your bundle is complete!',
      '$ bundle exec rake',
      '! ./check.sh: 3 prices are missing',
      'The command "bundle exec rake" exited with 1.',
    ],
  ],
  [
    'not the words of a runner in a container',
    [
      '##[group]Run make check',
      '##[endgroup]',
      '! checks: table prices has no index (missing)',
      '##[error]Executing the custom container implementation failed. Please contact your administrator.',
    ],
  ],
  ['not that rake stopped', github('rake aborted!', "! NoMethodError: undefined method `total' for nil")],
  [
    'not that something comes',
    github('error during build:', '! [shop] failed to resolve ./total from src/price.ts'),
  ],
  [
    'not a Go test that was skipped',
    github('    lake_test.go:27: Skipping, the lake is far away', '! FAIL\texample.com/shop\t0.008s'),
  ],
])('CI-2: the first cause is %s', async (_what, lines) => {
  expect((await causesOf(lines))[0]).toBe(lines.findIndex((line) => line.startsWith('! ')) + 1);
});

it('CI-2: a second clear line of a block comes before ten hints elsewhere', async () => {
  const hints = Array.from({ length: 12 }, (_, n) => [
    `${'abcdefghijkl'[n]} could not be found`,
    '',
    '',
    '',
    '',
  ]).flat();
  const lines = github(
    ...hints,
    'worker was killed (out of memory), started again',
    '1) Shop\\JournalTest::testRolls',
    '! Failed asserting that two strings are identical.',
  );
  const at = lines.findIndex((line) => line.startsWith('! ')) + 1;
  expect((await causesOf(lines)).slice(0, 3)).toContain(at);
});

it('CI-2: of a log that says neither how it ended nor what was wrong, the last line is named', async () => {
  const lines = [
    ...Array.from({ length: 30 }, (_, n) => `price ${n} is fine`),
    'price 30 is odd, that is all',
  ];
  expect((await causesOf(lines))[0]).toBe(31);
});

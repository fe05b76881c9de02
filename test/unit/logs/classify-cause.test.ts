// CI-2, CI-4: words of a network, a machine or a clock in a failing step are its cause only where nothing says that the change is. Logs in our own
// words; a row holds what the failing step printed.
import { expect, it } from 'vitest';
import { classifyLog } from '../../../src/logs/classify.ts';

async function classOf(printed: readonly string[]): Promise<string> {
  async function* open(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(
      [
        '##[group]Run make check',
        '##[endgroup]',
        ...printed,
        '##[error]Process completed with exit code 1.',
      ].join('\n'),
    );
  }
  return (await classifyLog([{ name: 'log.txt', open }])).class;
}

type Row = readonly [what: string, printed: readonly string[]];

const ofTheChange: readonly Row[] = [
  [
    'a disk that a test made full, and an exception of another kind',
    [
      'writing the journal: no space left on device',
      'FAILED tests/test_journal.py::test_rolls',
      'shop.journal.RollError: journal 3 was not closed',
      '1 failed, 20 passed in 1.2s',
    ],
  ],
  [
    'a program’s log beside an exception of its own',
    [
      'E0302 10:00:00 client.go:12] rpc error: connection closed',
      '  1) test ships the order (Shop.OrderTest)',
      '     ** (MatchError) no match of right hand side value: {:error, :no_stock}',
      '12 tests, 1 failure',
    ],
  ],
  [
    'an exception that nobody knows, beside a connection that was reset',
    [
      'read: connection reset by peer',
      'OrderTest > ships() FAILED',
      '    com.acme.LedgerException: two entries for order 12',
      '12 tests completed, 1 failed',
    ],
  ],
  [
    'an answer that was compared',
    ['  1. AssertionError  status of the order', 'expected response to have status code 201 but got 500'],
  ],
  [
    'an answer that was compared, the other way round',
    ['step "pay" failed: status was 500, expected 201', '1 scenario failed, 8 passed'],
  ],
  [
    'a comparison after a network that was survived',
    [
      'curl: (28) Operation timed out after 30001 milliseconds',
      'taking the copy in the cache',
      'building',
      'AssertionError: 3 pages are missing',
    ],
  ],
  [
    'a simulated circuit',
    [
      'Connection timed out',
      'UVM_ERROR tb/board.sv(88) @ 4410: top.sb [CMP] 0x1f and 0x1e',
      'UVM_ERROR :    1',
    ],
  ],
  [
    'limits of a load test',
    ['HTTP 503 for GET /pay', "thresholds on metrics 'http_req_failed' have been crossed"],
  ],
  [
    'a test that makes a time-out on purpose',
    [
      'java.net.SocketTimeoutException: Read timed out (expected by the test)',
      'golden files differ, see out/',
    ],
  ],
];

it.each(ofTheChange)('CI-2: is a regression: %s', async (_what, printed) => {
  expect(await classOf(printed)).toBe('regression');
});

const notExcused: readonly Row[] = [
  [
    'a test of a kind that nobody knows, after what it printed',
    [
      'caught TimeoutError: operation exceeded 30000 ms',
      '✗ keeps the order',
      '    Err Late',
      'TEST RUN FAILED',
    ],
  ],
  [
    'a test, and what another one printed',
    [
      '  1) keeps the order',
      '     Err Late',
      'ok 2 - waits',
      'read: connection reset by peer',
      '1 tests failed',
    ],
  ],
  [
    'a service of the job itself that does not listen',
    ['api-1 exited with code 2', 'tests-1  | waiting for api:8080 ... connect ECONNREFUSED 172.18.0.3:8080'],
  ],
  [
    'results that could not be handed in',
    ['RuntimeError: the suite gave up', 'Failed to upload the reports: Unable to locate credentials'],
  ],
  ['a variable that is not set', ['RuntimeError: the suite gave up', 'METRICS_ACCESS_TOKEN is NOT set']],
];

it.each(notExcused)('CI-4: is neither flake nor infra: %s', async (_what, printed) => {
  expect(await classOf(printed)).not.toMatch(/flake|infra/);
});

it.each<readonly [what: string, wanted: string, printed: readonly string[]]>([
  [
    'a test that waited for what did not come',
    'flake',
    ['  1 failing', '  1) Basket shows the order:', '     Error: Timed out looking for the order'],
  ],
  [
    'a browser that went away',
    'flake',
    [
      'Executed 40 of 300 DISCONNECTED',
      'WARN [Chrome]: Disconnected (0 times) , because no message in 30000 ms.',
    ],
  ],
  [
    'a build tool that counts classes',
    'infra',
    ['snapshot: 36 duplicate classes found in classpath', 'npm error code ETIMEDOUT'],
  ],
  [
    'a plugin that ran well, behind a counter',
    'infra',
    ['4559 [INFO] --- maven-enforcer-plugin:3.0.0:enforce (rules) @ shop ---', 'Connection timed out'],
  ],
  ['a runner that reads its settings', 'unknown', ['rootdir: /work/shop, configfile: setup.cfg', 'working']],
  [
    'a lock that does not fit, in the words of a comparison',
    'config',
    ['Expected prices-1.2.jar but found prices-1.3.jar', 'the lock file is out of date'],
  ],
  [
    'counts of a compiler cache',
    'infra',
    ['Compilation failures   0', 'fatal: unable to access https://git.example.org/: Connection timed out'],
  ],
])('CI-2: %s', async (_what, wanted, printed) => {
  expect(await classOf(printed)).toBe(wanted);
});

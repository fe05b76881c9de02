// Failures of the change that speak of networks, limits and machines all the same: in names of tests, in what they compare, in what they print,
// and in what was tried again and worked.
import type { Chance } from './chance.ts';
import { filled, type Made, readPhrases } from './phrases.ts';

type Case = { readonly title: string; readonly wanted: string; readonly got: string };
const cases: readonly Case[] = [
  { title: 'retries when the connection is reset by peer', wanted: '3', got: '2' },
  { title: 'returns 503 Service Unavailable when upstream is down', wanted: '503', got: '200' },
  { title: 'gives up after ETIMEDOUT', wanted: '"gave up"', got: '"pending"' },
  { title: 'reports no space left on device', wanted: '"disk full"', got: '"unknown"' },
  { title: 'maps 429 Too Many Requests to RateLimited', wanted: '"RateLimited"', got: '"Failed"' },
  { title: 'shows could not resolve host to the user', wanted: '"Could not resolve host"', got: '""' },
  { title: 'survives an out of memory worker', wanted: 'true', got: 'false' },
  { title: 'cancels the operation on timeout', wanted: '"canceled"', got: '"timed out"' },
  { title: 'is flaky no more: race between two writers', wanted: '2', got: '1' },
  { title: 'parses a docker pull rate limit header', wanted: '100', got: 'NaN' },
  { title: 'handles getaddrinfo ENOTFOUND', wanted: '"offline"', got: 'undefined' },
  { title: 'waits 30s for the deadlock to end', wanted: '30000', got: '30' },
];

const noise = [
  'WARN  connect ECONNREFUSED 127.0.0.1:5432, trying again in 10 ms',
  '[error] upstream answered 502 Bad Gateway',
  'console.error: Error: socket hang up',
  'DEBUG i/o timeout while reading body, as the test wants it',
  'simulated: no space left on device',
  'worker was killed (out of memory), started again',
  'GET /health 503 2ms',
  'java.net.SocketTimeoutException: Read timed out (expected by the test)',
  'HTTP 429 Too Many Requests',
];

/** Tried again, and then it worked. */
const recovered = [
  [
    'npm warn network request to https://registry.npmjs.org/a failed, reason: connect ETIMEDOUT, retrying',
    'added 400 packages in 40s',
  ],
  [
    "WARNING: Retrying (Retry(total=4)) after connection broken by 'ReadTimeoutError': /simple/requests/",
    'Successfully installed requests-2.32.3',
  ],
  [
    'curl: (6) Could not resolve host: files.example.org',
    'Attempt 1 failed. Trying again in 5 seconds...',
    'Downloaded tool.tgz',
  ],
  [
    'warning: spurious network error (3 tries remaining): [55] Failed sending data to the peer',
    '  Downloaded serde v1.0.219',
  ],
  ['##[warning]Failed to restore cache: getCacheEntry failed: Request timeout: /cache'],
];

const tests = readPhrases('tests');
const builds = readPhrases('builds');

export function deterministic(chance: Chance): readonly Made[] {
  const around = (output: readonly string[]): readonly string[] =>
    chance.often(0.4) ? [...chance.pick(recovered), ...output] : output;
  const ofTest = (): Readonly<Record<string, string>> => {
    const one = chance.pick(cases);
    return {
      ...one,
      name: one.title.replace(/\W+/g, '_'),
      camel: one.title.replace(/\W+(\w)/g, (_all, letter: string) => letter.toUpperCase()),
      printed: chance.often(0.6) ? `${chance.pick(noise)}\n${chance.pick(noise)}` : '',
    };
  };
  const made = [
    ...tests.flatMap((phrase) => [0, 1, 2].map(() => filled(phrase, ofTest()))),
    ...builds.map((phrase) => filled(phrase, {})),
  ];
  return made.map(({ kind, step }) => ({ kind, step: { ...step, output: around(step.output) } }));
}

// What the command line writes and reads, without a process: times, tables, exit codes, Markdown, changes. Table tests.
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { exitCodeOf, exitCodeOfStates } from '../../../src/cli/exit-codes.ts';
import { afterText, ciMarkdown } from '../../../src/cli/look/ci.ts';
import { changes } from '../../../src/cli/look/watch.ts';
import { completionScript } from '../../../src/cli/set-up/completion.ts';
import { waitAfter } from '../../../src/cli/set-up/supervise-worker.ts';
import { printable, table } from '../../../src/cli/text/table.ts';
import { lengthOf, parseDuration, parseUntil, relative } from '../../../src/cli/text/time.ts';
import { asPostgresError, OrderRefused, UnreachableError, UsageError } from '../../../src/client/errors.ts';
import type { CiStateRow } from '../../../src/client/look/findings.ts';
import type { Status } from '../../../src/client/look/status.ts';

const now = Date.parse('2026-11-21T12:00:00Z');

test.each([
  ['2h', '2026-11-21T14:00:00.000Z'],
  ['90s', '2026-11-21T12:01:30.000Z'],
  ['1.5 h', '2026-11-21T13:30:00.000Z'],
  ['2026-11-21T18:00Z', '2026-11-21T18:00:00.000Z'],
  ['2026-11-21T18:00:30+01:00', '2026-11-21T17:00:30.000Z'],
])('LOOP-10: --until %s is a time', (text, expected) => {
  expect(new Date(parseUntil('--until', text, now)).toISOString()).toBe(expected);
});

test.each([
  '',
  '2',
  'h',
  '-2h',
  '0s',
  '2 fortnights',
  'tomorrow',
  '2026-11-21',
  '2026-11-21T18:00',
  '2026-13-01T00:00Z',
  '2026-11-21T11:00Z',
  '500d',
  '1e9h',
])('DUR-4: --until %j is refused with the option, the value and the fix', (text) => {
  expect(() => parseUntil('--until', text, now)).toThrow(UsageError);
  expect(() => parseUntil('--until', text, now)).toThrow(/^--until: ".*Fix: /);
});

test('a duration has a unit', () => {
  expect(parseDuration('--since', '7d')).toBe(7 * 86_400_000);
  expect(() => parseDuration('--since', '7')).toThrow('--since: "7"');
});

test.each([
  ['2026-11-21T12:00:00Z', 'now'],
  ['2026-11-21T12:05:00Z', 'in 5 min'],
  ['2026-11-21T10:00:00Z', '2 h ago'],
  ['2026-11-28T12:00:00Z', 'in 7 d'],
])('%s is %s', (iso, expected) => {
  expect(relative(iso, now)).toBe(expected);
});

test('lengths of time are rounded to what a person reads', () => {
  expect([1_000, 89_000, 91_000, 5_400_000, 130_000_000].map(lengthOf)).toEqual([
    '1 s',
    '89 s',
    '2 min',
    '2 h',
    '2 d',
  ]);
});

test('SEC-2: what others wrote cannot steer a terminal', () => {
  const evil = '\u001b]0;owned\u0007\u001b[31mred\u001b[0m \u202Egnp.exe\u0000';
  expect(printable(evil)).toBe(']0;ownedred gnp.exe');
  for (const char of ['\u001b', '\u0000', '\u202e']) expect(table(['a'], [[evil]])).not.toContain(char);
});

test('a table has a head, a row a line, and a dash for nothing', () => {
  expect(
    table(
      ['name', 'count'],
      [
        ['a\nb', 1],
        [null, 22],
      ],
    ).split('\n'),
  ).toEqual(['NAME  COUNT', 'a b   1', '-     22']);
  expect(table(['name'], [])).toBe('');
});

test.each([
  [new UnreachableError('Temporal', 'host:7233', 'refused', 'start it'), 4],
  [new UsageError('x'), 2],
  [new OrderRefused('x'), 1],
  [new Error('x'), 1],
])('%s has exit code %i', (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});

test.each([
  [['green', 'drained'], 0],
  [['green', 'waiting'], 3],
  [['unknown'], 3],
  [['red', 'failed', 'green'], 1],
  [[], 0],
])('states %j have exit code %i', (states, code) => {
  expect(exitCodeOfStates(states)).toBe(code);
});

test('an error of the connection says where, without the password, and what to do', () => {
  const url = 'postgresql://user:hunter2-long@127.0.0.1:1/db';
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const error = asPostgresError(new AggregateError([refused]), url);
  expect(error).toBeInstanceOf(UnreachableError);
  expect(String(error)).toContain('Postgres at 127.0.0.1:1/db');
  expect(String(error)).not.toContain('hunter2');
  const ours = new Error('syntax error');
  expect(asPostgresError(ours, url)).toBe(ours);
});

const row: CiStateRow = {
  workspace: 'shop',
  repository: 'acme/shop',
  branch: 'main',
  sha: '0123456789abcdef0123456789abcdef01234567',
  workflow: 'ci | <script>',
  job: 'test *all*',
  step: 'test',
  fingerprint: 'f'.repeat(64),
  title: 'x',
  attempts: '1/3',
  class: 'regression',
  issue: null,
  repeatFailures: 0,
  soak: null,
  pullRequest: { number: 7, url: 'https://github.com/acme/shop/pull/7' },
  lastAction: 'open a pull request',
  lastActionAt: '2026-11-21T11:00:00.000Z',
  status: 'waiting',
  outcome: 'applied',
  waitingFor: 'a merge',
  run: null,
  firstSeenAt: '2026-11-21T10:00:00.000Z',
  resolvedAt: null,
};

test('CI-11: the state as Markdown has attempts, link, action, status and outcome, and nothing of others becomes markup', () => {
  const soak = { state: 'running', passed: ['10m', '1h'], nextCheckAt: null } as const;
  const resolved = {
    ...row,
    status: 'resolved',
    outcome: 'green',
    pullRequest: null,
    soak,
    repeatFailures: 1,
  } as const;
  const text = ciMarkdown('acme', [row, resolved], 7 * 86_400_000);
  const lines = text.split('\n');
  expect(lines[0]).toBe('**CI of acme**: 1 open, 1 resolved in the last 7 days');
  expect(lines).toHaveLength(6);
  expect(lines[4]).toContain(
    '| regression | 1/3 | https://github.com/acme/shop/pull/7 | open a pull request (11-21 11:00:00) | waiting | applied |',
  );
  expect(lines[5]).toMatch(/\| resolved \| green \| passed 10m, 1h; 1 repeat failure \|$/);
  expect(text).not.toContain('<script>');
  expect(text).not.toContain('*all*');
  for (const line of lines.slice(2)) expect(line.match(/\|/g)).toHaveLength(11);
});

test.each([
  [null, 0, null],
  [{ state: 'running', passed: [], nextCheckAt: null }, 0, 'to be checked'],
  [{ state: 'proved', passed: ['10m', '1h', '24h', '48h'], nextCheckAt: null }, 0, 'proved'],
  [{ state: 'unproved', passed: ['10m'], nextCheckAt: null }, 0, 'not proved'],
  [{ state: 'repeat', passed: ['10m'], nextCheckAt: null }, 2, '2 repeat failures'],
] as const)('CI-10: how a fix held is said in a few words: %j, %i', (soak, repeatFailures, text) => {
  expect(afterText({ soak, repeatFailures })).toBe(text);
});

const finding = {
  fingerprint: 'a'.repeat(64),
  occurrence: 1,
  status: 'open',
  waitingFor: null,
  title: 'red',
  lastAction: null,
} as unknown as Status['findings'][number];
const status = {
  tenant: 'acme',
  state: 'red',
  cycle: 1,
  summary: '1 not green',
  findings: [finding],
  paused: false,
  breaker: { state: 'closed' },
  notes: [],
} as unknown as Status;

test('SEE-2: watch says what changed, once', () => {
  expect(changes(undefined, status)).toHaveLength(2);
  expect(changes(status, { ...status, cycle: 2 })).toEqual([]);
  const waiting = {
    ...status,
    findings: [{ ...finding, status: 'waiting' as const, waitingFor: 'a merge' }],
  };
  expect(changes(status, waiting).join()).toContain('aaaaaaaaaaaa waiting, a merge: red');
  expect(changes(waiting, { ...status, findings: [] }).join()).toContain('resolved: red');
  expect(changes(status, { ...status, paused: true }).join()).toContain('paused');
});

test('completion names every command and option, for each shell', () => {
  const program = new Command('untilgreen');
  program.command('status').option('--json').description("how it's");
  program.command('ci').command('state').option('--markdown');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const script = completionScript(program, shell);
    for (const word of ['status', 'json', 'state', 'markdown']) expect(script).toContain(word);
  }
  expect(() => completionScript(program, 'tcsh')).toThrow('write bash, zsh or fish');
});

test('a worker that crashes again and again is started ever later, and never given up', () => {
  expect([1, 2, 3, 6, 50].map(waitAfter)).toEqual([250, 1_000, 2_000, 30_000, 30_000]);
});

// The count of what landed: DUR-1 as the demo asserts it, so it has to see a write that landed twice and one that did not.
import { expect, test } from 'vitest';
import { type Outside, tally } from '../../../demo/count.ts';
import type { JournalWrite } from '../../../demo/forge/operations.ts';

const key = 'a'.repeat(64);
const marker = `untilgreen:${'a'.repeat(24)}`;
const sha = 'b'.repeat(40);
const write = (rest: Partial<JournalWrite> & Pick<JournalWrite, 'kind'>): JournalWrite => ({
  seq: 1,
  time: '2026-11-21T10:00:00Z',
  actor: 'untilgreen-agent',
  repository: 'acme/shop',
  ...rest,
});
const push = write({ kind: 'refUpdated', via: 'git', ref: 'refs/heads/untilgreen/x', newSha: sha });
const issue = write({ kind: 'issueOpened', number: 4, marker });
const pull = write({ kind: 'pullCreated', number: 1, ref: 'untilgreen/x' });
const closing = write({ kind: 'issueUpdated', number: 4, state: 'closed' });
const deletion = write({
  kind: 'refUpdated',
  via: 'git',
  ref: 'refs/heads/untilgreen/x',
  newSha: '0'.repeat(40),
});
const receipt = { key, target: 'acme/shop', outcome: 'applied' as const, result: {} };
const nothing: Outside = { writes: [], migrations: [], restarts: [] };

test('DUR-1: everything once, and every receipt landed', () => {
  const pushed = { ...receipt, kind: 'pushBranch' as const, result: { commitSha: sha } };
  const opened = { ...receipt, kind: 'openIssue' as const };
  const restarted = { ...receipt, kind: 'restartService' as const, target: 'production/backend' };
  const closed = { ...receipt, kind: 'closeIssue' as const, target: 'acme/shop#4' };

  const outside: Outside = {
    writes: [push, issue, pull, deletion, deletion, closing],
    migrations: ['20260101', '20260102'],
    restarts: [{ kind: 'restart', service: 'backend' }],
  };
  expect(tally(outside, [pushed, opened, restarted, closed])).toEqual({
    ok: true,
    landed: {
      pushBranch: 1,
      openIssue: 1,
      openPullRequest: 1,
      rowOfMigration: 2,
      restartService: 1,
      closeIssue: 1,
    },
    problems: [],
  });
});

test.for([
  ['a push', [push, push], [], [`pushBranch ${sha} landed 2 times`]],
  ['an issue', [issue, { ...issue, number: 5 }], [], [`openIssue ${marker} landed 2 times`]],
  ['a pull request', [pull, { ...pull, number: 2 }], [], ['openPullRequest untilgreen/x landed 2 times']],
  [
    'a comment',
    [
      write({ kind: 'commentCreated', commentId: 1, marker }),
      write({ kind: 'commentCreated', commentId: 2, marker }),
    ],
    [],
    [`commentOnIssue ${marker} landed 2 times`],
  ],
  [
    'a rerun',
    [write({ kind: 'runRerun', runId: 7 }), write({ kind: 'runRerun', runId: 7 })],
    [],
    ['rerunFailedJobs run 7 landed 2 times'],
  ],
  ['a migration', [], ['20260101', '20260101'], ['rowOfMigration 20260101 landed 2 times']],
] as const)('DUR-1: %s that landed twice is seen', ([, writes, migrations, problems]) => {
  expect(tally({ ...nothing, writes, migrations }, [])).toMatchObject({ ok: false, problems });
});

test('DUR-1: a receipt without its write is seen', () => {
  expect(tally(nothing, [{ ...receipt, kind: 'openIssue' }])).toMatchObject({
    ok: false,
    problems: [`openIssue ${marker} has a receipt and did not land`],
  });
  expect(tally(nothing, [{ ...receipt, kind: 'openIssue', outcome: 'stale' }])).toMatchObject({ ok: true });
});

test.for([
  ['once, with its receipt', 1, ['applied'], []],
  ['twice for two receipts', 2, ['applied', 'applied'], []],
  ['that landed and whose worker was killed', 1, ['unknown'], []],
  ['that did not land and whose worker was killed', 0, ['unknown'], []],
  ['that landed twice', 2, ['applied'], ['restartService backend landed 2 times and has 1 receipts']],
  [
    'that nobody has a receipt for',
    1,
    ['stale'],
    ['restartService backend landed 1 times and has 0 receipts'],
  ],
  ['that has a receipt only', 0, ['applied'], ['restartService backend has 1 receipts and landed 0 times']],
] as const)('DUR-1, DUR-5: a restart %s', ([, times, outcomes, problems]) => {
  const restarts = Array.from({ length: times }, () => ({ kind: 'restart', service: 'backend' }) as const);
  const receipts = outcomes.map((outcome) => ({
    ...receipt,
    outcome,
    kind: 'restartService' as const,
    target: 'production/backend',
  }));

  expect(tally({ ...nothing, restarts }, receipts).problems).toEqual(problems);
});

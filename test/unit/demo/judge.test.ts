// The count of what landed: DUR-1 as the demo asserts it, so it has to see a write that landed twice and one that did not.
import { expect, test } from 'vitest';
import type { JournalWrite } from '../../../demo/forge/operations.ts';
import { tally } from '../../../demo/judge.ts';

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
const deletion = write({
  kind: 'refUpdated',
  via: 'git',
  ref: 'refs/heads/untilgreen/x',
  newSha: '0'.repeat(40),
});
const receipt = { key, outcome: 'applied', result: {} };

test('DUR-1: everything once, and every receipt landed', () => {
  const pushed = { ...receipt, kind: 'pushBranch', result: { commitSha: sha } };
  const opened = { ...receipt, kind: 'openIssue' };

  expect(tally([push, issue, pull, deletion, deletion], ['20260101', '20260102'], [pushed, opened])).toEqual({
    ok: true,
    landed: { pushBranch: 1, openIssue: 1, openPullRequest: 1, rowOfMigration: 2 },
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
  expect(tally(writes, migrations, [])).toMatchObject({ ok: false, problems });
});

test('DUR-1: a receipt without its write is seen', () => {
  expect(tally([], [], [{ ...receipt, kind: 'openIssue' }])).toMatchObject({
    ok: false,
    problems: [`openIssue ${marker} has a receipt and did not land`],
  });
  expect(tally([], [], [{ ...receipt, kind: 'openIssue', outcome: 'stale' }])).toMatchObject({ ok: true });
});

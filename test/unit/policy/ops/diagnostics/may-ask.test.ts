// DIAG-1: who is answered.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Asker, MayAsk } from '../../../../../src/contract/ops/diagnostics.ts';
import { mayAsk } from '../../../../../src/policy/ops/diagnostics/may-ask.ts';

const writer: Asker = {
  author: { login: 'maria', id: 7, isBot: false },
  permission: 'write',
  appId: null,
  allowlist: [42],
  edited: 'never',
  isOwn: false,
  parentIsBot: false,
  onFork: false,
};
const bot = { author: { login: 'helper[bot]', id: 42, isBot: true }, permission: 'none' } as const;

describe('DIAG-1: may ask', () => {
  it.each<[string, Partial<Asker>, MayAsk['verdict'], string]>([
    ['a writer', {}, 'allow', ''],
    ['a maintainer', { permission: 'maintain' }, 'allow', ''],
    ['an administrator', { permission: 'admin' }, 'allow', ''],
    ['a writer who edited it', { edited: 'byAuthor' }, 'allow', ''],
    ['a writer below a bot, as on an issue of an incident', { parentIsBot: true }, 'allow', ''],
    ['a writer with an app that nobody listed', { appId: 9 }, 'allow', ''],
    ['an app of the allowlist by its account', bot, 'allow', ''],
    [
      'an app of the allowlist by its own number',
      { author: { ...bot.author, id: 1 }, appId: 42 },
      'allow',
      '',
    ],
    ['a stranger', { permission: 'none' }, 'refuse', 'may not write'],
    ['a reader', { permission: 'read' }, 'refuse', 'may not write'],
    ['who may triage only', { permission: 'triage' }, 'refuse', 'may not write'],
    [
      'a stranger who is on the allowlist of apps by number',
      { author: { ...writer.author, id: 42 }, permission: 'none' },
      'refuse',
      'may not write',
    ],
    [
      'a bot off the list, though it may write',
      { author: { ...bot.author, id: 1 }, permission: 'admin' },
      'refuse',
      'not in diagnostics.apps (id 1)',
    ],
    ['a listed bot below a bot', { ...bot, parentIsBot: true }, 'refuse', 'chains are not followed'],
    ['a comment that somebody else edited', { edited: 'byOther' }, 'refuse', 'somebody else edited it'],
    ['edited, and not to be told by whom', { edited: 'unknown' }, 'refuse', 'cannot be told by whom'],
    ['on a pull request from a fork', { onFork: true, permission: 'admin' }, 'refuse', 'from a fork'],
    ['the agent itself', { isOwn: true, permission: 'admin' }, 'refuse', 'of the agent itself'],
    ['the agent itself, as a listed app', { ...bot, isOwn: true }, 'refuse', 'of the agent itself'],
    ['the permission could not be read', { permission: null }, 'unknown', 'could not be read'],
  ])('%s', (_name, change, verdict, reason) => {
    const answer = mayAsk({ ...writer, ...change });
    expect(answer.verdict).toBe(verdict);
    expect('reason' in answer ? answer.reason : '').toContain(reason);
  });

  it('allows nobody but a writer or a listed bot, and nothing of the agent, of a fork, or edited by another', () => {
    const asker = fc.record<Asker>({
      author: fc.record({ login: fc.string(), id: fc.integer({ min: 1, max: 4 }), isBot: fc.boolean() }),
      permission: fc.constantFrom('admin', 'maintain', 'write', 'triage', 'read', 'none', null),
      appId: fc.option(fc.integer({ min: 1, max: 4 }), { nil: null }),
      allowlist: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
      edited: fc.constantFrom('never', 'byAuthor', 'byOther', 'unknown'),
      isOwn: fc.boolean(),
      parentIsBot: fc.boolean(),
      onFork: fc.boolean(),
    });
    fc.assert(
      fc.property(asker, (given) => {
        if (mayAsk(given).verdict !== 'allow') return;
        expect(given.isOwn || given.onFork).toBe(false);
        expect(['never', 'byAuthor']).toContain(given.edited);
        if (given.author.isBot) {
          expect(given.parentIsBot).toBe(false);
          expect(given.allowlist).toEqual(
            expect.arrayContaining([expect.toBeOneOf([given.author.id, given.appId])]),
          );
        } else expect(['admin', 'maintain', 'write']).toContain(given.permission);
      }),
      { numRuns: 1_000 },
    );
  });
});

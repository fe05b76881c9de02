// DIAG-1: what counts as a question in a comment, and what it asks; SEC-1: nothing that its author does not say as his own words.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DiagnosticRequest } from '../../../../../src/contract/ops/diagnostics.ts';
import { liveLines } from '../../../../../src/policy/ops/diagnostics/live-text.ts';
import { readMention } from '../../../../../src/policy/ops/diagnostics/mention.ts';
import { breakouts } from '../rendered.ts';

const read = (body: string): DiagnosticRequest | null => readMention(body, '@devops');
const status = { kind: 'status' } as const;
const logs = { kind: 'logs', service: 'backend' } as const;
const question = (text: string): DiagnosticRequest => ({ kind: 'question', text });

describe('DIAG-1: commands', () => {
  it.each<[string, DiagnosticRequest]>([
    ['@devops status', status],
    ['@devops check database', { kind: 'database' }],
    ['@devops check user maria', { kind: 'user', name: 'maria' }],
    ['@devops check user maria.b+shop@example.com', { kind: 'user', name: 'maria.b+shop@example.com' }],
    ['@devops check logs backend', logs],
    ['@devops check logs `backend`', logs],
    ['@devops check logs Backend-2.eu_west', { kind: 'logs', service: 'Backend-2.eu_west' }],
    ['@DevOps CHECK  Logs backend.', logs],
    ['@devops: check logs backend', logs],
    ['@devops, status?', status],
    ['Hello @devops check logs backend', logs],
    ['(@devops status)', status],
    ['It is slow.\n@devops check logs backend\nSince noon.', logs],
    ['# Slow\n\n- @devops check logs backend', logs],
    ['**@devops** check logs backend', logs],
    ['> @devops check database\n\n@devops status', status],
    ['@devops status\n\n@devops check database', status],
    ['`@devops check database` and @devops status', status],
    ['<details>\n\nx\n\n</details>\n\n@devops status', status],
    ['a<br>\n@devops status', status],
    ['@devops status\r\nthanks', status],
    ['| a |\n|---|\n| @devops status |', status],
    ['@devops', { kind: 'help', problem: null }],
    ['@devops help', { kind: 'help', problem: null }],
    ['@devops why is the backend slow?', question('why is the backend slow?')],
    ['Why is `backend` slow, @devops?', question('Why is backend slow,')],
    ['@devops please look\n\nIt began at noon.', question('please look\n\nIt began at noon.')],
    ['@devops status of the backend', question('status of the backend')],
    ['@devops check database now', question('check database now')],
  ])('%j', (body, expected) => {
    expect(read(body)).toEqual(expected);
  });

  it.each([
    ['@devops check logs', 'no name was given'],
    ['@devops check logs backend frontend', 'that is no such name'],
    ['@devops check logs ../etc', 'that is no such name'],
    ['@devops check logs $(id)', 'that is no such name'],
    ['@devops check logs -rf', 'that is no such name'],
    ['@devops check logs bаckend', 'that is no such name'],
    ['@devops check logs back\u200bend', 'that is no such name'],
    [`@devops check logs ${'x'.repeat(101)}`, 'that is no such name'],
    ["@devops check user ';drop", 'that is no such name'],
    ['@devops check user a/b', 'that is no such name'],
  ])('strict names: %j', (body, problem) => {
    const asked = read(body);
    expect(asked?.kind).toBe('help');
    expect(asked).toMatchObject({ problem: expect.stringContaining(problem) });
  });

  it('takes the mention of the settings', () => {
    expect(readMention('@ops-bot status', '@ops-bot')).toEqual(status);
    expect(readMention('@devops status', '@ops-bot')).toBeNull();
  });

  it('bounds and cleans a question', () => {
    const asked = read(`@devops why \u202e\u200b${'😀'.repeat(5_000)}`);
    if (asked?.kind !== 'question') throw new Error('no question');
    expect(asked.text.length).toBeLessThanOrEqual(2_000);
    expect(asked.text.isWellFormed()).toBe(true);
    expect(asked.text).not.toMatch(/[\u202e\u200b]/);
  });
});

describe('DIAG-1: nobody is asked', () => {
  it.each([
    ['no mention', 'devops status'],
    ['a mailbox', 'mail team@devops.com'],
    ['a longer name', '@devops-team status'],
    ['a name with more letters', '@devopsy status'],
    ['a letter that looks alike behind it', '@devopsа status'],
    ['a team', '@devops/core status'],
    ['a domain', '@devops.com status'],
    ['a second sign', '@@devops status'],
    ['a path', 'see x/@devops status'],
    ['an address', 'https://example.com/@devops status'],
    ['an invisible character in it', '@dev\u200bops status'],
    ['an invisible character before it', '\u200b@devops status'],
    ['an escaped sign', '\\@devops status'],
    ['an entity', '&#64;devops status'],
    ['inline code', '`@devops status`'],
    ['inline code over lines', 'a `b\n@devops status\nc`'],
    ['a fence', '```\n@devops status\n```'],
    ['a fence with tildes and a shorter one inside', '~~~~\n~~~\n@devops status\n~~~~'],
    ['a fence that never ends', '```sh\n@devops status'],
    ['a fence in a list', '- a\n  ```\n  @devops status\n  ```'],
    ['an indented block', 'text\n\n    @devops status'],
    ['an indented block with a tab', '\t@devops status'],
    ['a quote', '> @devops status'],
    ['the lazy end of a quote', '> text\n@devops status'],
    ['a quote in a list', '- > @devops status'],
    ['a comment', '<!-- @devops status -->'],
    ['a comment over lines', 'x\n<!--\n@devops status\n-->'],
    ['a comment that never ends', '<!--\n\n@devops status'],
    ['a comment within a line', 'a <!-- @devops status --> b'],
    ['the text of a link', '[@devops status](https://example.com)'],
    ['the text of a reference', '[@devops status][x]\n\n[x]: https://example.com'],
    ['the text of an image', '![@devops status](https://example.com)'],
    ['a title', '[x](https://example.com "@devops status")'],
    ['raw HTML', '<pre>@devops status</pre>'],
    ['raw HTML within a line', 'a <code>@devops status</code>'],
    ['raw HTML around paragraphs', '<blockquote>\n\n@devops status\n\n</blockquote>'],
    ['a folded part', '<details><summary>x</summary>\n\n@devops status\n\n</details>'],
    ['raw HTML that is not closed', '<b>\n\n@devops status'],
    ['an attribute', '<a title="@devops status">x</a>'],
    ['struck out', '~~@devops status~~'],
    ['a text over every limit', `${'x\n\n'.repeat(30_000)}@devops status`],
  ])('%s', (_name, body) => {
    expect(read(body)).toBeNull();
  });
});

it('DIAG-1, SEC-1: never in a quote or a code block, whatever stands there, and never a throw', () => {
  const piece = fc.oneof(
    fc.constantFrom(...breakouts, '@devops status', '\n', '\n\n', '    ', '[', '](x)', '`', '<b>', '</b>'),
    fc.string({ unit: 'binary', maxLength: 10 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const body = pieces.join('');
      const asked = read(body);
      if (asked?.kind === 'logs') expect(asked.service).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);
      expect(read(`~~~~~~~~\n${body.replaceAll('~', '')}`)).toBeNull();
      expect(
        read(
          body
            .split(/\r\n?|\n/)
            .map((line) => `> ${line}`)
            .join('\n'),
        ),
      ).toBeNull();
      expect(
        read(
          body
            .split(/\r\n?|\n/)
            .map((line) => `    ${line}`)
            .join('\n'),
        ),
      ).toBeNull();
    }),
    { numRuns: 500 },
  );
});

it('SEC-1: reads a hostile comment of the greatest size in a bounded time', () => {
  const signs = ['[', '`a', '>', '<!-- ', '*a_ ', '![[', '<a ', '[a](<', '**', '&', '[x]: ', '- '];
  const beganMs = performance.now();
  for (const sign of signs) read(`${sign.repeat(65_536 / sign.length)}\n\n@devops status`);
  expect(performance.now() - beganMs).toBeLessThan(60_000);
});

it('gives the lines of a comment that count as a whole', () => {
  expect(liveLines('a\nb `c`\n\n> d\n\n- e  \n\ng\n\n    f\n')).toEqual(['a', 'e', 'g']);
});

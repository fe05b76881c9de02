// SEC-1, SEC-2: what may stand in issues, comments and pull requests.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cleanBody,
  cleanTitle,
  closesNothing,
  fenced,
  hasMarker,
  markersIn,
} from '../../../src/integrations/github/body-text.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';

const redactor = createRedactor();
redactor.register('TOKEN', 'hunter2-hunter2');
const marker = `untilgreen:${'0123456789ab'.repeat(2)}`;
const clean = (text: string): string => cleanBody(text, redactor, [marker]);
const only = (text: string): string => cleanBody(text, redactor);

describe('cleanBody', () => {
  it('SEC-2: leaves out what has the form of a secret, though nobody registered it', () => {
    const token = `ghp_${'a7Kx9Qz2mB'.repeat(4).slice(0, 36)}`;
    expect(only(`the log says ${token}`)).toBe('the log says [redacted:github-token]');
    expect(cleanTitle(`lint: ${token}`, redactor)).toBe('lint: [redacted:github-token]');
  });

  it.each([
    ['a mention', 'thanks @bob', 'thanks @&#8203;bob'],
    ['a team', 'cc @acme/core', 'cc @&#8203;acme/core'],
    ['a mention after a letter that is not ASCII', 'é@bob', 'é@&#8203;bob'],
    [
      'a mention written as an entity',
      '&#64;bob &#x40;bob &commat;bob',
      '&amp;#64;bob &amp;#x40;bob &amp;commat;bob',
    ],
    ['an address of a mailbox', 'mail a@example.com', 'mail a@example.com'],
    ['a decorator in a code block', 'see:\n\n```ts\n@Injectable()\n```', 'see:\n\n```ts\n@Injectable()\n```'],
    ['a fence within a paragraph', 'see\n```\n@bob\n```', 'see\n\\`\\`\\`\n@&#8203;bob\n\\`\\`\\`'],
    ['a fence that would end the next one', 'see\n```\n\n```\n@bob\n```', 'see\n\\`\\`\\`\n\n```\n@bob\n```'],
    ['a fence in a list, which the list ends', '- a\n\n  ```\n@bob', '- a\n\n  \\`\\`\\`\n@&#8203;bob'],
    ['a fence in a quote', '\n> ~~~\n@bob', '\n> \\~\\~\\~\n@&#8203;bob'],
    ['a mention after a block that its content ended', '\n```\na\n```\n@bob', '\n```\na\n```\n@&#8203;bob'],
    ['a shorter fence inside a longer one', '````\n```\n@a\n````', '````\n```\n@a\n````'],
    ['raw HTML that would hide a fence', '<pre>\n\n```\n@bob', '&lt;pre>\n\n```\n@bob\n```'],
    ['an open block', '```\nabc', '```\nabc\n```'],
    ['a comment', 'a <!-- hidden --> b', 'a &lt;!-- hidden --> b'],
    ['a comment in a code block', '```\n<!-- x -->\n```', '```\n<!-- x -->\n```'],
    ['a marker in a code block', '```\n<!--\tuntilgreen:0 -->\n```', '```\n<! --\tuntilgreen:0 -->\n```'],
    ['a secret', 'token hunter2-hunter2', 'token [secret:TOKEN]'],
    ['a secret with an invisible character in it', 'hunter2\u200b-hunter2', '[secret:TOKEN]'],
    ['direction marks and tags', 'a\u202eb\u{e0041}c\u0000d', 'abcd'],
  ])('%s', (_name, text, expected) => {
    expect(only(text)).toBe(expected);
  });

  it('strips markers that others wrote and keeps its own', () => {
    const forged = `x <!-- ${marker.replace('0', 'f')} --> <!--untilgreen:1-->`;
    expect(markersIn(clean(forged))).toEqual([marker]);
    expect(hasMarker(clean(forged), marker)).toBe(true);
    expect(hasMarker(only(`<!-- ${marker} -->`), marker)).toBe(false);
    expect(hasMarker(only(`<!\u200b-- ${marker} -->`), marker)).toBe(false);
  });

  it('cuts what is too long, says so, ends the code block and keeps the marker', () => {
    const body = clean(`head\n\n\`\`\`\n${'😀 line\n'.repeat(20_000)}`);
    expect(body.length).toBeLessThanOrEqual(65_536);
    expect(body).toMatch(/\n```\n\n\(cut: \d+ characters are left out\)\n\n<!-- untilgreen:/);
    expect(body.isWellFormed()).toBe(true);
    const line = clean('@a'.repeat(60_000));
    expect(line.length).toBeLessThanOrEqual(65_536);
    expect(line).toMatch(/cut: \d+/);
  });

  it('is bounded, well formed, without markers of others, and the same when cleaned again', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.constantFrom(
        '@bob ',
        '```',
        '~~~',
        '\n',
        '\n\n',
        '<!--',
        '-->',
        `<!-- ${marker} -->`,
        '> ',
        '    ',
        '&#64;x',
      ),
    );
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, (given) => {
        const body = only(given);
        expect(markersIn(body)).toEqual([]);
        expect(body.isWellFormed()).toBe(true);
        expect(only(body)).toBe(body);
        expect(markersIn(clean(given))).toEqual([marker]);
      }),
    );
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 40_000 }), (given, times) => {
        expect(clean(given.repeat(Math.ceil(times / (given.length + 1)))).length).toBeLessThanOrEqual(65_536);
      }),
      { numRuns: 30 },
    );
  });

  it('gives a fence that its content cannot end', () => {
    const block = fenced('a\n````\n@bob', 'diff\n');
    expect(block).toBe('\n\n`````diff\na\n````\n@bob\n`````\n\n');
    expect(only(`text${block}@bob`)).toContain('\n@bob\n`````\n\n@&#8203;bob');
  });
});

it('makes one line of a title, at most 250 characters', () => {
  expect(cleanTitle('a\n  b\u200b hunter2-hunter2 ', redactor)).toBe('a b [secret:TOKEN]');
  expect(cleanTitle('x'.repeat(300), redactor)).toHaveLength(250);
  expect(cleanTitle(' \u200b', redactor)).toBe('Untitled');
});

// SEC-1: a squash makes a commit's message of title and body; a log's words must not close issues then.
it.each([
  ['Fix #12: unit', 'Fix – #12: unit'],
  ['x fixes: #1, Closes acme/shop#2', 'x fixes – #1, Closes – acme/shop#2'],
  ['```\nresolved\nGH-3\n```', '```\nresolved – GH-3\n```'],
  ['fixed https://github.com/acme/shop/issues/4', 'fixed – https://github.com/acme/shop/issues/4'],
  ['Fix CI: unit', 'Fix CI: unit'],
  ['prefix #5, see #6', 'prefix #5, see #6'],
])('closes nothing: %s', (text, expected) => {
  expect(closesNothing(text)).toBe(expected);
});

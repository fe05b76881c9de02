// SEC-1: text from outside as a part of Markdown of ours. That it cannot end a code block is proved in test/unit/github/body-text.test.ts.
import { describe, expect, it } from 'vitest';
import {
  command,
  fenced,
  folded,
  lastLines,
  link,
  plainWords,
  utcTime,
} from '../../../src/policy/markdown.ts';

describe('SEC-1: plain words', () => {
  it.each([
    ['a b', 'a b'],
    ['two\n\nlines', 'two lines'],
    ['@octocat', '@&#8203;octocat'],
    ['&#64;octocat', '&amp;\\#64;octocat'],
    ['<b>', '&lt;b&gt;'],
    ['**a** _b_ `c` ~d~ |', '\\*\\*a\\*\\* \\_b\\_ \\`c\\` \\~d\\~ \\|'],
    ['[a](b) ![c]', '\\[a\\](b) \\!\\[c\\]'],
    ['# a', '\\# a'],
    ['- a', '\\- a'],
    ['1. a', '1\\. a'],
    ['_https://a.example', '\\_https&#8203;://a.example'],
    ['WWW.a.example', 'WWW&#8203;.a.example'],
    ['a\u200b\u202eb\u0000', 'ab'],
    ['', ''],
  ])('%j becomes %j', (text, expected) => {
    expect(plainWords(text)).toBe(expected);
  });

  it('are cut', () => {
    expect(plainWords('x'.repeat(400))).toHaveLength(300);
    expect(plainWords('😀😀😀', 4).isWellFormed()).toBe(true);
  });
});

it.each([
  ['https://a.example/x?y=1#z', '[words](https://a.example/x?y=1#z)'],
  ['http://localhost:8233/a(b)/@c', '[words](http://localhost:8233/a%28b%29/%40c)'],
  ['https://a.example/ x', '[words](https://a.example/%20x)'],
  ['javascript:alert(1)', 'words'],
  ['//a.example', 'words'],
  ['https://', 'words'],
  [null, 'words'],
])('SEC-1: a link to %j is %s', (address, expected) => {
  expect(link('words', address)).toBe(expected);
});

it('SEC-1: a folded part, a command, a code block', () => {
  expect(folded('<b> & @a', '```\n</details>')).toBe(
    '<details>\n<summary>&lt;b&gt; &amp; @&#8203;a</summary>\n\n````\n```\n</details>\n````\n\n</details>',
  );
  expect(command('a\n```\nb')).toBe('````sh\na ``` b\n````');
  expect(fenced('a\n')).toBe('\n\n```\na\n```\n\n');
});

it.each([
  [['a', 'b', 'c'], { lines: 2, chars: 100, lineChars: 10 }, 'b\nc'],
  [['a', 'b'], { lines: 30, chars: 100, lineChars: 10 }, 'a\nb'],
  [['x'.repeat(20)], { lines: 1, chars: 100, lineChars: 5 }, 'xxxx…'],
  [
    ['aaaa', 'bbbb', 'cccc'],
    { lines: 3, chars: 10, lineChars: 5 },
    '(1 earlier lines left out: too long)\nbbbb\ncccc',
  ],
  [['a\nb\u0000\u200b '], { lines: 1, chars: 9, lineChars: 9 }, 'a b'],
  [[], { lines: 1, chars: 9, lineChars: 9 }, ''],
])('the last lines of %j within %j', (lines, limits, expected) => {
  expect(lastLines(lines, limits)).toBe(expected);
});

it('a time for people', () => {
  expect(utcTime(Date.UTC(2026, 10, 21, 3, 12, 9))).toBe('2026-11-21 03:12:09 UTC');
});

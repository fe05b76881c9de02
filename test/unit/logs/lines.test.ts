// Lines of a log: numbers, text and memory, whatever the bytes are (CI-2).
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanText, MAX_LINE_CHARS } from '../../../src/logs/clean-text.ts';
import { type LogLine, readLines } from '../../../src/logs/lines.ts';

async function* chunks(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % Math.max(1, sizes.length)] ?? bytes.length);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function linesOf(bytes: Uint8Array, sizes: readonly number[] = [bytes.length]): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const batch of readLines(chunks(bytes, sizes))) lines.push(...batch);
  return lines;
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const word = fc.stringMatching(/^[a-z äß€😀]{0,12}$/u);

describe('lines of a log', () => {
  test('CI-2: numbers count line ends of all three kinds, whatever the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(word, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        async (parts, sizes) => {
          const text = parts.map(([line, end]) => line + end).join('');
          const expected = text.split(/\r\n|\n|\r/);
          if (expected.at(-1) === '') expected.pop();
          const lines = await linesOf(utf8(text), sizes);
          expect(lines).toEqual(expected.map((line, index) => ({ n: index + 1, text: line.trimEnd() })));
        },
      ),
    );
  });

  test('any bytes in any chunks give the same lines, and none is too long', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 400 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 }),
        async (bytes, sizes) => {
          const whole = await linesOf(bytes);
          expect(await linesOf(bytes, sizes)).toEqual(whole);
          expect(whole.every(({ text }) => text.isWellFormed())).toBe(true);
        },
      ),
    );
  });

  test('a line longer than memory should hold is cut and counts once', async () => {
    const long = 'ä'.repeat(3_000_000);
    const lines = await linesOf(utf8(`first\n${long}\r\nlast`), [65_536]);
    expect(lines.map(({ n }) => n)).toEqual([1, 2, 3]);
    expect(lines[1]?.text).toBe('ä'.repeat(MAX_LINE_CHARS));
    expect(lines[2]?.text).toBe('last');
  });

  test.each([
    ['GitHub', '2024-02-01T10:11:12.1234567Z ##[error]no', '##[error]no'],
    ['GitHub, first line', '\uFEFF2024-02-01T10:11:12.1234567Z Image: x', 'Image: x'],
    ['gh run view --log', 'build\tRun tests\t\uFEFF2024-02-01T10:11:12.1234567Z   at x', '  at x'],
    ['GitLab', '2024-02-01T10:11:12.123456Z 01E error: x', 'error: x'],
    ['GitLab, continued', '2024-02-01T10:11:12.123456Z 01O+error: x', 'error: x'],
    ['Jenkins', '[2024-02-01T10:11:12.123Z] + make', '+ make'],
    ['AppVeyor', '[00:01:02] Build started', 'Build started'],
    ['colours', '\u001b[31;1mThe command "x" exited with 1.\u001b[0m', 'The command "x" exited with 1.'],
    ['a fold', 'travis_fold:start:a\u001b[0K', 'travis_fold:start:a'],
    ['a link', '\u001b]8;;https://example.org\u0007here\u001b]8;;\u0007', 'here'],
    ['control characters', 'a\u0000b\u0008c', 'abc'],
    ['a table', 'a\tb\tc', 'a\tb\tc'],
    ['a date that belongs to the text', '2024-02-01 is a Thursday', '2024-02-01 is a Thursday'],
  ])('takes out what %s puts around', (_, raw, text) => {
    expect(cleanText(raw)).toBe(text);
  });
});

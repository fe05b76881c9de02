// Bytes of a CI log as numbered lines of clean text, in batches, with bounded memory whatever comes (CI-2).
// Numbers are those of the input, split at \n, \r\n and \r. Text is data: what a line means is decided elsewhere.
import { cleanText, MAX_LINE_CHARS } from './clean-text.ts';

export { type LogFile, openLog } from './log-files.ts';

/** One line of the input. `n` counts from 1; `text` is clean (see `cleanText`) and at most `MAX_LINE_CHARS` long. */
export type LogLine = { readonly n: number; readonly text: string };

const LF = 10;
const CR = 13;
/** Bytes that are decoded at once: large chunks are taken in parts, so that few strings live at a time. */
const PART_BYTES = 64 * 1024;
/** Bytes kept of a line that has not ended: more than enough for `MAX_LINE_CHARS`, in any encoding. */
const MAX_CARRY_BYTES = MAX_LINE_CHARS * 4;

/**
 * Reads lines in batches, about one per 128 KiB; no batch is empty. Invalid UTF-8 becomes U+FFFD. What follows the last
 * line end is a line if it is not empty. @throws only what the input throws
 */
export async function* readLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<readonly LogLine[]> {
  let n = 0;
  let carry = Buffer.alloc(0);
  let afterCr = false; // a \n that comes next belongs to the line end that was seen
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(afterCr && bytes[at] === LF ? at + 1 : at, at + PART_BYTES);
      at += PART_BYTES;
      const end = Math.max(part.lastIndexOf(LF), part.lastIndexOf(CR)) + 1;
      if (part.length > 0) afterCr = part[part.length - 1] === CR;
      else afterCr = false;
      if (end === 0) {
        carry = join(carry, part);
        continue;
      }
      const ended = part.subarray(0, end);
      const batch = numbered(
        (carry.length === 0 ? ended : Buffer.concat([carry, ended])).toString('utf8'),
        n,
      );
      carry = join(Buffer.alloc(0), part.subarray(end));
      n += batch.length;
      yield batch;
    }
  }
  if (carry.length > 0) yield numbered(`${carry.toString('utf8')}\n`, n);
}

/** A copy: a part of a chunk would keep the whole chunk. */
function join(carry: Buffer<ArrayBuffer>, part: Buffer): Buffer<ArrayBuffer> {
  const room = MAX_CARRY_BYTES - carry.length;
  return room <= 0 ? carry : Buffer.concat([carry, part.subarray(0, room)]);
}

/** @param text lines that all have their end */
function numbered(text: string, before: number): LogLine[] {
  const raw = text.includes('\r') ? text.split(/\r\n|\n|\r/) : text.split('\n');
  raw.pop();
  return raw.map((line, index) => ({ n: before + index + 1, text: cleanText(line) }));
}

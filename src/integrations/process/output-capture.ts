// Keeps the beginning and the end of a stream of bytes in bounded memory and counts the rest.
// It must not grow with the stream (200 MB, or a byte at a time: DUR-4) and must not fail on any byte.

/** What is kept of a stream. `totalBytes` counts everything that came, kept or not. */
export interface OutputCapture {
  push(chunk: Uint8Array): void;
  readonly totalBytes: number;
  readonly truncated: boolean;
  /** Invalid UTF-8 becomes U+FFFD; NUL bytes are kept. The gap, if there is one, is named on a line of its own. */
  text(): string;
}

/** Captures at most `maxBytes`: the first half of it and the last half of it. */
export function captureOutput(maxBytes: number): OutputCapture {
  const headLimit = Math.ceil(maxBytes / 2);
  const tailLimit = maxBytes - headLimit;
  let head = Buffer.alloc(0);
  let headLength = 0;
  let tail = Buffer.alloc(0);
  let tailEnd = 0; // next position to write in the ring
  let tailLength = 0;
  let totalBytes = 0;

  function pushHead(chunk: Uint8Array): void {
    const needed = headLength + chunk.length;
    if (needed > head.length) {
      const grown = Buffer.alloc(Math.min(headLimit, Math.max(needed, head.length * 2, 4096)));
      head.copy(grown, 0, 0, headLength);
      head = grown;
    }
    head.set(chunk, headLength);
    headLength = needed;
  }

  function pushTail(chunk: Uint8Array): void {
    if (tailLimit === 0 || chunk.length === 0) return;
    if (tail.length === 0) tail = Buffer.alloc(tailLimit);
    const kept = chunk.length > tailLimit ? chunk.subarray(chunk.length - tailLimit) : chunk;
    const first = Math.min(kept.length, tailLimit - tailEnd);
    tail.set(kept.subarray(0, first), tailEnd);
    tail.set(kept.subarray(first), 0);
    tailEnd = (tailEnd + kept.length) % tailLimit;
    tailLength = Math.min(tailLimit, tailLength + kept.length);
  }

  function keptTail(): Buffer {
    if (tailLength < tailLimit) return tail.subarray(0, tailLength);
    return Buffer.concat([tail.subarray(tailEnd), tail.subarray(0, tailEnd)]);
  }

  return {
    push(chunk) {
      totalBytes += chunk.length;
      const forHead = chunk.subarray(0, headLimit - headLength);
      if (forHead.length > 0) pushHead(forHead);
      pushTail(chunk.subarray(forHead.length));
    },
    get totalBytes() {
      return totalBytes;
    },
    get truncated() {
      return totalBytes > headLength + tailLength;
    },
    text() {
      const leftOut = totalBytes - headLength - tailLength;
      if (leftOut === 0) return decode(Buffer.concat([head.subarray(0, headLength), keptTail()]));
      return `${decode(head.subarray(0, headLength))}\n[${leftOut} bytes left out]\n${decode(keptTail())}`;
    },
  };
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

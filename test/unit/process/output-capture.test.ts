// The capture against the plain meaning: whatever the pieces, what is kept depends on the bytes alone.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { captureOutput } from '../../../src/integrations/process/output-capture.ts';

test('head and tail are the same however the bytes are cut (DUR-4)', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z]{0,30}$/)),
      fc.integer({ min: 1, max: 60 }),
      (pieces, maxBytes) => {
        const whole = pieces.join('');
        const capture = captureOutput(maxBytes);
        for (const piece of pieces) capture.push(Buffer.from(piece));

        const head = Math.ceil(maxBytes / 2);
        const tail = maxBytes - head;
        const expected =
          whole.length <= maxBytes
            ? whole
            : `${whole.slice(0, head)}\n[${whole.length - maxBytes} bytes left out]\n${whole.slice(whole.length - tail)}`;
        expect(capture.text()).toBe(expected);
        expect(capture.truncated).toBe(whole.length > maxBytes);
        expect(capture.totalBytes).toBe(whole.length);
      },
    ),
  );
});

test('any bytes become text', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const capture = captureOutput(1_000);
      capture.push(bytes);
      expect(capture.text()).toBe(Buffer.from(bytes).toString('utf8'));
    }),
  );
});

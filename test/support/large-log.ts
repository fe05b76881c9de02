// A log of about 200 MB of what logs are full of, with one failure in its middle (CI-2). Written to a file, never held in memory.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

export const largeLogFailure = 'src/cart.c:41:12: error: no member';
const bytes = 200_000_000;

export async function writeLargeLog(path: string): Promise<void> {
  const file = createWriteStream(path);
  for (let written = 0, from = 0, told = false; written < bytes; from += 10_000) {
    let text = ordinaryLines(from);
    if (!told && written > bytes / 2) {
      text += `${largeLogFailure}\n`;
      told = true;
    }
    written += text.length;
    if (!file.write(text)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}

function ordinaryLines(from: number): string {
  return Array.from({ length: 10_000 }, (_, index) =>
    index % 50 === 0
      ? `\u001b[33m[WARN]\u001b[0m retrying request ${from + index} after error ECONNRESET\r\n`
      : `2024-02-01T10:00:00.${1_000_000 + index}Z [INFO] step ${from + index} of module core-${index % 97} took ${index % 1000} ms\n`,
  ).join('');
}

// The body of an answer, decoded and cut at 1 MB: what a server sends may be endless, or a small file that unpacks into a huge one.
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createInflate, createUnzip } from 'node:zlib';

const maxBytes = 1024 * 1024;

/** @throws Error of the connection or of the coding; the stream is destroyed when enough was read */
export async function readBody(
  incoming: IncomingMessage,
): Promise<{ readonly body: Buffer; readonly truncated: boolean }> {
  const decoded = decoder(incoming);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of decoded) {
      const piece = chunk as Buffer;
      chunks.push(piece.subarray(0, maxBytes - bytes));
      bytes += piece.length;
      if (bytes > maxBytes) break;
    }
  } finally {
    decoded.destroy();
    incoming.destroy();
  }
  return { body: Buffer.concat(chunks), truncated: bytes > maxBytes };
}

function decoder(incoming: IncomingMessage): Readable {
  const coding = (incoming.headers['content-encoding'] ?? '').trim().toLowerCase();
  const made =
    coding === 'gzip' || coding === 'x-gzip'
      ? createUnzip()
      : coding === 'deflate'
        ? createInflate()
        : coding === 'br'
          ? createBrotliDecompress()
          : undefined;
  if (made === undefined) return incoming;
  // `pipe` hands on no errors: a connection that breaks must not look like one that waits.
  incoming.on('error', (error) => made.destroy(error));
  return incoming.pipe(made);
}

/** As text in its own character set, UTF-8 where it says none or an unknown one. What is no text becomes `\uFFFD`. */
export function textOf(body: Buffer, contentType: string | undefined): string {
  const charset = /;\s*charset="?([A-Za-z0-9_.:-]{1,40})/i.exec(contentType ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return new TextDecoder().decode(body);
  }
}

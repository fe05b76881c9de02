// Fetches one program from Temporal's download site, the way the SDK does: look the archive up, stream it, take one
// file out of it. It says why it could not instead of throwing, since other ways follow.

import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { Progress } from './machine/binary-cache.ts';
import { runTool } from './machine/tool.ts';

const LOOKUP_TIMEOUT_MS = 5_000;
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;

const DownloadInfo = z.object({ archiveUrl: z.url(), fileToExtract: z.string() });

/** Leaves the program at `out` (`work` is a scratch folder), or returns why not. Offline: within 5 s. */
export async function downloadFromTemporal(request: {
  artifact: 'cli' | 'temporal-test-server';
  version: string;
  work: string;
  out: string;
  progress: Progress;
}): Promise<string | undefined> {
  const { artifact, version, work, out, progress } = request;
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const lookup = new URL(`https://temporal.download/${artifact}/v${version}`);
  lookup.search = new URLSearchParams({ arch, platform: process.platform, format: 'tar.gz' }).toString();
  try {
    const answer = await fetch(lookup, { signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS) });
    if (!answer.ok) return `download from ${lookup.host}: HTTP ${answer.status}`;
    const { archiveUrl, fileToExtract } = DownloadInfo.parse(await answer.json());
    progress(`downloading ${archiveUrl}`);
    const file = await fetch(archiveUrl, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) });
    if (!file.ok || file.body === null) return `download of ${archiveUrl}: HTTP ${file.status}`;
    const archive = join(work, 'archive.tar.gz');
    await pipeline(Readable.fromWeb(file.body), createWriteStream(archive));
    const unpacked = await runTool(['tar', '-xzf', archive, '-C', work, fileToExtract], {
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
    });
    if (!unpacked.ok) return `unpacking ${archiveUrl}: ${unpacked.output}`;
    await rename(join(work, fileToExtract), out);
    return undefined;
  } catch (error) {
    return `download from ${lookup.host}: ${reasonOf(error)}`;
  }
}

/** `fetch failed` alone explains nothing: its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

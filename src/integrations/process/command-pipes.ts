// Real pipes for a command's input and output. Node gives children sockets instead, which bites shell scripts:
// `echo x > /dev/stderr` fails on a socket, and bash reads ~/.bashrc when its input is one. It leaves no file behind.
import { execFile, type StdioOptions } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

export interface CommandPipes {
  /** File descriptors for the child's stdin, stdout, stderr. */
  readonly childEnds: StdioOptions;
  /** Closes this process's copies of the child's ends; call it once the child runs (twice does no harm), else no stream ever ends. */
  releaseChildEnds(): void;
  readonly stdin: Socket | undefined;
  readonly stdout: Socket;
  readonly stderr: Socket;
}

interface PipeEnds {
  readonly child: number;
  readonly own: Socket;
}

/** Opens the pipes. @throws Error when the machine has no `mkfifo` or no writable temporary folder. */
export async function openCommandPipes(withStdin: boolean): Promise<CommandPipes> {
  const folder = await mkdtemp(join(tmpdir(), 'untilgreen-pipes-'));
  try {
    const path = {
      stdin: join(folder, 'stdin'),
      stdout: join(folder, 'stdout'),
      stderr: join(folder, 'stderr'),
    };
    await promisify(execFile)('mkfifo', ['-m', '600', path.stdin, path.stdout, path.stderr]);
    const stdin = withStdin ? inputPipe(path.stdin) : undefined;
    const stdout = outputPipe(path.stdout);
    const stderr = outputPipe(path.stderr);
    const open = [stdin, stdout, stderr].flatMap((ends) => (ends === undefined ? [] : [ends.child]));
    return {
      childEnds: [stdin?.child ?? 'ignore', stdout.child, stderr.child],
      releaseChildEnds() {
        for (const fd of open.splice(0)) closeSync(fd);
      },
      stdin: stdin?.own,
      stdout: stdout.own,
      stderr: stderr.own,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The child's end blocks, as programs expect; ours does not. Each is opened in the order in which no open waits. */
function outputPipe(path: string): PipeEnds {
  const own = new Socket({ fd: openSync(path, O_RDONLY | O_NONBLOCK), readable: true, writable: false });
  return { own, child: openSync(path, O_WRONLY) };
}

function inputPipe(path: string): PipeEnds {
  const opener = openSync(path, O_RDWR | O_NONBLOCK);
  const child = openSync(path, O_RDONLY);
  const own = new Socket({ fd: openSync(path, O_WRONLY | O_NONBLOCK), readable: false, writable: true });
  closeSync(opener);
  return { own, child };
}

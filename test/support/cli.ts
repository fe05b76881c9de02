// Runs the command line, as a process of its own or (much cheaper) the same program in this process. Either way it sees only the environment that
// the test gives it, and no `untilgreen up` but one on its own empty home.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../../src/cli/program.ts';
import { workerCommand } from '../../src/cli/set-up/worker.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
  /** The one document on stdout. @throws when it is none */
  json(): unknown;
}

export interface Cli {
  /** In this process. */
  run(...args: readonly string[]): Promise<CliResult>;
  /** As a process. */
  spawn(...args: readonly string[]): Promise<CliResult>;
  /** Removes its home. */
  remove(): Promise<void>;
}

export async function createCli(given: Readonly<Record<string, string>>): Promise<Cli> {
  const home = await mkdtemp(join(tmpdir(), 'untilgreen-cli-'));
  const env = { PATH: process.env.PATH, HOME: home, XDG_DATA_HOME: home, NO_COLOR: '1', ...given };
  return {
    run: async (...args) => {
      const result = collector();
      const stopped = new AbortController();
      const code = await runProgram(args, [workerCommand], {
        env,
        stdout: result.stdout,
        stderr: result.stderr,
        stopped: () => stopped.signal,
      });
      return result.end(code);
    },
    spawn: (...args) =>
      new Promise((resolve, reject) => {
        const result = collector();
        const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
        child.stdout.setEncoding('utf8').on('data', result.stdout);
        child.stderr.setEncoding('utf8').on('data', result.stderr);
        child.on('error', reject);
        child.on('close', (code) => resolve(result.end(code)));
      }),
    remove: () => rm(home, { recursive: true, force: true }),
  };
}

function collector() {
  let stdout = '';
  let stderr = '';
  return {
    stdout: (text: string): void => {
      stdout += text;
    },
    stderr: (text: string): void => {
      stderr += text;
    },
    end: (code: number | null): CliResult => ({ code, stdout, stderr, json: () => JSON.parse(stdout) }),
  };
}

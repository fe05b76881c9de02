// Short-lived tools of the embedded parts (tar, go, initdb, dbmate): bounded in time, with one text of output for
// the error. Servers are in child-process.ts.

import { tmpdir } from 'node:os';
import { runCommand } from '../../integrations/process/run-command.ts';

const MAX_OUTPUT_BYTES = 16 * 1024;

export interface ToolResult {
  ok: boolean;
  /** Stdout and stderr in the order they came (the middle left out beyond 16 KB), or why there is none. */
  output: string;
}

/** Runs `argv` with our environment, or with `env`. Never throws for what the tool does. */
export async function runTool(
  argv: readonly string[],
  options: { timeoutMs: number; cwd?: string; env?: NodeJS.ProcessEnv; onActivity?: () => void },
): Promise<ToolResult> {
  const { timeoutMs, cwd = tmpdir(), env = process.env, onActivity } = options;
  const result = await runCommand({
    argv,
    cwd,
    env: Object.fromEntries(
      Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    timeoutMs,
    maxOutputBytes: MAX_OUTPUT_BYTES,
    ...(onActivity && { onActivity }),
  });
  const reason = {
    notFound: `${argv[0]} cannot be run`,
    timedOut: `${argv[0]} did not end within ${Math.round(timeoutMs / 1000)} s`,
    aborted: `${argv[0]} was ended`,
    exited: result.signal === null ? '' : `${argv[0]} was ended by ${result.signal}`,
  }[result.end];
  const output = [result.combined.trimEnd(), reason].filter((text) => text !== '').join('\n');
  return { ok: result.end === 'exited' && result.exitCode === 0, output };
}

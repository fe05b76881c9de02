// Runs the shell line that prints the time of the latest backup (MIG-2, DEPLOY-4).
import { cleanEnvironment, runCommand } from './run-command.ts';

const timeoutMs = 60_000;

/** The last line that it printed, or why it printed none that counts, without its output. @throws the signal's reason */
export async function latestBackup(
  command: string,
  signal: AbortSignal,
): Promise<{ readonly printed: string } | { readonly problem: string }> {
  const result = await runCommand({
    argv: ['bash', '-c', command],
    cwd: '/',
    env: cleanEnvironment(),
    timeoutMs,
    maxOutputBytes: 64_000,
    signal,
  });
  signal.throwIfAborted();
  if (result.end !== 'exited') return { problem: result.end };
  if (result.exitCode !== 0) return { problem: `exited with ${result.exitCode}` };
  return { printed: result.stdout.trim().split('\n').at(-1) ?? '' };
}

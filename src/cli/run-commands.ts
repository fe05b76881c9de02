// Commands as one commander program: help, version, wrong usage, exit codes. Output goes through the frame; this file decides nothing.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { type ExitCode, exitCodeHelp, exitCodes } from './exit-codes.ts';
import { createFrame, type Frame, type FrameParts } from './frame.ts';

export type Register = (program: Command, frame: Frame) => void;

export type CommandGroup = { readonly title: string; readonly commands: readonly Register[] };

/** Runs one command line. @throws only for bugs of ours */
export async function runCommands(
  args: readonly string[],
  groups: readonly CommandGroup[],
  parts: FrameParts,
): Promise<ExitCode> {
  const frame = createFrame(parts);
  const program = createProgram(frame, groups, parts);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return frame.exitCode();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help that was asked for is data; help instead of a command, and every wrong word, is wrong usage.
    if (error.exitCode === 0) return exitCodes.done;
    const message = error.message.replace(/^error: /, '');
    if (args.includes('--json'))
      frame.writeJson({ error: { type: 'UsageError', message, exitCode: exitCodes.usage } });
    return exitCodes.usage;
  }
}

function createProgram(frame: Frame, groups: readonly CommandGroup[], parts: FrameParts): Command {
  const program = new Command('untilgreen')
    .description(
      'An ops agent that loops gather, act, verify until your CI, environments, migrations and production are green.',
    )
    .version(version(), '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: parts.stdout, writeErr: parts.stderr })
    .showHelpAfterError('("untilgreen --help" lists all commands)')
    .addHelpText('after', exitCodeHelp);
  for (const { title, commands } of groups) {
    program.commandsGroup(title);
    for (const register of commands) register(program, frame);
  }
  for (const command of program.commands) command.addHelpText('after', exitCodeHelp);
  return program;
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

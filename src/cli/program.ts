// All commands as one commander program. Output and exit code go through the frame; this file registers and decides nothing.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { type ExitCode, exitCodeHelp, exitCodes } from './exit-codes.ts';
import { createFrame, type Frame, type FrameParts } from './frame.ts';
import { approvalsCommand } from './look/approvals.ts';
import { ciCommand } from './look/ci.ts';
import { findingsCommand } from './look/findings.ts';
import { historyCommand } from './look/history.ts';
import { showCommand } from './look/show.ts';
import { statusCommand } from './look/status.ts';
import { watchCommand } from './look/watch.ts';
import { whyCommand } from './look/why.ts';
import { completionCommand } from './set-up/completion.ts';
import { doctorCommand } from './set-up/doctor.ts';
import { migrateCommand } from './set-up/migrate.ts';
import { schemaCommand } from './set-up/schema.ts';
import { tenantCommand } from './set-up/tenant.ts';
import { approveCommand } from './steer/approve.ts';
import { cycleCommand } from './steer/cycle.ts';
import { drainCommand } from './steer/drain.ts';
import { driftCommand } from './steer/drift.ts';
import { pauseCommand } from './steer/pause.ts';
import { rejectCommand } from './steer/reject.ts';
import { remediateCommand } from './steer/remediate.ts';
import { resumeCommand } from './steer/resume.ts';
import { startCommand } from './steer/start.ts';

type Register = (program: Command, frame: Frame) => void;

const groups: readonly { readonly title: string; readonly commands: readonly Register[] }[] = [
  {
    title: 'Look:',
    commands: [
      statusCommand,
      watchCommand,
      findingsCommand,
      whyCommand,
      historyCommand,
      showCommand,
      approvalsCommand,
      ciCommand,
    ],
  },
  {
    title: 'Steer:',
    commands: [
      pauseCommand,
      resumeCommand,
      cycleCommand,
      remediateCommand,
      driftCommand,
      approveCommand,
      rejectCommand,
      drainCommand,
      startCommand,
    ],
  },
  {
    title: 'Set up:',
    commands: [tenantCommand, schemaCommand, migrateCommand, doctorCommand, completionCommand],
  },
];

/**
 * Runs one command line. @param servers commands that run servers
 * @throws only for bugs of ours
 */
export async function runProgram(
  args: readonly string[],
  servers: readonly Register[],
  parts: FrameParts,
): Promise<ExitCode> {
  const frame = createFrame(parts);
  const program = createProgram(frame, servers, parts);
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

function createProgram(frame: Frame, servers: readonly Register[], parts: FrameParts): Command {
  const program = new Command('untilgreen')
    .description('An ops agent that loops gather, act, verify until your CI, drift and migrations are green.')
    .version(version(), '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: parts.stdout, writeErr: parts.stderr })
    .showHelpAfterError('("untilgreen --help" lists all commands)')
    .addHelpText('after', exitCodeHelp);
  for (const { title, commands } of groups) {
    program.commandsGroup(title);
    for (const register of title === 'Set up:' ? [...servers, ...commands] : commands)
      register(program, frame);
  }
  for (const command of program.commands) command.addHelpText('after', exitCodeHelp);
  return program;
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

// All commands, in the groups of --help; this file registers and decides nothing.
import type { ExitCode } from './exit-codes.ts';
import type { FrameParts } from './frame.ts';
import { approvalsCommand } from './look/approvals.ts';
import { ciCommand } from './look/ci.ts';
import { costCommand } from './look/cost.ts';
import { findingsCommand } from './look/findings.ts';
import { historyCommand } from './look/history.ts';
import { showCommand } from './look/show.ts';
import { statusCommand } from './look/status.ts';
import { watchCommand } from './look/watch.ts';
import { whyCommand } from './look/why.ts';
import { ackCommand } from './ops/ack.ts';
import { dbCommand } from './ops/db.ts';
import { diagnoseCommand } from './ops/diagnose.ts';
import { incidentResponseCommand } from './ops/incident-response.ts';
import { manageVariablesCommand } from './ops/manage-variables.ts';
import { provisionCommand } from './ops/provision.ts';
import { restartServiceCommand, servicesCommand } from './ops/services.ts';
import { viewLogsCommand } from './ops/view-logs.ts';
import { type CommandGroup, type Register, runCommands } from './run-commands.ts';
import { completionCommand } from './set-up/completion.ts';
import { doctorCommand } from './set-up/doctor.ts';
import { migrateCommand } from './set-up/migrate.ts';
import { schemaCommand } from './set-up/schema.ts';
import { tenantCommand } from './set-up/tenant.ts';
import { approveCommand } from './steer/approve.ts';
import { cycleCommand } from './steer/cycle.ts';
import { drainCommand } from './steer/drain.ts';
import { driftCommand } from './steer/drift.ts';
import { untilGreenCommand } from './steer/focus.ts';
import { pauseCommand } from './steer/pause.ts';
import { rejectCommand } from './steer/reject.ts';
import { remediateCommand } from './steer/remediate.ts';
import { resumeCommand } from './steer/resume.ts';
import { startCommand } from './steer/start.ts';
import { textGroup } from './text-commands.ts';

const groups: readonly CommandGroup[] = [
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
      costCommand,
    ],
  },
  {
    title: 'Steer:',
    commands: [
      pauseCommand,
      resumeCommand,
      cycleCommand,
      remediateCommand,
      untilGreenCommand,
      driftCommand,
      approveCommand,
      rejectCommand,
      drainCommand,
      startCommand,
    ],
  },
  {
    title: 'Production:',
    commands: [
      incidentResponseCommand,
      diagnoseCommand,
      ackCommand,
      servicesCommand,
      viewLogsCommand,
      restartServiceCommand,
      manageVariablesCommand,
      provisionCommand,
      dbCommand,
    ],
  },
  textGroup,
  {
    title: 'Set up:',
    commands: [tenantCommand, schemaCommand, migrateCommand, doctorCommand, completionCommand],
  },
];

/**
 * Runs one command line. @param servers commands that run servers
 * @throws only for bugs of ours
 */
export function runProgram(
  args: readonly string[],
  servers: readonly Register[],
  parts: FrameParts,
): Promise<ExitCode> {
  const all = groups.map(({ title, commands }) => ({
    title,
    commands: title === 'Set up:' ? [...servers, ...commands] : commands,
  }));
  return runCommands(args, all, parts);
}

// What a plan says, from what a command printed and how it exited: clean, drifted, or failed with a reason (DRIFT-1, DUR-4).
// Pure. Values of the plan do not get through: only a hash, addresses with actions, and counts.
import { z } from 'zod';
import type { CommandResult } from '../process/run-command.ts';
import { normalisedChangesHash, normalisedPlanHash, withoutEscapes } from './plan-hash.ts';

export const driftFailureTypes = {
  commandMissing: 'Drift.CommandMissing',
  directoryMissing: 'Drift.DirectoryMissing',
  timedOut: 'Drift.TimedOut',
  aborted: 'Drift.Aborted',
  killed: 'Drift.Killed',
  commandFailed: 'Drift.CommandFailed',
  stateLocked: 'Drift.StateLocked',
  outputTooLarge: 'Drift.OutputTooLarge',
  outputUnreadable: 'Drift.OutputUnreadable',
  cannotApply: 'Drift.CannotApply',
} as const;

export type DriftFailureType = (typeof driftFailureTypes)[keyof typeof driftFailureTypes];

export interface DriftChange {
  readonly address: string;
  readonly action: string;
}

export interface DriftPlan {
  readonly state: 'clean' | 'drifted' | 'failed';
  /** SHA-256 (hex); empty unless drifted. */
  readonly planHash: string;
  /** One line for people, without values. */
  readonly summary: string;
  /** Changes that take something away, as far as the plan says it. A destroy always needs an approval (DRIFT-3). */
  readonly destroys: number;
  /** At most the first 200, ordered by address; empty when the plan is plain text. */
  readonly changes: readonly DriftChange[];
  /** Why it failed, and how to help; empty otherwise. */
  readonly reason: string;
  readonly failure?: DriftFailureType;
}

export interface PlanContext {
  readonly exitCodes: { readonly clean: number; readonly drifted: number };
  /** Paths that differ from run to run. */
  readonly paths: readonly string[];
  readonly redact: (text: string) => string;
  /** Bytes that were read at most. */
  readonly maxOutputBytes: number;
}

const MAX_CHANGES = 200;
const MAX_ADDRESS = 200;

const PrintedPlan = z.object({
  drifted: z.boolean().optional(),
  changes: z.array(z.looseObject({ address: z.string(), action: z.string() })).optional(),
  hash: z.string().optional(),
});

const Change = z.object({
  actions: z.array(z.string()),
  after: z.unknown().optional(),
  after_unknown: z.unknown().optional(),
  importing: z.unknown().optional(),
});
const TerraformPlan = z.object({
  resource_changes: z
    .array(z.object({ address: z.string(), previous_address: z.string().optional(), change: Change }))
    .default([]),
  output_changes: z.record(z.string(), Change).default({}),
});

/** Reads a plan from a command that prints it: as JSON (`drifted`, `changes`, `hash`) or as text. */
export function readPrintedPlan(result: CommandResult, context: PlanContext): DriftPlan {
  const failed =
    commandFailure(result, 'plan', context, [context.exitCodes.clean, context.exitCodes.drifted]) ??
    outputFailure(result, 'plan', context);
  if (failed !== undefined) return failed;
  const byExit = result.exitCode === context.exitCodes.drifted;
  const json = printedJson(result.stdout);
  if (json === undefined) return byExit ? driftedText(result, context) : clean();

  const parsed = PrintedPlan.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.join('.') ?? '';
    return failure(
      'outputUnreadable',
      `plan: the JSON it prints is not as expected at "${where}": ${issue?.message ?? ''}; give { drifted, changes: [{ address, action }], hash? }`,
    );
  }
  const { drifted, changes = [], hash } = parsed.data;
  if (byExit && drifted === false)
    return failure(
      'outputUnreadable',
      `plan: exit code ${result.exitCode} says drifted and its JSON says "drifted": false; make them agree`,
    );
  if (!byExit && drifted !== true) return clean();
  const planHash = normalisedChangesHash([...changes, { hash }], context.paths);
  return driftedChanges(changes, planHash, context);
}

/** Reads the plan of OpenTofu or Terraform from `show -json`, after its `plan` exited with "drifted". */
export function readTerraformPlan(show: CommandResult, context: PlanContext): DriftPlan {
  const failed = commandFailure(show, 'show', context, [0]) ?? outputFailure(show, 'show', context);
  if (failed !== undefined) return failed;
  const parsed = TerraformPlan.safeParse(jsonOf(show.stdout));
  if (!parsed.success)
    return failure(
      'outputUnreadable',
      'show -json: the plan is not as expected; is the program OpenTofu or Terraform 1.x?',
    );
  const resources = parsed.data.resource_changes.map((one) => ({ ...one, action: actionOf(one) }));
  const outputs = Object.entries(parsed.data.output_changes).map(([name, change]) => ({
    address: `output.${name}`,
    change,
    action: actionOf({ address: '', change }),
  }));
  const changes = [
    ...resources.filter(({ action }) => !['no-op', 'read'].includes(action)),
    // An output that goes takes nothing away from the environment.
    ...outputs
      .filter(({ action }) => action !== 'no-op')
      .map((one) => ({ ...one, action: `output ${one.action}` })),
  ];
  const identities = changes.map(({ address, action, change }) => ({
    address,
    action,
    after: change.after,
    unknown: change.after_unknown,
  }));
  return driftedChanges(changes, normalisedChangesHash(identities, context.paths), context);
}

/** Why a command gave no usable answer, or undefined when it exited with one of the codes that are answers. */
export function commandFailure(
  result: CommandResult,
  what: string,
  context: PlanContext,
  answers: readonly number[],
): DriftPlan | undefined {
  if (result.end === 'notFound')
    return failure(
      'commandMissing',
      `${what}: the program was not found; install it, or correct PATH or the command`,
    );
  if (result.end === 'timedOut')
    return failure(
      'timedOut',
      `${what}: no end within ${result.durationMs} ms, stopped; raise "timeout" or make it faster`,
    );
  if (result.end === 'aborted') return failure('aborted', `${what}: cancelled`);
  const said = lastWords(result.stderr, context);
  if (result.exitCode === null)
    return failure('killed', `${what}: ended by ${result.signal ?? 'a signal'}${said}`);
  if (!answers.includes(result.exitCode)) {
    if (/acquiring the state lock|state lock/i.test(result.stderr))
      return failure(
        'stateLocked',
        `${what}: the state is locked; see who holds it before removing the lock${said}`,
      );
    const missing = [126, 127].includes(result.exitCode);
    return failure(
      missing ? 'commandMissing' : 'commandFailed',
      `${what}: exit code ${result.exitCode}${missing ? ' (command not found)' : ''}, expected ${answers.join(' or ')}${said}`,
    );
  }
  return undefined;
}

/** Why the output of a command that answered cannot be read as a plan. */
function outputFailure(result: CommandResult, what: string, context: PlanContext): DriftPlan | undefined {
  if (result.totalBytes > context.maxOutputBytes)
    return failure(
      'outputTooLarge',
      `${what}: printed ${result.totalBytes} bytes, at most ${context.maxOutputBytes} are read; print less`,
    );
  if (result.stdout.includes('\ufffd'))
    return failure('outputUnreadable', `${what}: its output is not valid UTF-8; set its locale to C.UTF-8`);
  return undefined;
}

export function failure(type: keyof typeof driftFailureTypes, reason: string): DriftPlan {
  const none = { planHash: '', destroys: 0, changes: [] };
  return { ...none, state: 'failed', summary: 'plan failed', reason, failure: driftFailureTypes[type] };
}

export function clean(): DriftPlan {
  return { state: 'clean', planHash: '', summary: 'no drift', destroys: 0, changes: [], reason: '' };
}

function driftedChanges(all: readonly DriftChange[], planHash: string, context: PlanContext): DriftPlan {
  const changes = all
    .map(({ address, action }) => ({ address: label(address, context), action: label(action, context) }))
    .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  const destroys = changes.filter(({ action }) => takesAway(action)).length;
  const counts = Map.groupBy(changes, ({ action }) => action);
  const parts = [...counts].map(([action, { length }]) => `${length} ${action}`).sort();
  return {
    state: 'drifted',
    planHash,
    summary: parts.length === 0 ? 'drift without named changes' : `${parts.join(', ')}`.slice(0, 300),
    destroys,
    changes: changes.slice(0, MAX_CHANGES),
    reason: '',
  };
}

function driftedText(result: CommandResult, context: PlanContext): DriftPlan {
  const text = withoutEscapes(result.stdout);
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  return {
    state: 'drifted',
    planHash: normalisedPlanHash(result.stdout, context.paths),
    summary: `drift, described in ${lines.length} lines`,
    destroys: destroysInText(lines),
    changes: [],
    reason: '',
  };
}

/** Text is read on the safe side: a line that speaks of taking something away counts, unless it says how many. */
function destroysInText(lines: readonly string[]): number {
  const total = lines
    .map((line) => /\b(\d+) to (?:destroy|delete|remove)\b/i.exec(line)?.[1])
    .find((one) => one !== undefined);
  if (total !== undefined) return Number(total);
  return lines.filter((line) => /\b(destroy|delet|remov|replac|recreat|drop)/i.test(line)).length;
}

function takesAway(action: string): boolean {
  return !action.startsWith('output ') && /delet|destroy|remov|replac|recreat|drop/i.test(action);
}

function actionOf(one: {
  previous_address?: string | undefined;
  address: string;
  change: z.infer<typeof Change>;
}): string {
  const { actions, importing } = one.change;
  if (actions.includes('delete') && actions.includes('create')) return 'replace';
  const action = actions.join('+');
  if (action !== 'no-op') return action;
  if (importing !== undefined && importing !== null) return 'import';
  return one.previous_address !== undefined && one.previous_address !== one.address ? 'move' : action;
}

/** The whole output, or its last line, when that is a JSON object of ours. */
function printedJson(stdout: string): object | undefined {
  const whole = stdout.trim();
  for (const candidate of [whole, whole.slice(whole.lastIndexOf('\n') + 1)]) {
    const json = jsonOf(candidate);
    if (typeof json === 'object' && json !== null && ('drifted' in json || 'changes' in json)) return json;
  }
  return undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function label(text: string, context: PlanContext): string {
  return context.redact(printable(text)).slice(0, MAX_ADDRESS);
}

/** The end of what it said on stderr: never stdout, which is the plan. */
function lastWords(stderr: string, context: PlanContext): string {
  const lines = printable(context.redact(stderr))
    .split('\n')
    .map((line) => line.trim());
  const words = lines
    .filter((line) => line !== '')
    .slice(-12)
    .join(' | ');
  return words === '' ? '' : `: ${words.slice(-600)}`;
}

function printable(text: string): string {
  return withoutEscapes(text).replace(/[^\P{C}\n]/gu, '');
}

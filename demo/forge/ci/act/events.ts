// Reads what `act --json` prints, line by line, into what happened to the job. Pure.
import { z } from 'zod';
import type { Conclusion } from '../../operations.ts';

export type ActEvent =
  /** A step of the job began; `step` is its `id`, or its place in the file from 0. */
  | { readonly kind: 'started'; readonly step: string }
  | { readonly kind: 'output'; readonly text: string }
  /** A workflow command that a step printed, e.g. `group`. */
  | { readonly kind: 'command'; readonly name: string; readonly value: string }
  | { readonly kind: 'ended'; readonly step: string; readonly conclusion: Conclusion }
  /** Why a step failed, in act's words. */
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'job'; readonly conclusion: Conclusion }
  /** A line that is no JSON: act itself could not go on. */
  | { readonly kind: 'act'; readonly message: string };

const Result = z.enum(['success', 'failure', 'skipped', 'cancelled']);
const Line = z.object({
  level: z.string(),
  msg: z.string(),
  stage: z.string().optional(),
  stepID: z.array(z.string()).optional(),
  raw_output: z.boolean().optional(),
  command: z.string().optional(),
  arg: z.string().optional(),
  stepResult: Result.optional(),
  jobResult: Result.optional(),
});

/** What a line says; null for what the forge does not show (act's own set-up, the steps inside of an action, debugging). */
export function readActLine(line: string): ActEvent | null {
  if (line.trim() === '') return null;
  const parsed = Line.safeParse(parseJson(line));
  if (!parsed.success) return { kind: 'act', message: line };
  const {
    level,
    msg,
    stage,
    stepID,
    raw_output: isOutput,
    command,
    arg,
    stepResult,
    jobResult,
  } = parsed.data;
  if (jobResult !== undefined) return { kind: 'job', conclusion: jobResult };
  if (stage !== 'Main' || stepID === undefined)
    return level === 'error' ? { kind: 'error', message: msg } : null;
  if (isOutput === true) return { kind: 'output', text: msg.replace(/\r?\n$/, '') };
  if (command !== undefined) return { kind: 'command', name: command, value: arg ?? '' };
  const [step, inner] = stepID;
  if (step === undefined || inner !== undefined) return null;
  if (stepResult !== undefined) return { kind: 'ended', step, conclusion: stepResult };
  if (level === 'error') return { kind: 'error', message: msg };
  return msg.startsWith('⭐') ? { kind: 'started', step } : null;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

// Rules of the tenant file that need two fields at once. They run on half-valid data too (all problems at once), so they take unknown
// values and judge only what has the right form; the form itself is tenant-schema.ts.
import type * as z from 'zod';
import { refuse } from './schema-fields.ts';

type Context = z.core.$RefinementCtx;

/** `from` is before `to`. */
export function checkWorkingHours(value: unknown, context: Context): void {
  const { from, to } = record(value);
  if (!isClock(from) || !isClock(to) || from < to) return;
  refuse(
    context,
    ['to'],
    `must be after "from" (${from})`,
    'write a later time of the same day, at most "24:00"',
  );
}

/** The reserve for incidents is a part of the cap (LOOP-4). */
export function checkLimits(value: unknown, context: Context): void {
  const { mutatingPer5Min, reservedForIncidents } = record(value);
  if (typeof mutatingPer5Min !== 'number' || typeof reservedForIncidents !== 'number') return;
  if (reservedForIncidents <= mutatingPer5Min) return;
  const fix = `write a number from 0 to ${mutatingPer5Min}, or leave it out`;
  refuse(context, ['reservedForIncidents'], `is more than mutatingPer5Min (${mutatingPer5Min})`, fix);
}

/** Fixers have names of their own, and say what they are for. */
export function checkCi(value: unknown, context: Context): void {
  const { fixers } = record(value);
  unique(context, 'fixers', fixers, 'name');
  list(fixers).forEach((fixer, index) => {
    const { match } = record(fixer);
    if (typeof match !== 'object' || match === null || Object.keys(match).length > 0) return;
    const fix = 'give at least one of workflow, job, step, log; job: "*" is every job';
    refuse(context, ['fixers', index, 'match'], 'matches nothing', fix);
  });
}

/** DRIFT-1, DRIFT-2: what a preset does not bring must be there. */
export function checkDrift(value: unknown, context: Context): void {
  const drift = record(value);
  if (drift.preset === 'command' && drift.plan === undefined) {
    refuse(
      context,
      ['plan'],
      'is missing: preset "command" has no command of its own',
      'add plan: <shell line>',
    );
  }
  if (drift.autoMerge === true && drift.export === undefined) {
    refuse(
      context,
      ['autoMerge'],
      'needs "export": nothing would be merged',
      'add export, or write autoMerge: false',
    );
  }
  if (drift.policy === 'auto' && drift.preset === 'command' && drift.apply === undefined) {
    refuse(
      context,
      ['policy'],
      'is "auto" without a command to apply',
      'add apply: <shell line>, or write policy: approval',
    );
  }
  const codes = record(drift.exitCodes);
  if (typeof codes.clean === 'number' && codes.clean === codes.drifted) {
    const fix = 'give clean and drifted different exit codes, like 0 and 2';
    refuse(context, ['exitCodes', 'drifted'], 'is the same as "clean"', fix);
  }
}

/** Environments and databases have names of their own; no database is migrated twice. */
export function checkWorkspace(value: unknown, context: Context): void {
  const { drift, databases } = record(value);
  unique(context, 'drift', drift, 'environment');
  unique(context, 'databases', databases, 'name');
  unique(context, 'databases', databases, 'url');
}

/** Workspaces have names of their own. */
export function checkTenant(value: unknown, context: Context): void {
  unique(context, 'workspaces', record(value).workspaces, 'name');
}

/** @param field where the items are: a name, or a path of names */
export function unique(
  context: Context,
  field: string | readonly string[],
  items: unknown,
  key: string,
): void {
  const path = [field].flat();
  const seen = new Map<string, number>();
  list(items).forEach((item, index) => {
    const name = record(item)[key];
    if (typeof name !== 'string') return;
    const first = seen.get(name);
    if (first === undefined) seen.set(name, index);
    else
      refuse(
        context,
        [...path, index, key],
        `is used by ${path.join('.')}[${first}] already`,
        `give it a ${key} of its own`,
      );
  });
}

function isClock(value: unknown): value is string {
  return typeof value === 'string' && /^\d\d:\d\d$/.test(value);
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

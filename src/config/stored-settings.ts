// Settings that were stored by another version of the program (LOOP-9): what the file said is read again by the schema of this version, so
// that what did not exist then has its default. Pure. Never throws: one tenant's row must not keep others from being read.
import type * as z from 'zod';
import type { TenantConfig } from '../contract/tenant-config.ts';
import { formatTenantProblem, judgeTenantData } from './tenant-file.ts';
import { TenantFile } from './tenant-schema.ts';

export type SettingsRead = {
  readonly config: TenantConfig;
  /** Why this version cannot read the file that was applied, and the fix. `config` is then what it meant when it was applied. */
  readonly problem?: string;
};

/**
 * @param stored.config what the file meant when it was applied
 * @param stored.source what the file said, as data; null: not known
 */
export function readStoredSettings(
  tenant: string,
  stored: { readonly config: unknown; readonly source: unknown },
): SettingsRead {
  const { config, source } = stored;
  if (source === null || source === undefined) return withDefaults(tenant, config);
  const judged = judgeTenantData(source);
  if (judged.ok && judged.config.tenant === tenant) return { config: judged.config };
  const [first, ...more] = judged.ok ? [] : judged.problems;
  const reason =
    first === undefined
      ? 'it names another tenant'
      : `${formatTenantProblem(first, 'its file')}${more.length === 0 ? '' : ` (and ${more.length} more)`}`;
  return { ...withDefaults(tenant, config), problem: unreadable(tenant, reason) };
}

function unreadable(tenant: string, reason: string): string {
  return `this version of untilgreen cannot read the settings of tenant ${tenant}: ${reason}. They stay in force as they were applied; correct the file, then "untilgreen tenant apply -f FILE"`;
}

/** Settings without their file: what is missing in them gets its default. */
function withDefaults(tenant: string, config: unknown): SettingsRead {
  const presets = presetsFor(config) ?? bareDefaults(tenant, config);
  if (presets) return { config: laidOver(config, presets) as TenantConfig };
  const nothing = TenantFile.parse({ tenant, workspaces: [bareWorkspace], autonomy: { default: 'observe' } });
  const problem = `the stored settings of tenant ${tenant} are no settings of this version of untilgreen: nothing is watched. Fix: "untilgreen tenant apply -f FILE"`;
  return { config: { ...nothing, workspaces: [] }, problem };
}

/**
 * The defaults of settings that cannot be written as a file again (a list of checks holds what only its file said): those of a file with as many
 * workspaces and nothing else. What is in force stays so. Undefined: there is no workspace in it.
 */
function bareDefaults(tenant: string, config: unknown): unknown {
  const given = isRecord(config) && Array.isArray(config.workspaces) ? config.workspaces : [];
  if (given.length === 0 || !given.every(isWorkspace)) return undefined;
  const workspaces = given.map(({ name, github }) => ({ name, github: { repository: github.repository } }));
  return TenantFile.safeParse({ tenant, workspaces }).data;
}

function isWorkspace(
  one: unknown,
): one is { readonly name: string; readonly github: { readonly repository: string } } {
  return (
    isRecord(one) &&
    typeof one.name === 'string' &&
    isRecord(one.github) &&
    typeof one.github.repository === 'string'
  );
}

const bareWorkspace = { name: 'none', github: { repository: 'none/none' } };
const maxRounds = 8;

/**
 * The defaults beside some settings: what is written in a file as it is in them is read by the schema, what is not (durations, which are
 * numbers by then) is taken away until the rest is a file. Undefined: there is no file in it.
 */
function presetsFor(config: unknown): unknown {
  const file: unknown = structuredClone(config);
  for (let round = 0; round < maxRounds; round += 1) {
    const read = TenantFile.safeParse(file);
    if (read.success) return read.data;
    if (!read.error.issues.map((issue) => takeAway(file, issue)).some(Boolean)) return undefined;
  }
  return undefined;
}

/** @returns whether something was there to take away; an item of a list never is, since items are told by their place */
function takeAway(file: unknown, issue: z.core.$ZodIssue): boolean {
  const path = issue.code === 'unrecognized_keys' ? issue.path : issue.path.slice(0, -1);
  const keys = issue.code === 'unrecognized_keys' ? issue.keys : issue.path.slice(-1);
  const owner = path.reduce<unknown>(
    (at, key) => (isRecord(at) || Array.isArray(at) ? at[key as never] : undefined),
    file,
  );
  if (!isRecord(owner)) return false;
  const there = keys.filter((key) => Object.hasOwn(owner, key));
  for (const key of there) delete owner[key as string];
  return there.length > 0;
}

/** `given` counts, but where it says nothing, or something of another kind. */
function laidOver(given: unknown, preset: unknown): unknown {
  if (given === undefined) return preset;
  if (preset === undefined) return given;
  if (Array.isArray(preset)) {
    if (!Array.isArray(given)) return preset;
    return given.map((item, index) => laidOver(item, isRecord(item) ? preset[index] : undefined));
  }
  if (!isRecord(preset)) return typeof given === typeof preset ? given : preset;
  if (!isRecord(given)) return preset;
  const keys = new Set([...Object.keys(preset), ...Object.keys(given)]);
  return Object.fromEntries([...keys].map((key) => [key, laidOver(given[key], preset[key])]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

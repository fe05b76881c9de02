// The kinds of values a tenant file is made of: durations, sizes, references, globs, paths, addresses. Each refuses with the fix beside
// the message (`params.fix`). Pure; nothing is resolved or read here.
import { closest } from 'fastest-levenshtein';
import ms, { type StringValue } from 'ms';
import * as z from 'zod';
import type { SecretReference } from '../contract/tenant-config.ts';

/** Option of cross checks: they run even when a part is wrong, so that all problems come at once. */
export const always = { when: () => true };

const durationPattern = /^\d+(?:\.\d+)?(?:ms|s|m|h|d|w)$/;
export const referencePattern = /^(?:env:[A-Za-z_][A-Za-z0-9_]*|file:\/\S(?:.*\S)?)$/;

/** `30s`, `5m`, `1h`, `7d` → milliseconds, within [min, max]. */
export function duration(bounds: { readonly min?: string; readonly max?: string }, example: string) {
  const min = bounds.min ?? '1s';
  const max = bounds.max ?? '365d';
  return z
    .string()
    .regex(durationPattern)
    .meta({ examples: [example] })
    .transform((text, context) => {
      const value = ms(text as StringValue);
      if (value < ms(min as StringValue) || value > ms(max as StringValue)) {
        refuse(context, [], `must be from ${min} to ${max}`, `write a duration from ${min} to ${max}`);
      }
      return value;
    });
}

const byteUnits: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** `512MiB`, `2GiB` → bytes. */
export function size(minBytes: number, example: string) {
  return z
    .string()
    .regex(/^\d+(?:\.\d+)?(?:B|KiB|MiB|GiB)$/)
    .meta({ examples: [example] })
    .transform((text, context) => {
      const unit = /[A-Za-z]+$/.exec(text)?.[0] ?? 'B';
      const bytes = Math.round(Number.parseFloat(text) * (byteUnits[unit] ?? 1));
      if (bytes < minBytes || bytes > 2 ** 43) {
        const least = `${minBytes / 2 ** 20}MiB`;
        refuse(
          context,
          [],
          `must be from ${least} to 8192GiB`,
          `write a size from ${least}, like ${example}`,
        );
      }
      return bytes;
    });
}

/** `env:NAME` or `file:/absolute/path` (SEC-2); the value itself is refused and never repeated. */
export function reference(example: SecretReference) {
  return z
    .string()
    .max(1024)
    .regex(referencePattern)
    .meta({ examples: [example] })
    .transform((text) => text as SecretReference);
}

/** A list, bounded. */
export function list<Item extends z.ZodType>(item: Item) {
  return z.array(item).max(500);
}

/** A GitHub login. */
export function login() {
  return z
    .string()
    .regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:\[bot\])?$/)
    .meta({ examples: ['octocat'] });
}

/** A shell line. */
export function shellLine() {
  return z
    .string()
    .max(8192)
    .regex(/\S/)
    .refine((text) => !text.includes('\0'), { error: 'has a NUL character', params: { fix: 'remove it' } });
}

/** A name that is used in ids, branch names and paths. */
export function plainName(example: string) {
  return z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/)
    .meta({ examples: [example] });
}

/** A glob over branch, job or step names. */
export function nameGlob() {
  return z.string().min(1).max(256);
}

/** A glob over paths of the repository: relative, no way out. */
export function pathGlob() {
  return z
    .string()
    .min(1)
    .max(512)
    .refine((text) => !text.startsWith('/') && !text.startsWith('!') && !leaves(text), {
      error: 'must be a glob relative to the root of the repository, without ".." and "!"',
      params: { fix: 'write it like "src/generated/**"' },
    });
}

/** A directory in the repository. */
export function repositoryDirectory(absoluteToo: boolean) {
  return z
    .string()
    .min(1)
    .max(512)
    .refine((text) => (absoluteToo || !text.startsWith('/')) && !leaves(text) && !text.includes('\0'), {
      error: `must be a directory in the repository${absoluteToo ? ' or an absolute path' : ''}, without ".."`,
      params: { fix: 'write it like "db/migrations"' },
    });
}

/** An absolute path of the machine. */
export function absolutePath() {
  return z.string().refine((text) => text.startsWith('/') && !leaves(text) && !text.includes('\0'), {
    error: 'must be an absolute path without ".."',
    params: { fix: 'write it like "/usr/local/lib/tool"' },
  });
}

/** `https:`, or `http:` to this machine; no user, password, query or fragment. The trailing slash goes. */
export function address(example: string) {
  return z
    .string()
    .meta({ examples: [example] })
    .superRefine((text, context) => {
      const reason = addressProblem(text);
      if (reason) refuse(context, [], reason, `write it like "${example}"`);
    })
    .transform((text) => text.replace(/\/+$/, ''));
}

/** Why the text is no address that may be called, or undefined. */
export function addressProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL';
  const url = new URL(text);
  if (url.username || url.password) return 'must not have a user or password in it';
  if (url.search || url.hash) return 'must not have a query or fragment';
  if (url.protocol === 'https:') return undefined;
  if (url.protocol !== 'http:') return 'must be an https address';
  const loopback = /^(?:localhost|(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  return loopback ? undefined : 'must be https: plain http is allowed to this machine only';
}

/** IANA name of a time zone. */
export function timeZone() {
  return z
    .string()
    .meta({ examples: ['Europe/Berlin'] })
    .superRefine((text, context) => {
      if (isTimeZone(text)) return;
      const near = closest(text, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
      refuse(
        context,
        [],
        'is not a time zone of the IANA database',
        `did you mean "${near}"? Names are like "Europe/Berlin" or "UTC"`,
      );
    });
}

function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

/** Source of a regular expression, flag `m`. */
export function regexSource() {
  return z
    .string()
    .min(1)
    .max(1024)
    .superRefine((text, context) => {
      try {
        new RegExp(text, 'm');
      } catch (error) {
        const reason = error instanceof Error ? error.message.replace(/^.*\/m?: /s, '') : 'invalid';
        refuse(context, [], `is not a regular expression: ${reason}`, 'escape special characters with "\\"');
      }
    });
}

/** Adds one problem with its fix. `secret`: the value must not be repeated. */
export function refuse(
  context: z.core.$RefinementCtx,
  path: readonly PropertyKey[],
  message: string,
  fix: string,
  secret = false,
): void {
  context.addIssue({ code: 'custom', path: [...path], message, params: { fix, secret } });
}

function leaves(path: string): boolean {
  return path.split('/').includes('..');
}

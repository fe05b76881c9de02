// Rules of health checks across fields: bodies, placeholders, windows, names. Run on values that may be wrong in other ways, as
// tenant-cross-checks.ts does.
import type * as z from 'zod';
import { jsonPathPattern } from './health-fields.ts';
import { refuse } from './schema-fields.ts';
import { list, record, unique } from './tenant-cross-checks.ts';

type Context = z.core.$RefinementCtx;
const confirmReadings = 3;
const longestWindowMs = 7 * 86_400_000;

/** Names are unique, and three readings of each fit into the time in which a first failure is confirmed. */
export function checkHealth(value: unknown, context: Context): void {
  const { checks, confirmWithin } = record(value);
  unique(context, 'checks', checks, 'name');
  if (typeof confirmWithin !== 'number') return;
  const thirdMs = Math.floor(confirmWithin / confirmReadings);
  list(checks).forEach((check, index) => {
    const { timeoutMs } = record(check);
    if (typeof timeoutMs !== 'number' || timeoutMs <= thirdMs) return;
    refuse(
      context,
      ['checks', index, 'timeout'],
      `is ${timeoutMs / 1_000}s: three readings do not fit into health.confirmWithin`,
      `write at most ${thirdMs / 1_000}s, or raise health.confirmWithin`,
    );
  });
}

/** One body at most, and none where the method has none. There are no placeholders outside of a login. */
export function checkRequest(value: unknown, context: Context): void {
  checkBody(record(value), [], context);
  checkPlaceholders(record(value), [], new Set(), context);
}

/** A page must be told from an error page or an empty one. */
export function checkPage(value: unknown, context: Context): void {
  const { contains, matches } = record(record(value).expect);
  if (list(contains).length === 0 && matches === undefined) {
    const fix = 'add contains: a text that is on the page when it is right';
    refuse(context, ['expect'], 'says nothing of the content', fix);
  }
  checkPlaceholders(record(value), [], new Set(), context);
}

/** Placeholders stand for a secret or for something that an earlier step takes. */
export function checkLogin(value: unknown, context: Context): void {
  const { secrets, steps } = record(value);
  const known = new Set(Object.keys(record(secrets)));
  list(steps).forEach((one, index) => {
    const step = record(one);
    checkBody(step, ['steps', index], context);
    checkPlaceholders(step, ['steps', index], known, context);
    list(step.take).forEach((taken, at) => {
      const { name, from, at: place } = record(taken);
      const path = ['steps', index, 'take', at];
      if (typeof name === 'string' && known.has(name))
        refuse(context, [...path, 'name'], 'is known already', 'give it a name of its own');
      if (from === 'json' && typeof place === 'string' && !jsonPathPattern.test(place))
        refuse(
          context,
          [...path, 'at'],
          'is not a path in a JSON',
          'write it like "session.token" or "items[0].id"',
        );
    });
    for (const taken of list(step.take)) known.add(String(record(taken).name));
  });
}

/** A certificate belongs to an https address. */
export function checkTls(value: unknown, context: Context): void {
  const { url } = record(value);
  if (typeof url === 'string' && url.startsWith('http:'))
    refuse(context, ['url'], 'has no certificate', 'write an https address');
}

/** It ends after it starts; one that is not every week lasts a week at most, so that none is forgotten. */
export function checkWindow(value: unknown, context: Context): void {
  const { kind, from, to } = record(value);
  if (kind === 'weekly') {
    if (from === to || from === '24:00')
      refuse(context, ['to'], 'gives no window', 'give "from" before 24:00 and a different "to"');
    return;
  }
  if (typeof from !== 'number' || typeof to !== 'number') return;
  if (to <= from) refuse(context, ['to'], 'is not after "from"', 'give an end after the start');
  else if (to - from > longestWindowMs)
    refuse(context, ['to'], 'is more than 7 days after "from"', 'end it within 7 days, or remove the checks');
}

function checkBody(
  request: Readonly<Record<string, unknown>>,
  path: readonly PropertyKey[],
  context: Context,
) {
  const given = ['json', 'form', 'body'].filter((field) => request[field] !== undefined);
  const [first, second] = given;
  if (first === undefined) return;
  if (second !== undefined)
    refuse(context, [...path, second], `is a second body beside "${first}"`, 'keep one of json, form, body');
  if (request.method === 'GET' || request.method === 'HEAD')
    refuse(context, [...path, 'method'], `has no body, and "${first}" is given`, 'write method: POST');
}

function checkPlaceholders(
  request: Readonly<Record<string, unknown>>,
  path: readonly PropertyKey[],
  known: ReadonlySet<string>,
  context: Context,
): void {
  const names = [...known].join(', ');
  const fix = names === '' ? 'placeholders are for checks of kind login' : `known here are ${names}`;
  for (const field of ['path', 'headers', 'json', 'form', 'body']) {
    for (const name of placeholders(request[field])) {
      if (!known.has(name)) refuse(context, [...path, field], `has \${${name}}, which is not known`, fix);
    }
  }
}

function placeholders(value: unknown): readonly string[] {
  if (typeof value === 'string') return [...value.matchAll(/\$\{([^}]*)\}/g)].map((match) => match[1] ?? '');
  if (typeof value !== 'object' || value === null) return [];
  return [...new Set(Object.values(value).flatMap(placeholders))];
}

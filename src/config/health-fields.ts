// The kinds of values that health checks are made of: addresses in private networks too, paths, headers, statuses, patterns. Each refuses
// with the fix beside the message, as schema-fields.ts does. Pure.
import { RE2JS } from 're2js';
import * as z from 'zod';
import { isSecretReference } from '../contract/secret-reference.ts';
import { duration, referencePattern, refuse } from './schema-fields.ts';
import { namesSecret } from './secret-shapes.ts';

/** Three more readings of it fit into the 45 s of a confirmation. */
const mostTimeout = '15s';
/** With the first reading and its confirmation (15 s and 45 s) a fault is known within 5 min of it (HEALTH-1). */
const mostEvery = '4m';

export function checkTimeout() {
  return duration({ min: '1s', max: mostTimeout }, '10s');
}

/** Not shorter than three readings of the shortest timeout, not longer than HEALTH-1 allows. */
export function confirmWithin() {
  return duration({ min: '3s', max: '45s' }, '30s');
}

export function checkEvery() {
  return duration({ min: '30s', max: mostEvery }, '2m');
}

/** `https:` or `http:` to anywhere (production may be in a private network), or a reference. The trailing slash goes. */
export function productionUrl(example: string) {
  return z
    .string()
    .max(2048)
    .meta({ examples: [example] })
    .superRefine((text, context) => {
      const reason = urlProblem(text);
      if (reason) refuse(context, [], reason, `write it like "${example}", or a reference like "env:NAME"`);
    })
    .transform((text) => (isSecretReference(text) ? text : text.replace(/\/+$/, '')));
}

function urlProblem(text: string): string | undefined {
  if (isSecretReference(text)) return referencePattern.test(text) ? undefined : 'is not a reference';
  if (!URL.canParse(text)) return 'is not a URL';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must be an http or https address';
  if (url.username || url.password) return 'must not have a user or password in it';
  return url.search || url.hash ? 'must not have a query or fragment: write them into "path"' : undefined;
}

/** What comes after the address: `/health?deep=1`. */
export function urlPath(example: string) {
  return z
    .string()
    .max(2048)
    .regex(/^(?:\/[^\s#\\]*)?$/)
    .meta({ examples: [example] })
    .superRefine((text, context) => {
      const query = new URLSearchParams(text.split('?')[1] ?? '');
      for (const [name, value] of query) {
        if (!tells(name) || value === '' || /^\$\{[^}]*\}$/.test(value)) continue;
        refuse(context, [], `has a plain value for "${name}"`, 'send it as a header with a reference', true);
      }
    });
}

const fixedHeaders = ['host', 'connection', 'content-length', 'transfer-encoding', 'expect', 'upgrade'];

/** Headers: references, or plain text under a name that does not say secret. A placeholder counts as no plain text. */
export function headerValues() {
  return z
    .record(
      z
        .string()
        .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/)
        .describe('Name of the header.'),
      z
        .string()
        .max(4096)
        .regex(/^[\t\x20-\x7e]*$/),
    )
    .superRefine((values, context) => {
      for (const [name, value] of Object.entries(values)) {
        if (fixedHeaders.includes(name.toLowerCase())) {
          refuse(context, [name], 'is made from the request', 'remove it');
        } else if (isSecretReference(value)) {
          if (referencePattern.test(value)) continue;
          refuse(context, [name], 'is not a reference', 'write env:NAME or file:/absolute/path');
        } else if (tells(name) && value !== '' && !value.includes('${')) {
          const fix = 'put the whole value of the header into a variable of the worker and write env:NAME';
          refuse(context, [name], 'is a plain value where a reference to a secret belongs', fix, true);
        }
      }
    });
}

function tells(name: string): boolean {
  const plain = name.replaceAll('-', '_');
  return /^(?:proxy_)?authorization$|^cookie$/i.test(plain) || namesSecret(plain);
}

/** `200`, `"2xx"`, `"200-299"` → both ends. */
export function statusRange() {
  return z
    .union([z.int().min(100).max(599), z.string().regex(/^(?:[1-5]xx|[1-5]\d\d(?:-[1-5]\d\d)?)$/)])
    .meta({ examples: ['2xx'] })
    .transform((given, context) => {
      const text = String(given);
      const [from, to] = text.endsWith('xx')
        ? [Number(text[0]) * 100, Number(text[0]) * 100 + 99]
        : [Number(text.slice(0, 3)), Number(text.slice(-3))];
      if (to < from) refuse(context, [], 'ends before it starts', `write "${to}-${from}"`);
      return { from, to };
    });
}

/** Source of a regular expression of RE2: it takes time in proportion to the text, whatever a server sends. */
export function linearRegex() {
  return z
    .string()
    .min(1)
    .max(1024)
    .superRefine((text, context) => {
      try {
        RE2JS.compile(text);
      } catch (error) {
        const reason = error instanceof Error ? error.message.replace(/\s+/g, ' ').slice(0, 120) : 'invalid';
        const fix =
          'write it without look-around and back references, and escape special characters with "\\"';
        refuse(context, [], `is not a regular expression of RE2: ${reason}`, fix);
      }
    });
}

export const jsonPathPattern =
  /^[^\s.[\]]{1,128}(?:\.[^\s.[\]]{1,128}|\[\d{1,6}\])*$|^(?:\[\d{1,6}\])+(?:\.[^\s.[\]]{1,128}|\[\d{1,6}\])*$/;

/** Where a value stands in a JSON text: `db.up`, `nodes[0].name`. */
export function jsonPath() {
  return z
    .string()
    .max(512)
    .regex(jsonPathPattern)
    .meta({ examples: ['db.up'] });
}

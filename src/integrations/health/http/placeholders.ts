// From the settings of a request to the request: references resolved, placeholders filled in so that no value breaks out of its place. Pure.
import type { HttpRequestSettings } from '../../../contract/ops/health-settings.ts';
import { CheckUnusable } from '../check.ts';

export type PreparedRequest = {
  readonly method: string;
  readonly url: URL;
  /** Names in small letters. */
  readonly headers: { readonly [name: string]: string };
  readonly body?: string;
};

/** What `${name}` stands for. */
export type Values = ReadonlyMap<string, string>;

/** @throws CheckUnusable names the part, never its value */
export function prepare(
  settings: HttpRequestSettings,
  value: (text: string) => string,
  values: Values,
): PreparedRequest {
  const url = fullUrl(
    value(settings.url),
    fill(settings.path, values, (plain) => encodeURIComponent(plain.toWellFormed())),
  );
  const headers: Record<string, string> = {};
  const { json, form, body } = settings;
  if (json !== undefined) headers['content-type'] = 'application/json';
  if (form !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded';
  for (const [name, given] of Object.entries(settings.headers)) {
    const text = fill(value(given), values, (plain) => plain);
    // Line ends would be further headers.
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text))
      throw new CheckUnusable(`the value of header "${name}" has a character that headers cannot hold`);
    headers[name.toLowerCase()] = text;
  }
  const sent =
    json !== undefined
      ? JSON.stringify(fillDeep(JSON.parse(json), values))
      : form !== undefined
        ? formText(form, values)
        : body === undefined
          ? undefined
          : fill(body, values, (plain) => plain);
  return { method: settings.method, url, headers, ...(sent === undefined ? {} : { body: sent }) };
}

/** @throws CheckUnusable when the reference holds no address */
export function fullUrl(base: string, path: string): URL {
  const text = `${base.replace(/\/+$/, '')}${path}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new CheckUnusable('the address is no http or https address');
  if (url.username !== '' || url.password !== '')
    throw new CheckUnusable(
      'the address has a user or password in it: send them by a header with a reference',
    );
  return url;
}

function fill(text: string, values: Values, encode: (plain: string) => string): string {
  return text.replace(/\$\{([^}]*)\}/g, (whole, name: string) => {
    const known = values.get(name);
    return known === undefined ? whole : encode(known);
  });
}

/** Texts of a JSON; names of fields stay. */
function fillDeep(json: unknown, values: Values): unknown {
  if (typeof json === 'string') return fill(json, values, (plain) => plain);
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map((item: unknown) => fillDeep(item, values));
  return Object.fromEntries(Object.entries(json).map(([field, item]) => [field, fillDeep(item, values)]));
}

function formText(form: { readonly [field: string]: string }, values: Values): string {
  return new URLSearchParams(
    Object.entries(form).map(([field, text]): [string, string] => [
      field,
      fill(text, values, (plain) => plain),
    ]),
  ).toString();
}

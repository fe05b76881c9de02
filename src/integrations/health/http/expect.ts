// Whether an answer is what the settings expect. Pure. A reason names the setting that is not met, and what the server said only where that may be
// repeated.
import { RE2JS } from 're2js';
import type { HttpExpectation, JsonScalar } from '../../../contract/ops/health-settings.ts';
import type { Exchange } from './exchange.ts';
import { parsedJson, valueAt } from './json-path.ts';

/** What is not met, or undefined. The first in the order: status, content, latency. */
export function unmet(expected: HttpExpectation, got: Exchange): string | undefined {
  if (!expected.status.some(({ from, to }) => got.status >= from && got.status <= to))
    return `answered ${got.status}, expected ${statusText(expected)}`;
  for (const text of expected.contains) {
    if (!got.text.includes(text)) return `answered ${got.status} without the text ${shown(text)}${cut(got)}`;
  }
  const { matches, maxLatencyMs } = expected;
  if (matches !== undefined && !RE2JS.compile(matches, RE2JS.MULTILINE).matcher(got.text).find())
    return `answered ${got.status} without a match of ${shown(matches)}${cut(got)}`;
  const wrong = unmetJson(expected.json, got);
  if (wrong !== undefined) return wrong;
  if (maxLatencyMs !== undefined && got.latencyMs > maxLatencyMs)
    return `answered ${got.status} after ${Math.round(got.latencyMs)} ms, expected at most ${maxLatencyMs} ms`;
  return undefined;
}

/** What is missing for a page to be one. */
export function noPage(got: Exchange): string | undefined {
  const type = (got.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'text/html' || type === 'application/xhtml+xml') return undefined;
  return `answered ${got.status} with something that is no HTML`;
}

function unmetJson(expected: HttpExpectation['json'], got: Exchange): string | undefined {
  const paths = Object.entries(expected);
  if (paths.length === 0) return undefined;
  if (got.truncated) return `answered ${got.status} with more than 1 MB where JSON was expected`;
  const json = parsedJson(got.text);
  if (json === undefined) return `answered ${got.status} with something that is no JSON`;
  for (const [path, wanted] of paths) {
    const found = valueAt(json.value, path);
    if (found !== wanted)
      return `answered ${got.status} with ${path} ${kindOf(found)}, expected ${shownScalar(wanted)}`;
  }
  return undefined;
}

/** Numbers and truth values are shown; a text may be anything. */
function kindOf(found: unknown): string {
  if (found === undefined) return 'missing';
  if (typeof found === 'number' || typeof found === 'boolean' || found === null) return `= ${String(found)}`;
  if (typeof found === 'string') return 'another text';
  return Array.isArray(found) ? 'a list' : 'an object';
}

function shownScalar(value: JsonScalar): string {
  return typeof value === 'string' ? shown(value) : String(value);
}

function shown(text: string): string {
  return `"${text.length > 80 ? `${text.slice(0, 80).toWellFormed()}…` : text}"`;
}

function cut(got: Exchange): string {
  return got.truncated ? ' in its first megabyte' : '';
}

function statusText(expected: HttpExpectation): string {
  return expected.status.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}

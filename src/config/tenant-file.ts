// From the text of a tenant file to a config, or to all of its problems at once with line, path, value and fix (DUR-4). Edge code: the text
// may be anything. Must not repeat a secret that somebody pasted into the file, and resolves no reference.
import { type Document, isAlias, isMap, isSeq, LineCounter, parseDocument, type YAMLError } from 'yaml';
import * as z from 'zod';
import type { TenantConfig } from '../contract/tenant-config.ts';
import { hasCredential, mask } from './secret-shapes.ts';
import { type FieldNode, pathText, problemsOf, type TenantProblem } from './tenant-problems.ts';
import { TenantFile } from './tenant-schema.ts';

export type TenantFileResult =
  | {
      readonly ok: true;
      readonly config: TenantConfig;
      /** What the file said, as data: stored beside the config, for versions that know more settings. */
      readonly source: TenantSource;
    }
  | { readonly ok: false; readonly fileName: string; readonly problems: readonly TenantProblem[] };

/** What a valid file said, as data without comments. References, no secrets. */
export type TenantSource = { readonly [key: string]: unknown };

const maxBytes = 1024 * 1024;
const maxAliases = 100;
const maxDepth = 30;
const maxProblems = 100;

/** JSON Schema of the tenant file as people write it, for editors and `untilgreen schema`. */
export function tenantJsonSchema(): Record<string, unknown> {
  return {
    title: 'Untilgreen tenant file',
    ...z.toJSONSchema(TenantFile, { io: 'input', target: 'draft-7' }),
  };
}

const tooManyAliases = whole('uses aliases too often', 'write the values out');

/** Never throws. Bytes are taken as UTF-8. Problems are in the order of the file, at most 100. */
export function parseTenantFile(
  text: string | Uint8Array,
  options: { readonly fileName: string },
): TenantFileResult {
  const refused = (problems: readonly TenantProblem[]): TenantFileResult => ({
    ok: false,
    fileName: options.fileName,
    problems,
  });
  const decoded = decode(text);
  if (typeof decoded !== 'string') return refused([decoded]);
  const lines = new LineCounter();
  let document: Document.Parsed;
  let raw: unknown;
  let doubled: readonly Placed[];
  try {
    document = parseDocument(decoded, {
      version: '1.2',
      schema: 'core',
      resolveKnownTags: false,
      stringKeys: true,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
      lineCounter: lines,
    });
    const errors = [...document.errors, ...document.warnings].slice(0, maxProblems);
    if (errors.length > 0) return refused(distinct(errors.map((error) => syntaxProblem(error, lines))));
    const shape = shapeProblems(document);
    if (shape.whole) return refused([shape.whole]);
    doubled = shape.doubled;
    raw = document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    return refused([unreadable(error)]);
  }
  if (raw === null || raw === undefined) {
    return refused([whole('is empty', 'start with "tenant: <name>" and "workspaces:"')]);
  }

  const judged = judge(raw, doubled);
  if (judged.ok) return { ok: true, config: judged.config, source: withoutSchema(raw) };
  const problems = judged.problems.map(({ keys, ...problem }) => {
    const line = lineOf(document, keys, lines);
    return { path: pathText(keys), ...problem, ...(line === undefined ? {} : { line }) };
  });
  return refused(problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)));
}

/** As `parseTenantFile`, for what a file said, as data. */
export function judgeTenantData(
  data: unknown,
):
  | { readonly ok: true; readonly config: TenantConfig }
  | { readonly ok: false; readonly problems: readonly TenantProblem[] } {
  const judged = judge(data, []);
  if (judged.ok) return judged;
  return {
    ok: false,
    problems: judged.problems.map(({ keys, ...problem }) => ({ path: pathText(keys), ...problem })),
  };
}

type Judged =
  | { readonly ok: true; readonly config: TenantConfig }
  | { readonly ok: false; readonly problems: readonly Placed[] };

function judge(raw: unknown, doubled: readonly Placed[]): Judged {
  const parsed = TenantFile.safeParse(raw);
  const certain = [...doubled, ...credentials(raw, [])];
  if (parsed.success && certain.length === 0) return { ok: true, config: parsed.data };
  const judged = parsed.success ? [] : problemsOf(parsed.error.issues, raw, tenantJsonSchema() as FieldNode);
  const seen = new Set<string>();
  const problems = [...certain, ...judged]
    .filter(({ keys }) => !seen.has(pathText(keys)) && seen.add(pathText(keys)))
    .slice(0, maxProblems);
  return { ok: false, problems };
}

function withoutSchema(raw: unknown): TenantSource {
  const { $schema: _, ...rest } = raw as { readonly $schema?: unknown };
  return rest;
}

/** One problem as a line for people: `tenant.yaml:12: workspaces[0].name: is missing. Fix: …` */
export function formatTenantProblem(problem: TenantProblem, fileName: string): string {
  const place = problem.line === undefined ? fileName : `${fileName}:${problem.line}`;
  const found = problem.value === '' ? '' : ` (found ${problem.value})`;
  return `${place}: ${problem.path === '' ? 'the file' : problem.path} ${problem.message}${found}. Fix: ${problem.fix}`;
}

function decode(text: string | Uint8Array): string | TenantProblem {
  const bytes = typeof text === 'string' ? Buffer.byteLength(text) : text.byteLength;
  if (bytes > maxBytes) {
    return whole(
      'is larger than 1 MB',
      'split it into more tenants; nothing in it needs so much',
      `${bytes} bytes`,
    );
  }
  if (typeof text === 'string') return text;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(text);
  } catch {
    return whole('is not valid UTF-8', 'save it as UTF-8 text');
  }
}

const syntaxHints: { readonly [Code in YAMLError['code']]?: readonly [message: string, fix: string] } = {
  BAD_INDENT: ['is indented wrongly', 'indent by two spaces per level, the same for all keys of a map'],
  TAB_AS_INDENT: ['is indented by a tab', 'indent by spaces'],
  BLOCK_AS_IMPLICIT_KEY: ['has a nested map on one line', 'put the value on a line of its own, or in quotes'],
  MULTILINE_IMPLICIT_KEY: ['has a line without "key: value"', 'add the colon and the value'],
  MISSING_CHAR: ['misses a character: a quote, a bracket, a comma or a colon', 'close what this line opens'],
  BAD_DQ_ESCAPE: [
    'has an invalid escape in double quotes',
    'use single quotes, or write "\\\\" for one backslash',
  ],
  BAD_ALIAS: ['uses an alias without an anchor', 'quote the value if it starts with "*", or add the anchor'],
  BAD_SCALAR_START: ['starts a value with a reserved character', 'put the value in quotes'],
  TAG_RESOLVE_FAILED: ['uses a tag', 'remove the word that starts with "!", or quote the value'],
  MULTIPLE_DOCS: ['has more than one document', 'keep one tenant per file and remove "---"'],
  NON_STRING_KEY: ['has a key that is no text', 'put the key in quotes'],
};

/** The parser's own words repeat the text, so that they are not used. */
function syntaxProblem(error: YAMLError, lines: LineCounter): TenantProblem {
  const line = lines.linePos(error.pos[0]).line;
  const hint = syntaxHints[error.code] ?? [
    'is not valid YAML',
    'check colons, quotes and indentation near this line',
  ];
  return { path: '', value: '', message: hint[0], fix: hint[1], line };
}

/** The parser repeats itself after a mistake: each kind once, where it is seen first. */
function distinct(problems: readonly TenantProblem[]): TenantProblem[] {
  return problems.filter((one, index) => problems.findIndex((other) => other.fix === one.fix) === index);
}

type Shape = { readonly doubled: readonly Placed[]; readonly whole?: TenantProblem };

/** Keys that are there twice, loops of aliases, depth: before anything walks the tree as data. */
function shapeProblems(document: Document.Parsed): Shape {
  const doubled: Placed[] = [];
  let wrong: TenantProblem | undefined;
  let aliases = 0;
  const walk = (node: unknown, keys: readonly PropertyKey[], above: readonly unknown[]): void => {
    if (wrong) return;
    if (above.length > maxDepth) wrong = whole('is nested too deeply', `nest at most ${maxDepth} levels`);
    else if (isAlias(node)) {
      aliases += 1;
      const target = aliases > maxAliases ? undefined : node.resolve(document);
      if (aliases > maxAliases) wrong = tooManyAliases;
      else if (target === undefined)
        wrong = whole('uses an alias without an anchor', 'quote what starts with "*", or add the anchor');
      else if (above.includes(target))
        wrong = whole('has an alias that contains itself', 'write the value out');
    } else if (isSeq(node))
      node.items.forEach((item, index) => void walk(item, [...keys, index], [...above, node]));
    else if (isMap(node)) {
      const seen = new Set<string>();
      for (const { key, value } of node.items) {
        const name = String(key);
        if (seen.has(name)) doubled.push(twice([...keys, name]));
        seen.add(name);
        walk(value, [...keys, name], [...above, node]);
      }
    }
  };
  walk(document.contents, [], []);
  return { doubled, ...(wrong ? { whole: wrong } : {}) };
}

function twice(keys: readonly PropertyKey[]): Placed {
  return { keys, value: '', message: 'is there twice', fix: 'keep one of the two' };
}

function unreadable(error: unknown): TenantProblem {
  if (error instanceof ReferenceError) return tooManyAliases;
  return whole('is nested too deeply to be read', `nest at most ${maxDepth} levels`);
}

function whole(message: string, fix: string, value = ''): TenantProblem {
  return { path: '', value, message, fix };
}

type Placed = Omit<TenantProblem, 'path' | 'line'> & { readonly keys: readonly PropertyKey[] };

/** Every text in the file that is a credential by its form, wherever it stands. */
function credentials(value: unknown, keys: readonly PropertyKey[]): Placed[] {
  if (typeof value === 'string') {
    if (!hasCredential(value)) return [];
    const message = 'holds a secret in plain text';
    const fix =
      'put it into an environment variable or a file, write env:NAME or file:/path here, and replace the secret';
    return [{ keys, value: mask(value), message, fix }];
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => credentials(item, [...keys, index]));
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, item]) => credentials(item, [...keys, key]));
  }
  return [];
}

/** Line of the key at the path, or of the nearest thing above it that exists. */
function lineOf(
  document: Document.Parsed,
  keys: readonly PropertyKey[],
  lines: LineCounter,
): number | undefined {
  for (let length = keys.length; length > 0; length -= 1) {
    const parent = length === 1 ? document.contents : document.getIn(keys.slice(0, length - 1), true);
    const key = keys[length - 1];
    const pair = isMap(parent)
      ? parent.items.findLast((item) => String(item.key) === String(key))
      : undefined;
    const node = pair ? pair.key : document.getIn(keys.slice(0, length), true);
    const range = (node as { range?: readonly number[] | null } | undefined)?.range;
    if (range?.[0] !== undefined) return lines.linePos(range[0]).line;
  }
  return undefined;
}

// From zod's issues to problems that a person can act on: what is wrong, what was found, what to write instead. Pure. Takes the JSON Schema
// for names and examples, so that messages, editor hints and reference say the same. Must not repeat the value of a secret.
import { distance } from 'fastest-levenshtein';
import type * as z from 'zod';
import { referencePattern } from './schema-fields.ts';
import { hasCredential, mask, show } from './secret-shapes.ts';

export type TenantProblem = {
  /** `workspaces[0].github.token`; empty for the file as a whole. */
  readonly path: string;
  /** What was found, as text for people; masked where it may be a secret; empty where there is nothing to show. */
  readonly value: string;
  readonly message: string;
  readonly fix: string;
  /** Counted from 1. */
  readonly line?: number;
};

/** The part of a JSON Schema that is read here. */
export type FieldNode = {
  readonly type?: string;
  readonly description?: string;
  readonly pattern?: string;
  readonly examples?: readonly unknown[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: { readonly [key: string]: FieldNode };
  readonly propertyNames?: FieldNode;
  readonly additionalProperties?: FieldNode | boolean;
  readonly items?: FieldNode;
  readonly oneOf?: readonly FieldNode[];
  readonly anyOf?: readonly FieldNode[];
};

type Found = {
  readonly keys: readonly PropertyKey[];
  readonly value: string;
  readonly message: string;
  readonly fix: string;
};

/** Problems of the issues, with the path as keys. `raw` is what the file says, `schema` the JSON Schema of its input. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], raw: unknown, schema: FieldNode): Found[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return unknownKeys(issue.keys, issue.path, raw, schema);
    return [explain(issue, raw, schema)];
  });
}

export function pathText(keys: readonly PropertyKey[]): string {
  return keys
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${safeKey(key)}`))
    .join('');
}

function safeKey(key: PropertyKey): string {
  const text = String(key);
  return hasCredential(text) ? mask(text) : text.slice(0, 80);
}

function unknownKeys(
  keys: readonly string[],
  path: readonly PropertyKey[],
  raw: unknown,
  schema: FieldNode,
): Found[] {
  const node = nodeAt(schema, path, raw);
  const known = Object.keys(node?.properties ?? {}).filter((key) => key !== '$schema');
  const names = known.length > 0 ? known : (node?.propertyNames?.enum ?? []).map(String);
  return keys.map((key) => ({
    keys: [...path, key],
    value: JSON.stringify(safeKey(key)),
    message: 'is not a known key',
    fix: suggest(key, names, 'the keys here are'),
  }));
}

function explain(issue: z.core.$ZodIssue, raw: unknown, schema: FieldNode): Found {
  const value = valueAt(raw, issue.path);
  const node = nodeAt(schema, issue.path, raw);
  const found = { keys: issue.path, value: value === undefined ? '' : shown(value, node, issue) };
  if (issue.code === 'custom') {
    const fix = String(issue.params?.fix ?? 'see docs/tenant-file.md');
    return { ...found, message: issue.message, fix };
  }
  if (value === undefined) {
    return { ...found, message: 'is missing', fix: `add it, ${describe(node)}` };
  }
  if (value === null) {
    return {
      ...found,
      value: 'nothing',
      message: 'has no value',
      fix: `give a value, or remove the key; ${describe(node)}`,
    };
  }
  if (isReference(node)) {
    const plain = typeof value === 'string' && !/^(env|file):/.test(value);
    const message = plain
      ? 'is a plain value where a reference to a secret belongs'
      : 'is not a reference to a secret';
    const fix = `put the secret into an environment variable or a file and write a reference: env:NAME or file:/absolute/path, like "${node?.examples?.[0]}"`;
    return { ...found, message, fix };
  }
  const choices = choicesOf(node);
  if (choices.length > 0 && (issue.code === 'invalid_value' || issue.code === 'invalid_union')) {
    return {
      ...found,
      message: 'is not one of the choices',
      fix: suggest(String(value), choices, 'write one of'),
    };
  }
  switch (issue.code) {
    case 'invalid_type':
      return {
        ...found,
        message: `must be ${article(issue.expected)}`,
        fix: typeFix(issue.expected, value, node),
      };
    case 'too_small':
      return {
        ...found,
        message: `is too ${sizeWord(issue.origin, 'small')}`,
        fix: `give at least ${issue.minimum}${unit(issue.origin)}`,
      };
    case 'too_big':
      return {
        ...found,
        message: `is too ${sizeWord(issue.origin, 'big')}`,
        fix: `give at most ${issue.maximum}${unit(issue.origin)}`,
      };
    case 'invalid_format':
      return { ...found, message: 'has the wrong form', fix: `write it ${describe(node)}` };
    case 'invalid_key':
      return {
        ...found,
        message: 'is not a name of a variable',
        fix: 'use letters, digits and "_", like LOG_LEVEL',
      };
    default:
      return { ...found, message: 'is not valid', fix: `write it ${describe(node)}` };
  }
}

function shown(value: unknown, node: FieldNode | undefined, issue: z.core.$ZodIssue): string {
  const scalar = typeof value === 'string' || typeof value === 'number';
  const secret = issue.code === 'custom' && issue.params?.secret === true;
  if (scalar && (secret || (isReference(node) && !/^(env|file):/.test(String(value)))))
    return mask(String(value));
  return show(value);
}

function isReference(node: FieldNode | undefined): boolean {
  return node?.pattern === referencePattern.source;
}

function choicesOf(node: FieldNode | undefined): readonly string[] {
  if (node?.enum) return node.enum.map(String);
  return node?.const === undefined ? [] : [String(node.const)];
}

function typeFix(expected: string, value: unknown, node: FieldNode | undefined): string {
  const example = node?.examples?.[0];
  if (expected === 'string' && typeof value === 'number') {
    return typeof example === 'string' && /^\d/.test(example)
      ? `write it with its unit, like "${example}"`
      : `put it in quotes: "${value}"`;
  }
  if (expected === 'string' && typeof value === 'boolean') return `put it in quotes: "${value}"`;
  if (expected === 'boolean') return 'write true or false, without quotes';
  if (expected === 'array') return 'write a list: each item on its own line after "- "';
  if (expected === 'object' || expected === 'record')
    return `write a map of "key: value" lines, ${describe(node)}`;
  if (expected === 'int' || expected === 'number') return 'write a whole number, without quotes';
  return `write it ${describe(node)}`;
}

function describe(node: FieldNode | undefined): string {
  const example = node?.examples?.[0] === undefined ? '' : `like "${String(node.examples[0])}"`;
  const about = node?.description?.replace(/\.$/, '') ?? '';
  if (about !== '' && example !== '') return `${example} (${about})`;
  return example || (about && `as meant: ${about}`) || 'as in docs/tenant-file.md';
}

/** `did you mean "red"? the keys here are …`: the nearest, if any is near. */
function suggest(given: string, known: readonly string[], intro: string): string {
  const all = `${intro} ${known.join(', ')}`;
  const near = known
    .map((name) => ({ name, far: distance(given.toLowerCase().slice(0, 100), name.toLowerCase()) }))
    .sort((a, b) => a.far - b.far)[0];
  if (!near || near.far > Math.max(2, Math.floor(near.name.length / 3))) return all;
  return `did you mean "${near.name}"? ${all}`;
}

function article(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    string: 'text',
    boolean: 'true or false',
    array: 'a list',
    object: 'a map',
    record: 'a map',
    int: 'a whole number',
    number: 'a number',
  };
  return words[expected] ?? expected;
}

function sizeWord(origin: string, direction: 'small' | 'big'): string {
  if (origin === 'string' || origin === 'array') return direction === 'small' ? 'short' : 'long';
  return direction === 'small' ? 'small' : 'big';
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' items' : '';
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return value;
}

function nodeAt(schema: FieldNode, path: readonly PropertyKey[], raw: unknown): FieldNode | undefined {
  let node: FieldNode | undefined = chosen(schema, raw);
  path.forEach((key, index) => {
    if (!node) return;
    const below: FieldNode | undefined =
      typeof key === 'number' ? node.items : (node.properties?.[String(key)] ?? additional(node));
    node = below && chosen(below, valueAt(raw, path.slice(0, index + 1)), path[index + 1]);
  });
  return node;
}

/** The branch of a union that the value is meant for: by its `kind`, else by its type. */
function chosen(node: FieldNode, value: unknown, next?: PropertyKey): FieldNode {
  const options = node.oneOf ?? node.anyOf;
  if (!options) return node;
  if (node.oneOf) {
    const kind = valueAt(value, ['kind']);
    const match = options.find((option) => option.properties?.kind?.const === kind);
    if (match) return match;
    const kinds = options.map((option) => option.properties?.kind?.const);
    if (next === 'kind')
      return { properties: { kind: { enum: kinds, description: `one of ${kinds.join(', ')}` } } };
    return node;
  }
  const type = Array.isArray(value) ? 'array' : typeof value;
  return { ...node, ...options.find((option) => option.type === type) };
}

function additional(node: FieldNode): FieldNode | undefined {
  return typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
}

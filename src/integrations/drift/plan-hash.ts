// The identity of a plan: equal for equal plans, whenever, wherever and in whatever order they were printed (DRIFT-2).
// Only the hash leaves: a plan may contain secrets.
import { createHash } from 'node:crypto';

const ESCAPES = new RegExp(
  [
    String.raw`\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)`, // OSC: titles, links
    String.raw`[\u001b\u009b]\[?[0-?]*[ -/]*[@-~]`, // CSI: colours, cursor
  ].join('|'),
  'g',
);

/** What differs between two prints of the same plan, each with what stands for it. */
const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?( ?(Z|UTC|GMT|[+-]\d\d:?\d\d))?/g, '<time>'],
  [/\b\d\d:\d\d:\d\d([.,]\d+)?\b/g, '<time>'],
  [/\b(in|after|took|elapsed:?) \d+(\.\d+)?\s?(ms|s|m|min|seconds?|minutes?)\b/gi, '$1 <duration>'],
  [/\[?\b(\d+m)?\d+(\.\d+)?s elapsed\]?/g, '<duration>'],
];

/** Text without colours and cursor movements. */
export function withoutEscapes(text: string): string {
  return text.replace(ESCAPES, '');
}

/**
 * SHA-256 (hex) of a printed plan, independent of the order of its lines, of colours, times, durations, blank space at
 * line ends and of the paths of the worktree it ran in.
 */
export function normalisedPlanHash(plan: string, paths: readonly string[]): string {
  const lines = withoutEscapes(plan)
    .split(/\r\n|\r|\n/)
    .map((line) => normalised(line, paths).trimEnd())
    .filter((line) => line !== '');
  return sha256(lines.sort().join('\n'));
}

/** The same for a plan as data: independent of the order of changes and of keys as well. */
export function normalisedChangesHash(changes: readonly unknown[], paths: readonly string[]): string {
  return sha256(
    changes
      .map((change) => normalised(sortedJson(change), paths))
      .sort()
      .join('\n'),
  );
}

function normalised(text: string, paths: readonly string[]): string {
  let result = text;
  // The longest first: a path may lie within another.
  for (const path of [...paths].sort((a, b) => b.length - a.length))
    if (path.length > 1) result = result.replaceAll(path, '<path>');
  for (const [pattern, replacement] of VOLATILE) result = result.replace(pattern, replacement);
  return result;
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

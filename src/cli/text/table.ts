// Tables and lines for people. Text of third parties (titles, reasons, logs) is made printable first: no control characters reach a terminal.
import { styleText } from 'node:util';
import Table from 'cli-table3';

const noBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** Rows under a head, columns apart by two blanks; empty text for no rows. `null` is a dash. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
): string {
  if (rows.length === 0) return '';
  const made = new Table({
    head: head.map((name) => name.toUpperCase()),
    chars: noBorders,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  for (const row of rows) made.push(row.map((cell) => (cell === null ? '-' : oneLine(String(cell)))));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** `name  value` lines, without those that have no value. */
export function facts(pairs: readonly (readonly [name: string, value: string | null])[]): string {
  const given = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== null && pair[1] !== '');
  const width = Math.max(0, ...given.map(([name]) => name.length));
  return given.map(([name, value]) => `${name.padEnd(width)}  ${oneLine(value)}`).join('\n');
}

/** Parts apart by an empty line; empty ones are left out. */
export function paragraphs(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}

export function shorten(text: string | null, length: number): string | null {
  if (text === null) return null;
  const line = oneLine(text);
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

export function shortId(hex: string): string {
  return hex.slice(0, 12);
}

/** Without escape sequences and other control characters; line breaks and tabs stay. */
export function printable(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go
      .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '')
  );
}

function oneLine(text: string): string {
  return printable(text).replace(/\s+/g, ' ').trim();
}

const colours = { green: 'green', red: 'red', failed: 'red', waiting: 'yellow', unknown: 'yellow' } as const;

/** A state in its colour, on a terminal that takes colours. */
export function paint(state: string): string {
  const colour = Object.hasOwn(colours, state) ? colours[state as keyof typeof colours] : undefined;
  return colour === undefined ? state : styleText(colour, state, { stream: process.stdout });
}

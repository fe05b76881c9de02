// Reads the text of `git diff --binary` into files, modes and numbered lines.
// It follows the line counts of each hunk, so that content which looks like a header ("--- a/x", "diff --git")
// stays content. It must never guess: what it cannot read is an error, and the gate then asks a person.

/** One line of a hunk; `text` is without the leading mark and without the line end's `\r`. */
export type DiffLine = {
  readonly kind: 'context' | 'added' | 'removed';
  readonly text: string;
  /** 1-based line in the new file (`added`, `context`) or in the old file (`removed`). */
  readonly line: number;
};

/** One file of a patch. Paths are null for the side that does not exist. */
export type DiffFile = {
  readonly oldPath: string | null;
  readonly newPath: string | null;
  readonly oldMode: string | null;
  readonly newMode: string | null;
  readonly renamed: boolean;
  readonly binary: boolean;
  readonly lines: readonly DiffLine[];
};

export type ParsedDiff = { readonly ok: true; readonly files: readonly DiffFile[] } | DiffError;
type DiffError = { readonly ok: false; readonly line: number; readonly reason: string };

type OpenFile = {
  header: string;
  oldPath: string | null | undefined;
  newPath: string | null | undefined;
  oldMode: string | null;
  newMode: string | null;
  created: boolean;
  deleted: boolean;
  renamed: boolean;
  binary: boolean;
  lines: DiffLine[];
};

class UnreadableDiff extends Error {}

const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;
const MODE = /^(old mode|new mode|new file mode|deleted file mode) ([0-7]{6})$/;
const INDEX = /^index [0-9a-f]+\.\.[0-9a-f]+(?: ([0-7]{6}))?$/;

/**
 * Parses the output of `git diff --binary` (prefixes `a/` and `b/`).
 * Returns `{ ok: false, line, reason }` for anything that is not such a text; never throws.
 */
export function parseUnifiedDiff(text: string): ParsedDiff {
  const rows = text.split('\n');
  if (rows.at(-1) === '') rows.pop();
  let at = 0;
  try {
    const files: DiffFile[] = [];
    while (at < rows.length) {
      const header = rows[at] ?? '';
      if (!header.startsWith('diff --git ')) throw new UnreadableDiff('expected "diff --git"');
      const file = openFile(header.slice('diff --git '.length));
      at += 1;
      while (at < rows.length && !(rows[at] ?? '').startsWith('diff --git ')) at = readRow(rows, at, file);
      files.push(closeFile(file));
    }
    return { ok: true, files };
  } catch (error) {
    if (!(error instanceof UnreadableDiff)) throw error;
    return { ok: false, line: at + 1, reason: error.message };
  }
}

function openFile(header: string): OpenFile {
  return {
    header,
    oldPath: undefined,
    newPath: undefined,
    oldMode: null,
    newMode: null,
    created: false,
    deleted: false,
    renamed: false,
    binary: false,
    lines: [],
  };
}

/** Reads one header row, or a whole hunk or binary part; returns the index of the next row. */
function readRow(rows: readonly string[], at: number, file: OpenFile): number {
  const row = rows[at] ?? '';
  const hunk = HUNK.exec(row);
  if (hunk !== null) return readHunk(rows, at + 1, hunk, file);
  if (row === 'GIT binary patch') return readBinary(rows, at + 1, file);
  if (row.startsWith('Binary files ')) {
    file.binary = true;
    return at + 1;
  }
  const mode = MODE.exec(row);
  const index = INDEX.exec(row);
  if (mode !== null) readMode(mode[1] ?? '', mode[2] ?? '', file);
  else if (index !== null) {
    if (index[1] !== undefined) {
      file.oldMode ??= index[1];
      file.newMode ??= index[1];
    }
  } else if (row.startsWith('--- ')) file.oldPath = sidePath(row.slice(4), 'a/');
  else if (row.startsWith('+++ ')) file.newPath = sidePath(row.slice(4), 'b/');
  else if (/^(rename|copy) from /.test(row)) {
    file.oldPath = unquote(row.replace(/^(rename|copy) from /, ''));
    file.renamed = true;
  } else if (/^(rename|copy) to /.test(row)) {
    file.newPath = unquote(row.replace(/^(rename|copy) to /, ''));
    file.renamed = true;
  } else if (!/^(dis)?similarity index \d+%$/.test(row))
    throw new UnreadableDiff('unknown row in a file header');
  return at + 1;
}

function readMode(what: string, mode: string, file: OpenFile): void {
  if (what === 'old mode' || what === 'deleted file mode') file.oldMode = mode;
  if (what === 'new mode' || what === 'new file mode') file.newMode = mode;
  if (what === 'new file mode') file.created = true;
  if (what === 'deleted file mode') file.deleted = true;
}

function readHunk(rows: readonly string[], start: number, hunk: RegExpExecArray, file: OpenFile): number {
  let oldLine = Number(hunk[1]);
  let newLine = Number(hunk[3]);
  let oldLeft = Number(hunk[2] ?? 1);
  let newLeft = Number(hunk[4] ?? 1);
  let at = start;
  while (oldLeft > 0 || newLeft > 0) {
    const row = rows[at];
    if (row === undefined) throw new UnreadableDiff('the hunk ends early');
    at += 1;
    const mark = row[0] ?? '';
    const text = row.slice(1).replace(/\r$/, '');
    if (mark === '\\') continue;
    if (mark === '+') {
      file.lines.push({ kind: 'added', text, line: newLine });
      newLine += 1;
      newLeft -= 1;
    } else if (mark === '-') {
      file.lines.push({ kind: 'removed', text, line: oldLine });
      oldLine += 1;
      oldLeft -= 1;
    } else if (mark === ' ') {
      file.lines.push({ kind: 'context', text, line: newLine });
      oldLine += 1;
      newLine += 1;
      oldLeft -= 1;
      newLeft -= 1;
    } else throw new UnreadableDiff('a hunk row without " ", "+" or "-"');
    if (oldLeft < 0 || newLeft < 0) throw new UnreadableDiff('the hunk has more rows than its header says');
  }
  while ((rows[at] ?? '').startsWith('\\')) at += 1;
  return at;
}

/** Skips the `literal`/`delta` parts of a binary patch; each ends with an empty row. */
function readBinary(rows: readonly string[], start: number, file: OpenFile): number {
  file.binary = true;
  let at = start;
  while (/^(literal|delta) \d+$/.test(rows[at] ?? '')) {
    at += 1;
    while (at < rows.length && rows[at] !== '') at += 1;
    at += 1;
  }
  if (at === start) throw new UnreadableDiff('a binary patch without content');
  return Math.min(at, rows.length);
}

function closeFile(file: OpenFile): DiffFile {
  const fallback = file.oldPath === undefined || file.newPath === undefined ? samePath(file.header) : null;
  const oldPath = file.oldPath === undefined ? (file.created ? null : fallback) : file.oldPath;
  const newPath = file.newPath === undefined ? (file.deleted ? null : fallback) : file.newPath;
  if (oldPath === null && newPath === null) throw new UnreadableDiff('a file without a path');
  return {
    oldPath: file.created ? null : oldPath,
    newPath: file.deleted ? null : newPath,
    oldMode: file.created ? null : file.oldMode,
    newMode: file.deleted ? null : file.newMode,
    renamed: file.renamed || (oldPath !== null && newPath !== null && oldPath !== newPath),
    binary: file.binary,
    lines: file.lines,
  };
}

function sidePath(raw: string, prefix: string): string | null {
  const path = unquote(raw.replace(/\t$/, ''));
  if (path === '/dev/null') return null;
  if (!path.startsWith(prefix)) throw new UnreadableDiff(`a path without the prefix ${prefix}`);
  return path.slice(prefix.length);
}

/** The path of a header `a/X b/X` whose two sides are the same (mode changes, empty and binary files). */
function samePath(header: string): string {
  if (header.startsWith('"')) {
    const end = closingQuote(header);
    return stripPrefix(unquote(header.slice(0, end + 1)), 'a/');
  }
  const half = (header.length - 1) / 2;
  const left = header.slice(0, half);
  const right = header.slice(half + 1);
  if (!Number.isInteger(half) || left.slice(2) !== right.slice(2))
    throw new UnreadableDiff('two paths in one header');
  return stripPrefix(left, 'a/');
}

function stripPrefix(path: string, prefix: string): string {
  if (!path.startsWith(prefix)) throw new UnreadableDiff(`a path without the prefix ${prefix}`);
  return path.slice(prefix.length);
}

function closingQuote(text: string): number {
  for (let index = 1; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === '"') return index;
  }
  throw new UnreadableDiff('a quoted path that does not end');
}

const ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  '\\': 92,
};

/** Undoes git's C-style quoting; octal escapes are bytes of UTF-8. */
function unquote(raw: string): string {
  if (!raw.startsWith('"')) return raw;
  const end = closingQuote(raw);
  if (end !== raw.length - 1) throw new UnreadableDiff('text after a quoted path');
  const bytes: number[] = [];
  for (let index = 1; index < end; index += 1) {
    const char = raw[index] ?? '';
    if (char !== '\\') {
      const point = raw.codePointAt(index) ?? 0;
      bytes.push(...new TextEncoder().encode(String.fromCodePoint(point)));
      if (point > 0xffff) index += 1;
      continue;
    }
    const octal = /^[0-7]{3}/.exec(raw.slice(index + 1));
    const escaped = ESCAPES[raw[index + 1] ?? ''];
    if (octal !== null) {
      bytes.push(Number.parseInt(octal[0], 8) & 0xff);
      index += 3;
    } else if (escaped !== undefined) {
      bytes.push(escaped);
      index += 1;
    } else throw new UnreadableDiff('an unknown escape in a quoted path');
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

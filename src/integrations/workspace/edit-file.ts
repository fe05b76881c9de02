// The text editor of the implementer, on files of one worktree. No command of the repository runs while it works, in a checkout of its own, so
// that what it looked at is what it writes to. It follows no link and leaves the worktree never (SEC-3).
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { WORKSPACE } from '../sandbox/bubblewrap.ts';
import type { EditInput } from './tool-inputs.ts';

/** What cannot be done, in words for the model. */
export class EditRefused extends Error {}

export type Edited = { readonly output: string; readonly changed: boolean };

const maxFileBytes = 1_000_000;
const maxViewLength = 40_000;
const maxEntries = 400;
const snippetLines = 4;
const unseen = new Set(['.git', 'node_modules', '__pycache__', '.venv']);

/**
 * Runs one command of the editor.
 * @throws EditRefused for a path outside of the worktree, through a link or into `.git`, and for an edit that does not fit the file
 */
export async function editFile(worktree: string, input: EditInput): Promise<Edited> {
  const path = await insideWorktree(worktree, input.path);
  switch (input.command) {
    case 'view':
      return { output: await view(path, input), changed: false };
    case 'create': {
      await mkdir(dirname(path), { recursive: true });
      await writeText(path, input.file_text);
      return { output: `wrote ${input.path}`, changed: true };
    }
    case 'str_replace': {
      const text = await readText(path, input.path);
      const ends = lineEndOf(text);
      const next = replaceOnce(text, ends(input.old_str), ends(input.new_str));
      await writeText(path, next.text);
      return { output: `replaced in ${input.path}:\n${snippet(next.text, next.line)}`, changed: true };
    }
    case 'insert': {
      const text = await readText(path, input.path);
      const lines = text === '' ? [] : text.split(/(?<=\n)/);
      if (input.insert_line > lines.length)
        throw new EditRefused(`insert_line: ${input.path} has ${lines.length} lines`);
      const before = lines.slice(0, input.insert_line).join('');
      const gap = before === '' || before.endsWith('\n') ? '' : '\n';
      const added = lineEndOf(text)(
        `${gap}${input.insert_text}${input.insert_text.endsWith('\n') ? '' : '\n'}`,
      );
      const next = before + added + lines.slice(input.insert_line).join('');
      await writeText(path, next);
      return { output: `inserted in ${input.path}:\n${snippet(next, input.insert_line + 1)}`, changed: true };
    }
  }
}

/** The absolute path of what a model named, `/workspace/…` or relative. Nothing on the way may be a link. */
async function insideWorktree(worktree: string, named: string): Promise<string> {
  const refused = (why: string): EditRefused => new EditRefused(`path: "${named.slice(0, 200)}" ${why}`);
  const isTop = named === WORKSPACE;
  const relative = named.startsWith(`${WORKSPACE}/`)
    ? named.slice(WORKSPACE.length + 1)
    : isTop
      ? '.'
      : named;
  if (relative.startsWith('/') || relative.includes('\u0000'))
    throw refused(`is not in the repository, which is ${WORKSPACE}`);
  const parts = relative.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw refused('leaves the repository');
  if (parts.some((part) => part.toLowerCase() === '.git')) throw refused("is git's own");
  let path = worktree;
  for (const [index, part] of parts.entries()) {
    path = join(path, part);
    const found = await lstat(path).catch(() => null);
    if (found === null) break;
    if (found.isSymbolicLink()) throw refused('goes through a symbolic link');
    if (index < parts.length - 1 && !found.isDirectory()) throw refused('goes through a file');
    if (index === parts.length - 1 && !found.isDirectory() && !found.isFile())
      throw refused('is neither a file nor a folder');
  }
  return join(worktree, ...parts);
}

async function view(path: string, input: Extract<EditInput, { readonly command: 'view' }>): Promise<string> {
  const found = await lstat(path).catch(() => null);
  if (found?.isDirectory()) return listing(path);
  const lines = (await readText(path, input.path)).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const [from = 1, last = -1] = input.view_range ?? [];
  const to = last === -1 ? lines.length : Math.min(last, lines.length);
  if (from > Math.max(1, lines.length))
    throw new EditRefused(`view_range: ${input.path} has ${lines.length} lines`);
  return cut(numbered(lines.slice(from - 1, to), from));
}

async function listing(top: string): Promise<string> {
  const found: string[] = [];
  const walk = async (folder: string, prefix: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (unseen.has(entry.name) || found.length >= maxEntries) continue;
      found.push(`${prefix}${entry.name}${entry.isDirectory() ? '/' : ''}`);
      if (entry.isDirectory() && depth > 1)
        await walk(join(folder, entry.name), `${prefix}${entry.name}/`, depth - 1);
    }
  };
  await walk(top, '', 2);
  const rest = found.length >= maxEntries ? '\n(more is left out)' : '';
  return cut(found.join('\n') + rest);
}

function replaceOnce(
  text: string,
  old: string,
  next: string,
): { readonly text: string; readonly line: number } {
  const at = text.indexOf(old);
  if (at === -1) throw new EditRefused('old_str: the file does not hold it, character by character');
  if (text.indexOf(old, at + 1) !== -1)
    throw new EditRefused('old_str: the file holds it more than once; take more lines around it');
  return {
    text: text.slice(0, at) + next + text.slice(at + old.length),
    line: text.slice(0, at).split('\n').length,
  };
}

/** What a model sends has plain line ends; the file keeps its own. */
function lineEndOf(text: string): (given: string) => string {
  const windows = text.includes('\r\n') && !/(?<!\r)\n/.test(text);
  return (given) => (windows ? given.replace(/\r?\n/g, '\r\n') : given);
}

async function readText(path: string, named: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => null,
  );
  if (file === null) throw new EditRefused(`path: "${named.slice(0, 200)}" does not exist`);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new EditRefused(`path: "${named.slice(0, 200)}" is no file`);
    if (stats.size > maxFileBytes)
      throw new EditRefused(`path: the file has ${stats.size} bytes, at most ${maxFileBytes} can be edited`);
    const bytes = await file.readFile();
    const text = bytes.toString('utf8');
    if (!Buffer.from(text).equals(bytes) || text.includes('\u0000'))
      throw new EditRefused(`path: "${named.slice(0, 200)}" is no UTF-8 text`);
    return text;
  } finally {
    await file.close();
  }
}

async function writeText(path: string, text: string): Promise<void> {
  if (Buffer.byteLength(text) > maxFileBytes)
    throw new EditRefused(`the file would have more than ${maxFileBytes} bytes`);
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0o644).catch(
    (error: NodeJS.ErrnoException) => {
      throw new EditRefused(`path: it cannot be written (${error.code ?? 'unknown'})`);
    },
  );
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

function snippet(text: string, line: number): string {
  const lines = text.split(/\r?\n/);
  const from = Math.max(1, line - snippetLines);
  return cut(numbered(lines.slice(from - 1, line + snippetLines), from));
}

function numbered(lines: readonly string[], from: number): string {
  return lines.map((line, index) => `${String(from + index).padStart(6)}\t${line}`).join('\n');
}

function cut(text: string): string {
  if (text.length <= maxViewLength) return text;
  return `${text.slice(0, maxViewLength)}\n(cut: ${text.length - maxViewLength} characters are left out; use view_range)`;
}

// The gate every drafted patch passes before anybody outside sees it as a fix (CI-7): size, forbidden paths, kinds of
// change that need a person, weakened tests. Pure: diff text in, verdict out; the verdict can only say "pass" or
// "a person looks", never "change it".

import { changedExpectations } from './changed-expectations.ts';
import { pathWords, protectedPathReason } from './protected-paths.ts';
import { isTestFile } from './test-files.ts';
import { type DiffFile, parseUnifiedDiff } from './unified-diff.ts';
import { weakenings } from './weakened-tests.ts';
import type { Weakening } from './weakening.ts';

/** What a workspace may set; `patchGateDefaults` are the numbers of CI-7. */
export type PatchGateSettings = {
  readonly maxFiles: number;
  /** Added plus removed lines. */
  readonly maxLines: number;
  /** Globs the workspace names as core, on top of the paths that are always protected. */
  readonly core: readonly string[];
  /** A model wrote it, not a command that a person configured: what tests expect and how checks run may not change either. Default false. */
  readonly drafted?: boolean;
  /** The workspace lets fixes change its workflow files (CI-13). Default false. */
  readonly workflows?: boolean;
};

export type PatchViolation = {
  readonly rule:
    | Weakening['rule']
    | 'unreadable'
    | 'tooManyFiles'
    | 'tooManyLines'
    | 'longLine'
    | 'forbiddenPath'
    | 'unsafePath'
    | 'deletion'
    | 'rename'
    | 'binary'
    | 'modeChange'
    | 'symlink'
    | 'submodule'
    | 'invisibleText'
    | 'securitySensitiveTest';
  /** The file it is about; empty when it is about the whole patch. */
  readonly path: string;
  readonly line?: number;
  readonly detail: string;
};

export type PatchVerdict = {
  readonly verdict: 'pass' | 'person';
  readonly violations: readonly PatchViolation[];
  readonly files: readonly string[];
  /** Added plus removed lines. */
  readonly lines: number;
};

/** Characters. Nobody reviews more in one line, and no pattern is tried on it. */
const MAX_LINE_LENGTH = 5_000;

export const patchGateDefaults: PatchGateSettings = { maxFiles: 5, maxLines: 200, core: [] };

/** Control and format characters (bidirectional marks, zero widths, tags), separators, fillers; not the tab. */
const INVISIBLE = /(?!\t)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\u115f\u1160\u3164\uffa0]|[\u{e0100}-\u{e01ef}]/u;
/** Letters of two alphabets in one word: one of them only looks like what it is read as. */
const LOOK_ALIKE = /[A-Za-z]\p{Script=Cyrillic}|\p{Script=Cyrillic}[A-Za-z]/u;
const SECURITY_WORDS = new Set([
  'security',
  'auth',
  'permission',
  'permissions',
  'csrf',
  'xss',
  'ssrf',
  'injection',
  'sanitize',
  'sanitizer',
  'escape',
  'crypto',
  'encryption',
  'signature',
  'token',
  'tokens',
  'secret',
  'secrets',
  'redact',
  'redaction',
  'sandbox',
  'cors',
  'session',
]);

/**
 * Judges the text of `git diff --binary` (CI-7). The same patch gets the same verdict whatever the order of its files.
 * A text that cannot be read is a violation, never an exception. An empty patch passes with no files.
 */
export function judgePatch(diffText: string, settings: PatchGateSettings = patchGateDefaults): PatchVerdict {
  const diff = parseUnifiedDiff(diffText);
  if (!diff.ok) {
    const violation: PatchViolation = {
      rule: 'unreadable',
      path: '',
      detail: `row ${diff.line}: ${diff.reason}`,
    };
    return { verdict: 'person', violations: [violation], files: [], lines: 0 };
  }
  const lines = diff.files.reduce(
    (sum, file) => sum + file.lines.filter((line) => line.kind !== 'context').length,
    0,
  );
  const paths = [...new Set(diff.files.flatMap(pathsOf))].sort();
  const violations: PatchViolation[] = diff.files.flatMap((file) => fileViolations(file, settings));
  if (diff.files.length > settings.maxFiles)
    violations.push({
      rule: 'tooManyFiles',
      path: '',
      detail: `${diff.files.length} files, at most ${settings.maxFiles}`,
    });
  if (lines > settings.maxLines)
    violations.push({
      rule: 'tooManyLines',
      path: '',
      detail: `${lines} changed lines, at most ${settings.maxLines}`,
    });
  violations.sort(byPlace);
  return { verdict: violations.length === 0 ? 'pass' : 'person', violations, files: paths, lines };
}

function fileViolations(file: DiffFile, settings: PatchGateSettings): PatchViolation[] {
  const path = file.newPath ?? file.oldPath ?? '';
  const found: PatchViolation[] = [];
  const add = (rule: PatchViolation['rule'], detail: string, line?: number): void => {
    found.push(line === undefined ? { rule, path, detail } : { rule, path, line, detail });
  };
  for (const side of pathsOf(file)) {
    const reason = protectedPathReason(side, settings.core, settings.workflows);
    if (reason !== null) add('forbiddenPath', `${side}: ${reason}`);
    if (isUnsafePath(side)) add('unsafePath', 'the path leaves the repository or has characters that hide');
  }
  if (file.newPath === null) add('deletion', 'the file is deleted');
  if (file.renamed) add('rename', `renamed or copied from ${file.oldPath ?? ''}`);
  if (file.binary) add('binary', 'a binary change cannot be reviewed');
  const modes = [file.oldMode, file.newMode];
  if (modes.includes('120000')) add('symlink', 'a symbolic link is changed');
  if (modes.includes('160000')) add('submodule', 'a submodule is changed');
  if (
    file.oldPath === null ? file.newMode !== '100644' : file.newPath !== null && file.oldMode !== file.newMode
  )
    add('modeChange', `mode ${file.oldMode ?? 'none'} to ${file.newMode ?? 'none'}`);
  const removed = new Set(
    file.lines.filter((line) => line.kind === 'removed').map((line) => line.text.trim()),
  );
  for (const line of file.lines) {
    if (line.kind !== 'added' || removed.has(line.text.trim())) continue;
    if (INVISIBLE.test(line.text))
      add('invisibleText', 'the line has invisible or direction-changing characters', line.line);
    if (LOOK_ALIKE.test(line.text))
      add('invisibleText', 'a word of the line mixes letters that look alike', line.line);
  }
  if (isTestFile(path) && pathWords(path).some((word) => SECURITY_WORDS.has(word)))
    add('securitySensitiveTest', 'a test of something security-sensitive is changed');
  for (const line of file.lines)
    if (line.kind !== 'context' && line.text.length > MAX_LINE_LENGTH)
      add('longLine', `a ${line.kind} line of ${line.text.length} characters`, line.line);
  const read = readable(file);
  for (const weak of weakenings(read)) add(weak.rule, weak.detail, weak.line);
  if (settings.drafted === true)
    for (const changed of changedExpectations(read)) add(changed.rule, changed.detail);
  return found;
}

/** As the patterns read it: no line of any length, runs of blanks as one, so that their time is bounded. */
function readable(file: DiffFile): DiffFile {
  const lines = file.lines.map((line) => ({
    ...line,
    text: line.text.slice(0, MAX_LINE_LENGTH).replace(/(\s)\s+/g, '$1'),
  }));
  return { ...file, lines };
}

function pathsOf(file: DiffFile): string[] {
  return [...new Set([file.oldPath, file.newPath].filter((path) => path !== null))];
}

function isUnsafePath(path: string): boolean {
  const segments = path.split('/');
  const leaves =
    path.startsWith('/') || segments.some((part) => part === '..' || part === '.' || part === '');
  return (
    leaves || path.includes('\\') || /^[a-z]:/i.test(path) || INVISIBLE.test(path) || /[\n\t]/.test(path)
  );
}

function byPlace(a: PatchViolation, b: PatchViolation): number {
  const left = [a.path, String(a.line ?? 0).padStart(9, '0'), a.rule, a.detail].join('\u0000');
  const right = [b.path, String(b.line ?? 0).padStart(9, '0'), b.rule, b.detail].join('\u0000');
  return left < right ? -1 : left > right ? 1 : 0;
}

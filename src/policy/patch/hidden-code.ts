// Finds code that a patch takes out of work without touching its lines: a comment opened by an added line that is still open where a line
// that was there before follows (CI-7). Pure; it reads a diff line by line and prefers a false alarm over a miss.
import type { DiffFile } from './unified-diff.ts';

type Comment = {
  readonly opens: (text: string) => boolean;
  readonly closes: RegExp;
};

const C_LIKE =
  /\.([cm]?[jt]sx?|vue|svelte|java|kts?|go|rs|c|cc|cpp|h|hpp|cs|swift|php|scala|dart|groovy|gradle)$/i;

/** The new line where code begins to be hidden, or null. */
export function hiddenFrom(file: DiffFile): number | null {
  const comment = commentOf(file.newPath ?? '');
  if (comment === null) return null;
  let openedAt: number | null = null;
  let expected = 0;
  for (const { kind, text, line } of file.lines) {
    if (kind === 'removed') continue;
    // What lies between two hunks was there before.
    if (openedAt !== null && line !== expected) return openedAt;
    expected = line + 1;
    if (openedAt !== null) {
      if (comment.closes.test(text)) openedAt = null;
      else if (kind === 'context' && text.trim() !== '') return openedAt;
    } else if (kind === 'added' && comment.opens(text)) openedAt = line;
  }
  return openedAt;
}

function commentOf(path: string): Comment | null {
  if (C_LIKE.test(path))
    return {
      opens: (text) => {
        const code = outsideQuotes(text);
        return code.lastIndexOf('/*') > code.lastIndexOf('*/');
      },
      closes: /\*\//,
    };
  if (/\.pyi?$/i.test(path))
    return { opens: (text) => text.split(/"""|'''/).length % 2 === 0, closes: /"""|'''/ };
  if (/\.rb$/i.test(path)) return { opens: (text) => text.startsWith('=begin'), closes: /^=end\b/ };
  return null;
}

/** Without what stands in quotes on this line: `'src/**'` opens no comment. A quote that is not closed hides nothing. */
function outsideQuotes(text: string): string {
  let code = '';
  let from = 0;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (quote === '') {
      if (char !== '"' && char !== "'" && char !== '`') continue;
      code += text.slice(from, at);
      from = at;
      quote = char;
    } else if (char === '\\') at += 1;
    else if (char === quote) {
      from = at + 1;
      quote = '';
    }
  }
  return code + text.slice(from);
}

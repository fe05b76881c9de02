// A line as the program sees it (CI-7): what stands in a comment or in a text asserts nothing, however much it looks like it. Pure; it reads one line
// alone, and what it cannot tell stays code.

const HASH =
  /\.(pyi?|rb|rake|sh|bash|zsh|exs?|ya?ml|toml|r|pl|pm|t|mk|nix|jl|cmake|feature|cfg|ini|php)$|(^|\/)(GNUmakefile|Makefile|Rakefile|Gemfile|CMakeLists\.txt|justfile|\.?[\w-]+)$/i;
/** In these a mark in the middle of a word is none: `${x#y}`, `$#`. */
const HASH_AFTER_BLANK = /\.(sh|bash|zsh|ya?ml|mk)$|(^|\/)[^./]+$/i;
const SLASH =
  /\.([cm]?[jt]sx?|vue|svelte|java|kts?|go|rs|c|cc|cpp|cxx|hh?|hpp|cs|swift|php|scala|dart|groovy|gradle|proto|zig|d|m|mm|fs)$/i;
const DASHES = /\.(sql|lua|hs|elm|adb|ads|vhdl?)$/i;

/** The line without its comments. */
export function codeOf(text: string, path: string): string {
  return scanned(text, path, false);
}

/** The line without its comments and without what stands between quotes; the quotes stay. */
export function codeWithoutTexts(text: string, path: string): string {
  return scanned(text, path, true);
}

function scanned(text: string, path: string, dropTexts: boolean): string {
  if (/^\s*("""|'''|<!--)/.test(text)) return '';
  const slash = SLASH.test(path);
  const hash = HASH.test(path);
  const hashAfterBlank = HASH_AFTER_BLANK.test(path);
  const dashes = DASHES.test(path);
  // The middle of a comment of several lines.
  if (slash && /^\s*\*(\s|\/|$)/.test(text)) return '';
  let code = '';
  // Quotes that do not end on this line: apostrophes, lifetimes, texts of several lines.
  const open = new Set<string>();
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    const two = text.slice(at, at + 2);
    if (slash && two === '//') return code;
    if (dashes && two === '--') return code;
    if (hash && char === '#' && !(hashAfterBlank && /\S/.test(text.charAt(at - 1)))) {
      if (!/^#!?\[/.test(text.slice(at, at + 3))) return code;
    }
    if (slash && two === '/*') {
      const end = text.indexOf('*/', at + 2);
      if (end === -1) return code;
      at = end + 1;
      continue;
    }
    if ((char === '"' || char === "'" || char === '`') && !open.has(char)) {
      const end = closing(text, at);
      if (end === -1) open.add(char);
      else {
        code += dropTexts ? char + char : text.slice(at, end + 1);
        at = end;
        continue;
      }
    }
    code += char;
    if (char === '\\') {
      at += 1;
      code += text.charAt(at);
    }
  }
  return code;
}

function closing(text: string, from: number): number {
  const quote = text.charAt(from);
  for (let at = from + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '\\') at += 1;
    else if (char === quote) return at;
  }
  return -1;
}

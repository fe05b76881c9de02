// Text from outside as a part of Markdown of ours (SEC-1): it cannot end the code block it stands in, format, link, hide or mention. Pure. Secrets
// are taken out where it is read, and once more where it is sent (src/integrations/github/body-text.ts).
import { visibleText } from './model/outside-text.ts';

/** A code block that its content cannot end: the fence is longer than any in it. Stands alone, with empty lines around it. */
export function fenced(text: string, language = ''): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `\n\n${fence}${language.replace(/[^\w+-]/g, '')}\n${text.trimEnd()}\n${fence}\n\n`;
}

/** One line of plain words for a paragraph or a list, at most `max` characters before what is escaped. */
export function plainWords(text: string, max = 300): string {
  return oneLine(text, max)
    .replace(/[\\`*_{}[\]#|~!]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/^(\d+)([.)])/, '$1\\$2')
    .replace(/^([-+=])/, '\\$1')
    .replaceAll('@', '@&#8203;')
    .replaceAll('://', '&#8203;://')
    .replace(/www\./gi, (whole) => `${whole.slice(0, -1)}&#8203;.`);
}

/** A link, or its words alone where the address is none that a browser may open. */
export function link(words: string, address: string | null): string {
  if (address === null || !/^https?:\/\//i.test(address) || !URL.canParse(address)) return plainWords(words);
  return `[${plainWords(words)}](${new URL(address).href.replace(/[()<>\\`@]/g, (char) => encodeSign(char))})`;
}

/** A command to copy, on one line. */
export function command(text: string): string {
  return fenced(oneLine(text, 500), 'sh').trim();
}

/** A part that is folded away, with text from outside in a code block. */
export function folded(summary: string, text: string): string {
  const title = oneLine(summary, 60)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '@&#8203;');
  return `<details>\n<summary>${title}</summary>${fenced(text)}</details>`;
}

/** The last lines that fit into so many lines and characters, each cut, oldest first. What is left out is said. */
export function lastLines(
  lines: readonly string[],
  limits: { readonly lines: number; readonly chars: number; readonly lineChars: number },
): string {
  const kept: string[] = [];
  let room = limits.chars;
  for (const line of lines.slice(-limits.lines).reverse()) {
    const shown = cut(visibleText(line).replace(/\n/g, ' ').trimEnd(), limits.lineChars);
    room -= shown.length + 1;
    if (room < 0) break;
    kept.unshift(shown);
  }
  const wanted = Math.min(lines.length, limits.lines);
  if (kept.length < wanted) kept.unshift(`(${wanted - kept.length} earlier lines left out: too long)`);
  return kept.join('\n');
}

/** `2026-11-21 03:12:09 UTC`. */
export function utcTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function oneLine(text: string, max: number): string {
  return cut(visibleText(text).replace(/\s+/g, ' ').trim(), max);
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1).toWellFormed()}…`;
}

function encodeSign(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

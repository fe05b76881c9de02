// What may stand in an issue, a comment or a pull request (SEC-1, SEC-2): no secrets, nothing invisible, no mention that wakes a person,
// and no marker but our own. Pure text work. A marker only counts where the agent's own account wrote it: whoever asks checks the author.
import { redactText } from '../../logs/redact/redact-text.ts';
import type { Redactor } from '../../logs/redact/redact-values.ts';

export { fenced } from '../../policy/markdown.ts';

const maxBodyLength = 65_536;
const maxTitleLength = 250;
/** What formats or hides text without being seen: controls, zero width, direction marks, tags, fillers. Line ends and tabs stay. */
const invisible = /[\p{Default_Ignorable_Code_Point}\p{Cf}\u2028\u2029]|(?![\t\n])\p{Cc}/gu;
/** The beginning of what could be read as a marker of ours. */
const forgedMarker = /<!(?=--\s*untilgreen)/i;
const marker = /<!-- (untilgreen:[0-9a-f]{24}) -->/g;

type Fence = { readonly char: string; readonly length: number };

/**
 * Text for a body, at most 65,536 characters with its markers. What is left out is said. Code blocks stay as they are, but for secrets,
 * invisible characters and forged markers.
 * @param markers hidden at the end, e.g. `untilgreen:0123…`
 */
export function cleanBody(
  text: string,
  redactor: Pick<Redactor, 'spans'>,
  markers: readonly string[] = [],
): string {
  // Invisible characters go first: a secret with one in its middle is a secret.
  const seen = text.replace(/\r\n?/g, '\n').toWellFormed().replace(invisible, '');
  const visible = redactText(seen, redactor).replaceAll(new RegExp(forgedMarker, 'gi'), '<! ');
  const hidden = markers.map((one) => `\n\n<!-- ${one} -->`).join('');
  return withoutMentions(visible.trimEnd(), maxBodyLength - hidden.length) + hidden;
}

/** One line, at most 250 characters. */
export function cleanTitle(text: string, redactor: Pick<Redactor, 'spans'>): string {
  const line = redactText(text.toWellFormed().replace(/\s+/g, ' ').replace(invisible, ''), redactor).trim();
  if (line.length <= maxTitleLength) return line === '' ? 'Untitled' : line;
  return `${wholeCharacters(line.slice(0, maxTitleLength - 1))}…`;
}

/**
 * For the title and the body of a pull request, which may become a commit's message as they are, code blocks too: words of a log that would close
 * an issue when it is merged close none.
 */
export function closesNothing(text: string): string {
  const keyword =
    /\b(close[sd]?|fix(?:es|ed)?|resolve[sd]?)(\s*:?\s+|:)(?=\S{0,140}(?:#|\bGH-|\/issues\/)\d)(\S)/giu;
  return text.replace(keyword, (_all, word: string, _gap: string, first: string) => `${word} – ${first}`);
}

/** Whether a code block of a body keeps this text just as it is, secrets aside. */
export function staysInCode(text: string): boolean {
  const changes = text.includes('\r') || text.search(invisible) !== -1 || forgedMarker.test(text);
  return text.isWellFormed() && !changes;
}

export function hasMarker(body: string | null | undefined, wanted: string): boolean {
  return (body ?? '').includes(`<!-- ${wanted} -->`);
}

/** All markers in a body, in order, each once. */
export function markersIn(body: string | null | undefined): readonly string[] {
  return [...new Set([...(body ?? '').matchAll(marker)].map((match) => match[1] ?? ''))];
}

/**
 * Line by line up to `limit`: a mention outside of code gets a character that keeps it from being one. A fence counts only after an empty
 * line, where raw HTML before it cannot make it plain text, and at the start of the line, where it is in no list; what else looks like one
 * is made plain text, or it would end a later fence of ours and bring its content out. One that is still open at the end is closed.
 */
function withoutMentions(text: string, limit: number): string {
  const note = (left: number): string => `\n\n(cut: ${left} characters are left out)`;
  const room = limit - note(text.length).length - 100;
  const lines: string[] = [];
  let fence: Fence | null = null;
  let afterEmpty = true;
  let length = 0;
  let done = 0;
  let cut = false;
  for (const line of text.split('\n')) {
    let written: string;
    if (fence !== null) {
      written = line;
    } else if (afterEmpty && opens(line) !== null) {
      written = line;
    } else {
      written = harmless(line);
    }
    if (length + written.length + 1 > room) {
      cut = true;
      const part = wholeCharacters(written.slice(0, Math.max(0, room - length - 1)));
      if (part !== '' && fence === null && opens(line) === null) lines.push(part.replace(/&[^;]{0,8}$/, ''));
      else if (part !== '' && fence !== null) lines.push(part);
      break;
    }
    lines.push(written);
    length += written.length + 1;
    done += line.length + 1;
    if (fence !== null) {
      if (closes(line, fence)) {
        fence = null;
        afterEmpty = true;
      }
    } else {
      fence = afterEmpty ? opens(line) : null;
      afterEmpty = line.trim() === '';
    }
  }
  const end = fence === null ? '' : `\n${fence.char.repeat(fence.length)}`;
  return `${lines.join('\n')}${end}${cut ? note(text.length - done) : ''}`;
}

function opens(line: string): Fence | null {
  const match = /^(`{3,40}(?=[^`]*$)|~{3,40})/.exec(line);
  return match?.[1] === undefined ? null : { char: match[1].charAt(0), length: match[1].length };
}

function closes(line: string, fence: Fence): boolean {
  const match = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line);
  return match?.[1]?.charAt(0) === fence.char && match[1].length >= fence.length;
}

function harmless(line: string): string {
  return line
    .replace(/^((?:[\s>*+-]|\d{1,9}[.)])*)(`{3,}|~{3,})/, (_all, before: string, fence: string) => {
      return before + fence.replace(/./g, '\\$&');
    })
    .replace(/&(?=#0*64;|#x0*40;|commat;)/gi, '&amp;')
    .replace(/(?<![A-Za-z0-9_])@(?=[A-Za-z0-9])/g, '@&#8203;')
    .replace(/<(?=\/?(?:script|style|textarea|pre|xmp|plaintext|iframe|title)\b|[!?])/gi, '&lt;');
}

function wholeCharacters(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? text.slice(0, -1) : text;
}

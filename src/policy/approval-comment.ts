// Which approvals a comment gives or refuses (LOOP-13, SEC-1). Pure. A command counts only where a reader sees it as a plain line: not in
// code, not quoted, not hidden. Where it cannot be told, it does not count: a person writes it once more, nobody approves by accident.
import { liveLines } from './ops/diagnostics/live-text.ts';

export type ApprovalCommand = {
  readonly decision: 'approve' | 'reject';
  /** At least 6 lower-case hex digits. */
  readonly hash: string;
  /** Of a rejection; empty when none was given. */
  readonly reason: string;
};

const command = /^\/(approve|reject) ([0-9a-f]{6,64})(?:[ \t]+(\S.*))?$/;
const maxCommands = 20;
const maxLength = 70_000;

/** In the order of the comment, each hash once. A hash that is both approved and rejected is rejected. */
export function approvalCommands(body: string): readonly ApprovalCommand[] {
  if (body.length > maxLength) return [];
  const found = new Map<string, ApprovalCommand>();
  // Two readings that must agree for an approval: by lines, and by a parser, which knows what else hides or strikes out (`<?x`, `<!X`, `<del>`).
  const live = new Set(liveLines(body));
  for (const line of plainLines(body)) {
    const match = command.exec(line.trimEnd());
    const [, verb, hash, rest] = match ?? [];
    if (hash === undefined || (verb === 'approve' && rest !== undefined)) continue;
    if (verb === 'approve' && !live.has(line.trimEnd())) continue;
    const decision = verb === 'approve' ? 'approve' : 'reject';
    if (found.get(hash)?.decision === 'reject') continue;
    found.set(hash, { decision, hash, reason: (rest ?? '').slice(0, 500) });
    if (found.size >= maxCommands) break;
  }
  return [...found.values()];
}

type Fence = { readonly end: RegExp; readonly quoted: boolean };

/** Lines of paragraphs that are not quoted, not code, not raw HTML and not in a comment. */
function plainLines(body: string): readonly string[] {
  const plain: string[] = [];
  let fence: Fence | null = null;
  let html: RegExp | null = null;
  let quoted = false;
  let openSpan = false;
  for (const line of body.split(/\r\n|\n|\r/)) {
    const isQuote = /^ {0,3}>/.test(line);
    if (fence !== null) {
      // A quoted code block ends with its quote.
      if (!fence.quoted || isQuote) {
        if (fence.end.test(line)) fence = null;
        continue;
      }
      fence = null;
    }
    if (html !== null) {
      if (html.test(line)) html = null;
      continue;
    }
    if (line.trim() === '') {
      quoted = false;
      openSpan = false;
      continue;
    }
    const ticks = /^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(`{3,}|~{3,})/.exec(line)?.[1];
    if (ticks !== undefined) {
      const end = new RegExp(`^[\\s>]*${ticks.charAt(0)}{${ticks.length},}\\s*$`);
      fence = { end, quoted: isQuote };
      quoted = isQuote;
      continue;
    }
    if (isQuote) quoted = true;
    html = htmlEnd(line);
    // A line right after a quote belongs to it, one after an open code span may be code.
    if (!quoted && !openSpan && html === null) plain.push(line);
    if ((line.match(/`+/g) ?? []).length % 2 === 1) openSpan = !openSpan;
  }
  return plain;
}

/** What ends the comment or raw HTML that this line opens and does not close. */
function htmlEnd(line: string): RegExp | null {
  const opened = line.lastIndexOf('<!--');
  if (opened >= 0 && !line.includes('-->', opened)) return /-->/;
  const tags = [...line.matchAll(/<(pre|code|script|style|textarea|blockquote)\b/gi)];
  const tag = tags.at(-1);
  if (tag?.[1] === undefined) return null;
  const end = new RegExp(`</${tag[1]}\\s*>`, 'i');
  return end.test(line.slice(tag.index)) ? null : end;
}

// The words of a comment that its author says as his own (SEC-1): not in code, not quoted, not struck out, no link's text, nothing inside raw
// HTML or hidden by it. By a Markdown parser, as GitHub reads it. Pure. Where it cannot be told, a word does not count: a person writes it once
// more, nothing happens by accident.
import MarkdownIt, { type Token } from 'markdown-it';

/** A comment has at most 65,536 characters; what is longer is none. */
const maxChars = 70_000;
const lineEnd = '\n';
/** Stands for a character that is seen, but is nobody's word; it is no space and no letter. */
const masked = '\u0000';
const voidTags = ['area', 'br', 'col', 'hr', 'img', 'input', 'source', 'wbr'];

/** `text_join` would make escaped signs and entities plain text: `\@devops` is meant to be none. */
const parser = new MarkdownIt({ html: true }).disable('text_join');

/** A paragraph, heading or cell, line ends kept: as it is seen, and the same length with all that does not count masked. */
export type LiveBlock = { readonly seen: string; readonly live: string };

export function liveBlocks(body: string): readonly LiveBlock[] {
  if (body.length > maxChars) return [];
  const blocks: LiveBlock[] = [];
  const open: string[] = [];
  let quotes = 0;
  for (const token of parser.parse(body, {})) {
    if (token.type === 'blockquote_open') quotes += 1;
    else if (token.type === 'blockquote_close') quotes -= 1;
    else if (token.type === 'html_block') openTags(token.content, open);
    else if (token.type === 'inline') {
      const block = readInline(token.children ?? [], open);
      if (quotes === 0) blocks.push(block);
    }
  }
  return blocks;
}

/** All lines whose every character counts, trailing spaces removed. */
export function liveLines(body: string): readonly string[] {
  return liveBlocks(body).flatMap(({ live }) =>
    live.split(lineEnd).flatMap((line) => (line.includes(masked) ? [] : [line.trimEnd()])),
  );
}

function readInline(tokens: readonly Token[], open: string[]): LiveBlock {
  let seen = '';
  let live = '';
  let off = 0;
  for (const token of tokens) {
    switch (token.type) {
      case 'link_open':
      case 's_open':
        off += 1;
        break;
      case 'link_close':
      case 's_close':
        off -= 1;
        break;
      case 'html_inline':
        openTags(token.content, open);
        break;
      case 'softbreak':
      case 'hardbreak':
        seen += lineEnd;
        live += lineEnd;
        break;
      case 'text':
        seen += token.content;
        live += off === 0 && open.length === 0 ? token.content : masked.repeat(token.content.length);
        break;
      default:
        seen += token.content;
        live += masked.repeat(token.content.length);
    }
  }
  return { seen, live };
}

/** Follows which raw elements are open: what stands in one may be code, hidden, or folded away. */
function openTags(html: string, open: string[]): void {
  for (const [, slash, tag, rest] of html.matchAll(/<(\/?)([a-z][a-z0-9-]*)\b([^>]*)>?/gi)) {
    const name = (tag ?? '').toLowerCase();
    if (slash === '/') {
      const at = open.lastIndexOf(name);
      if (at >= 0) open.length = at;
    } else if (!voidTags.includes(name) && !rest?.endsWith('/')) open.push(name);
  }
}

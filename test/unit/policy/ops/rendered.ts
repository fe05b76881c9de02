// What GitHub makes of a body, for tests: code, raw HTML, and the words a person reads, by a Markdown parser that is not ours.
import MarkdownIt from 'markdown-it';

const parser = new MarkdownIt({ html: true, linkify: true });
// GitHub links no address without `https://` or `www.`; the latter is tested by itself.
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: true });

export type Rendered = {
  readonly headings: readonly string[];
  readonly codeBlocks: readonly string[];
  /** Raw HTML, blocks and inline. */
  readonly html: string;
  /** Plain words with entities resolved, code left out. */
  readonly words: string;
  readonly links: readonly string[];
};

export function rendered(body: string): Rendered {
  const headings: string[] = [];
  const codeBlocks: string[] = [];
  const html: string[] = [];
  const words: string[] = [];
  const links: string[] = [];
  let heading = false;
  for (const token of parser.parse(body, {})) {
    if (token.type === 'fence' || token.type === 'code_block') codeBlocks.push(token.content);
    if (token.type === 'html_block') html.push(token.content);
    if (token.type === 'heading_open') heading = true;
    if (token.type === 'heading_close') heading = false;
    if (token.type === 'inline' && heading) headings.push(token.content);
    for (const child of token.children ?? []) {
      if (child.type === 'text') words.push(child.content);
      if (child.type === 'softbreak') words.push('\n');
      if (child.type === 'html_inline') html.push(child.content);
      if (child.type === 'link_open') links.push(String(child.attrGet('href') ?? ''));
      if (child.type === 'image') links.push(String(child.attrGet('src') ?? ''));
    }
  }
  return { headings, codeBlocks, html: html.join(''), words: words.join(''), links };
}

/** Text that tries to break out of where it is put. */
export const breakouts: readonly string[] = [
  '```',
  '````\n@octocat',
  '~~~',
  '</details>',
  '</summary></details><h1>x</h1>',
  '<!--',
  '-->',
  '<script>',
  '@octocat',
  '&#64;octocat',
  '## Actions',
  '\n\n# Heading\n\n',
  '[x](https://evil.example)',
  '![x](https://evil.example/p.png)',
  'https://evil.example/@octocat',
  'www.evil.example',
  '`@octocat`',
  '\u202e@octocat\u200b',
  '| a | b |\n|---|---|',
  '    indented',
  '> quote',
  '- [ ] task',
  '\u0000\u001b[31mred',
  '😀'.repeat(50),
];

/** Whether a word in it would wake somebody: an `@` that stands for itself with a letter or digit after it. */
export function mentions(words: string): boolean {
  return /(?<![A-Za-z0-9_])@[A-Za-z0-9]/.test(words);
}

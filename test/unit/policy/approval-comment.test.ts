// LOOP-13, SEC-1: which lines of a comment are decisions.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approvalCommands } from '../../../src/policy/approval-comment.ts';

const hash = 'abcdef0123456789';
const approve = `/approve ${hash}`;
const one = { decision: 'approve', hash, reason: '' };

describe('counts', () => {
  it.each([
    ['alone', approve],
    ['between text', `Looks good.\n${approve}\nThanks`],
    ['with Windows line ends and trailing spaces', `hi\r\n${approve}  \r\n`],
    ['after a code block', `\`\`\`\nx\n\`\`\`\n${approve}`],
    ['after a quote and an empty line', `> do it?\n\n${approve}`],
    ['after a quoted code block without an end', `> \`\`\`\n> x\n\n${approve}`],
    ['after a comment that ended', `<!-- x -->\n\n${approve}`],
    ['after code in a line', `see \`x\`\n${approve}`],
  ])('%s', (_name, body) => {
    expect(approvalCommands(body)).toEqual([one]);
  });

  it('gives the reason of a rejection', () => {
    expect(approvalCommands(`/reject ${hash} not on a Friday`)).toEqual([
      { decision: 'reject', hash, reason: 'not on a Friday' },
    ]);
  });

  it('takes several, and a rejection over an approval of the same', () => {
    const other = 'fedcba';
    expect(approvalCommands(`${approve}\n/approve ${other}\n/reject ${hash}`)).toEqual([
      { decision: 'reject', hash, reason: '' },
      { decision: 'approve', hash: other, reason: '' },
    ]);
    expect(approvalCommands(`/reject ${hash}\n${approve}`)[0]?.decision).toBe('reject');
  });
});

describe('does not count', () => {
  it.each([
    ['within a sentence', `please ${approve}`],
    ['with a word behind it', `${approve} please`],
    ['indented', `  ${approve}`],
    ['as code', `\`${approve}\``],
    ['in a code block', `\`\`\`\n${approve}\n\`\`\``],
    ['in a code block with tildes and a shorter fence inside', `~~~~\n~~~\n${approve}\n~~~~`],
    ['in a code block that never ends', `\`\`\`sh\n${approve}`],
    ['in a code block of a list', `- \`\`\`\n${approve}\n\`\`\``],
    ['quoted', `> ${approve}`],
    ['right after a quote, to which it belongs', `> text\n${approve}`],
    ['in a comment', `<!--\n${approve}\n-->`],
    ['in an instruction that no reader sees', `<?x\n${approve}\n?>`],
    ['in a declaration that no reader sees', `<!X\n${approve}\n>`],
    ['in a data section that no reader sees', `<![CDATA[\n${approve}\n]]>`],
    ['struck out', `<del>\n${approve}\n</del>`],
    ['in a cell of a table', `<table><tr><td>\n${approve}\n</td></tr></table>`],
    ['in the title of a link', `[a]: x "\n${approve}\n"`],
    ['in raw HTML', `<pre>\n${approve}\n</pre>`],
    ['inside a code span over several lines', `a \`b\n${approve}\nc\` d`],
    ['with an invisible character', `/approve\u200b ${hash}`],
    ['with another space', `/approve\u00a0${hash}`],
    ['in capitals', `/APPROVE ${hash}`],
    ['with too short a hash', '/approve abc12'],
    ['with a hash in capitals', `/approve ${hash.toUpperCase()}`],
    ['with a letter that looks alike', `/approve ${hash.replace('a', 'а')}`],
    ['in a text over every limit', `${'x\n'.repeat(40_000)}${approve}`],
  ])('%s', (_name, body) => {
    expect(approvalCommands(body)).toEqual([]);
  });
});

it('never finds what is not a line of the comment, and never throws', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      '```',
      '~~~~',
      '> q',
      '<!--',
      '-->',
      '<pre>',
      '</pre>',
      '',
      '`',
      approve,
      `/reject ${hash} no`,
    ),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      const body = lines.join('\n');
      for (const { decision, hash: found } of approvalCommands(body)) {
        expect(body.split(/\r\n|\n|\r/).some((text) => text.startsWith(`/${decision} ${found}`))).toBe(true);
      }
      const fencedIn = `\`\`\`\`\`\`\n${body.replaceAll(/`{3,}/g, '')}\n`;
      expect(approvalCommands(fencedIn)).toEqual([]);
      expect(approvalCommands(lines.map((text) => `> ${text.split(/[\r\n]/)[0]}`).join('\n'))).toEqual([]);
    }),
  );
});

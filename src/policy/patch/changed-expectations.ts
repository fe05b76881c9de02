// What a test expects, and how checks run, is not a model's to change (CI-7): it is how its fix is judged. A literal, an operator or a matcher of a test
// that is gone, a snapshot that is another one, a linter's rule: a person looks. What is only reformatted or moved is still there.
import { addedDoubts } from './added-doubts.ts';
import { changesCheck, holdsExpectations, isCheckConfig } from './check-files.ts';
import { codeOf } from './code-of-line.ts';
import { holdsTests } from './test-files.ts';
import type { DiffFile, DiffLine } from './unified-diff.ts';
import type { Weakening } from './weakening.ts';

const IMPORT =
  /^\s*(import\b|export\b.*\bfrom\b|from\s+\S+\s+import\b|require\b|.*\brequire\s*\(|use\s+[\w\\:]|using\s+[\w.]+;|#include\b|package\b)/;
/** Assertions outside of test files: Rust, Zig, D and doctests keep tests beside the code. */
const ASSERTION =
  /\b(assert\w*!?|debug_assert\w*!?|(?<!\.)expect|chai\.expect|should\w*|Assert|require\.\w+)\s*[!(.]|\bassert\s|^\s*>>> /;
/** A line of a test that says what is expected: its text stays together. */
const EXPECTS =
  /[!=]=|\b(?:expect\w*|[Aa]ssert\w*|refute\w*|[Ss]hould\w*|must\w*|wont_\w+|want|wanted|\w*[Ee]xpected\w*|EXPECT_\w+|ASSERT_\w+|XCTAssert\w*)\b/;
/** Lines of a text over several lines, or of data: words alone. */
const WORDS = /^\s*\p{L}[\p{L}\p{N}\s.,:;'’!?%€$/-]*\s[\p{L}\p{N}\s.,:;'’!?%€$/-]*$/u;
const KEYWORD =
  /^\s*(?:for|if|else|elif|elsif|while|return|def|class|module|end|do|try|except|finally|rescue|with|yield|await|raise|let|const|var|val|case|default|break|continue|begin|unless|loop|pass|new|throw|use|using|namespace|package|import|from|public|private|protected|static|async|func|fn|fun|struct|enum|interface|type)\b/;
const DATA = /\.(csv|tsv|txt|jsonl?|ya?ml|xml|html?|sql|feature|out|dat|md|rst)$/i;
const LITERAL =
  /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|(?<![\w.])-?\d[\w.]*|\b(?:true|false|null|nil|None|True|False|undefined)\b/g;
const OPERATOR =
  /===?|!==?|[<>]=?|\bnot?\b|\bis\b|\bin\b|(?<=\.)(?:to|not|be|have|is|as|with|contains?|equals?|match)\w*|\b(?:assert|refute|expect|should|must|wont)\w*!?|\bt\.(?:Error|Fatal|Fail)\w*|\bunwrap\w*|\braise_for_status\b/g;
/** What turns or softens an expectation that keeps all its words. */
const SOFTENING = /\bnot\b|!(?!=)|\|\||\bor\b|\b(?:approx|closeTo|toBeCloseTo|InDelta|anything|be_within)\b/g;

/** Of one file of a patch that a model drafted. */
export function changedExpectations(file: DiffFile): readonly Weakening[] {
  const path = file.newPath ?? file.oldPath ?? '';
  if (isCheckConfig(path)) return [{ rule: 'changedCheck', detail: 'how a check runs is changed' }];
  // A new file of expectations belongs to a new test.
  if (holdsExpectations(path) && file.oldPath !== null)
    return [{ rule: 'changedSnapshot', detail: 'what a test expects is changed' }];
  const config = file.lines.find((line) => line.kind === 'added' && changesCheck(path, line.text));
  if (config !== undefined)
    return [{ rule: 'changedCheck', line: config.line, detail: 'which tests run, or with what, is changed' }];
  const inTest = holdsTests(path);
  const code = file.lines.map((line) => ({ ...line, text: codeOf(line.text, path) }));
  const judged = (line: DiffLine): boolean =>
    (inTest || ASSERTION.test(line.text)) && !IMPORT.test(line.text);
  const removed = code.filter((line) => line.kind === 'removed' && judged(line));
  const added = code.filter((line) => line.kind === 'added');
  const gone = (pattern: RegExp): string | undefined => {
    const left = countOf(added, pattern);
    for (const [part, count] of countOf(removed, pattern)) if ((left.get(part) ?? 0) < count) return part;
    return undefined;
  };
  const literal = gone(LITERAL);
  if (literal !== undefined)
    return [{ rule: 'changedExpectation', detail: `${literal.slice(0, 80)} of a test is gone or changed` }];
  const operator = gone(OPERATOR);
  if (operator !== undefined)
    return [
      { rule: 'changedExpectation', detail: `"${operator.slice(0, 80)}" of a test is gone or changed` },
    ];
  const kept = together(added.map(({ text }) => text).join('\n'));
  const lost = removed.find(({ text }) => {
    const isWhole = inTest && (DATA.test(path) || (WORDS.test(text) && !KEYWORD.test(text)));
    return (isWhole || EXPECTS.test(text)) && !kept.includes(together(text));
  });
  if (lost !== undefined)
    return [
      { rule: 'changedExpectation', detail: `"${lost.text.trim().slice(0, 80)}" of a test is changed` },
    ];
  const before = countOf(removed, SOFTENING);
  const after = countOf(added.filter(judged), SOFTENING);
  const turned = [...after].find(([part, count]) => removed.length > 0 && count > (before.get(part) ?? 0));
  if (turned !== undefined)
    return [{ rule: 'changedExpectation', detail: `"${turned[0]}" is new in what a test expects` }];
  return addedDoubts(file);
}

/** Without what a formatter may change. A text in quotes stays apart from code that reads the same. */
function together(text: string): string {
  return text
    .replace(/"(?:[^"\\\n]|\\.){0,500}"|'(?:[^'\\\n]|\\.){0,500}'|`(?:[^`\\\n]|\\.){0,500}`/g, (quoted) =>
      [...quoted.slice(1, -1).replace(/\\(["'`])/g, '$1')].map((char) => `\u0001${char}`).join(''),
    )
    .replace(/\bawait\b/g, '')
    .replace(/(?<=\d)_(?=\d)/g, '')
    .replace(/\b\d[\w.]*/g, (number) => number.toLowerCase())
    .replace(/[\s;,()"'`\\]+/g, '');
}

function countOf(lines: readonly DiffLine[], pattern: RegExp): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { text } of lines)
    for (const [part] of text.matchAll(pattern)) {
      const plain = normalised(part);
      counts.set(plain, (counts.get(plain) ?? 0) + 1);
    }
  return counts;
}

/** Quotes, escapes, digit separators and cases of numbers are a formatter's matter. */
function normalised(part: string): string {
  if (/^["'`]/.test(part)) return `"${part.slice(1, -1).replace(/\\(["'`])/g, '$1')}"`;
  return /^-?\d/.test(part) ? part.toLowerCase().replace(/_/g, '') : part;
}

// What a model may not put into a test that is there (CI-7): conditions around what it expects, ends before it, stand-ins for the code under test, marks
// that leave it out; and in the code itself, what asks whether it is being checked or takes a check's eyes away. A test that is new as a whole may hold
// nearly all of it. Pure; in doubt a person looks.
import { codeOf, codeWithoutTexts } from './code-of-line.ts';
import { holdsTests } from './test-files.ts';
import type { DiffFile, DiffLine } from './unified-diff.ts';
import { declaresTest } from './weakened-tests.ts';
import type { Weakening } from './weakening.ts';

/** Ways past an expectation that keep all its words. */
const WAYS_PAST =
  /(?<![.\w])(?:if|unless|else|elif|elsif|when|switch|match|guard|for|while|until|loop|try|except|rescue|finally|ensure|return|break|continue|goto|lambda|function|def|fn|func|fun|proc|yield|defer|class)\b(?!\s*:)|\bcatch\b|=>|\)\s+->\s|->\s*[({]|&&|\|\||\?\?|\?\s[^:]{0,80}\s:/g;
/** A name under which a test keeps what it expects or what it got. */
const KEPT_VALUE =
  /^\s*(?:(?:const|let|var|val|auto|final)\s+)?(?:\w*[Ee]xpected\w*|want(?:ed)?|actual\w*|got|result)\s*(?::=|=)(?!=)/g;
const STAND_IN =
  /\b(?:vi|jest)\s*\.\s*(?:spyOn|stubGlobal|stubEnv|fn)\b|\bmock(?:Implementation|ReturnValue|ResolvedValue|RejectedValue)\w*|\bmock\s*\.\s*(?:method|fn|patch|Mock|MagicMock)\b|@?\bpatch(?:\.object|\.dict)?\s*\(|\bmonkeypatch\b|\bmocker\b|\bsinon\b|\bproxyquire\b|\brewire\b|\btd\.replace\b|\bMockito\b|\bmockk?(?:Static|Object)?\s*[(<]|@(?:Mock|MockBean|MockitoBean|Spy\w*|InjectMocks)\b|\bwhen\s*\(.{0,200}\)\s*\.\s*then|\bevery\s*\{|\b(?:allow|allow_any_instance_of|expect_any_instance_of)\s*\(|\band_return\b|\.stubs?\b|\bwillReturn\w*|\bshouldReceive\b|\bcreate(?:Mock|Stub|PartialMock)\b|\bnew Mock<|\bSubstitute\.For\b|\.Returns\s*\(|\bgomonkey\b/g;
/** Reaches beyond the test it stands in, so that it is never a new test's own matter. */
const EVERYWHERE =
  /\b(?:vi|jest)\s*\.\s*(?:mock|doMock|unstable_mockModule)\b|\bmock\s*\.\s*module\b|\bObject\s*\.\s*definePropert|\.prototype\b|\b(?:globalThis|global|window)\s*(?:\.\s*\w+|\[[^\]]*\])\s*=(?!=)|\bsetattr\s*\(|\bexpect\s*\.\s*extend\b|\bchai\s*\.\s*use\b|\b__builtins__\b|\bbuiltins\s*\.\s*\w+\s*=|\b(?:assert|expect|pytest|unittest|t)\s*\.\s*\w+\s*=(?!=)|\b(?:const|let|var|function|class|def|fn|func|val)\s+(?:expect|it|test|describe|assert(?:_?equals?|_?true|_?same|_?that|_eq)?)\b|\b(?:define_method|class_eval|instance_eval)\b|\bat_?exit\b/gi;
/** Assertions from the repository instead of the library. */
const OWN_LIBRARY =
  /^\s*import\b[^'"]{0,200}\b(?:expect|assert|should|chai|it|test|describe)\b[^'"]{0,200}\bfrom\s*['"]\.|\b(?:expect|assert|should|chai)\b.{0,80}=\s*require\s*\(\s*['"]\./g;
const MARK =
  /@pytest\.mark\.(?!parametrize|usefixtures|asyncio|anyio|django_db)\w+|\bpytestmark\b|@(?:Tag|Category)\b|\[\s*(?:Trait|Category|TestCategory|Conditional)\b|^\s*@(?:tag|moduletag|describetag)\b|@group\b|^\s*@(?:wip|slow|manual|skip|ignore)\b/g;
/** Code that would do something else while it is checked. */
const KNOWS_OF_CHECK =
  /\bprocess\.env\s*(?:\.\s*|\[\s*['"])(?:CI|NODE_ENV|VITEST|JEST|TEST|GITHUB_ACTIONS)\w*|\bimport\.meta\.(?:vitest|env\.(?:MODE|VITEST))\b|\b(?:getenv|environ(?:\.get)?|Getenv|LookupEnv|GetEnvironmentVariable|ENV(?:\.fetch)?|env::var|getProperty)\s*[([]\s*['"](?:CI|PYTEST\w*|GITHUB_ACTIONS|TEST\w*|(?:APP|RAILS|RACK|MIX|NODE)_ENV)['"]|['"](?:pytest|unittest|_pytest)['"]\s+in\s+sys\.modules|\btesting\.Testing\s*\(|\bflag\.Lookup\s*\(\s*"test\.|\bRails\.env\.test\?|\bdefined\?\s*\(?\s*(?:RSpec|Minitest)|\brunningUnitTests\b|\bcfg!\s*\(\s*test|\bMix\.env\b|\bXCTestConfigurationFilePath\b|\$\{?(?:CI|GITHUB_ACTIONS)\b(?!\s*(?:->|=))/g;
/** Takes the types away from what a type check looks at. */
const NO_TYPE = /\bas\s+(?:any|never|unknown\s+as)\b|<any>|\bcast\s*\(\s*(?:typing\.)?Any\b/g;

/** Helpers of tests hold no expectation; they may have conditions. */
const HELPER = /(^|\/)(support|helpers?|utils?|fixtures|factories|builders|mocks|lib)\//i;
const TEST_NAME = /([._-](test|spec)s?|(Test|Tests|Spec|IT))\.\w+$|(^|\/)test_[^/]*$/;

/** Of one file of a patch that a model drafted. */
export function addedDoubts(file: DiffFile): readonly Weakening[] {
  const path = file.newPath ?? '';
  const more = (
    pattern: RegExp,
    added: readonly DiffLine[],
    seen: (text: string, path: string) => string,
  ): string | null => {
    const count = (lines: readonly DiffLine[]): Map<string, number> => {
      const counts = new Map<string, number>();
      for (const line of lines)
        for (const [found] of seen(line.text, path).matchAll(pattern)) {
          // How a function is written is a formatter's matter.
          const part = /^(?:function|lambda|=>|->.*|\)\s+->\s)$/.test(found) ? 'a function' : found;
          counts.set(part, (counts.get(part) ?? 0) + 1);
        }
      return counts;
    };
    const before = count(file.lines.filter((line) => line.kind === 'removed'));
    for (const [part, times] of count(added)) if (times > (before.get(part) ?? 0)) return part.trim();
    return null;
  };
  const added = file.lines.filter((line) => line.kind === 'added');
  if (!holdsTests(path)) {
    const asks = more(KNOWS_OF_CHECK, added, codeOf);
    if (asks !== null) return [{ rule: 'knowsOfCheck', detail: `new: "${asks.slice(0, 80)}"` }];
    const untyped = more(NO_TYPE, added, codeWithoutTexts);
    return untyped === null ? [] : [{ rule: 'suppressedCheck', detail: `new: "${untyped}"` }];
  }
  // A new file of tests takes nothing from those that are there.
  if (file.oldPath === null) return [];
  const ofNewTests = linesOfNewTests(file);
  const inside = added.filter((line) => !ofNewTests.has(line));
  const isTest = TEST_NAME.test(path) || !HELPER.test(path);
  const found =
    more(EVERYWHERE, added, codeWithoutTexts) ??
    more(OWN_LIBRARY, added, codeOf) ??
    more(STAND_IN, inside, codeWithoutTexts) ??
    more(MARK, inside, codeWithoutTexts) ??
    (isTest ? (more(WAYS_PAST, inside, codeWithoutTexts) ?? more(KEPT_VALUE, inside, codeOf)) : null);
  if (found === null) return [];
  return [{ rule: 'changedExpectation', detail: `"${found.slice(0, 80)}" is new in a test that was there` }];
}

/** The lines of each run of added lines alone that declares a test and closes what it opens. */
function linesOfNewTests(file: DiffFile): ReadonlySet<DiffLine> {
  const path = file.newPath ?? '';
  const found = new Set<DiffLine>();
  let run: DiffLine[] = [];
  const endRun = (): void => {
    const isAdded = run.every(({ kind }) => kind === 'added');
    if (isAdded && run.some(({ text }) => declaresTest(text, path)) && depthOf(run, path) === 0)
      for (const line of run) found.add(line);
    run = [];
  };
  for (const [index, line] of file.lines.entries()) {
    const before = file.lines[index - 1];
    // Another hunk begins where the numbers of one side jump.
    if (before !== undefined && before.kind === line.kind && line.line !== before.line + 1) endRun();
    if (line.kind === 'context') endRun();
    else run.push(line);
  }
  endRun();
  return found;
}

function depthOf(lines: readonly DiffLine[], path: string): number {
  let depth = 0;
  for (const { text } of lines)
    for (const char of codeWithoutTexts(text, path))
      depth += '([{'.includes(char) ? 1 : ')]}'.includes(char) ? -1 : 0;
  return depth;
}

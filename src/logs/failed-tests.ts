// Names of the failing tests in a log, as their runner prints them (CI-2): the lines of many runners as tables, and the few states that a
// list or a block needs. Streaming, with bounded memory; every expression is linear on lines that are cut first. Text is data.
import { endedNames, listedNames, type Section, sectionOf } from './failed-tests/lists.ts';
import { keyOf, withoutShorter } from './failed-tests/merge.ts';
import { passedAfterAll, passesAfterFailing, testNameOf } from './failed-tests/one-line.ts';
import { createPytest } from './failed-tests/pytest.ts';
import type { LogLine } from './lines.ts';

export type FailedTests = {
  readonly push: (line: Pick<LogLine, 'text'>) => void;
  /** Each test once, in the order of the log; where a runner prints a test twice, the longer form. At most 2,000. */
  readonly names: () => readonly string[];
  /** How many failed first, and passed when they were tried again. */
  readonly recovered: () => number;
};

const MAX_NAMES = 2_000;
const MAX_LINE = 1_000;
const MAX_NAME = 500;

/** No name of a failing test, and no start of a list of them, is in a line that neither of these fits. Two are faster than one. */
const WORDS = /FAIL|[Ff]ail|ERR|rror|not ok |\*{3}|\[E\]|\[X\]|[✖✕✗✘×⨯●❌]/;
const STARTS =
  /^\s{0,20}(?:\[\w{1,10}\]\s{0,20})?(?:\d+\) |\d+ (?:flaky|pending)|Flak|FLAKY \d|TRY \d|SIG[A-Z]{3}|TIMEOUT \[|MethodSource|==> X|(?:@[\w-]*)?\/\/|\d+\/\d+ \S.* TIMEOUT|-{20}|={70}$|---- |rspec |crystal spec|cucumber |TEST CASE|running tests:|Test(?:case|suite):|thread ')/;

export function createFailedTests(): FailedTests {
  const names = new Set<string>();
  /** Names with marks that other programs use too: they count when nothing clearer was there and tests did run. */
  const weak = new Set<string>();
  const recovered = new Set<string>();
  let testsRan = false;
  let section: Section | null = null;
  /** Ant names the class once, before its tests. */
  let antSuite = '';
  const pytest = createPytest();
  let pytestRuns = false;

  const add = (into: Set<string>, name: string): void => {
    const clean = name.replace(/\s+/g, ' ').trim().slice(0, MAX_NAME);
    if (clean.length > 1 && into.size < MAX_NAMES) into.add(clean);
  };

  const push = ({ text: whole }: Pick<LogLine, 'text'>): void => {
    pytestRuns ||= PYTEST.test(whole);
    if (pytestRuns && pytest.push(withoutPrefix(whole.slice(0, MAX_LINE)))) return;
    if (section === null && !WORDS.test(whole) && !STARTS.test(whole)) {
      if (names.size === 0 || !whole.includes('PASS')) return;
    }
    const text = withoutPrefix(whole.length > MAX_LINE ? whole.slice(0, MAX_LINE) : whole);
    if (RAN.test(text)) testsRan = true;
    if (text.startsWith('Testsuite: ')) antSuite = text.slice(11).trim();
    const opened = sectionOf(text, whole, section);
    if (opened !== undefined) {
      if (section) for (const name of endedNames(section)) add(names, name);
      section = opened;
    } else if (section) {
      const listed = listedNames(section, text);
      const before = section.kind === 'antCase' && antSuite !== '' ? `${antSuite}.` : '';
      for (const name of listed.names) add(listed.recovered ? recovered : names, before + name);
      section = listed.section;
      if (listed.done) return;
    }
    const passed = passedAfterAll(text);
    if (passed !== undefined) {
      add(recovered, passed);
      return;
    }
    const found = testNameOf(text);
    if (found === undefined) {
      const again = recovered.size < MAX_NAMES ? passesAfterFailing(text) : undefined;
      if (again !== undefined && names.has(again)) recovered.add(again);
      return;
    }
    if (found.weak) add(weak, found.name);
    else add(names, found.name);
  };

  return {
    push,
    recovered: () => recovered.size,
    names: () => {
      const last = [...(section ? endedNames(section) : []), ...pytest.names()];
      const passed = new Set([...recovered].map(keyOf));
      const strong = [...names, ...last].filter((name) => !passed.has(keyOf(name)));
      if (strong.length > 0) return withoutShorter([...new Set(strong)]);
      return testsRan ? withoutShorter([...weak]) : [];
    },
  };
}

/** From here on its lines are looked at: most have no word of a failure in them. */
const PYTEST = /^.{0,60}={4,} (?:test session starts|FAILURES|ERRORS) =+$/;

const RAN =
  /\b\d+ (?:tests?|specs?|examples?|passing|failing|passed|failed|assertions|checks)\b|\btests?:? +(?:\d|run|failed|passed)|\bTest (?:Suites|Files|Run)\b|TEST RUN FAILED|failing tests:|^Failed:|\bRan \d+/i;

/** What build tools and containers put before the line of a runner. */
const PREFIX =
  /^(?:\s{0,8}(?:##\[error\]|\[(?:ERROR|error|INFO|info|WARNING|warn|junit|testng|java|exec)\]) ?)+|^[\w.-]{1,40}[_-]\d+ {1,30}\| ?|^[@\w./-]{1,60}:test(?::[\w.-]{1,30})?: /;

function withoutPrefix(text: string): string {
  return text.replace(PREFIX, '');
}

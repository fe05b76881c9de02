// Failing tests that only their place in a log makes known: numbered lists, blocks and summaries, as small states. A state ends with its
// list and is bounded. Pure: a state and a line in, names and the next state out.

export type Section = {
  readonly kind: Kind;
  /** Lines of a name that goes on, or the last line of interest. */
  readonly held: readonly string[];
  /** Lines since the last name: a list that does not come ends. */
  readonly idle: number;
  /** Names that wait for proof. */
  readonly waiting?: string;
};

type Kind =
  | 'mocha'
  | 'numbered'
  | 'phpunit'
  | 'minitest'
  | 'cargo'
  | 'surefire'
  | 'pytest'
  | 'ctest'
  | 'sbt'
  | 'xcode'
  | 'goTimeout'
  | 'lit'
  | 'scenarios'
  | 'jestFile'
  | 'catch2'
  | 'doctest'
  | 'antCase'
  | 'nextLine'
  | 'ruled'
  | 'flaky'
  | 'skip';

export type Listed = {
  readonly names: readonly string[];
  /** The names are of tests that passed when they were tried again. */
  readonly recovered?: true;
  readonly section: Section | null;
  /** The line is used up: no rule for single lines may read it. */
  readonly done: boolean;
};

const MAX_IDLE: Readonly<Record<Kind, number>> = {
  mocha: 4_000,
  numbered: 4_000,
  phpunit: 4_000,
  minitest: 1,
  cargo: 0,
  surefire: 60,
  pytest: 20_000,
  ctest: 2,
  sbt: 1,
  xcode: 1,
  goTimeout: 1,
  lit: 1,
  scenarios: 3,
  jestFile: 3,
  catch2: 40,
  doctest: 12,
  antCase: 1,
  nextLine: 1,
  ruled: 0,
  flaky: 40,
  skip: 4_000,
};

const openers: readonly (readonly [Kind, RegExp])[] = [
  ['mocha', /^\s*\d+ failing\b/],
  [
    'skip',
    /^\s*\d+ pending$|^Pending:|^There (?:was|were) \d+ (?:risky|skipped|incomplete|warning|deprecation|notice)/,
  ],
  ['flaky', /^Flakes: *$|^Flaky tests?: *$|^\s*\d+ flaky$/],
  ['numbered', /^Failures:\s*$|^Failures?:? *$|^Failed examples?$|^\s*Errors and Failures:?$/],
  ['phpunit', /^There (?:was|were) \d+ (?:PHPUnit )?(?:failures?|errors?):/],
  ['ruled', /^={70}$/],
  ['nextLine', /^(?:Failure|Error) → \S+ @ \d+$/],
  ['minitest', /^\s*(?:\d+\) )?(?:Failure|Error):$/],
  ['cargo', /^failures:$/],
  ['surefire', /^(?:Failed tests|Tests in error|Failures|Errors): *(?:$|\S+\(\S+\)|[\w$]+\.)/],
  ['pytest', /^=+ (?:FAILURES|ERRORS) =+$/],
  ['ctest', /^The following tests FAILED:/],
  ['sbt', /^(?:Failed tests|Error: Total .*|Error during tests):$/],
  ['xcode', /^Failing tests:$/],
  ['goTimeout', /^running tests:$/],
  ['lit', /^(?:Failed|Unexpectedly Passed|Timed Out|Unresolved) Tests \(\d+\):$/],
  ['scenarios', /^(?:Failing|Errored) scenarios:$|^--- Failed scenarios:$/],
  ['jestFile', /^\s*FAIL {1,3}\S+\.[cm]?[jt]sx?(?: \([\d.]+ m?s\))?$/],
  ['doctest', /^TEST CASE: +(.+)$/],
  ['antCase', /^\s*Testcase: (.{1,300}?) took [\d.,]+ sec$/],
];

/** The state that this line starts, null where it ends one; undefined when it does neither. */
export function sectionOf(line: string, raw: string, current: Section | null): Section | null | undefined {
  if (/^\[ERROR\] (?:Failures|Errors): *$/.test(raw)) return open('surefire');
  if (current?.kind === 'flaky' && /^\s*\d+ (?:passed|failed|skipped)|^Tests run:|^\[ERROR\]/.test(raw))
    return null;
  if (
    current?.kind === 'pytest' &&
    /^=+ .*(?:summary info|passed|failed| in [\d.]+s).* =+$|^=+ warnings summary/.test(line)
  )
    return null;
  if (
    current?.kind === 'numbered' &&
    /^\s*(?:Finished in |Ran \d+|Failed examples:|\d+ examples?,|\d+ specs?,)/.test(line)
  )
    return null;
  if (line.length > 1 && line.charCodeAt(0) === 45 && /^-{70,}$/.test(line)) {
    if (current?.kind === 'catch2' && current.held.length > 0)
      return { ...current, waiting: current.held.join(' > '), held: [], idle: 0 };
    return current === null || current.kind === 'catch2' ? open('catch2') : undefined;
  }
  for (const [kind, pattern] of openers) {
    const match = pattern.exec(line);
    if (!match) continue;
    // pytest and ExUnit have lists of their own words inside; a listing of mocha holds whatever the tests printed.
    if (current?.kind === 'pytest' && kind !== 'skip') return undefined;
    if (kind === 'doctest' || kind === 'antCase')
      return {
        ...open(kind),
        waiting: match[1] ?? '',
      };
    if (kind === 'jestFile') return { ...open(kind), waiting: line.trim().split(/\s+/)[1] ?? '' };
    return open(kind);
  }
  return undefined;
}

export function endedNames(section: Section): readonly string[] {
  return section.kind === 'mocha' && section.held.length > 0 ? [section.held.join(' ')] : [];
}

export function listedNames(section: Section, line: string): Listed {
  switch (section.kind) {
    case 'mocha':
      return mocha(section, line);
    case 'numbered':
      return item(section, line, /^\s{0,8}\d+\) (?!Failed : |Error : )(\S.*)$/);
    case 'phpunit':
      return item(section, line, /^\d+\) (\S+(?:::| > |: ).*)$/);
    case 'minitest':
      return item(section, line, /^\s*(\S+#.*?)(?: \[[^\]]+\])?:?$|^(test\S*\([\w:]+\))/, true);
    case 'cargo':
      if (/^test result:/.test(line)) return ended();
      return item(section, line, /^ {4}([\w:<>]+|\S+\.(?:rs|md) - .*\(line \d+\).*)$/, true);
    case 'surefire':
      if (/^Tests run:/.test(line)) return ended();
      return surefire(section, line);
    case 'ctest':
      return item(
        section,
        line,
        /^\s*\d+ - (\S.*?) \((?:Failed|Timeout|SEGFAULT|ILLEGAL|NUMERICAL|Child aborted|Subprocess aborted|Not Run|BAD_COMMAND|OTHER_FAULT|SIG\w+|Bus error)[^)]*\)/,
        true,
      );
    case 'sbt':
      return item(section, line, /^\s+((?:[\w$]+\.)*[\w$]+)$/, true);
    case 'xcode':
      return item(section, line, /^\s+(\S.*?)$/, true);
    case 'goTimeout':
      return item(section, line, /^\s+(Test\S+) \([\w.]+\)$/, true);
    case 'lit':
      return item(section, line, /^\s+(\S+ :: \S.*)$/, true);
    case 'scenarios':
      return item(section, line, /^\s+\S+\.feature:\d+ {1,3}(\S.*)$|^\s+(\S+\.feature:\d+)/, true);
    case 'jestFile':
      if (/^\s*● Test suite failed to run/.test(line))
        return { names: [section.waiting ?? ''], section: null, done: true };
      return idle(section);
    case 'catch2':
      return catch2(section, line);
    case 'doctest':
      if (/: (?:FATAL )?ERROR: /.test(line))
        return { names: [section.waiting ?? ''], section: null, done: true };
      return idle(section);
    case 'nextLine':
      return { names: [line], section: null, done: true };
    case 'ruled':
      return item(section, line, /^(?:FAIL|ERROR): (\S.*)$/, true);
    case 'flaky':
      return flaky(section, line);
    case 'antCase':
      if (/^\s*(?:FAILED|Caused an ERROR)/.test(line))
        return { names: [section.waiting ?? ''], section: null, done: true };
      return ended();
    default:
      return { ...idle(section), done: /^\s*\d+\) /.test(line) };
  }
}

function open(kind: Kind): Section {
  return { kind, held: [], idle: 0 };
}

function ended(): Listed {
  return { names: [], section: null, done: false };
}

function idle(section: Section): Listed {
  const next = section.idle + 1;
  return {
    names: [],
    section: next > MAX_IDLE[section.kind] ? null : { ...section, idle: next },
    done: false,
  };
}

/** @param strict a line that fits not, and is not empty, ends the list soon */
function item(section: Section, line: string, pattern: RegExp, strict = false): Listed {
  const match = pattern.exec(line);
  const name = match?.[1] ?? match?.[2];
  if (name !== undefined) return { names: [name], section: { ...section, idle: 0 }, done: true };
  if (strict && line.trim() === '') return { names: [], section, done: false };
  return idle(section);
}

/** `1) Suite` and then a deeper line per level, the last with a colon; or all in one line. */
function mocha(section: Section, line: string): Listed {
  const first = /^\s{1,8}\d+\) (\S.*)$/.exec(line)?.[1];
  if (first !== undefined) {
    const names = endedNames(section);
    if (first.endsWith(':'))
      return {
        names: [...names, first.slice(0, -1)],
        section: { ...section, held: [], idle: 0 },
        done: true,
      };
    return { names, section: { ...section, held: [first], idle: 0 }, done: true };
  }
  if (section.held.length === 0) return idle(section);
  const more = /^\s{4,60}(\S.*)$/.exec(line)?.[1];
  if (more === undefined || section.held.length > 8)
    return { names: endedNames(section), section: { ...section, held: [] }, done: false };
  const held = [...section.held, more.replace(/:$/, '')];
  if (!more.endsWith(':')) return { names: [], section: { ...section, held }, done: true };
  return { names: [held.join(' ')], section: { ...section, held: [] }, done: true };
}

/** `  FooTest.bar:42 reason`, `  FooTest.bar:42->baz:7 » Error`, `  bar(com.acme.FooTest): reason`, and with runs below the name. */
function surefire(section: Section, line: string): Listed {
  if (/^\s*(?:Run \d+:|$)/.test(line)) return idle(section);
  const name =
    /^\s*((?:[\w$]+>)?(?:[\w$]+\.)+[\w$]+(?:\[[^\]]{0,100}\])?(?:\([^)]{0,100}\))?(?:\[\d+\])?):\d+/.exec(
      line,
    )?.[1] ??
    /^\s*((?:[\w$]+\.)+[\w$]+)(?:->| » |:? +expected|$)/.exec(line)?.[1] ??
    /^\s*[\w$]+ on instance ([\w$]+\([\w.$]+\))/.exec(line)?.[1] ??
    /^\s*([\w$]+(?:\[[^\]]{0,100}\])?\((?:[\w$]+\.)*[\w$]+\))(?:: |$)/.exec(line)?.[1];
  if (name === undefined) return idle(section);
  return { names: [name], section: { ...section, idle: 0 }, done: true };
}

/** Two rules of dashes around the name and its sections, a place, a rule of dots, and `FAILED:`. */
function catch2(section: Section, line: string): Listed {
  if (section.waiting !== undefined) {
    if (/: FAILED:$|^due to unexpected exception/.test(line))
      return { names: [section.waiting], section: null, done: true };
    return idle(section);
  }
  if (line.trim() === '' || section.held.length > 6) return ended();
  return { names: [], section: { ...section, held: [...section.held, line.trim()], idle: 0 }, done: false };
}

function flaky(section: Section, line: string): Listed {
  const name = /^\s*(\S.* › .*?)[ ─-]*$|^\s*((?:[\w$]+\.)+[\w$]+)$/.exec(line);
  if (!name) return idle(section);
  return { names: [name[1] ?? name[2] ?? ''], recovered: true, section, done: true };
}

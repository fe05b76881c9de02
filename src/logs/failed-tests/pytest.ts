// pytest names a failing test in full only in its summary, which older versions and many settings leave out. What is left is a block per test,
// headed by the name alone. Which file it is in is said elsewhere: by the marks of the progress lines, in the same order as the blocks, and by
// the places in a traceback. Streaming, with bounded memory.

export type Pytest = {
  /** @returns whether the line is a header, which no other rule may read */
  readonly push: (line: string) => boolean;
  /** In the order of the log, as pytest's summary would say them; without a file where the log does not tell it. */
  readonly names: () => readonly string[];
};

type Block = {
  readonly title: string;
  readonly part: 'failures' | 'errors';
  /** As the traceback shows them, outermost first. */
  readonly files: string[];
};

type Session = {
  /** Absolute paths in tracebacks begin with it. */
  root: string;
  /** The file of each `F` and each `E` of the progress lines. */
  readonly marks: { readonly failures: string[]; readonly errors: string[] };
  /** Of the progress line that goes on in the next one. */
  file: string;
  part: Block['part'] | 'summary' | null;
  /** Of the rules: headers of tests are as wide. */
  width: number;
  readonly blocks: Block[];
  /** Whether the summary named some: then it named all of that part. */
  readonly summed: { failures: boolean; errors: boolean };
};

const MAX_BLOCKS = 2_000;
const MAX_MARKS = 5_000;
const MAX_FILES = 40;
const MAX_NAMES = 4_000;

export function createPytest(): Pytest {
  const names: string[] = [];
  let session = freshSession();

  const close = (): void => {
    for (const name of namesOf(session)) if (names.length < MAX_NAMES) names.push(name);
    session = freshSession();
  };

  const push = (line: string): boolean => {
    const rule = line.startsWith('==') ? /^={2,} (.{1,60}?) =+$/.exec(line)?.[1] : undefined;
    if (rule !== undefined) {
      if (rule === 'test session starts') close();
      const part = rule === 'FAILURES' ? 'failures' : rule === 'ERRORS' ? 'errors' : undefined;
      // Another run whose beginning was not printed.
      if (part !== undefined && session.part === 'summary') close();
      session.part = part ?? (rule.startsWith('short test summary') ? 'summary' : null);
      if (part === undefined && session.part === null && session.blocks.length > 0) session.part = 'summary';
      session.width = line.length;
      return false;
    }
    if (session.part === null) readProgress(session, line);
    else if (session.part === 'summary') readSummary(session, line);
    else return readBlock(session, session.part, line);
    return false;
  };

  return { push, names: () => [...names, ...namesOf(session)] };
}

function freshSession(): Session {
  return {
    root: '',
    marks: { failures: [], errors: [] },
    file: '',
    part: null,
    width: 0,
    blocks: [],
    summed: { failures: false, errors: false },
  };
}

/** `rootdir: /work/shop, configfile: tox.ini`; `tests/test_a.py ..F.E    [ 40%]`; and what goes on in the next line. */
function readProgress(session: Session, line: string): void {
  if (line.startsWith('rootdir: '))
    session.root = slashes(/^rootdir: ([^,]+)/.exec(line)?.[1] ?? '').replace(/\/?$/, '/');
  const found = /^(?:(\S{1,300}\.\w{1,5}) )?([.FEsxXuR,]{1,400})(?:\s+\[ *\d+%\])?$/.exec(line);
  if (!found) return;
  session.file = found[1] ?? session.file;
  if (session.file === '') return;
  for (const mark of found[2] ?? '') {
    const into = mark === 'F' ? session.marks.failures : mark === 'E' ? session.marks.errors : undefined;
    if (into && into.length < MAX_MARKS) into.push(slashes(session.file));
  }
}

function readSummary(session: Session, line: string): void {
  if (/^FAILED +\S+\.\w+(?:::|$| )/.test(line)) session.summed.failures = true;
  if (/^ERROR +\S+\.\w+(?:::|$| )/.test(line)) session.summed.errors = true;
}

function readBlock(session: Session, part: Block['part'], line: string): boolean {
  const title = titleOf(line, session.width);
  if (title !== undefined) {
    if (session.blocks.length < MAX_BLOCKS) session.blocks.push({ title, part, files: [] });
    return true;
  }
  const files = session.blocks.at(-1)?.files;
  const file = files && files.length < MAX_FILES ? placeIn(line) : undefined;
  if (file !== undefined) files?.push(file);
  return false;
}

/** A header is about as wide as the other rules, or has a name that leaves no room. What a test prints is not. */
function titleOf(line: string, width: number): string | undefined {
  if (!line.startsWith('_')) return undefined;
  const found =
    /^(_{1,200}) (?:ERROR (?:at setup of|at teardown of|collecting) )?((?=.*[^_ ])\S.*?) _{1,200}$/.exec(
      line,
    );
  if (!found || (line.length < 0.75 * width && found[1] !== '_')) return undefined;
  return found[2];
}

/** `a/test_b.py:3: Error`, `File "/work/a/test_b.py", line 3, in test_c`, `file /work/a/test_b.py, line 3`. */
function placeIn(line: string): string | undefined {
  const file =
    /^(?:E +)?([^\s:]{0,3}:?[^\s:"']{1,300}\.py):\d+:(?: |$)/.exec(line)?.[1] ??
    /^\s{0,12}File "([^"]{1,300}\.py)", line \d+/.exec(line)?.[1] ??
    /^file (\S{1,300}\.py), line \d+$/.exec(line)?.[1];
  // A fixture's file is not its test's.
  if (file === undefined || /(?:^|[\\/])conftest\.py$|(?:site|dist)-packages[\\/]/.test(file))
    return undefined;
  return slashes(file);
}

function namesOf({ blocks, summed, marks, root }: Session): readonly string[] {
  return (['failures', 'errors'] as const).flatMap((part) => {
    if (summed[part]) return [];
    const own = blocks.filter((block) => block.part === part);
    // A subtest has no mark of its own.
    const marked = own.filter(({ title }) => !isSubtest(title) && !title.endsWith('.py'));
    const inOrder = marked.length === marks[part].length;
    return own.map((block) => {
      if (block.title.endsWith('.py')) return block.title;
      const at = marked.indexOf(block);
      return nameOf(
        block.title,
        (inOrder && at >= 0 ? marks[part][at] : undefined) ?? fileOf(block, marks[part], root),
      );
    });
  });
}

/** The file of a test, by where its traceback goes. */
function fileOf({ files }: Block, marked: readonly string[], root: string): string | undefined {
  const own = files.map((file) => (root !== '' && file.startsWith(root) ? file.slice(root.length) : file));
  for (const file of own) {
    const known = marked.find((one) => file === one || file.endsWith(`/${one}`));
    if (known !== undefined) return known;
  }
  const asTest = own.find(
    (file) => /(?:^|\/)(?:tests?(?:_[\w-]*)?|[\w-]+_tests?)\.py$/.test(file) && !/^(?:\/|\w:)/.test(file),
  );
  if (asTest !== undefined) return asTest;
  const [only, ...others] = new Set(marked);
  return others.length === 0 ? only : undefined;
}

/** `TestShop.TestInner.test_n[1]`, `[doctest] shop.price.tax`; of `test_sub (i=0)` the test. */
function nameOf(title: string, file: string | undefined): string {
  const doctest = /^\[doctest\] (.+)$/.exec(title)?.[1];
  if (doctest !== undefined) return file === undefined ? title : `${file}::${doctest}`;
  const whole = isSubtest(title) ? title.slice(0, title.indexOf(' ')) : title;
  if (file === undefined) return whole;
  const bracket = whole.indexOf('[');
  const plain = bracket === -1 ? whole : whole.slice(0, bracket);
  return `${file}::${plain.replaceAll('.', '::')}${whole.slice(plain.length)}`;
}

/** Names have spaces in their parameters only. */
function isSubtest(title: string): boolean {
  return /^[^\s[]+ [[(]/.test(title);
}

function slashes(path: string): string {
  return path.replaceAll('\\', '/');
}

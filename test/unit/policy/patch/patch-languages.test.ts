// CI-7, language by language: what weakens a test or a check never passes the gate; what a model drafted may not touch expectations either; a plain fix
// passes. The weakenings are rows of patch-weakenings.jsonl, one change each.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judgePatch, patchGateDefaults } from '../../../../src/policy/patch/gate.ts';

type Change = { readonly path: string; readonly removed?: string[]; readonly added?: string[] };
/** `who`: whose patch it is a weakening in: anybody's, or a model's only. */
type Row = Change & {
  readonly language: string;
  readonly name: string;
  readonly rule: string;
  readonly who: 'any' | 'drafted';
};

const rows = readFileSync(join(import.meta.dirname, 'patch-weakenings.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line): Row => JSON.parse(line));
const drafted = { ...patchGateDefaults, drafted: true };

function diffOf({ path, removed = [], added = [] }: Change): string {
  const at = (lines: readonly string[]): string => `${lines.length === 0 ? 4 : 5},${lines.length}`;
  const body = [...removed.map((line) => `-${line}`), ...added.map((line) => `+${line}`)].join('\n');
  return `diff --git a/${path} b/${path}\nindex 1111111..2222222 100644\n--- a/${path}\n+++ b/${path}\n@@ -${at(removed)} +${at(added)} @@\n${body}\n`;
}

const rulesOf = (change: Change, settings = patchGateDefaults): readonly string[] =>
  judgePatch(diffOf(change), settings).violations.map(({ rule }) => rule);

describe.each([...new Set(rows.map(({ language }) => language))])('CI-7 %s', (language) => {
  it.each(rows.filter((row) => row.language === language).map((row) => [row.name, row.rule, row] as const))(
    '%s → %s',
    (_name, rule, row) => {
      expect(rulesOf(row, row.who === 'any' ? patchGateDefaults : drafted)).toContain(rule);
      expect(judgePatch(diffOf(row), drafted).verdict).toBe('person');
    },
  );
});

// A gate that stops every fix is none.
describe('CI-7 a plain fix of a model passes', () => {
  it.each<[string, Change]>([
    [
      'JavaScript',
      {
        path: 'src/pages.js',
        removed: ['  return Math.floor(n / size);'],
        added: ['  return Math.ceil(n / size);'],
      },
    ],
    [
      'TypeScript',
      {
        path: 'src/a.ts',
        removed: ['  for (let i = 0; i <= n; i += 1) {'],
        added: ['  for (let i = 0; i < n; i += 1) {'],
      },
    ],
    [
      'Python',
      { path: 'shop/pages.py', removed: ['    return n // size'], added: ['    return -(-n // size)'] },
    ],
    ['Go', { path: 'pages.go', removed: ['\treturn n / size'], added: ['\treturn (n + size - 1) / size'] }],
    [
      'Java',
      {
        path: 'src/main/java/Pages.java',
        removed: ['    return n / size;'],
        added: ['    return (n + size - 1) / size;'],
      },
    ],
    [
      'Kotlin',
      { path: 'src/main/kotlin/Pages.kt', removed: ['  n / size'], added: ['  (n + size - 1) / size'] },
    ],
    ['Ruby', { path: 'lib/pages.rb', removed: ['    n / size'], added: ['    (n.to_f / size).ceil'] }],
    [
      'PHP',
      {
        path: 'src/Pages.php',
        removed: ['        return intdiv($n, $size);'],
        added: ['        return (int) ceil($n / $size);'],
      },
    ],
    ['Rust', { path: 'src/lib.rs', removed: ['    n / size'], added: ['    n.div_ceil(size)'] }],
    [
      'C#',
      {
        path: 'src/Pages.cs',
        removed: ['        return n / size;'],
        added: ['        return (n + size - 1) / size;'],
      },
    ],
    [
      'an error that is handled',
      {
        path: 'src/a.ts',
        removed: ['  load();'],
        added: ['  try {', '    load();', '  } catch (error) {', '    report(error);', '  }'],
      },
    ],
    [
      'one more test',
      {
        path: 'test/a.test.ts',
        added: ["it('holds at the end', () => {", '  expect(pages(10, 5)).toBe(2);', '});'],
      },
    ],
    [
      'a moved import',
      {
        path: 'test/a.test.ts',
        removed: ["import { f } from '../src/a.ts';"],
        added: ["import { f } from '../src/b.ts';"],
      },
    ],
    [
      'a reformatted expectation',
      {
        path: 'test/a.test.ts',
        removed: ["expect(f('x')).toEqual([1_000, 2]);"],
        added: ['expect(', '  f("x"),', ').toEqual([1000, 2]);'],
      },
    ],
    [
      'a new version of a dependency',
      { path: 'package.json', removed: ['    "left": "1.0.0",'], added: ['    "left": "1.0.1",'] },
    ],
    [
      'a dependency of Maven',
      {
        path: 'pom.xml',
        removed: ['      <version>1.0.0</version>'],
        added: ['      <version>1.0.1</version>'],
      },
    ],
    ['a module of Go', { path: 'go.mod', added: ['require example.com/a v1.2.3'] }],
    [
      'a helper of tests',
      {
        path: 'test/support/server.ts',
        removed: ['  server.listen();'],
        added: ['  await server.listen();'],
      },
    ],
    [
      'a setting from the environment',
      { path: 'src/a.ts', added: ['  const port = Number(process.env.PORT ?? 3000);'] },
    ],
    [
      'an expectation of what was not awaited',
      {
        path: 'test/a.test.ts',
        removed: ['  expect(load(1)).toBe(3);'],
        added: ['  expect(await load(1)).toBe(3);'],
      },
    ],
    [
      'a test in the form of a linter',
      { path: 'test/a.test.js', removed: ["it('a', function () {"], added: ["it('a', () => {"] },
    ],
    [
      'one more test with a spy and a loop',
      {
        path: 'test/a.test.ts',
        added: [
          "it('warns', () => {",
          "  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});",
          '  for (const n of [1, 2]) pages(n);',
          '  expect(warn).toHaveBeenCalledTimes(2);',
          '});',
        ],
      },
    ],
    [
      'one more test of Python',
      {
        path: 'tests/test_a.py',
        added: [
          'def test_last_page():',
          '    for n in range(3):',
          '        assert pages(n, 2) == expected(n)',
        ],
      },
    ],
    ['one more row of Go', { path: 'a_test.go', added: ['\t\t{11, 5, 3},'] }],
    [
      'what black does',
      {
        path: 'tests/test_a.py',
        removed: ["    assert f(a,b) == {'a':1, 'b':[1,2]}"],
        added: ['    assert f(a, b) == {', '        "a": 1,', '        "b": [1, 2],', '    }'],
      },
    ],
    [
      'what rustfmt does',
      {
        path: 'tests/a.rs',
        removed: ['    assert_eq!(f(1,2), vec![1,2,3]);'],
        added: ['    assert_eq!(', '        f(1, 2),', '        vec![1, 2, 3],', '    );'],
      },
    ],
    [
      'dependencies with names of checks',
      { path: 'package.json', added: ['    "test-utils": "^1.0.0",', '    "ci-info": "~4.0.0"'] },
    ],
    [
      'a script that stops on its own',
      {
        path: 'scripts/build.sh',
        removed: ['cp a b'],
        added: ['cp a out/b || exit 1', 'npm run gen || exit 1'],
      },
    ],
    [
      'Ruby that rescues',
      {
        path: 'lib/a.rb',
        removed: ['    find(id)'],
        added: ['    begin', '      find(id)', '    rescue NotFound', '      nil', '    end'],
      },
    ],
    [
      'Rust that does not panic any more',
      {
        path: 'src/lib.rs',
        removed: ['    let n = parse(text).expect("a number");'],
        added: ['    let n = parse(text)?;'],
      },
    ],
    ['two alphabets, each in its words', { path: 'src/ru.ts', added: ["  hi: 'Привет, API и IT-отдел',"] }],
    ['prose about a linter', { path: 'README.md', removed: ['a'], added: ['Never write eslint-disable.'] }],
    ['an author, not auth', { path: 'src/authored.ts', removed: ['a'], added: ['b'] }],
  ])('%s', (_name, change) => {
    expect(rulesOf(change, drafted)).toEqual([]);
  });
});

it('CI-7: a fixer that a person configured may write new snapshots and expectations; a model may not', () => {
  const snapshot = { path: 'api/__snapshots__/schema.snap', removed: ['  "a": 1,'], added: ['  "a": 2,'] };
  expect(rulesOf(snapshot)).toEqual([]);
  expect(rulesOf(snapshot, drafted)).toEqual(['changedSnapshot']);
});

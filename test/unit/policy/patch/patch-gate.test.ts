// CI-7: the patch gate never lets a weakening, an oversized or a dangerous patch through.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgePatch, patchGateDefaults } from '../../../../src/policy/patch/gate.ts';

type Change = { path: string; removed?: string[]; added?: string[]; header?: string };

function diffOf(changes: Change[]): string {
  return changes
    .map(({ path, removed = [], added = [], header = '' }) => {
      const body = [...removed.map((line) => `-${line}`), ...added.map((line) => `+${line}`)];
      const hunk = `@@ -${removed.length === 0 ? 4 : 5},${removed.length} +${added.length === 0 ? 4 : 5},${added.length} @@`;
      const index = header === '' ? 'index 1111111..2222222 100644\n' : header;
      return `diff --git a/${path} b/${path}\n${index}--- a/${path}\n+++ b/${path}\n${hunk}\n${body.join('\n')}\n`;
    })
    .join('');
}

function rulesOf(changes: Change[]): string[] {
  return judgePatch(diffOf(changes)).violations.map((violation) => violation.rule);
}

const WEAKENINGS: [name: string, rule: string, change: Change][] = [
  [
    'jest skip',
    'skippedTest',
    { path: 'src/a.test.ts', removed: ["it('a', f);"], added: ["it.skip('a', f);"] },
  ],
  ['early return', 'skippedTest', { path: 'src/a.test.ts', added: ['    return;'] }],
  ['never true', 'skippedTest', { path: 'tests/test_a.py', added: ['    if False:'] }],
  ['preprocessor', 'skippedTest', { path: 'tests/a_test.c', added: ['#if 0'] }],
  ['open comment', 'skippedTest', { path: 'src/a.test.ts', added: ['foo(); /* later'] }],
  ['open docstring', 'skippedTest', { path: 'tests/test_a.py', added: ['    """'] }],
  ['only', 'skippedTest', { path: 'src/a.test.ts', added: ["describe.only('x', () => {"] }],
  ['concurrent skip', 'skippedTest', { path: 'src/a.test.ts', added: ["test.concurrent.skip('x', f)"] }],
  ['bracket skip', 'skippedTest', { path: 'src/a.test.ts', added: ["it['skip']('x', f)"] }],
  ['split skip', 'skippedTest', { path: 'src/a.test.ts', added: ["  .skip('x', f)"] }],
  ['xit', 'skippedTest', { path: 'src/a.test.ts', added: ["xit('x', f)"] }],
  ['node skip option', 'skippedTest', { path: 'test/a.mjs', added: ["test('x', { skip: true }, f)"] }],
  ['playwright fixme', 'skippedTest', { path: 'e2e/a.ts', added: ["test.fixme('x', f)"] }],
  ['pytest skip', 'skippedTest', { path: 'tests/test_a.py', added: ['@pytest.mark.skip(reason="flaky")'] }],
  ['pytest xfail', 'skippedTest', { path: 'tests/test_a.py', added: ['@pytest.mark.xfail'] }],
  ['unittest skip', 'skippedTest', { path: 'tests/test_a.py', added: ['    @unittest.skipIf(True, "x")'] }],
  ['self.skipTest', 'skippedTest', { path: 'tests/test_a.py', added: ['        self.skipTest("x")'] }],
  ['go skip', 'skippedTest', { path: 'pkg/a_test.go', added: ['\tt.Skip("flaky")'] }],
  ['go build tag', 'skippedTest', { path: 'pkg/a_test.go', added: ['//go:build ignore'] }],
  ['rust ignore', 'skippedTest', { path: 'src/lib.rs', added: ['    #[ignore]'] }],
  ['junit disabled', 'skippedTest', { path: 'src/test/java/ATest.java', added: ['  @Disabled("x")'] }],
  ['nunit ignore', 'skippedTest', { path: 'Tests/A.cs', added: ['  [Ignore("x")]'] }],
  ['xunit skip', 'skippedTest', { path: 'Tests/A.cs', added: ['  [Fact(Skip = "x")]'] }],
  ['rspec pending', 'skippedTest', { path: 'spec/a_spec.rb', added: ["    pending 'x'"] }],
  ['phpunit', 'skippedTest', { path: 'tests/ATest.php', added: ['$this->markTestSkipped("x");'] }],
  ['exunit', 'skippedTest', { path: 'test/a_test.exs', added: ['  @tag :skip'] }],
  ['swift', 'skippedTest', { path: 'Tests/A.swift', added: ['throw XCTSkip("x")'] }],
  ['gtest', 'skippedTest', { path: 'test/a.cc', added: ['TEST(A, DISABLED_B) {'] }],
  ['pytest --ignore', 'skippedTest', { path: 'pyproject.toml', added: ['addopts = "--ignore=tests/slow"'] }],
  [
    'jest ignore patterns',
    'skippedTest',
    { path: 'jest.config.js', added: ["testPathIgnorePatterns: ['a']"] },
  ],
  [
    'fewer expects',
    'fewerAssertions',
    { path: 'a.test.ts', removed: ['  expect(a).toBe(1);'], added: ['  a;'] },
  ],
  [
    'assert in python',
    'fewerAssertions',
    { path: 'tests/test_a.py', removed: ['    assert a == 1'], added: ['    a'] },
  ],
  [
    'assert commented out',
    'fewerAssertions',
    { path: 'a.test.ts', removed: ['expect(a).toBe(1)'], added: ['// expect(a).toBe(1)'] },
  ],
  [
    'go t.Errorf',
    'fewerAssertions',
    { path: 'a_test.go', removed: ['\t\tt.Errorf("x")'], added: ['\t\t_ = x'] },
  ],
  [
    'rust assert_eq',
    'fewerAssertions',
    { path: 'src/lib.rs', removed: ['  assert_eq!(a, 1);'], added: ['  a;'] },
  ],
  [
    'always true',
    'fewerAssertions',
    { path: 'a.test.ts', removed: ['expect(a).toBe(1)'], added: ['expect(true).toBe(true)'] },
  ],
  ['deleted js test', 'deletedTest', { path: 'a.test.ts', removed: ["it('a', () => {", '});'] }],
  ['deleted python test', 'deletedTest', { path: 'tests/test_a.py', removed: ['def test_a():', '    pass'] }],
  ['deleted go test', 'deletedTest', { path: 'a_test.go', removed: ['func TestA(t *testing.T) {', '}'] }],
  ['deleted rust test', 'deletedTest', { path: 'src/lib.rs', removed: ['#[test]', 'fn a() {}'] }],
  ['deleted snapshot', 'deletedTest', { path: '__snapshots__/a.snap', removed: ['exports[`a 1`] = `x`;'] }],
  [
    'jest timeout up',
    'raisedLimit',
    { path: 'a.test.ts', removed: ['jest.setTimeout(5000)'], added: ['jest.setTimeout(60_000)'] },
  ],
  ['new timeout', 'raisedLimit', { path: 'a.test.ts', added: ['  timeout: 90 * 1000,'] }],
  [
    'retries',
    'raisedLimit',
    { path: 'playwright.config.ts', removed: ['retries: 0,'], added: ['retries: 3,'] },
  ],
  ['reruns', 'raisedLimit', { path: 'tox.ini', removed: ['pytest'], added: ['pytest --reruns 3'] }],
  ['flaky mark', 'raisedLimit', { path: 'tests/test_a.py', added: ['@pytest.mark.flaky(reruns=3)'] }],
  [
    'go timeout',
    'raisedLimit',
    { path: 'Makefile', removed: ['\tgo test -timeout 30s'], added: ['\tgo test -timeout 30m'] },
  ],
  [
    '|| true',
    'swallowedFailure',
    { path: 'scripts/lint.sh', removed: ['npm run lint'], added: ['npm run lint || true'] },
  ],
  [
    '|| true in package.json',
    'swallowedFailure',
    { path: 'package.json', removed: ['"test": "vitest"'], added: ['"test": "vitest || true"'] },
  ],
  ['|| :', 'swallowedFailure', { path: 'run', added: ['make check || :'] }],
  ['set +e', 'swallowedFailure', { path: 'run.sh', removed: ['set -e'], added: ['set +e'] }],
  ['continue-on-error', 'swallowedFailure', { path: 'ci/steps.yml', added: ['  continue-on-error: true'] }],
  ['allow_failure', 'swallowedFailure', { path: 'ci/steps.yml', added: ['  allow_failure: true'] }],
  ['passWithNoTests', 'swallowedFailure', { path: 'x.json', added: ['"t": "jest --passWithNoTests"'] }],
  ['make dash', 'swallowedFailure', { path: 'Makefile', removed: ['\tpytest'], added: ['\t-pytest'] }],
  [
    'jest threshold',
    'loweredCoverage',
    { path: 'jest.config.js', removed: ['branches: 80,'], added: ['branches: 60,'] },
  ],
  [
    'fail_under',
    'loweredCoverage',
    { path: 'pyproject.toml', removed: ['fail_under = 90'], added: ['fail_under = 50'] },
  ],
  ['threshold gone', 'loweredCoverage', { path: '.coveragerc', removed: ['fail_under = 90'] }],
  [
    'no cover',
    'loweredCoverage',
    { path: 'src/a.py', removed: ['def f():'], added: ['def f():  # pragma: no cover'] },
  ],
  ['eslint-disable', 'suppressedCheck', { path: 'src/a.ts', added: ['// eslint-disable-next-line'] }],
  ['ts-ignore', 'suppressedCheck', { path: 'src/a.ts', added: ['// @ts-ignore'] }],
  ['noqa', 'suppressedCheck', { path: 'src/a.py', added: ['import os  # noqa'] }],
  [
    'test script',
    'changedTestCommand',
    { path: 'package.json', removed: ['  "test": "vitest run",'], added: ['  "test": "echo ok",'] },
  ],
];

describe('CI-7 weakened tests', () => {
  it.each(WEAKENINGS)('%s → %s', (_name, rule, change) => {
    expect(rulesOf([change])).toContain(rule);
  });

  const CLEAN: [string, Change][] = [
    [
      'a reformatted skip',
      { path: 'a.test.ts', removed: ['it.skip("a", f)'], added: ["  it.skip('a', f);"] },
    ],
    [
      'a wrapped assertion',
      { path: 'a.test.ts', removed: ['expect(a).toBe(1);'], added: ['expect(', '  a,', ').toBe(1);'] },
    ],
    [
      'a reindented timeout',
      { path: 'a.test.ts', removed: ['timeout: 5000'], added: ['    timeout: 5_000,'] },
    ],
    ['a lowered timeout', { path: 'a.test.ts', removed: ['timeout: 5000'], added: ['timeout: 1000'] }],
    ['a raised threshold', { path: 'jest.config.js', removed: ['branches: 60,'], added: ['branches: 80,'] }],
    [
      'a generated table',
      { path: 'src/generated/prices.json', removed: ['  "a": 1'], added: ['  "a": 2,', '  "b": 3'] },
    ],
    ['formatted code', { path: 'src/cart.js', removed: ['const a={b:1}'], added: ['const a = { b: 1 };'] }],
    [
      'a product timeout',
      { path: 'src/client.ts', removed: ['timeoutMs: 1000'], added: ['timeoutMs: 2000'] },
    ],
    ['an author, not auth', { path: 'src/author.ts', removed: ['a'], added: ['b'] }],
    [
      'content like a header',
      { path: 'docs/a.txt', removed: ['-- a/x'], added: ['++ b/x', 'diff --git a/x b/x'] },
    ],
    ['CRLF', { path: 'a.txt', removed: ['a\r'], added: ['b\r'] }],
    ['skip in a query', { path: 'src/list.ts', added: ['rows.skip(10).take(5)'] }],
  ];
  it.each(CLEAN)('passes %s', (_name, change) => {
    expect(judgePatch(diffOf([change])).violations).toEqual([]);
  });
});

describe('CI-7 kinds of change', () => {
  const cases: [string, string, string][] = [
    [
      'deletion',
      'deletion',
      'diff --git a/x b/x\ndeleted file mode 100644\nindex 1..0\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n',
    ],
    ['deletion of an empty file', 'deletion', 'diff --git a/x b/x\ndeleted file mode 100644\nindex 1..0\n'],
    ['rename', 'rename', 'diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n'],
    ['mode', 'modeChange', 'diff --git a/x y b/x y\nold mode 100644\nnew mode 100755\n'],
    [
      'new executable',
      'modeChange',
      'diff --git a/x b/x\nnew file mode 100755\nindex 0..1\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n',
    ],
    [
      'symlink',
      'symlink',
      'diff --git a/x b/x\nnew file mode 120000\nindex 0..1\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n',
    ],
    [
      'submodule',
      'submodule',
      'diff --git a/x b/x\nindex 1..2 160000\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n',
    ],
    [
      'binary',
      'binary',
      'diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 3\nKcmZ\n\nliteral 3\nKcmZ\n\n',
    ],
    [
      'binary, short form',
      'binary',
      'diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n',
    ],
    ['garbage', 'unreadable', 'hello\n'],
    ['a cut hunk', 'unreadable', 'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n'],
    ['a hunk that lies', 'unreadable', 'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n+c\n'],
    ['escape', 'unsafePath', diffOf([{ path: '../x', added: ['a'] }])],
    ['git folder', 'forbiddenPath', diffOf([{ path: 'sub/.git/config', added: ['a'] }])],
    ['bidi', 'invisibleText', diffOf([{ path: 'a.ts', added: ['const a = "\u202e";'] }])],
    ['tags', 'invisibleText', diffOf([{ path: 'a.ts', added: ['a\u{e0041}'] }])],
    ['zero width path', 'unsafePath', diffOf([{ path: 'a\u200b.ts', added: ['a'] }])],
    [
      'quoted path',
      'forbiddenPath',
      'diff --git "a/.github/\\303\\244.yml" "b/.github/\\303\\244.yml"\nindex 1..2 100644\n--- "a/.github/\\303\\244.yml"\n+++ "b/.github/\\303\\244.yml"\n@@ -1 +1 @@\n-a\n+b\n',
    ],
    ['security test', 'securitySensitiveTest', diffOf([{ path: 'test/csrf.test.ts', added: ['a'] }])],
  ];
  it.each(cases)('%s → %s', (_name, rule, text) => {
    const { verdict, violations } = judgePatch(text);
    expect(violations.map((violation) => violation.rule)).toContain(rule);
    expect(verdict).toBe('person');
  });

  it.each([
    '.github/workflows/ci.yml',
    '.env',
    'a/.env.local',
    '.envrc',
    'db/migrations/1.sql',
    'app/migrate.py',
    'src/auth/x.ts',
    'src/AuthMiddleware.ts',
    'lib/oauth_client.rb',
    'src/payments/card.ts',
    'billing.py',
    'infra/main.ts',
    'x/main.tf',
    'Dockerfile',
    'docker-compose.yml',
    '.gitattributes',
    'src/core/x.ts',
    'SRC/CORE/x.ts',
    'keys/a.pem',
    '.gitlab-ci.yml',
    'a/Login.tsx',
  ])('forbids %s', (path) => {
    const settings = { ...patchGateDefaults, core: ['src/core/'] };
    expect(judgePatch(diffOf([{ path, added: ['a'] }]), settings).violations.map((v) => v.rule)).toContain(
      'forbiddenPath',
    );
  });

  it('counts files and lines against the settings', () => {
    const six = Array.from({ length: 6 }, (_, index) => ({ path: `src/f${index}.ts`, added: ['a'] }));
    expect(rulesOf(six)).toEqual(['tooManyFiles']);
    expect(judgePatch(diffOf(six), { ...patchGateDefaults, maxFiles: 6 }).verdict).toBe('pass');
    const long = [{ path: 'src/a.ts', added: Array.from({ length: 201 }, () => 'a') }];
    expect(rulesOf(long)).toEqual(['tooManyLines']);
    expect(judgePatch(diffOf(long), { ...patchGateDefaults, maxLines: 201 })).toMatchObject({
      verdict: 'pass',
      lines: 201,
    });
  });
});

describe('CI-7 properties', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 }).map((value) => value.replace(/[\r\n]/g, ' '));
  const harmless = fc.record({
    path: fc.nat({ max: 999 }).map((n) => `src/f${n}.ts`),
    removed: fc.array(text, { maxLength: 3 }),
    added: fc.array(text, { minLength: 1, maxLength: 3 }),
  });

  it('a weakening among anything else is never passed', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...WEAKENINGS),
        fc.array(harmless, { maxLength: 3 }),
        fc.nat(),
        fc.array(text, { maxLength: 4 }),
        (weak, others, at, noise) => {
          const [, , change] = weak;
          const noisy = { ...change, added: [...noise.map((line) => `// ${line}`), ...(change.added ?? [])] };
          const all: Change[] = [...others];
          all.splice(at % (all.length + 1), 0, noisy);
          expect(judgePatch(diffOf(all)).verdict).toBe('person');
        },
      ),
    );
  });

  it('the verdict does not depend on the order of files', () => {
    const any = fc.oneof(
      harmless,
      fc.constantFrom(...WEAKENINGS).map(([, , change]) => change),
    );
    const shuffled = fc
      .array(any, { maxLength: 6 })
      .chain((all) =>
        fc.tuple(
          fc.constant(all),
          fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
        ),
      );
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(judgePatch(diffOf(other))).toEqual(judgePatch(diffOf(one)));
      }),
    );
  });

  it('a comment around code that was there hides it; one of its own does not', () => {
    const patch = (...rows: string[]): string => {
      const old = rows.filter((row) => !row.startsWith('+')).length;
      return `diff --git a/a.test.ts b/a.test.ts\nindex 1111111..2222222 100644\n--- a/a.test.ts\n+++ b/a.test.ts\n@@ -1,${old} +1,${rows.length} @@\n${rows.join('\n')}\n`;
    };
    expect(judgePatch(patch(' a', '+/*', ' expect(x).toBe(1);', '+*/', ' b')).violations).toMatchObject([
      { rule: 'skippedTest', line: 2 },
    ]);
    expect(
      judgePatch(patch(' a', '+/**', '+ * Why.', '+ */', "+const all = glob('src/**/*.ts');", ' b')).verdict,
    ).toBe('pass');
  });

  // DUR-4: no pattern takes long, whatever a line holds.
  it.each([
    ['a word', 'a'],
    ['dots', 'it.'],
    ['blanks', 'assert '],
    ['repeats', 'coverage '],
    ['white space', ' \t'],
    ['quotes', '"\\'],
    ['comments', '/* '],
  ])('a line without an end is for a person, at once: %s', (_what, part) => {
    const long = { path: 'package.test.ts', removed: ['a'], added: [part.repeat(300_000 / part.length)] };
    expect(rulesOf([long])).toContain('longLine');
    const many = {
      path: 'package.test.ts',
      added: Array.from({ length: 200 }, () => part.repeat(4_900 / part.length)),
    };
    expect(judgePatch(diffOf([many]))).toBeDefined();
  });

  it('no text makes it throw, and what is not a diff is never passed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (noise) => {
        expect(judgePatch(noise).verdict === 'person' || noise === '').toBe(true);
        expect(() => judgePatch(`${diffOf([{ path: 'a', added: ['b'] }])}${noise}`)).not.toThrow();
      }),
    );
  });
});

// CI-13: only where the workspace allows it, only the workflow itself, and never to weaken what it checks.
it.each<[path: string, added: string, allowed: boolean, rules: readonly string[]]>([
  ['.github/workflows/ci.yml', '    runs-on: ubuntu-latest', true, []],
  ['.github/workflows/ci.yml', '    runs-on: ubuntu-latest', false, ['forbiddenPath']],
  ['.github/workflows/ci.yml', '        continue-on-error: true', true, ['swallowedFailure']],
  ['.github/CODEOWNERS', '* @acme/all', true, ['forbiddenPath']],
  ['.github/actions/setup/action.yml', 'name: setup', true, ['forbiddenPath']],
  ['packages/a/.github/workflows/ci.yml', 'name: ci', true, ['forbiddenPath']],
  ['.github/workflows/deploy-secrets.yml', 'name: x', true, ['forbiddenPath']],
])('CI-13: %s with "%s", allowed: %s', (path, added, workflows, rules) => {
  const { violations } = judgePatch(diffOf([{ path, added: [added] }]), { ...patchGateDefaults, workflows });
  expect(violations.map(({ rule }) => rule)).toEqual(rules);
});

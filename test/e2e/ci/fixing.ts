// What tests of fixes by the model share: small projects whose main is red by an off-by-one, a scripted Claude, a world with both.
import { dirname } from 'node:path';
import { reportTokens } from '../../support/claude/tokens.ts';
import type { ClaudeReply, ClaudeScript } from '../../support/claude.ts';
import { type Claude, startClaude } from '../../support/claude.ts';
import { type Change, createWorld, type World, whole } from '../rig.ts';

export type Files = Readonly<Record<string, string>>;
type Tool = { readonly name: string; readonly input: object | string };

export type Project = {
  readonly name: string;
  /** The files when all is well, and the one that a commit on main breaks. */
  readonly good: Files;
  readonly broken: Files;
  /** What CI runs. */
  readonly command: string;
  /** What CI runs before it, to get dependencies. */
  readonly install?: string;
  readonly source: string;
  /** What the implementer replaces, and by what. */
  readonly wrong: string;
  readonly right: string;
  readonly test: string;
  /** What the change of an assertion would replace. */
  readonly assertion: readonly [string, string];
};

/** This Node runs TypeScript; the one that the machine has may be older. */
const node = process.execPath;
const page = (kind: string, body: string): string => `// Pages of a list.\n${kind}\n${body}\n`;

export const typescript: Project = {
  name: 'TypeScript',
  command: `${node} --test test/pages.test.ts`,
  source: 'src/pages.ts',
  test: 'test/pages.test.ts',
  wrong: 'Math.floor(items / size)',
  right: 'Math.ceil(items / size)',
  assertion: ['assert.equal(pages(11, 5), 3)', 'assert.equal(pages(11, 5), 2)'],
  good: {
    'package.json': '{ "name": "pages", "type": "module", "private": true }\n',
    'src/pages.ts': page(
      'export function pages(items: number, size: number): number {',
      '  return Math.ceil(items / size);\n}',
    ),
    'test/pages.test.ts': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pages } from '../src/pages.ts';

test('a list that ends with a page', () => {
  assert.equal(pages(10, 5), 2);
});

test('a list that ends within a page', () => {
  assert.equal(pages(11, 5), 3);
});
`,
  },
  broken: {
    'src/pages.ts': page(
      'export function pages(items: number, size: number): number {',
      '  return Math.floor(items / size);\n}',
    ),
  },
};

export const python: Project = {
  name: 'Python',
  command: 'python3 -m unittest',
  source: 'pages.py',
  test: 'test_pages.py',
  wrong: 'items // size',
  right: '-(-items // size)',
  assertion: ['self.assertEqual(pages(11, 5), 3)', 'self.assertEqual(pages(11, 5), 2)'],
  good: {
    'pages.py': 'def pages(items, size):\n    """Pages of a list."""\n    return -(-items // size)\n',
    'test_pages.py': `import unittest

from pages import pages


class PagesTest(unittest.TestCase):
    def test_ends_with_a_page(self):
        self.assertEqual(pages(10, 5), 2)

    def test_ends_within_a_page(self):
        self.assertEqual(pages(11, 5), 3)
`,
    '.gitignore': '__pycache__/\n',
  },
  broken: { 'pages.py': 'def pages(items, size):\n    """Pages of a list."""\n    return items // size\n' },
};

export const go: Project = {
  name: 'Go',
  command: 'go test ./...',
  source: 'pages.go',
  test: 'pages_test.go',
  wrong: 'return items / size',
  right: 'return (items + size - 1) / size',
  assertion: ['got != 3', 'got != 2'],
  good: {
    'go.mod': 'module example.com/pages\n\ngo 1.21\n',
    'pages.go':
      'package pages\n\n// Pages of a list.\nfunc Pages(items, size int) int {\n\treturn (items + size - 1) / size\n}\n',
    'pages_test.go': `package pages

import "testing"

func TestEndsWithAPage(t *testing.T) {
	if got := Pages(10, 5); got != 2 {
		t.Errorf("Pages(10, 5) = %d, want 2", got)
	}
}

func TestEndsWithinAPage(t *testing.T) {
	if got := Pages(11, 5); got != 3 {
		t.Errorf("Pages(11, 5) = %d, want 3", got)
	}
}
`,
  },
  broken: {
    'pages.go':
      'package pages\n\n// Pages of a list.\nfunc Pages(items, size int) int {\n\treturn items / size\n}\n',
  },
};

/** One job per name, all with the same failing step. */
export function workflowOf(project: Project, jobs: readonly string[] = ['test']): string {
  const install =
    project.install === undefined ? '' : `      - name: Install\n        run: ${project.install}\n`;
  const job = (name: string): string =>
    `  ${name}:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n${install}      - name: Test\n        run: ${project.command}\n`;
  return `name: ci\non:\n  push:\n    branches: ['**']\njobs:\n${jobs.map(job).join('')}`;
}

export type FixingWorld = World & { readonly claude: Claude };

/** Main was green, then a commit broke it; the model is scripted. */
export async function createFixingWorld(
  project: Project,
  options: { readonly jobs?: readonly string[]; readonly change?: Change; readonly ci?: object } = {},
): Promise<FixingWorld> {
  const claude = await startClaude();
  const world = await createWorld(whole, {
    ...options.change,
    drift: null,
    database: null,
    files: { ...project.good, '.github/workflows/ci.yml': workflowOf(project, options.jobs) },
    tenant: { model: { baseUrl: claude.url, apiKey: 'env:SHOP_MODEL_KEY' }, ...options.change?.tenant },
    env: { SHOP_MODEL_KEY: claude.apiKey },
    ci: { fixers: [], sandbox: { readOnlyPaths: [dirname(node)] }, rerun: false, ...options.ci },
  });
  const at = { owner: 'acme', repo: 'shop' } as const;
  await world.forge.actions.waitIdle();
  await world.forge.commitFiles({ ...at, files: project.broken, message: 'Count pages by whole ones' });
  await world.forge.actions.waitIdle();
  return {
    ...world,
    claude,
    stop: async () => {
      await world.stop();
      await reportTokens(options.change?.act ? `${project.name}, act` : project.name, claude.requests());
      await claude.close();
    },
  };
}

export const edit = (input: object): Tool => ({ name: 'str_replace_based_edit_tool', input });
export const bash = (command: string): Tool => ({ name: 'bash', input: { command } });
export const finish = (summary: string): Tool => ({ name: 'finish', input: { summary } });
export const turn = (...tools: readonly Tool[]): ClaudeReply => ({ tools });

/** Reads, repairs, tests, ends: as a good engineer would. */
export function honestTurns(project: Project): readonly ClaudeReply[] {
  const { source, wrong, right, command, test } = project;
  return [
    turn(edit({ command: 'view', path: `/workspace/${test}` }), edit({ command: 'view', path: source })),
    turn(edit({ command: 'str_replace', path: source, old_str: wrong, new_str: right })),
    turn(bash(command)),
    turn(finish('The last page was not counted when it is not full.')),
  ];
}

type When = NonNullable<ClaudeScript['when']>;

/** Requests of the implementer, of one job when it is given. */
export const implementing =
  (job?: string): When =>
  ({ system, messages }) =>
    JSON.stringify(system).includes('software engineer') &&
    (job === undefined ||
      JSON.stringify(messages[0]).includes(`job: ${job}\\\\n`) ||
      JSON.stringify(messages[0]).includes(`job: ${job}\\n`));

export const verifying: When = ({ system }) => JSON.stringify(system).includes('You review a change');

export const verdict = (approved: boolean, reasons: string): ClaudeReply =>
  turn({ name: 'verdict', input: { rootCauseAddressed: approved, unrelatedChanges: [], reasons } });

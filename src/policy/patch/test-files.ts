// Which files hold tests, or configure how tests run, by their path alone.
// It must stay generous: a file taken for a test is only looked at more closely.
import { pathWords } from './protected-paths.ts';

/** True for files that hold tests or configure how they run. */
export function isTestFile(path: string): boolean {
  return holdsTests(path) || TEST_CONFIG.test(path);
}

/** True for files that hold tests, or what tests work on. */
export function holdsTests(path: string): boolean {
  return pathWords(path).some((word) => TEST_WORDS.has(word));
}

const TEST_WORDS = new Set([
  'test',
  'tests',
  'spec',
  'specs',
  'e2e',
  'testing',
  'cypress',
  'fixtures',
  'snap',
  'feature',
]);
const TEST_CONFIG =
  /(^|\/)(jest|vitest|vite|playwright|cypress|karma|ava|nyc|c8|codecov|tox|pytest|conftest|setup|pyproject|package|phpunit|pom|build|noxfile|Cargo|nextest|rakefile|Makefile|justfile|Taskfile|\.mocharc|\.nycrc|\.c8rc|\.coveragerc|\.codecov|\.rspec|\.simplecov)([^/]*)$/i;

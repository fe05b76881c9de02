// Files that say how checks run, and files that hold what tests expect, by their path alone (CI-7): a model may change neither. Generous: a file that is
// taken for one is only shown to a person.

const CHECK_CONFIG =
  /(^|\/)(\.?eslint[^/]*|\.?biome\.jsonc?|\.?oxlint[^/]*|\.prettier[^/]*|\.stylelint[^/]*|tsconfig[^/]*\.json|jsconfig\.json|deno\.jsonc?|(jest|vitest|karma|ava|playwright|cypress|wdio|nightwatch|web-test-runner)\.(config|setup|conf)\.[^/]*|\.mocharc[^/]*|\.nycrc[^/]*|\.c8rc[^/]*|\.?codecov\.ya?ml|\.coveragerc|pytest\.ini|tox\.ini|noxfile\.py|conftest\.py|mypy\.ini|\.?mypy\.[^/]*|\.?pylintrc|\.flake8|\.?ruff\.toml|pyrightconfig\.json|\.golangci\.[^/]*|\.?clippy\.toml|\.?rustfmt\.toml|\.cargo\/config[^/]*|nextest\.toml|checkstyle[^/]*\.xml|pmd[^/]*\.xml|spotbugs[^/]*\.xml|detekt[^/]*\.ya?ml|lint\.xml|\.rubocop[^/]*|\.rspec|\.simplecov|phpunit[^/]*\.xml[^/]*|phpstan[^/]*\.neon[^/]*|psalm[^/]*\.xml|\.?phpcs[^/]*\.xml[^/]*|\.php-cs-fixer[^/]*|\.editorconfig|\.globalconfig|[^/]*\.ruleset|[^/]*\.runsettings|Directory\.Build\.(props|targets)|sonar-project\.properties|\.shellcheckrc|\.yamllint[^/]*|\.markdownlint[^/]*|commitlint[^/]*|lefthook\.ya?ml|lint-staged[^/]*)$/i;
const EXPECTED =
  /(^|\/)(__snapshots__|__image_snapshots__|snapshots|testdata|golden|goldens|cassettes|expected|approvals)\/|\.(snap|ambr|golden|approved\.\w+|verified\.\w+|received\.\w+|expected)$/i;
const CHECK_SCRIPT =
  /(\.(sh|bash|mk|ps1|bat|cmd)|(^|\/)(GNU)?Makefile|(^|\/)(justfile|Taskfile[^/]*|Rakefile|package\.json|composer\.json|tox\.ini|noxfile\.py)|\.ya?ml)$/i;

/** Configuration of test runners, linters, compilers' checks, coverage. */
export function isCheckConfig(path: string): boolean {
  return CHECK_CONFIG.test(path);
}

/** Snapshots, golden files and the like. */
export function holdsExpectations(path: string): boolean {
  return EXPECTED.test(path);
}

/** Scripts and files of tasks, where a line may be a command that checks. */
export function isCheckScript(path: string): boolean {
  return CHECK_SCRIPT.test(path);
}

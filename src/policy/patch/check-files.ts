// Files that say how checks run, and files that hold what tests expect, by their path alone (CI-7): a model may change neither. Generous: a file that is
// taken for one is only shown to a person.

const CHECK_CONFIG =
  /(^|\/)(\.?eslint[^/]*|\.?biome\.jsonc?|\.?oxlint[^/]*|\.prettier[^/]*|\.stylelint[^/]*|tsconfig[^/]*\.json|jsconfig\.json|deno\.jsonc?|(jest|vitest|karma|ava|playwright|cypress|wdio|nightwatch|web-test-runner)\.(config|setup|conf)\.[^/]*|\.mocharc[^/]*|\.nycrc[^/]*|\.c8rc[^/]*|\.?codecov\.ya?ml|\.coveragerc|pytest\.ini|tox\.ini|noxfile\.py|conftest\.py|mypy\.ini|\.?mypy\.[^/]*|\.?pylintrc|\.flake8|\.?ruff\.toml|pyrightconfig\.json|\.golangci\.[^/]*|\.?clippy\.toml|\.?rustfmt\.toml|\.cargo\/config[^/]*|nextest\.toml|checkstyle[^/]*\.xml|pmd[^/]*\.xml|spotbugs[^/]*\.xml|detekt[^/]*\.ya?ml|lint\.xml|\.rubocop[^/]*|\.rspec|\.simplecov|phpunit[^/]*\.xml[^/]*|phpstan[^/]*\.neon[^/]*|psalm[^/]*\.xml|\.?phpcs[^/]*\.xml[^/]*|\.php-cs-fixer[^/]*|\.editorconfig|\.globalconfig|[^/]*\.ruleset|[^/]*\.runsettings|Directory\.Build\.(props|targets)|sonar-project\.properties|\.shellcheckrc|\.yamllint[^/]*|\.markdownlint[^/]*|commitlint[^/]*|lefthook\.ya?ml|lint-staged[^/]*)$/i;
/** More of them: set-up of tests, stand-ins that runners take by themselves, what a runner's own name would load, lists of what scanners leave out. */
const CHECK_SETUP =
  /(^|\/)((vite|babel)\.config\.[^/]*|\.babelrc[^/]*|\.swcrc|(vitest|jest)[.-]?(workspace|setup|preset|resolver|global|env)[^/]*|(tests?|specs?|e2e|__tests__)\/(set-?up|tear-?down)\.[cm]?[jt]sx?|(global-?(set-?up|tear-?down)|set-?up-?(tests?|files?|env))\.[cm]?[jt]sx?|(nx|turbo|project|knip|bunfig|\.?cspell|audit-ci|api-extractor|stryker\.conf|dart_test|junit-platform|testng|xunit\.runner)\.(jsonc?|toml|ya?ml|properties|xml)|analysis_options\.yaml|(spec|rails|test)_helper\.(rb|exs?)|(pytest|_pytest|unittest|pluggy|sitecustomize|usercustomize|nose2?|coverage)\.py|[^/]*\.pth|\.?pytest\.(ini|toml)|tests?\/(bootstrap|Pest|TestCase)\.php|[^/]*\.xctestplan|[^/]*baseline\.(xml|json|ya?ml|neon|toml)|\.(gitleaks|trivy|semgrep|hadolint|snyk|lychee|bandit|nsp|solhint|lua|vale|ls-lint|textlint|jscpd|dependency-cruiser|size-limit|clang-tidy|clang-format|swiftlint|swiftformat|scalafmt|scalafix|credo|formatter|dialyzer_ignore|pylint|yarn|pnpmfile|npmpackagejsonlint)(rc|ignore)?(\.[^/]*)?|deny\.toml|osv-scanner\.toml|mocha\.opts)$|(^|\/)(node_modules|site-packages|__mocks__|_pytest|pytest|unittest)\//i;
/** Settings of runners and linters in files that hold other things as well. */
const CHECK_KEYS: readonly { readonly file: RegExp; readonly line: RegExp }[] = [
  {
    file: /(^|\/)package\.json$/i,
    line: /^\s*"(jest|mocha|ava|nyc|c8|tap|vitest|wtr|eslintConfig|eslintIgnore|stylelint|prettier|babel|lint-staged|xo|standard|test(Match|Regex|Environment|Runner|PathIgnorePatterns)|roots|spec|setupFiles\w*|global(Setup|Teardown)|transform\w*|moduleNameMapper|preset|runner)"\s*:|"\s*:\s*"(file|link|portal|npm|github|https?|git[+:@])/,
  },
  {
    file: /(^|\/)(pyproject\.toml|setup\.cfg)$/i,
    line: /^\s*["']?(testpaths|python_(files|classes|functions)|addopts|pythonpath|markers|xfail_strict|usefixtures|plugins|required_plugins)["']?\s*=|^\s*\[(tool[.:])?(pytest|coverage|mypy|ruff|pylint|pyright|flake8|tox|nox|bandit|vulture)\b/,
  },
  { file: /(^|\/)Cargo\.toml$/i, line: /^\s*\[+(test|bench|lints|patch)\b|^\s*autotests\b/ },
  { file: /(^|\/)go\.(mod|work)$/i, line: /^\s*(replace|exclude)\b|=>/ },
  { file: /(^|\/)pom\.xml$/i, line: /<(includes?|test|groups|testSourceDirectory|suiteXmlFile)>/ },
  { file: /\.(gradle|kts)$/i, line: /\binclude\s*[('"]|\bfilter\s*\{|\binclude(Tags|Categories)\b/ },
  { file: /(^|\/)mix\.exs$/i, line: /\b(test_(paths|pattern|ignore_filters)|elixirc_options|aliases)\b/ },
  {
    file: /(^|\/)(\.github|\.?ci|\.gitlab)\/[^:]*\.ya?ml$/i,
    line: /^\s*-?\s*(if|(paths|branches|tags)(-ignore)?|needs|rules|only|except)\s*:/,
  },
];
const EXPECTED =
  /(^|\/)(__snapshots__|__image_snapshots__|snapshots|testdata|golden|goldens|cassettes|expected|approvals)\/|\.(snap|ambr|golden|approved\.\w+|verified\.\w+|received\.\w+|expected)$/i;
const CHECK_SCRIPT =
  /(\.(sh|bash|mk|ps1|bat|cmd)|(^|\/)(GNU)?Makefile|(^|\/)(justfile|Taskfile[^/]*|Rakefile|package\.json|composer\.json|tox\.ini|noxfile\.py)|\.ya?ml)$/i;

/** Configuration of test runners, linters, compilers' checks, coverage. */
export function isCheckConfig(path: string): boolean {
  return CHECK_CONFIG.test(path) || CHECK_SETUP.test(path);
}

/** A line that sets which tests run, with what, or where a dependency comes from, in a file that may otherwise change. */
export function changesCheck(path: string, line: string): boolean {
  return CHECK_KEYS.some((keys) => keys.file.test(path) && keys.line.test(line));
}

/** Snapshots, golden files and the like. */
export function holdsExpectations(path: string): boolean {
  return EXPECTED.test(path);
}

/** Scripts and files of tasks, where a line may be a command that checks. */
export function isCheckScript(path: string): boolean {
  return CHECK_SCRIPT.test(path);
}

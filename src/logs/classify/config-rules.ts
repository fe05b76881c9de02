// Evidence that the workflow, the build files or the dependencies that the repository declares are at fault.
import type { RuleTable } from './rule.ts';

export const configRules: RuleTable = {
  class: 'config',
  kind: 'ordinary',
  rules: [
    {
      id: 'workflow',
      weight: 0.97,
      pattern:
        /Invalid workflow file|workflow (?:is not valid|file issue|syntax)|Unable to resolve action|Unable to find (?:reusable )?workflow|Can't find 'action\.ya?ml'|Input required and not supplied: |Unexpected value '|Unrecognized named-value|Unrecognized function|The template is not valid|error parsing called workflow|Required property is missing: |automatically failed because it uses a deprecated version|Missing download info for actions|Could not find a part of the path.{0,80}action|An action could not be found at the URI|Error: \.github\/workflows|The workflow must contain|set-output.{0,40}disabled|add-path. command is disabled|set-env. command is disabled|jobs config should|yaml (?:invalid|syntax error)|Invalid (?:CI|configuration) (?:config|file)|config(?:uration)? (?:file )?(?:is )?invalid|Config (?:file )?(?:validation|schema) (?:error|failed)|Error: (?:Invalid|Unknown) (?:input|value for)|Parameter token or opts\.auth is required|Resource not accessible by integration|refusing to allow a GitHub App|Node\.js 12 actions|This request was automatically failed|ERROR IN CONFIG FILE|Build config file is missing|config.yml.{0,60}(?:error|invalid)|No (?:steps|jobs) (?:found|defined)|workspace attach.{0,40}fail|The job was stopped because it depends/i,
    },
    {
      id: 'yaml',
      weight: 0.86,
      pattern:
        /yaml\.(?:scanner|parser|constructor)\.|YAMLException|YAMLParseError|YAMLSyntaxError|mapping values are not allowed|did not find expected (?:key|'|block|node)|could not find expected ':'|error parsing (?:yaml|toml|json)|yaml: (?:line \d+|unmarshal errors)|found character that cannot start|Psych::SyntaxError|JSON\.?Parse ?Error|JSONDecodeError|EJSONPARSE|(?:Failed|Unable) to parse (?:\S+\.(?:json|ya?ml|toml|xml|cfg|ini|gradle)|(?:package\.json|manifest|configuration|config))|toml(?:\.decoder)?\.\w*(?:Error|Decode)|TOML parse error|Non-parseable POM|Malformed POM|error: failed to parse (?:manifest|lock)|invalid (?:type|value): .{0,60}expected|missing field `/i,
    },
    {
      id: 'lock',
      weight: 0.96,
      pattern:
        /can only install packages when your package(?:\.json)? and|npm ci.{0,60}in sync|Missing: \S+@\S+ from lock file|Invalid: lock file's|ERR_PNPM_OUTDATED_LOCKFILE|Cannot install with "frozen-lockfile"|lockfile (?:needs to be updated|would have been (?:created|modified)|is (?:out|not))|Your lockfile|YN0028|YN0018|--frozen-lockfile|lock ?file .{0,60}(?:out of (?:date|sync)|not up[- ]to[- ]date|outdated|needs? (?:to be )?updat|does not (?:match|satisfy))|pyproject\.toml changed significantly since|poetry\.lock is not|Pipfile\.lock .{0,30}out of date|updates to go\.(?:mod|sum) needed|missing go\.sum entry|go: (?:updates|inconsistent vendoring)|verifying .{1,80}: checksum mismatch|SECURITY ERROR|inconsistent vendoring|needs to be updated but --locked|lock file .{0,80}--locked|the lock file .{1,100} needs to be updated|You are trying to install in deployment mode|your bundle is locked to|frozen mode|deployment mode|The gemspecs? .{0,40}changed|composer\.lock.{0,80}(?:not up to date|out of sync|does not)|lock file is not up to date|NU1004|NU1403|THESE PACKAGES DO NOT MATCH THE HASHES|integrity checksum failed|EINTEGRITY|Dependencies differ|Dependency verification failed|dependency locking|Lock file mismatch|mix\.lock|pubspec\.lock|No lock ?file found|Dependencies lock file is not found|Podfile\.lock|sandbox is not in sync|Package\.resolved|checksum .{0,60}(?:mismatch|did not match|does not match)/i,
    },
    {
      id: 'resolution',
      weight: 0.82,
      pattern:
        /ERESOLVE|unable to resolve dependency tree|ResolutionImpossible|conflicting dependencies|Could not find a version that satisfies|No matching distribution found|No matching version found|ETARGET|npm (?:ERR!|error) (?:code )?E404|npm (?:ERR!|error) 404|is not in (?:this|the npm) registry|ERR_PNPM_(?:NO_MATCHING_VERSION|PEER_DEP|FETCH_404)|Couldn't find (?:any versions for|package)|Your requirements could not be resolved|(?:could|can) not be resolved to an installable|Problem 1$|Bundler could not find compatible versions|Could not find compatible versions|Could not find gem '|[Vv]ersion solving failed|SolverProblemError|version conflict|failed to select a version|no matching package (?:named|found)|Could not (?:find artifact|resolve dependencies|resolve all (?:files|artifacts|dependencies|task))|Non-resolvable (?:parent|import) POM|The build could not read \d+ project|The following artifacts could not be resolved|Could not resolve (?:\w[\w.-]*:)|Could not find \w[\w.-]*:[\w.-]+:[\w.-]+|Cannot (?:find|resolve) (?:a )?(?:parent|plugin)|Plugin .{1,120} (?:or one of its dependencies could not be resolved|was not found)|Plugin \[id: |unresolved dependency|UNRESOLVED DEPENDENCIES|ResolveException|Error downloading \w+:|not found: https?:\S+\.pom|unknown revision|no required module provides|cannot find module providing|module .{1,100}: (?:not found|reading .{1,100} 404)|malformed module path|ambiguous import|NU1(?:101|102|103|107|605|100)\b|Unable to (?:find|resolve) package|Package .{1,80} is not compatible|Failed to use the version of|hex dependency resolution|Failed to use "|CocoaPods could not find|Unable to find a specification|none of your spec sources|dependencies could not be resolved|package.{0,40}is required using|Dependency resolution (?:failed|is looking)|PackagesNotFoundError|UnsatisfiableError|ResolvePackageNotFound|Could not solve for environment|cabal: Could not resolve|In the dependencies for|Stack (?:failed|has not)|peer dep(?:endency)? .{0,40}(?:conflict|missing|unmet)|setup\.py egg_info|metadata-generation-failed|Failed to build (?:wheel|installable)|dependency conflict/,
    },
    {
      id: 'enforcer',
      weight: 0.95,
      pattern:
        /Some Enforcer rules have failed|maven-enforcer-plugin:\S{1,40}:enforce|Dependency convergence error|RequireUpperBoundDeps|BannedDependencies|Rule \d+: org\.apache|requires upper bound|validate-hpi|Found Banned Dependency|dependency:analyze|Dependency problems found|Used undeclared dependencies|Duplicate classes found|Dependency-lock/i,
    },
    {
      id: 'build-file',
      weight: 0.84,
      pattern:
        /A problem occurred (?:evaluating|configuring)|Build file '.{1,200}' line: \d+|Could not (?:find method|get unknown property|set unknown property|compile (?:build|settings) file|open (?:settings|cp_settings|dsl|proj|init) )|settings file '|Task '.{1,80}' not found in|Cannot locate tasks that match|Unknown lifecycle phase|No goals have been specified|The goal you specified requires|there is no POM|'\S+' (?:for|in) .{0,80} is missing\.|Unknown packaging|Child module .{1,120} does not exist|Unable to create Root Module|Unable to (?:create|read|find|load) (?:a )?(?:config|checkstyle|ruleset)|Unknown compiler flag|No rule to make target|make(?:\[\d+\])?: \*\*\* No (?:targets|rule)|\*\*\* missing separator|CMake Error at|CMake Error: |CMakeLists\.txt:\d+ \(|Missing script: |missing script: |Command "\S+" not found|error Couldn't find a package\.json|ENOENT.{0,80}package\.json|No configuration (?:file|provided)|Cannot find (?:a )?(?:configuration|config)\b|ESLint couldn't find|Failed to load (?:config|plugin|parser|preset)|Cannot find module '\S*(?:config|preset|plugin)|Invalid (?:options?|configuration object)|Unknown (?:config|compiler) ?option|error TS(?:5\d{3}|6053|18003)\b|Unsupported configuration|Definition for rule .{1,80} was not found|no such (?:target|package) '|no such task|Could not find or load main class|Buildfile: \S+ does not exist|Target ".{1,80}" does not exist|docker: Error: image|taskdef class \S+ cannot be found|Don't know how to build task|Unknown (?:task|target|command)\b|invalid (?:option|argument|flag)\b|unknown (?:shorthand )?flag|error: unexpected argument|error: no such (?:sub)?command|error: Found argument|unrecognized arguments|No such option|Usage: .{0,80}--help|no test specified|pytest: error|configuration error|Configuration error|setup\.cfg|Could not find (?:or access )?(?:Dockerfile|Makefile|Gemfile|build\.gradle)|Could not locate Gemfile|Cannot locate Dockerfile|failed to read dockerfile|dockerfile parse error|COPY failed|failed to compute cache key|unable to prepare context|manifest (?:unknown|for .{1,120} not found)|pull access denied|repository does not exist|not found: manifest|no matching manifest|Unknown Xcode|does not contain a scheme|Unable to find a destination|No profiles? for|Provisioning profile|Signing for ".{1,60}" requires|requires a provisioning|No signing certificate|xcodebuild: error|MSB(?:1009|3202|4019|4025|4057|4236)|Project file does not exist|NETSDK10(?:04|13)/,
    },
  ],
};

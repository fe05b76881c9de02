// What looks like a failure and is none, or is never the reason: passing tests whose names say "error", downloads, levels
// below an error, echoed commands, the CI system's own steps.
import type { Rule } from './rule.ts';

/** Like a rule, but what the score of a fitting line is multiplied with; the smallest counts. */
export type Damper = Rule;

export const dampers: readonly Damper[] = [
  // results that are good
  [
    0.05,
    /^(?:✓|✔|√|☑|✅|·|ok \d|PASS(?:ED)?\b|\[ +(?:OK|RUN|PASSED|SKIPPED|DISABLED) +\]|\[\+\] |--- (?:PASS|SKIP)|=== (?:RUN|PAUSE|CONT|NAME))/,
  ],
  [
    0.05,
    /(?:\bPASSED|\.\.\.\s?(?:ok|OK|passed|PASSED|skipped|SKIPPED|yes|no|done|pass|not found)|\bPASS)\s?(?:\[.{0,20}\]|\(.{0,20}\))?$/,
  ],
  [0.05, /^\S{1,200}_test\.go:\d+: [Ss]kip/],
  [0.05, /^(?:not ok .{0,300}# (?:TODO|SKIP|todo|skip)|ok\s+\S+\s+(?:[\d.]+s|\(cached\)))/],
  [
    0.1,
    /^(?:Successfully|Success\b|Already|Nothing to|found 0 |No (?:errors?|issues|problems|warnings|failures|offenses|tests? (?:failed|failures))\b)/i,
  ],
  [
    0.12,
    /\b(?:no|0|zero|without|any) (?:\w+ )?(?:errors?|failures?|failed|failing|problems?|warnings?|issues?|exceptions?|mismatch\w*|conflicts?)\b(?!.{0,200}\b[1-9]\d* (?:errors?|failures?|failed|failing|problems?))/i,
  ],
  [
    0.12,
    /\b(?:failures?|errors?|failed|fail)\s?[:=]\s?0\b(?!.{0,200}\b(?:failures?|errors?|failed|fail)\s?[:=]\s?[1-9])/i,
  ],
  // levels below an error
  [
    0.22,
    /^(?:\d{1,7} |\[[\w:.-]{1,30}\] )?\W{0,3}(?!warn\] (?:\S{1,200}\.\w{1,8}$|Code style)|warning: data race|warning\] Rule \d)(?:warn(?:ings?)?|info|information|debug|notice|trace|verbose|deprecat\w{2,6}|note|hint|tip)\b\W(?!.{0,300}\bFAIL(?:ED)?\b)/i,
  ],
  [0.2, /\b(?:deprecat(?:ed|ion)|DEPRECAT|will be removed in|is obsolete)/i],
  [0.1, /^SLF4J: |^➤ YN0007|must be built because it never/],
  [0.2, /\.\w{1,4}:\d+: \w{0,40}Warning\b|is not up-to-date because/],
  [0.2, /^_?conf(?:ig)?test\.\w{1,4}[:(]/],
  // source excerpts, which repeat words of the program
  [0.3, /^>?\s*\d{1,6} ?[|│] (?!ERROR|WARNING)/],
  [
    0.45,
    /(?:Test failed\.? {1,2}See above|^(?:Gradle )?build failed[:.]? ?(?:https?:|see )|There (?:are|were) test failures|Build failed with an exception|There were failing tests|see the (?:report|compiler error output)|A failure occurred while executing|Some tests (?:failed|did not pass)|error report file .{0,60}saved as|^FAILURE: (?:Build|Executed) |^BUILD (?:FAILURE|FAILED))/i,
  ],
  [
    0.12,
    /^npm (?:WARN|warn|notice|info|verb)|^warning .{1,300}|^\[WARNING\](?! Rule \d)|^➤ YN00(?:13|19|02|60|86)/,
  ],
  [0.3, /[:)] (?:warning|note|info|remark)\b[: ](?!.{0,300}-Werror)/i],
  [0.5, /\b(?:retry(?:ing)?|retries|will retry|trying again|attempt \d+ (?:of|\/))\b/i],
  // a program that says that another one failed, or that something comes
  [0.6, /^ERROR: InvocationError|\b\d+ chart\(s\) linted\b|^[Ee]rror during [a-z]{1,20}:$/],
  // log lines of the program under test
  [0.5, /^(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d[.,]?\d{0,6}\s.{0,80}\b(?:ERROR|FATAL|SEVERE|WARN|error)\b/],
  [0.15, /^(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d[.,]?\d{0,6}\s.{0,60}\b(?:INFO|DEBUG|TRACE|info|debug)\b/],
  [0.5, /."?level"?\s?[:=]\s?"?(?:error|fatal)|^[EF]\d{4} \d\d:\d\d:\d\d/],
  [0.15, /"?level"?\s?[:=]\s?"?(?:info|debug|warn)|^[IW]\d{4} \d\d:\d\d:\d\d/],
  // downloads, installs, progress
  [
    0.06,
    /^(?:Download(?:ing|ed)?|Fetch(?:ing|ed)|Get:\d|Hit:\d|Ign:\d|Unpacking|Setting up|Selecting|Preparing to|Collecting|Using (?:cached|\w+ \d)|Requirement already|Building wheel|Stored in|Extracting|Receiving objects|Resolving deltas|Pulling|Pulled|Pushing|Verifying|Processing triggers|Progress|Cloning into|Resolving|Reading|Loaded|Installed|Removing|Found existing|Created wheel|Attempting uninstall|inflating|creating|adding|copying|writing|Copying|Linking|Generating|Scanning|Checking out|Waiting for)\b(?!.{0,200}(?:\b[Ee]rror[: ]|\b[Ff]ailed\b|\bcannot\b|\bcould not\b))/,
  ],
  [
    0.06,
    /^(?:Compiling|Checking|Compiled|Fresh|Documenting|Building|Running|Installing|Updating|Adding|Bundling|Starting|Finished|Preparing|Uploading|Saving|Restoring|Cached?) \S{1,200}(?: v?[\d.]+\S{0,40})?(?: \(.{0,200}\))?\.{0,3}$/,
  ],
  [
    0.06,
    /^(?:remote: (?:Count|Compress|Enum|Total)|\* \[new (?:branch|tag|ref)\]|\w{7,12}\.\.\.?\w{7,12} |[0-9a-f]{12}: |├|└|\+--|\\--)/,
  ],
  [0.1, /^\d{1,3}%(?! tests passed)|\d{1,3}% (?:\||\[|█)|\[=*>/],
  // echoed commands: they name options such as -Werror and files such as error.c
  [
    0.15,
    /^(?:\$ |\+{1,2} |> (?=[a-z@./])|\[command\]|PS>|sh -c )(?!.{0,200}(?:error:|ERROR|Error:|Could not|cannot))/,
  ],
  [
    0.12,
    /^(?:\S{0,60}\/)?(?:[\w.+-]*-)?(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+|ccache|javac|rustc|ghc|ar|ld|libtool:?|swiftc|python3?|cmake|nvcc|emcc|ld64\S*)(?:-[\d.]+)? .{0,200}(?:\s-[a-zA-Z])/,
  ],
  [0.12, /^(?:libtool: |\/bin\/(?:ba)?sh \S|CC |CXX |LD |AR |GEN |CCLD |CXXLD )/],
  [0.1, /^(?:shell: |env:|with:|export \w+=|[A-Z][A-Z0-9_]{2,60}=\S*$|\w[\w-]{0,40}: (?:true|false|\*{3})$)/],
  // what CI systems print around steps
  [
    0.02,
    /^(?:travis_(?:fold|time):|section_(?:start|end):|##\[(?:section|endgroup|debug|command)\]|::(?:debug|endgroup|add-mask|set-output))/,
  ],
  [
    0.05,
    /^(?:Post job cleanup|Cleaning up|Uploading artifacts|Saving cache|Restoring cache|Temporarily overriding HOME|Adding repository directory|Terminate orphan|Evaluating |Creating job|Skip evaluating|No timing info|Job defined at)/,
  ],
  [
    0.1,
    /\b(?:fail-fast|fail_fast|continue-on-error|on-error|failOnError|errorlevel|pipefail|set -e|error_reporting|display_errors|ignore-errors|if-no-files-found|fatalwarnings)\b/i,
  ],
  [
    0.12,
    /^(?:allow_failure|Build files have been written|Checking for|-- (?:Looking for|Performing Test|Check|Found|The |Detecting|Could NOT find|Configuring done)|checking (?:for|whether|if|how|the|build|host))/,
  ],
  [
    0.18,
    /^(?:npm (?:ERR!|error) (?:A complete log|This is probably not|There is likely|If you (?:need|want)|\s|path|errno|command|Exit status|Failed at|code ELIFECYCLE|code 1$|Tell the author|You can get|Or if that|gyp (?:info|verb)|$))/,
  ],
  [
    0.35,
    /^(?:error |ERROR: )?(?:Command failed with exit code|Process completed|exit (?:status|code) \d+)|^error: (?:could not compile|aborting due|test failed, to rerun|build failed)|^info Visit|^Error: (?:Process completed|The process|Command failed|exit status)/i,
  ],
  [
    0.3,
    /^\[ERROR\]\s?(?:$|-> \[Help|To see the full|Re-run Maven|For more information|\[Help|After correcting|Please refer to|\s{1,4}mvn <)/,
  ],
  [
    0.4,
    /^(?:\* Try:|> Run with|\* Get more help|Run with --|\* Exception is:|Get more help|For more help|See the |See also|For more information|note: run with)/i,
  ],
];

/** Lines that always come with a failed step and say nothing about it. */
export const emptyWords =
  /^(?:\[ERROR\]|ERROR:?|error:?|Error:?|FAIL|FAILED|Failed|Failure:?|FAILURE:?|failed|Errors?:|✖|×|\W{0,12})$/;

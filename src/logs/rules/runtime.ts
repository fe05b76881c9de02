// Programs that end badly, package managers, build tools, infrastructure.
import type { Rule } from './rule.ts';

export const runtimeRules: readonly Rule[] = [
  // exceptions, signals, assertions
  [
    91,
    /^(?:[\w$]+[.:\\/]+)*[A-Z][\w$]*(?:Error|Exception|Failure|Panic|Fault|NotFound|Interrupt|Timeout|Exit|Invalid|Denied)\b(?: \[\w+\])?(?::|$| \()/,
  ],
  [
    92,
    /^Exception in thread |^(?:Uncaught|Unhandled|uncaught|unhandled)\b|^terminate called|^panic: |^fatal: |^Unhandled exception/,
  ],
  [84, /^Caused by: |^Reason: |^Message: |^what\(\): /],
  [68, /^Traceback \(most recent call last\)/],
  [
    93,
    /\b(?:Segmentation fault|segfault|SIGSEGV|SIGABRT|SIGBUS|SIGILL|bus error|core dumped|stack overflow|double free|heap corruption|access violation)\b/i,
  ],
  [
    95,
    /\b(?:AddressSanitizer|LeakSanitizer|ThreadSanitizer|MemorySanitizer|UndefinedBehaviorSanitizer)\b|: runtime error: /,
  ],
  [95, /\bAssertion .{1,300} failed\b|: assertion failed|\bassertion failed:? \S|^AssertionError/i],
  [
    90,
    /\bundefined (?:method|local variable|variable|function|index|offset)\b|\bis not (?:a function|defined)\b|\bundefined is not\b/i,
  ],
  // machine and runner
  [
    95,
    /\bout of memory\b|(?<!On)OutOfMemory(?:Error|Exception)?(?=$|[\s:(])|OOMKilled|\boom-kill|Cannot allocate memory|Native memory allocation .{0,20}failed|insufficient memory for the Java|fatal error has been detected by the Java|GC overhead limit|memory limit exceeded|exit(?:ed with)?(?: code| status)? 137\b/i,
  ],
  [95, /No space left on device|disk (?:is )?full\b|disk quota exceeded/i],
  [
    95,
    /lost communication with the server|received a shutdown signal|runner .{0,60}(?:lost|shut ?down|terminated|unavailable)|agent .{0,40}(?:went offline|disconnected|lost)|Remote call .{0,100}failed|exceeded the maximum (?:execution )?time/i,
  ],
  [
    94,
    /No output has been received in the last|job exceeded the maximum time|log length has exceeded|Too long with no output|execution took longer than|job (?:execution )?timed? ?out|build timed out/i,
  ],
  [76, /The operation was cancell?ed|(?:job|build|run) was cancell?ed|^Cancell?ed/],
  [
    84,
    /(?:^|[^\w-])Killed(?:$|[^\w-])|\bkilled by\b|\bsignal: (?:killed|aborted|terminated)\b|\bterminated by signal\b/,
  ],
  [
    95,
    /Input required and not supplied|Unable to (?:resolve|find) action|Can't find 'action\.yml'|Invalid workflow file|Unrecognized named-value|Bad credentials|Resource not accessible by integration|No runner matching|invalid reference format|manifest .{0,200}(?:unknown|not found)/i,
  ],
  [
    90,
    /Job failed \(system failure\)|^ERROR: Preparation failed|You have not accepted the license|^Plugin \[id: .{1,200} was not found/,
  ],
  // network
  [
    88,
    /Could not resolve host|unable to resolve host|Temporary failure (?:in name resolution|resolving)|getaddrinfo|ENOTFOUND|ECONNRESET|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|no such host|network is unreachable/i,
  ],
  [
    82,
    /connection (?:was )?(?:refused|reset|timed out|closed|aborted)|TLS handshake|i\/o timeout|certificate (?:verify|has expired|is not)|SSL(?:_ERROR|Error| certificate)|Read timed out|context deadline exceeded|unexpected EOF/i,
  ],
  [
    90,
    /returned error: \d{3}|\b(?:HTTP|status|code|response|error)\b.{0,24}\b(?:5\d\d|429|40[1349])\b|\b(?:5\d\d|429|40[134]) (?:Service|Internal|Bad|Gateway|Too Many|Unauthorized|Forbidden|Not Found|Client Error|Server Error)/i,
  ],
  [
    86,
    /rate limit|toomanyrequests|too many requests|quota exceeded|pull access denied|unauthorized: |denied: /i,
  ],
  // package managers
  [
    90,
    /^npm (?:ERR!|error) (?:code (?!ELIFECYCLE|1$)|404|notarget|ERESOLVE|peer |Could not resolve|Missing:|Invalid:|cb\(\)|network|Cannot|Error:|enoent|missing|syscall|engine|Invalid|`npm ci`|TypeError|conflict|Found:)/i,
  ],
  [62, /^npm (?:ERR!|error)/],
  [
    91,
    /ERR_PNPM_|^error (?!Command failed)\S|^➤ YN\d{4}: .{0,200}(?:error|fail|can't|cannot|not )|Couldn't find (?:any versions|package)/,
  ],
  [
    92,
    /Could not find a version that satisfies|No matching distribution|ResolutionImpossible|Failed building wheel|Could not build wheels|version solving failed|SolverProblemError|Because .{1,200} depends on|PackagesNotFoundError|UnsatisfiableError|metadata-generation-failed/,
  ],
  [
    92,
    /^Could not find (?:gem|\S+-\d|compatible)|could not find compatible versions|An error occurred while installing|Failed to build gem native extension|Your (?:Ruby|bundle(?! is complete)|lockfile)|Gem::|Bundler::/,
  ],
  [
    88,
    /Your requirements could not be resolved|^Problem \d+|requires .{1,200} (?:your|but|which|->)|The lock file is not up to date/,
  ],
  [
    92,
    /^E: \S|Unable to locate package|Hash Sum mismatch|unable to select packages|has no installation candidate|unmet dependencies|Depends: .{1,200} but/i,
  ],
  [
    91,
    /Could not resolve (?:all |dependencies|dependency|artifact)|Could not (?:find|transfer|get) (?:artifact|resource|\S+:\S+)|unresolved dependency|Could not determine the dependencies|Failed to collect dependencies|failed to select a version|no matching package|Could not HEAD|Could not GET/i,
  ],
  [
    90,
    /^CONFLICT \(|^error: pathspec|Permission denied \(publickey\)|^remote: (?:error|fatal|Permission|Repository not found)|refusing to merge|error: failed to push/i,
  ],
  // build tools
  [80, /^A problem occurred/],
  [74, /^Execution failed for task/],
  [60, /^\* What went wrong:|^(?:rake|rails) aborted!/],
  [
    88,
    /^> (?!Task |Configure |Connecting|Building|IDLE|Run with|Get more|Resolve |Transform )[A-Z]\S{0,60} .{8,}/,
  ],
  [68, /^> Task .{1,200} FAILED$/],
  [
    88,
    /^Failed to execute goal|^Rule \d+: .{1,200} failed with message|^Non-resolvable|^Dependency convergence error|upper bound dependencies error/i,
  ],
  [
    92,
    /No rule to make target|^Error (?:while|when|loading|reading|parsing|running|creating|building|fetching|installing|starting|cloning|response)\b/,
  ],
  [76, /^FAILED: \S/],
  [58, /^(?:g|bsd|n|mingw32-)?make(?:\[\d+\])?: \*\*\* /],
  [
    82,
    /failed to (?:solve|build|compute|fetch|load|start|create|connect|download|pull|push|read|parse|resolve|install|run|execute|find|open|compile|link|initialize|register)/i,
  ],
  [
    78,
    /returned a non-zero code|executor failed running|did not complete successfully|exited with (?:non-zero|a non-zero|code [1-9]|status [1-9])/i,
  ],
  [
    92,
    /^Error: (?:INSTALLATION|UPGRADE) FAILED|^Error: (?!Process completed|Command failed|The process|exit status)\S|^fatal: \[/,
  ],
  [93, /^LoadError|^NameError|^Errno::/],
  // anything that presents itself as an error
  [80, /^(?:\[?(?:error|fatal|critical|severe)\]?)\s?[:!]\s?\S/i],
  [74, /^(?:error|fatal|failure|exception|failed)\b\s?[:!-]?\s\S/i],
  [62, /(?:^|[^\w/.-])(?:error|fatal|exception)\b\s?: ?\S/i],
  [66, /(?:^|[\s:(])(?:[\w$]+\.){0,8}[A-Z][\w$]*(?:Error|Exception)(?:[\s:(,]|$)/],
  [46, /(?:^|[^\w/.=-])(?:errors?|fatal|exceptions?|panic|crash(?:ed)?|critical)(?![\w/=-]|\.\w)/i],
  [44, /(?:^|[^\w/.=-])(?:fail(?:ed|ures?|s|ing)?|broken|abort(?:ed|ing)?)(?![\w/=-]|\.\w)/i],
  [
    42,
    /No such file or directory|permission denied|not permitted|not found|does not exist|doesn't exist|could not|couldn't|cannot|can't|unable to|timed? ?out/i,
  ],
  [
    32,
    /(?:^|[^\w/.-])(?:invalid|missing|refused|undefined|unexpected|mismatch(?:ed)?|conflict|violat\w{2,4}|incorrect|illegal|unknown|unsupported|not supported|not allowed|rejected|required|must be|expected|differs?|problems?)(?![\w/-])/i,
  ],
  [12, /warn/i],
];

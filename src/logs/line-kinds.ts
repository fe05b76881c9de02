// What kind of line speaks: a command that is only repeated, a program's own log, a try before the last one, what was done on purpose. The words
// of a failure count less in these. Pure.

/** What a tool goes on after: it counts, if there is nothing better. */
const MINOR =
  /\bretry(?:ing)?\b|will (?:be )?retr(?:y|ied)|trying again|attempt (?:\d+ (?:of|\/) ?\d+|#?\d)|^\s*\W{0,3}(?:npm )?warn(?:ing)?\b|^\[?WARN(?:ING)?\]?|^W: |\bWARN\b|^##\[(?:warning|debug|notice)\]|^::warning|^\s*(?:info|debug|notice|trace)\b|^\s*console\.\w|^(?:\S{1,40} )?(?:GET|POST|PUT|PATCH|DELETE|HEAD) \/\S* \d{3}\b|^DEBUG|^INFO|^\s*Package \S+ is not installed\.$|debconf: |^(?:\S{1,24} )?\d\d:\d\d:\d\d[.,]\d{3} |^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\bdeprecat(?:ed|es|ion)\b|\bignoring\b|\(ignored\)|will be ignored|\bskipping\b|optional|^\s+- (?!expected)|continuing|non-fatal|fall(?:ing)? ?back/i;
/** The log of a program under test: it names what the program lived through. The last word of a program that gives up is at another level. */
const PROGRAM_LOG =
  /^[EWI]\d{4} \d\d:\d\d:\d\d|^(?:ERROR|WARN|SEVERE) {1,3}\[[\w .:#-]{1,60}\] |^(?:time|ts)=\S{1,60} level=(?!fatal)|^\{"(?:level|time|ts|msg)"|^\[\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d/;
/** A test makes a network fail, or a disk full, to see what happens. */
const ON_PURPOSE =
  /\bsimulat(?:ed?|es|ing|ion)\b|\bon purpose\b|\bintentional(?:ly)?\b|\binjected\b|\bexpected by\b|\(expected\b|\bas (?:the )?tests? (?:wants?|expects?)|\bmock(?:ed)?\b|\bfake\b/i;
/** As quiet, but build tools print what their tests compared with it too. */
const LOGGED = /^\[(?:INFO|DEBUG|info|debug)\]/;
/** The last of several tries is no minor one. */
const LAST_TRY = /\btotal=0\b|\b(?:0|no)(?: more)? (?:tries|retries|attempts) (?:remaining|left)\b/i;
/** Said after a try that failed: what stands right before it was not the end. */
const AGAIN =
  /\b(?:trying|try) again\b|\bretry(?:ing)?\b.{0,40}(?:\bin \d|\.\.\.|…|after|attempt)|\b(?:attempt|try) #?\d+(?: of \d+)? failed\b|\bwill (?:be )?retr(?:y|ied)\b/i;
/** Lines that only repeat what stands in the workflow file or the command. */
const ECHO =
  /^\s*(?:\$ |\+{1,3} |> [\w@./-]+@\d|> \w+ -|# (?! *(?:[`(]|got\b|expected\b|have\b|want\b|found\b|[Ff]ailed|Looks like))|\/\/ |run: |- name: |if |echo |elif |then\b)|^##\[(?:group|command|section)\]|^\[command\]|^\[INFO\] --- |^travis_(?:time|fold):[\w:=,.]*$|: shell_session_update: |^sudo: unable to resolve host|^\s*(?:[✓✔√]|(?:ok \d|PASS|passed)\b)/;
/** Results and figures are handed in after the work: that this failed is not why the work did. */
const HANDED_IN =
  /\b(?:upload|report|metric|telemetry|analytics|artifact|notif)\w*.{0,80}(?:fail|error|unable|could not|cannot)|(?:fail|error|unable|could not|cannot).{0,40}\b(?:upload|report|metric|telemetry|analytics|notif)|^\s*\w{1,60} is (?:NOT|not) set$/i;

/** Here a report of a failing test begins: its error is on this line or soon below. */
const FAILING_TEST =
  /^\s{0,12}(?:\[\w{1,10}\] {0,4})?(?:\d{1,4}\) \S|● \S|--- FAIL|FAIL(?:ED)?\b|ERROR:? \S|Error:$|Failure:$|[✗✘✕✖×✱] |not ok |E {2,}|#\s+Failed test|---- \S.{0,200} stdout|_{3,} \S|Failed \S|thread '|Caused by: |Exception in thread)|<<< (?:FAILURE|ERROR)|\bFAILED\b|\[FAIL\]|\[E\]$|\*\*\*\w/;
/** And here what it printed, or what another test did. */
const PRINTED =
  /^\s*(?:-{3,} ?(?:Captured|>> begin captured|stdout|stderr)|={3,} |Captured |stdout:|stderr:|[✓✔√] |ok \d|--- PASS|=== RUN|PASS\b)/;

/** @returns true where the report of a failing test begins, false where it ends, undefined in between */
export function failingTestAt(text: string): boolean | undefined {
  if (PRINTED.test(text)) return false;
  return FAILING_TEST.test(text) ? true : undefined;
}

export function isEcho(text: string): boolean {
  return ECHO.test(text);
}

export function saysAgain(text: string): boolean {
  return AGAIN.test(text) && !LAST_TRY.test(text);
}

/** @param tried it was tried again */
export function isMinor(text: string, tried: boolean): boolean {
  const quiet = tried || MINOR.test(text) || isLivedThrough(text);
  return quiet && !LAST_TRY.test(text);
}

/** What a program lived through, by its log or because a test wanted it. */
export function isLivedThrough(text: string): boolean {
  return PROGRAM_LOG.test(text) || ON_PURPOSE.test(text);
}

export function isLogged(text: string): boolean {
  return LOGGED.test(text);
}

export function isHandedIn(text: string): boolean {
  return !text.startsWith('##[error]') && HANDED_IN.test(text);
}

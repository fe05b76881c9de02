// Evidence that a test failed by chance: said by the runner, or a failure that hangs on time, ports and connections. They count only
// where tests failed without a comparison that went wrong: a wrong value is wrong on every run.
import type { RuleTable } from './rule.ts';

/** The runner itself says so. */
export const flakeMarks: RuleTable = {
  class: 'flake',
  kind: 'ordinary',
  rules: [
    {
      id: 'marked',
      weight: 0.9,
      pattern:
        /^\s*[1-9]\d* flaky\b|\(?\b[1-9]\d* flaky\)?[,)]|\bFLAKY, failed in \d+ out of|Flakes: [1-9]|^\s*FLAKY \d+\/\d+|(?:passed|succeeded) (?:on|after) (?:the )?(?:retry|rerun|attempt|second|\d+ retries|re-?run)|passed after (?:\d+ )?(?:retr|rerun|attempt)|[Tt]est(?:s)? (?:is|are|was|were|marked|detected) (?:as )?flaky|known flak[ye]|(?:PASSED|passed|succeeded|OK) .{0,30}\(?(?:attempt|retry|try|rerun) ?#?[2-9]|attempt #?[2-9](?: of \d+|\/\d+)?:? .{0,80}\b(?:pass(?:ed)?|succe\w+|ok)\b|flaky tests? (?:detected|found|failed)|race detected during execution|WARNING: DATA RACE/,
    },
  ],
};

export const chanceRules: RuleTable = {
  class: 'flake',
  kind: 'ordinary',
  rules: [
    {
      id: 'test-time-out',
      weight: 0.62,
      pattern:
        /Exceeded timeout of \d+ ?ms|Timeout of \d+ ?ms exceeded|Test timeout of \d+ ?ms exceeded|Async callback was not invoked within|Test timed out (?:in|after) \d+|test timed out after|TestTimedOutException|timed out after \d+ (?:milliseconds|seconds|ms)|TimeoutException|Timed out (?:after|waiting|while|retrying|looking)|condition timed out|Timeout while waiting|wait(?:ing)? (?:for .{1,80} )?timed? ?out|condition .{0,80}(?:was )?not (?:met|fulfilled|satisfied) within|ConditionTimeoutException|TimeoutError|Timeout \(?>? ?\d+(?:\.\d+)? ?s?\)?|Failed: Timeout|pytest.timeout|deadline exceeded|DeadlineExceeded|Execution timed out|Awaitility|was not (?:called|received|completed|signaled) (?:in time|within)|did not (?:complete|finish|terminate|respond|appear|become) (?:in time|within|after)|Timeout\.\.\.|expired waiting|no message in \d+ ?ms|TimedOutError|\bTIMEOUT in [\d.]+s/i,
    },
    {
      id: 'browser',
      weight: 0.62,
      pattern:
        /StaleElementReference|stale element reference|Target (?:page, context or browser has been |)closed|ElementClickIntercepted|element is not attached|Element is not (?:attached|stable)|detached from the DOM|Session (?:terminated|not found|closed)|chrome not reachable|Page crashed|page has been closed|Navigation (?:timeout|failed)|browser has disconnected|Protocol error \(.{1,60}\): (?:Target|Session) closed|ERR_ABORTED|NoSuchSession|disconnected: (?:not connected|received Inspector|unable to receive message)|renderer (?:process )?(?:has |just )?crashed|browser (?:process )?(?:has |just |was )?(?:crashed|closed the connection)|Executed \d+ of \d+ DISCONNECTED|Disconnected(?: \(\d+ times\))? ?,? because no message|have not captured in \d+ ms/i,
    },
    {
      id: 'port',
      weight: 0.68,
      pattern:
        /EADDRINUSE|Address already in use|address already in use|port (?:\d+ )?(?:is )?already (?:in use|allocated)|BindException|Only one usage of each socket address|bind: address|port \d+ was already/i,
    },
    {
      id: 'connection',
      weight: 0.6,
      pattern:
        /ECONNRESET|EPIPE\b|[Cc]onnection (?:reset|aborted|closed|lost)|[Bb]roken pipe|socket hang up|Connection(?:Reset|Aborted)Error|server closed (?:the )?connection|connection was forcibly closed|ETIMEDOUT|EAI_AGAIN|read: connection|unexpected EOF|i\/o timeout|Temporary failure in name resolution|Could not resolve host|503 Service Unavailable|502 Bad Gateway|504 Gateway/,
    },
    {
      id: 'lock',
      weight: 0.6,
      pattern:
        /database (?:table )?is locked|[Dd]eadlock (?:found|detected)|could not serialize access|SQLITE_BUSY|Lock wait timeout|EBUSY|ConcurrentModificationException|being used by another process|resource busy|optimistic lock|text file busy|ETXTBSY/i,
    },
  ],
};

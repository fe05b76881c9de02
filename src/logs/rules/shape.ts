// What belongs to a failure without naming it: stack frames, source excerpts, notes, differences, headings.

/** A line that goes on with what the line before began. */
export const continues =
  /^\s*(?:at |\.\.\. \d+ (?:more|common)|Caused by:|Suppressed:|File "|from \S|#\d+ |goroutine \d|created by |\d+: +(?:0x|\w+::)|[|│┃╭╰╵╷─┌└├▶›❯>] ?|\d+ ?[|│:]|[-+~^=!]{1,3}(?:\s|\S|$)|\^|E {2,}|>{1,2} |in \S+:|=> |-> |→|\||`|\*\*? )/;

/** Said about a failure, at any indentation. */
export const details =
  /^\s*(?:note|help|hint|info|expected|actual|received|got|want|have|but was|but:?|symbol|location|required|found|reason|message|messages|diff|difference|where|stderr|stdout|stack|stacktrace|backtrace|details?|cause|caused|did you mean|candidates?|see|during|context|error|errors|error trace|test|left|right|assertion|operator|comparing|value|values|output|command|exit code|status|seed|failure|suggestion|possible|perhaps|the |this |that |it |you |please|run |try |because|and|or|so,|could|cannot|unable|failed|missing|invalid)\b.{0,3}[:\s]/i;

/** Lines before a failure that say which file, test or function it is about. */
export const heading =
  /^(?:In file included from|\s+from \S+:\d+|.{1,200}: In (?:function|member|instantiation|static|lambda|constructor|destructor)|.{1,200}: (?:In|At) |● |\*{5,} Module |_{3,} .{1,200} _{3,}$|-{3,} .{1,200} -{3,}$|={3,} .{1,200}|#+ .{1,200}|Traceback|\* What went wrong|FAIL[: ]|\d+\) |\s*\d+\) |\/\S{1,200}$|\S{1,200}\.\w{1,5}$|\[ RUN|test |--- FAIL|=== RUN|Running |Error:?$|Failures?:?|\$ |\+ |##\[group\]Run |> |Compiling |\[\d+\/\d+\] |.{1,200}:$)/;

/** Lines that no block goes over. */
export const boundary =
  /^\s*(?:##\[(?:group|endgroup|section)\]|travis_(?:fold|time)|section_(?:start|end)|The command "|\$ |\+ \S|Done\. Your|\[Pipeline\]|Post job|(?:✓|✔|√) |ok \d|--- PASS|=== RUN|PASS\b|> Task |test .{1,200} \.\.\. ok|\[INFO\] (?:Running|Building|---)|\[ RUN|\[ +OK)/;

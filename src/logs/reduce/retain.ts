// The lines of a log that may matter, in bounded memory: all of a log of usual size; of a larger one its beginning, its end,
// and the surroundings of lines that name something wrong.
import type { LogLine } from '../lines.ts';
import { templateOf } from '../template.ts';

/** Words and signs without which no rule fits. Runs over every line of large logs, so it is one plain alternation. */
const SUSPECT =
  /[Ee]rror|ERR|[Ff]ail|FAIL|[Ee]xception|[Pp]anic|[Ff]atal|FATAL|[Aa]ssert|[Aa]bort|[Kk]illed|[Tt]raceback|[Cc]annot|[Cc]an't|[Uu]nable|[Cc]ould not|[Nn]ot found|[Ee]xit|[Uu]ndefined|[Tt]imed? ?out|[Dd]enied|[Ss]egmentation|[Nn]o space|[Oo]ut of|not ok|[Ee]xpected|[Cc]ancel/;

/** Lines that are held as they came before a large log is thinned. */
const RECENT_LINES = 24_000;
const RECENT_CHARS = 6_000_000;
/** And once a log is known to be large: what lives short costs little. */
const LARGE_RECENT_LINES = 4_000;
const LARGE_RECENT_CHARS = 2_000_000;
const HEAD_LINES = 300;
const BEFORE = 12;
const AFTER = 40;
/** A line whose like came so often is the log's normal noise. */
const MAX_REPEATS = 12;
const COUNTER_BITS = 22;
const MAX_KEPT_LINES = 10_000;
const MAX_KEPT_CHARS = 4_000_000;
/** A log that is nothing but suspicious lines is not looked at line by line for ever: after so many, some of each part do. */
const KEPT_AT_FULL_COST = 60_000;
const KEPT_OF_ROUND = 60;
/** Of the kept lines, those that stay when newer ones need the room. */
const FIRST_KEPT = 2_500;

export type Retained = {
  readonly push: (batch: readonly LogLine[]) => void;
  /** No more lines come. @returns what is kept, in order */
  readonly end: () => readonly LogLine[];
  readonly totalLines: () => number;
};

/** @param onKept sees the kept lines once, in order, also those that later ones push out */
export function createRetained(onKept: (line: LogLine) => void): Retained {
  let kept: LogLine[] = [];
  let keptChars = 0;
  let recent: LogLine[] = [];
  let recentChars = 0;
  let total = 0;
  let maxLines = RECENT_LINES;
  let maxChars = RECENT_CHARS;
  let allowance = KEPT_AT_FULL_COST;
  let openUntil = 0; // lines up to this number belong to the last suspicious one
  const counters = new Uint8Array(2 ** COUNTER_BITS);

  /** Moves the older half of the recent lines: those that matter to `kept`, the others out. */
  const thin = (): void => {
    const half = recent.length >> 1;
    maxLines = LARGE_RECENT_LINES;
    maxChars = LARGE_RECENT_CHARS;
    let round = 0;
    let copied = 0; // index after the last line that was kept
    for (let index = 0; index < half; index++) {
      const line = recent[index];
      if (line === undefined) break;
      let from = index;
      if (SUSPECT.test(line.text) && isRare(line.text)) {
        openUntil = line.n + AFTER;
        from = Math.max(copied, index - BEFORE);
      } else if (line.n > openUntil && line.n > HEAD_LINES) continue;
      for (; from <= index; from++) {
        const one = recent[from];
        if (one && (allowance > 0 || round++ < KEPT_OF_ROUND)) keep(one);
      }
      copied = index + 1;
    }
    recent = recent.slice(half);
    recentChars = recent.reduce((sum, { text }) => sum + text.length, 0);
  };

  /** Counts the line's template. One byte per template, which few share. */
  const isRare = (text: string): boolean => {
    const at = templateOf(text) >>> (32 - COUNTER_BITS);
    const count = counters[at] ?? 0;
    if (count > MAX_REPEATS) return false;
    counters[at] = count + 1;
    return count < MAX_REPEATS;
  };

  const keep = (line: LogLine): void => {
    allowance--;
    onKept(line);
    // A copy, since the text may be a part of a long string that would live on with it.
    kept.push({ n: line.n, text: ` ${line.text}`.slice(1) });
    keptChars += line.text.length;
    if (kept.length <= MAX_KEPT_LINES && keptChars <= MAX_KEPT_CHARS) return;
    const first = Math.min(FIRST_KEPT, kept.length >> 2);
    kept = [...kept.slice(0, first), ...kept.slice(first + ((kept.length - first) >> 1))];
    keptChars = kept.reduce((sum, { text }) => sum + text.length, 0);
  };

  return {
    push: (batch) => {
      total += batch.length;
      for (const line of batch) {
        recent.push(line);
        recentChars += line.text.length;
        if (recent.length >= maxLines || recentChars >= maxChars) thin();
      }
    },
    end: () => {
      for (const line of recent) onKept(line);
      return kept.length === 0 ? recent : [...kept, ...recent];
    },
    totalLines: () => total,
  };
}

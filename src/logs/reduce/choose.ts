// Which lines fit into the budget: the worthiest first, blank lines only inside of what is kept, each kind of line a few times.
import type { LogLine } from '../lines.ts';
import { estimateTokens } from '../tokens.ts';

/** A line that may be kept. */
export type Candidate = {
  readonly line: LogLine;
  /** 0 to 100. */
  readonly priority: number;
  readonly template: number;
};

/** A line that is longer is cut: what it says is at its beginning. */
export const MAX_SHOWN_CHARS = 600;
const MAX_FRAME_CHARS = 200;
const LATER = 0.35;
/** Below this it is noise, even when there is room. */
const MIN_PRIORITY = 6;
const FRAME = /^\s*(?:at |from |#\d+ |\.\.\. \d+ )/;

export type Chosen<T extends Candidate> = { readonly chosen: readonly T[]; readonly tokens: number };

/**
 * The chosen ones in the order they came in, with their text cut. Never more than `maxTokens` in all.
 * @param sameKind lines of one kind beyond so many wait until the others had their turn
 */
export function chooseLines<T extends Candidate>(
  candidates: readonly T[],
  maxTokens: number,
  sameKind: number,
): Chosen<T> {
  const cut: T[] = candidates.map((one) => ({ ...one, line: shorten(one.line) }));
  const order = [...cut.keys()]
    .filter((index) => (cut[index]?.priority ?? 0) >= MIN_PRIORITY)
    .sort((a, b) => (cut[b]?.priority ?? 0) - (cut[a]?.priority ?? 0) || a - b);
  const kinds = new Map<number, number>();
  const later: number[] = [];
  const taken = new Uint8Array(cut.length);
  let tokens = 0;
  const take = (index: number): void => {
    const one = cut[index];
    if (!one || taken[index] === 1) return;
    const cost = estimateTokens(one.line.text);
    if (tokens + cost > maxTokens) return;
    taken[index] = 1;
    tokens += cost;
  };
  // Lines of a kind that came often wait, but not behind everything.
  for (let next = 0; next < order.length || later.length > 0; ) {
    const index = order[next];
    const waiting = later[0];
    const best = index === undefined ? -1 : (cut[index]?.priority ?? 0);
    if (waiting !== undefined && (cut[waiting]?.priority ?? 0) * LATER >= best) {
      take(waiting);
      later.shift();
      continue;
    }
    if (index === undefined) break;
    next++;
    const one = cut[index];
    if (!one) continue;
    const times = (kinds.get(one.template) ?? 0) + 1;
    kinds.set(one.template, times);
    if (times > sameKind && one.line.text !== '') later.push(index);
    else take(index);
  }
  fillGaps();
  return { chosen: cut.filter((_, index) => taken[index] === 1), tokens };

  /** A blank line between kept ones costs next to nothing. */
  function fillGaps(): void {
    for (let index = 1; index < cut.length - 1; index++) {
      const isBlank = cut[index]?.line.text === '';
      if (isBlank && taken[index - 1] === 1 && taken[index + 1] === 1) take(index);
    }
  }
}

function shorten(line: LogLine): LogLine {
  const limit = FRAME.test(line.text) ? MAX_FRAME_CHARS : MAX_SHOWN_CHARS;
  return line.text.length <= limit
    ? line
    : { n: line.n, text: `${line.text.slice(0, limit).toWellFormed()}…` };
}

// Text without secrets (SEC-2): registered values and connection strings first, then what has the form of a secret. For reduced log lines,
// reports and what a model reads; the same text gives the same result, and a second time changes nothing.
import type { RedactingStream, Redactor, SecretSpan } from './redact-values.ts';
import { patternSpans } from './secret-patterns.ts';

/** `start` and `end` in UTF-16 units of the whole text, `line` from 1; `kind`: `github-token`, `secret:NAME`, ... */
export type FoundSecret = {
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly kind: string;
};

export type SecretStream = RedactingStream & {
  /** What was found so far, in order; offsets count from the start of the stream. */
  readonly found: () => readonly FoundSecret[];
};

type Placed = SecretSpan & { readonly placeholder: string };

const KEEP = 20_000;
/** What the redactor of values finds by its form. */
const UNNAMED = new Set(['password', 'authorization']);

/** Fast for up to 1 MB. Line ends stay. */
export function redactText(text: string, redactor: Pick<Redactor, 'spans'>): string {
  return replaced(text, placed(text, redactor), text.length);
}

/** For text that comes in pieces, split anywhere: gives what `redactText` gives for the whole. */
export function redactStream(redactor: Pick<Redactor, 'spans'>): SecretStream {
  let held = '';
  let offset = 0;
  let line = 1;
  const found: FoundSecret[] = [];

  const give = (spans: readonly Placed[], end: number): string => {
    let at = 0;
    for (const { from, to, name, placeholder } of spans) {
      if (from >= end) break;
      line += lineEnds(held, at, from);
      at = from;
      const named = placeholder.startsWith('[secret:') && !UNNAMED.has(name);
      const kind = named ? `secret:${name}` : name;
      found.push({ start: offset + from, end: offset + to, line, kind });
    }
    line += lineEnds(held, at, end);
    const ready = replaced(held, spans, end);
    held = held.slice(end);
    offset += end;
    return ready;
  };

  return {
    push: (chunk) => {
      held += chunk;
      if (held.length < 4 * KEEP) return '';
      const spans = placed(held, redactor);
      const limit = held.length - KEEP;
      // At a line end, so that what stands before a secret is seen whole with it; and never inside of one.
      const newline = held.lastIndexOf('\n', limit);
      let end = newline === -1 ? limit : newline + 1;
      for (const { start, to } of spans.toReversed()) if (start < end && to > end) end = start;
      return give(spans, end);
    },
    end: () => give(placed(held, redactor), held.length),
    found: () => found,
  };
}

/** Ordered and without overlaps. A value's name wins over a form; a form that only surrounds a redacted value adds nothing. */
function placed(text: string, redactor: Pick<Redactor, 'spans'>): readonly Placed[] {
  const values = redactor.spans(text);
  const own = placeholders(text);
  const recognised = patternSpans(text).filter(
    ({ from, to }) => !own.some((one) => from < one.to && to > one.from),
  );
  const exact = [...values, ...recognised.filter(({ name }) => !SURROUNDING.has(name))];
  const forms = recognised.filter(
    ({ from, to, name }) => !SURROUNDING.has(name) || !exact.some((one) => one.from >= from && one.to <= to),
  );
  const all: Placed[] = [
    ...values.map((span) => ({ ...span, placeholder: `[secret:${span.name}]` })),
    ...forms.map((span) => ({ ...span, placeholder: `[redacted:${span.name}]` })),
  ].sort((a, b) => a.from - b.from || b.to - a.to || Number(b.placeholder < a.placeholder));
  const merged: Placed[] = [];
  for (const span of all) {
    const last = merged.at(-1);
    if (!last || span.from >= last.to) merged.push(span);
    else if (span.to > last.to || (!isValue(last) && isValue(span)))
      merged[merged.length - 1] = {
        ...(isValue(span) && !isValue(last) ? span : last),
        start: Math.min(last.start, span.start),
        from: last.from,
        to: Math.max(last.to, span.to),
      };
  }
  return merged;
}

/** Forms that hold more than the secret: the host of a connection string says much about a failure. */
const SURROUNDING = new Set(['connection-string', 'password', 'docker-token']);

function isValue({ placeholder }: Placed): boolean {
  return placeholder.startsWith('[secret:');
}

function placeholders(text: string): readonly { readonly from: number; readonly to: number }[] {
  if (!/\[(?:secret|redacted):/.test(text)) return [];
  return [...text.matchAll(/\[(?:secret:[A-Za-z0-9_.-]{1,64}|redacted:[a-z0-9-]{1,40})\]/g)].map((one) => ({
    from: one.index,
    to: one.index + one[0].length,
  }));
}

/** The text up to `end`. The line ends of a secret of several lines stay, so that lines keep their numbers. */
function replaced(text: string, spans: readonly Placed[], end: number): string {
  let result = '';
  let done = 0;
  for (const { from, to, placeholder } of spans) {
    if (from >= end) break;
    result += text.slice(done, from) + placeholder + '\n'.repeat(lineEnds(text, from, to));
    done = to;
  }
  return result + text.slice(done, Math.max(done, end));
}

function lineEnds(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

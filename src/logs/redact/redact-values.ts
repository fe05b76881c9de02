// SEC-2, MIG-3: takes known secret values, in all their usual forms, and passwords of connection strings and Authorization headers out of
// text, streams and JSON. Pure text work: it holds the values in memory for as long as it lives and must never print or return them.
import type { Json } from '../../contract/effect.ts';
import { secretForms } from './secret-forms.ts';

export type Redactor = {
  /** From now on the value is replaced by `[secret:NAME]`. Values under 6 characters are not: they would match ordinary text. */
  readonly register: (name: string, value: string) => void;
  /** Where `redact` would replace something, ordered by start; spans may overlap. For layers beside this one. */
  readonly spans: (text: string) => readonly SecretSpan[];
  /** Text without any registered value. Text in which nothing is found comes back unchanged. */
  readonly redact: (text: string) => string;
  /** For text that comes in pieces, split anywhere. Values registered later count from then on. */
  readonly stream: () => RedactingStream;
  /** Texts and keys; a number that is or holds a registered value becomes text. */
  readonly redactDeep: (value: Json) => Json;
};

export type RedactingStream = {
  /** What can be given on already; the rest is kept until more comes. */
  readonly push: (chunk: string) => string;
  /** The rest. Nothing may be pushed after it. */
  readonly end: () => string;
};

/** A secret in a text: `from` to `to`, recognised from `start` on. Offsets are UTF-16 units. */
export type SecretSpan = {
  readonly start: number;
  readonly from: number;
  readonly to: number;
  readonly name: string;
};

type Match = SecretSpan;

/** Shorter values are not looked for across line ends, where ordinary words can make them up. */
const minWrappedLength = 16;

const longestPattern = 8192;
/** Group 1 stays, the rest is replaced. No look-behind and bounded lengths, so that a stream knows how much it has to keep. */
const patterns: readonly { readonly name: string; readonly pattern: RegExp }[] = [
  { name: 'password', pattern: /(:\/\/[^\s:@/?#"'<>]{0,256}:)[^\s/?#"'<>]{1,1024}(?=@)/g },
  { name: 'password', pattern: /(:\/\/)[^\s:@/?#"'<>]{20,1024}(?=@)/g },
  { name: 'password', pattern: /((?:PGPASSWORD|password)=)[^\s"'&;,)\]}]{1,1024}/g },
  {
    name: 'authorization',
    pattern:
      /(authorization\\?["']?[ \t]{0,8}[:=][ \t]{0,8}\\?["']?(?:bearer|basic|token|digest|negotiate)[ \t]{1,8})[^\s"',;\\]{6,4096}/gi,
  },
  {
    name: 'authorization',
    pattern: /(authorization\\?["']?[ \t]{0,8}[:=][ \t]{0,8}\\?["']?)[^\s"',;\\]{16,4096}/gi,
  },
  { name: 'authorization', pattern: /(bearer[ \t]{1,8})[A-Za-z0-9._~+/=-]{16,4096}/gi },
  {
    name: 'authorization',
    pattern:
      /((?:x-access-token|project-access-token|x-devops-secret|x-api-key|private-token)\\?["']?[ \t]{0,8}[:=][ \t]{0,8}\\?["']?)[^\s"',;@\\]{6,4096}/gi,
  },
];

export function createRedactor(): Redactor {
  const names = new Map<string, string>();
  const labels = new Set(patterns.map(({ name }) => name));
  let known: RegExp | undefined;
  let longest = 0;

  const literals = (): RegExp | undefined => {
    if (!known && names.size > 0) {
      const forms = [...names.keys()].sort((a, b) => b.length - a.length);
      known = new RegExp(forms.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
    }
    return known;
  };

  /** Ordered by start. Registered values may overlap: each place is looked at. */
  const find = (text: string): Match[] => {
    const found: Match[] = [];
    const values = literals();
    if (values) {
      values.lastIndex = 0;
      for (let match = values.exec(text); match; match = values.exec(text)) {
        const start = match.index;
        found.push({ start, from: start, to: start + match[0].length, name: names.get(match[0]) ?? 'value' });
        values.lastIndex = start + 1;
      }
    }
    found.push(...wrapped(text));
    for (const { name, pattern } of patterns) {
      for (const match of text.matchAll(pattern)) {
        const from = match.index + (match[1] ?? '').length;
        const to = match.index + match[0].length;
        found.push({ start: match.index, from, to, name });
      }
    }
    return withoutPlaceholders(text, found);
  };

  /** Values that a terminal, `base64` or YAML broke over lines, indented or not: looked for without the line ends, replaced line by line. */
  const wrapped = (text: string): Match[] => {
    const values = literals();
    if (!values || longest < minWrappedLength || !text.includes('\n')) return [];
    const ends: number[] = [];
    const joined = text.replace(/\r?\n[ \t]{0,40}/g, (end, at: number) => {
      for (let n = 0; n < end.length; n += 1) ends.push(at + n);
      return '';
    });
    const found: Match[] = [];
    values.lastIndex = 0;
    let passed = 0;
    for (let match = values.exec(joined); match; match = values.exec(joined)) {
      values.lastIndex = match.index + 1;
      if (match[0].length < minWrappedLength) continue;
      while ((ends[passed] ?? Number.MAX_SAFE_INTEGER) <= match.index + passed) passed += 1;
      let at = match.index + passed;
      const start = at;
      let left = match[0].length;
      let skipped = passed;
      const parts: [number, number][] = [];
      while (left > 0) {
        const part = Math.min(left, (ends[skipped] ?? text.length) - at);
        if (part > 0) parts.push([at, at + part]);
        left -= part;
        at += part;
        for (; ends[skipped] === at; skipped += 1) at += 1;
      }
      if (parts.length < 2) continue;
      const name = names.get(match[0]) ?? 'value';
      for (const [from, to] of parts) found.push({ start, from, to, name });
    }
    return found;
  };

  /** What stands inside a placeholder of ours is its name: text that was redacted before stays as it is. */
  const withoutPlaceholders = (text: string, found: Match[]): Match[] => {
    if (found.length === 0 || !/\[(?:secret|redacted):/.test(text)) return found;
    const own = [...text.matchAll(/\[(?:secret:([A-Za-z0-9_.-]{1,64})|redacted:[a-z0-9-]{1,40})\]/g)].filter(
      (one) => one[1] === undefined || labels.has(one[1]),
    );
    return found.filter(
      ({ from, to }) => !own.some((one) => from >= one.index && to <= one.index + one[0].length),
    );
  };

  const redact = (text: string): string => replace(text, find(text), text.length);

  const stream = (): RedactingStream => {
    let held = '';
    return {
      push: (chunk) => {
        held += chunk;
        const keep = Math.max(2 * longest, longestPattern);
        if (held.length <= 2 * keep) return '';
        const matches = find(held);
        // Everything that starts before the cut is known in full; what crosses the cut is kept whole.
        const cut = held.length - keep;
        const crossing = matches.filter((match) => match.start < cut && match.to > cut);
        const end = Math.min(cut, ...crossing.map((match) => match.start));
        const ready = replace(held, matches, end);
        held = held.slice(end);
        return ready;
      },
      end: () => {
        const rest = redact(held);
        held = '';
        return rest;
      },
    };
  };

  const redactDeep = (value: Json): Json => {
    if (typeof value === 'string') return redact(value);
    if (typeof value === 'number') {
      const text = redact(String(value));
      return text === String(value) ? value : text;
    }
    if (Array.isArray(value)) return value.map(redactDeep);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [redact(key), redactDeep(item)]));
  };

  return {
    register: (name, value) => {
      const label = name.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 64) || 'value';
      labels.add(label);
      for (const form of secretForms(value)) {
        if (names.has(form)) continue;
        names.set(form, label);
        longest = Math.max(longest, form.length);
        known = undefined;
      }
    },
    spans: find,
    redact,
    stream,
    redactDeep,
  };
}

/** The text up to `end`, with overlapping matches as one placeholder; the first registered name wins over a pattern's. */
function replace(text: string, matches: readonly Match[], end: number): string {
  let result = '';
  let done = 0;
  const spans = matches.filter((match) => match.from < end).sort((a, b) => a.from - b.from || b.to - a.to);
  for (const match of spans) {
    if (match.to <= done) continue;
    if (match.from >= done) {
      result += `${text.slice(done, match.from)}[secret:${match.name}]`;
    }
    done = Math.max(done, match.to);
  }
  return done < end ? result + text.slice(done, end) : result;
}

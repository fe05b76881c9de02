// Tokens by a local tokenizer: not Claude's own (which is not public), of the same order. Counts what was really sent.
import { encode } from 'gpt-tokenizer/encoding/o200k_base';

export function countTokens(text: string): number {
  return encode(text, { disallowedSpecial: new Set() }).length;
}

/** Input tokens of journalled requests, from the bytes of their bodies; what a cache spares counts in full. */
export function countJournal(requests: readonly { readonly bytes: Buffer }[]): number {
  return requests.reduce((sum, { bytes }) => sum + countTokens(bytes.toString('utf8')), 0);
}

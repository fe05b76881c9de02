// Tokens by a local tokenizer: not Claude's own (which is not public), of the same order. Counts what was really sent.
import { appendFile } from 'node:fs/promises';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';

export function countTokens(text: string): number {
  return encode(text, { disallowedSpecial: new Set() }).length;
}

/** Input tokens of journalled requests, from the bytes of their bodies; what a cache spares counts in full. */
export function countJournal(requests: readonly { readonly bytes: Buffer }[]): number {
  return requests.reduce((sum, { bytes }) => sum + countTokens(bytes.toString('utf8')), 0);
}

/** For `npm run bench`, which runs scenarios of tests and reads what they used: one line of JSON each. Does nothing where no file is named. */
export async function reportTokens(
  scenario: string,
  requests: readonly { readonly bytes: Buffer; readonly body: { readonly model: string } }[],
): Promise<void> {
  const file = process.env.UNTILGREEN_TOKEN_REPORT;
  if (!file || requests.length === 0) return;
  const isTriage = (model: string): boolean => model.includes('haiku');
  const of = (triage: boolean) => requests.filter(({ body }) => isTriage(body.model) === triage);
  const [triage, fix] = [countJournal(of(true)), countJournal(of(false))];
  await appendFile(file, `${JSON.stringify({ scenario, requests: requests.length, triage, fix })}\n`);
}

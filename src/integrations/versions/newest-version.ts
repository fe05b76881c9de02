// Asks a public address which version of something is the newest (DEPLOY-4): one GET, bounded, conditional where the last answer had an ETag.
import { boundedText } from '../bounded-text.ts';
import { codeOf } from '../http-failure.ts';

export type NewestVersion =
  | { readonly status: 'notModified' }
  | { readonly status: 'ok'; readonly version: string; readonly etag: string | null };

const timeoutMs = 15_000;
const maxBytes = 4_000_000;
const maxVersion = 128;

/**
 * @param at where the version stands in the JSON: `tag_name`, `info.version`
 * @throws Error that says what is wrong with the address, the answer or the path
 */
export async function newestVersion(question: {
  readonly url: string;
  readonly at: string;
  readonly etag: string | null;
  readonly signal: AbortSignal;
}): Promise<NewestVersion> {
  const { url, at, etag, signal } = question;
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      headers: {
        accept: 'application/json',
        'user-agent': 'untilgreen',
        ...(etag === null ? {} : { 'if-none-match': etag }),
      },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    text = await boundedText(
      response,
      maxBytes,
      () => new TooLarge(`${response.url}: the answer is larger than ${maxBytes} bytes`),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TooLarge) throw error;
    throw new Error(
      `${url}: no answer (${codeOf(error) ?? (error instanceof Error ? error.name : 'error')})`,
    );
  }
  if (response.status === 304) return { status: 'notModified' };
  if (!response.ok) throw new Error(`${url}: answered ${response.status}`);
  const version = valueAt(text, at);
  if (typeof version !== 'string' || version === '' || version.length > maxVersion)
    throw new Error(`${url}: there is no version at "${at}" of its answer; correct "path"`);
  return { status: 'ok', version, etag: response.headers.get('etag') };
}

class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

function valueAt(text: string, at: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  for (const key of at.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

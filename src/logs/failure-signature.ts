// What is the same in two failing jobs, in other repositories and of other tenants too (CI-4, CI-12): the line that names the cause, without what
// differs from run to run, and the tests that failed. Pure.
import { createHash } from 'node:crypto';
import { tellingLine } from './signature.ts';

export type FailureSignature = {
  /** sha256. */
  readonly signature: string;
  /** The line it is made of, as it stands in the log. */
  readonly headline: string;
};

const MAX_TESTS = 10;
/** A server's answer is the same whatever was asked of it. */
const ADDRESS = /\bhttps?:\/\/([^\s/'"`)\]>]+)[^\s'"`)\]>]*/gi;
/** npm puts the cause behind a prefix that by itself tells nothing. */
const PREFIX = /^npm (?:err!|error)\s+(?=.{12})(?!a complete log|code ELIFECYCLE|errno|path |command )/i;

/**
 * @param lines candidates, the best first
 * @returns null when no line tells this failure from any other
 */
export function failureSignature(
  lines: readonly string[],
  failedTests: readonly string[],
): FailureSignature | null {
  for (const headline of lines) {
    const normal = tellingLine(headline.replace(PREFIX, '').replace(ADDRESS, '$1'));
    if (normal === null) continue;
    const tests = [...failedTests].sort().slice(0, MAX_TESTS);
    const signature = createHash('sha256')
      .update(JSON.stringify([normal, tests]))
      .digest('hex');
    return { signature, headline };
  }
  return null;
}

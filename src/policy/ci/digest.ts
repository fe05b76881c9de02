// One line of the digest of failing CI (CI-11): what, on which commit, how far. Pure text.
import type { Finding } from '../../contract/finding.ts';

/** At most 300 characters, one line. */
export function digestLine(finding: Finding, attempts: number): string {
  const sha = finding.detail.kind === 'ci' ? ` at ${finding.detail.headSha.slice(0, 8)}` : '';
  const waits = finding.waitingFor === undefined ? '' : `, waits for ${finding.waitingFor}`;
  const line = `${finding.title}${sha}: ${finding.status}, attempt ${finding.attempts}/${attempts}${waits}`;
  return line.replace(/\s+/g, ' ').slice(0, 300);
}

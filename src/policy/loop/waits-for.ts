// Whether anything goes on by itself in a workspace, or only people can move it (LOOP-11, CI-14). Pure, over what a finding says it waits for.
import type { Finding } from '../../contract/finding.ts';

export type Waiting = Pick<Finding, 'status' | 'severity'> & {
  readonly waitingFor: string | null;
  /** An approval of it is asked for and not given, or given over a channel that is not enough. */
  readonly needsApproval: boolean;
};

/** A merge, an author, a pause that somebody has to lift, a backup that somebody has to make. The rest ends by its own time. */
const ofPeople = [/^a person\b/, /^the author\b/, /: paused \(/, /\bbackup\b/i];

export function waitsForPeople(finding: Waiting): boolean {
  if (finding.status === 'escalated') return true;
  if (finding.status !== 'waiting') return false;
  if (finding.needsApproval) return true;
  const { waitingFor } = finding;
  return waitingFor !== null && ofPeople.some((words) => words.test(waitingFor));
}

/**
 * `green`: nothing workable is red. `people`: what is left waits for somebody. `working`: something goes on, or could not be read.
 * What is watched on purpose, or is `info`, makes nothing red (LOOP-3).
 */
export function standOf(findings: readonly Waiting[], unreadable: number): 'green' | 'people' | 'working' {
  const left = findings.filter(
    ({ status, severity }) => status !== 'resolved' && status !== 'watched' && severity !== 'info',
  );
  if (left.some((finding) => !waitsForPeople(finding)) || unreadable > 0) return 'working';
  return left.length > 0 ? 'people' : 'green';
}

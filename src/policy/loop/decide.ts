// The decision tree (LOOP-3): which findings get a remedy now. Pure and deterministic: it is the one policy that runs inside the
// workflow, so a change to it must stay behind patched().
import { type Finding, isWorkable, type Severity } from '../../contract/finding.ts';

export type Decision = {
  readonly fingerprint: string;
  readonly workspace: string;
  readonly action: 'start' | 'inform' | 'wait';
  readonly reason: string;
};

const tiers = ['ci', 'drift', 'migration'] as const;
const tierNames = { ci: 'failing workflow run', drift: 'drift', migration: 'pending migrations' } as const;
const severityRank: { readonly [severity in Severity]: number } = { critical: 0, warning: 1, info: 2 };

/**
 * Per workspace, over workable findings: the first tier that has any is worked on, all of it; later tiers wait for it.
 * Findings that are watched, held, escalated or `info` neither block nor get a remedy.
 * @param open what the store knows to be not green, any order
 * @returns one decision per finding that is not resolved, in the order of the tree
 */
export function decide(open: readonly Finding[]): readonly Decision[] {
  const decisions: Decision[] = [];
  for (const workspace of [...new Set(open.map((finding) => finding.workspace))].sort()) {
    const here = open.filter((finding) => finding.workspace === workspace && finding.status !== 'resolved');
    const first = tiers.find((tier) => here.some((finding) => finding.kind === tier && isWorkable(finding)));
    for (const finding of inOrder(here)) decisions.push(decideOne(finding, first));
  }
  return decisions;
}

function decideOne(finding: Finding, first: (typeof tiers)[number] | undefined): Decision {
  const base = { fingerprint: finding.fingerprint, workspace: finding.workspace };
  if (finding.severity === 'info') return { ...base, action: 'wait', reason: 'info: reported only' };
  if (finding.status === 'watched' || finding.status === 'escalated' || finding.status === 'waiting') {
    return { ...base, action: 'wait', reason: finding.waitingFor ?? finding.status };
  }
  if (finding.kind !== first) {
    return {
      ...base,
      action: 'wait',
      reason: `comes after ${first === undefined ? 'nothing' : tierNames[first]}`,
    };
  }
  if (finding.status === 'working') return { ...base, action: 'inform', reason: 'a remedy is on it' };
  return { ...base, action: 'start', reason: `first not green: ${tierNames[finding.kind]}` };
}

function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort(
    (a, b) =>
      tiers.indexOf(a.kind) - tiers.indexOf(b.kind) ||
      severityRank[a.severity] - severityRank[b.severity] ||
      a.firstSeenMs - b.firstSeenMs ||
      (a.fingerprint < b.fingerprint ? -1 : 1),
  );
}

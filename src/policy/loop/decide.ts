// The decision tree (LOOP-3): which findings get a remedy now. Pure and deterministic: it is the one policy that runs inside the
// workflow, so a change to it must stay behind patched().
import { type Finding, isWorkable, type Severity } from '../../contract/finding.ts';

export type Decision = {
  readonly fingerprint: string;
  readonly workspace: string;
  readonly action: 'start' | 'inform' | 'wait';
  readonly reason: string;
};

const tiers = ['incident', 'ci', 'drift', 'migration', 'deployment'] as const;
type Tier = (typeof tiers)[number];
const tierNames: { readonly [tier in Tier]: string } = {
  incident: 'production incident',
  ci: 'failing workflow run',
  drift: 'drift',
  migration: 'pending migrations',
  deployment: 'failed deployment',
};
const severityRank: { readonly [severity in Severity]: number } = { critical: 0, warning: 1, info: 2 };

/**
 * Per workspace, over workable findings: the first tier that has any is worked on, all of it; later tiers wait for it.
 * Findings that are watched, held, escalated or `info` neither block nor get a remedy; questions and notices get theirs beside all of it.
 * @param open what the store knows to be not green, any order
 * @returns one decision per finding that is not resolved, in the order of the tree
 */
export function decide(open: readonly Finding[]): readonly Decision[] {
  const decisions: Decision[] = [];
  for (const workspace of [...new Set(open.map((finding) => finding.workspace))].sort()) {
    const here = inOrder(
      open.filter((finding) => finding.workspace === workspace && finding.status !== 'resolved'),
    );
    const first = tiers.find((tier) =>
      here.some(
        (finding) =>
          tierOf(finding) === tier && isWorkable(finding) && incidentOf(finding, here) === undefined,
      ),
    );
    for (const finding of here) decisions.push(decideOne(finding, first, here));
  }
  return decisions;
}

/** A service that is down is an incident; a deployment that failed while an older one serves is not. */
function tierOf(finding: Finding): Tier | 'beside' {
  const { kind, detail } = finding;
  if (kind === 'mention' || kind === 'notice') return 'beside';
  return detail.kind === 'deployment' && !detail.serving ? 'incident' : kind;
}

/** The incident whose remedy works on this service too: one ladder, one issue. */
function incidentOf({ detail, status }: Finding, here: readonly Finding[]): Finding | undefined {
  if (detail.kind !== 'deployment' || status !== 'open') return undefined;
  return here.find(
    (other) => other.detail.kind === 'incident' && other.detail.services.includes(detail.service),
  );
}

function decideOne(finding: Finding, first: Tier | undefined, here: readonly Finding[]): Decision {
  const base = { fingerprint: finding.fingerprint, workspace: finding.workspace };
  const tier = tierOf(finding);
  if (tier === 'beside')
    return finding.status === 'open'
      ? { ...base, action: 'start', reason: finding.kind === 'mention' ? 'a question' : 'to be told' }
      : { ...base, action: 'wait', reason: finding.waitingFor ?? finding.status };
  if (finding.severity === 'info') return { ...base, action: 'wait', reason: 'info: reported only' };
  if (finding.status === 'watched' || finding.status === 'escalated' || finding.status === 'waiting') {
    return { ...base, action: 'wait', reason: finding.waitingFor ?? finding.status };
  }
  const incident = incidentOf(finding, here);
  if (incident)
    return { ...base, action: 'wait', reason: `part of the incident ${incident.fingerprint.slice(0, 12)}` };
  if (tier !== first) {
    return {
      ...base,
      action: 'wait',
      reason: `comes after ${first === undefined ? 'nothing' : tierNames[first]}`,
    };
  }
  if (finding.status === 'working') return { ...base, action: 'inform', reason: 'a remedy is on it' };
  return { ...base, action: 'start', reason: `first not green: ${tierNames[tier]}` };
}

const order: readonly (Tier | 'beside')[] = [...tiers, 'beside'];

function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort(
    (a, b) =>
      order.indexOf(tierOf(a)) - order.indexOf(tierOf(b)) ||
      severityRank[a.severity] - severityRank[b.severity] ||
      a.firstSeenMs - b.firstSeenMs ||
      (a.fingerprint < b.fingerprint ? -1 : 1),
  );
}

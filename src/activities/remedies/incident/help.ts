// What helps once per incident beside the ladder (INC-2): stale sessions cleared when nobody can log in, the code agent started when the
// evidence points to code.
import type { Deployment } from '../../../contract/ops/platform.ts';
import { utcTime } from '../../../policy/markdown.ts';
import { type CodeEvidence, codeEvidence } from '../../../policy/ops/incident/code-evidence.ts';
import { type Draft, note, once, plan } from './draft.ts';
import type { Known } from './parts.ts';
import type { PlatformView } from './platform.ts';

/** INC-5: a login or the database fails for as long as a step of the ladder needs. */
export function planCleanUp(draft: Draft, known: Known): void {
  const { incidents, health, services } = known.workspace;
  if (!incidents.devopsApi || draft.finding.kind !== 'incident') return;
  const kinds = new Map((health?.checks ?? []).map(({ name, kind }) => [name, kind]));
  const stuck = draft.state.severity.failing.some((name) =>
    ['login', 'database'].includes(kinds.get(name) ?? ''),
  );
  const afterMs = services?.ladder.unhealthyForMs ?? 5 * 60_000;
  if (!stuck || draft.nowMs - draft.detectedMs < afterMs || !once(draft, 'cleanUp')) return;
  plan(draft, {
    name: 'cleanUp',
    kind: 'cleanUp',
    target: `${draft.ref.workspace}/staleSessions`,
    input: { what: 'staleSessions' },
  });
}

/** @param base the branch that the agent starts from; null: not known now */
export async function planCodeAgent(
  draft: Draft,
  known: Known,
  platform: PlatformView | null,
  base: string | null,
): Promise<void> {
  const { codeAgent } = known.workspace.incidents;
  if (draft.issue === null || !platform?.logs.length || !once(draft, 'evidence')) return;
  const found = evidenceOf(draft, platform);
  if (found === null) return;
  const { evidence } = found;
  const fixing = known.ci.find(
    ({ detail, status }) =>
      detail.kind === 'ci' && detail.headSha === evidence.commitSha && status !== 'escalated',
  );
  const short = evidence.commitSha?.slice(0, 12) ?? 'unknown commit';
  await note(draft, {
    key: 'code-evidence',
    kind: 'note',
    text: `${evidence.service} points to code (${short}): ${evidence.why}`,
    comment: '',
  });
  if (fixing !== undefined) {
    const text = `CI fails on the same commit: its remedy is on it (finding ${fixing.fingerprint.slice(0, 12)}, ${fixing.title})`;
    await note(draft, { key: 'code-ci', kind: 'note', text, comment: '' });
    return;
  }
  if (codeAgent === undefined || base === null) return;
  const task = {
    repository: draft.repository,
    base,
    goal: `Fix ${evidence.service}: ${evidence.why}. Incident: issue #${draft.issue}.`,
    evidence: evidenceText(evidence, found.latest),
    issue: draft.issue,
  };
  const how =
    codeAgent.kind === 'dispatch'
      ? { kind: 'dispatch' as const, eventType: codeAgent.eventType }
      : { kind: 'label' as const, label: codeAgent.label };
  plan(draft, {
    name: 'codeAgent',
    kind: 'startCodeAgent',
    target: `${draft.repository}#${draft.issue}`,
    precondition: evidence.commitSha ?? found.latest.id,
    input: { ...task, ...how },
  });
}

function evidenceOf(
  draft: Draft,
  platform: PlatformView | null,
): { readonly evidence: CodeEvidence; readonly latest: Deployment } | null {
  for (const service of platform?.overview?.services ?? []) {
    const log = platform?.logs.find((one) => one.service === service.name);
    if (log === undefined || service.latest === null) continue;
    const evidence = codeEvidence({
      service,
      deployments: platform?.deployments[service.id] ?? [],
      logs: log.lines,
      faultSinceMs: draft.detectedMs,
    });
    if (evidence !== null) return { evidence, latest: service.latest };
  }
  return null;
}

function evidenceText({ why, lines, commitSha, before }: CodeEvidence, latest: Deployment): string {
  return [
    `${why}.`,
    `Deployment ${latest.id} of ${utcTime(latest.createdAtMs)}, ${latest.rawStatus}.`,
    `Commit: ${commitSha ?? 'unknown'}; before: ${before ?? 'unknown'}.`,
    '',
    ...lines,
  ].join('\n');
}

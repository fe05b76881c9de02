// A tenant's status for people. Text only.
import type { Status } from '../../client/look/status.ts';
import { facts, paint, paragraphs, shorten, shortId, table } from '../text/table.ts';
import { relative } from '../text/time.ts';

export function statusText(status: Status, nowMs: number): string {
  return paragraphs(
    facts([
      ['tenant', `${status.tenant} (settings version ${status.version}, autonomy ${status.autonomy})`],
      ['state', `${paint(status.state)}: ${status.summary}`],
      ['cycle', cycleText(status, nowMs)],
      ['next cycle', relative(status.nextCycleAt, nowMs)],
      ['breaker', breakerText(status, nowMs)],
      [
        'paused',
        status.pauses.length === 0 ? 'no' : status.pauses.map((p) => pauseText(p, nowMs)).join('; '),
      ],
      ['left', leftText(status)],
      ['model', budgetText(status, nowMs)],
      ['workflow', status.links.workflow],
    ]),
    findingsTable(status.findings, nowMs),
    table(
      ['cooldown', 'target', 'until'],
      status.cooldowns.map(({ kind, target, until }) => [kind, target, relative(until, nowMs)]),
    ),
    table(
      ['approval', 'for', 'expires', 'how'],
      status.approvals
        .filter(({ state, cliSuffices }) => state === 'asked' || !cliSuffices)
        .map((a) => [a.hash, shorten(a.what, 60), relative(a.expiresAt, nowMs), a.howToApprove]),
    ),
    table(
      ['writing now', 'state'],
      status.writing.map(({ what, state }) => [shorten(what, 80), state]),
    ),
    table(
      ['not readable', 'why'],
      status.sources
        .filter(({ state }) => state === 'unknown')
        .map(({ workspace, source, target, reason }) => [
          `${workspace}/${source}${target === null ? '' : `:${target}`}`,
          shorten(reason, 100),
        ]),
    ),
    status.notes.map((note) => `note: ${note}`).join('\n'),
  );
}

export function findingsTable(findings: Status['findings'], nowMs: number): string {
  return table(
    ['finding', 'workspace', 'kind', 'status', 'attempts', 'title', 'waits for'],
    findings.map((finding) => [
      shortId(finding.fingerprint),
      finding.workspace,
      finding.kind,
      finding.status,
      `${finding.attempts.used}/${finding.attempts.limit}`,
      shorten(finding.title, 60),
      shorten(waits(finding, nowMs), 70),
    ]),
  );
}

function waits(finding: Status['findings'][number], nowMs: number): string | null {
  if (finding.resolvedAt !== null) return `resolved ${relative(finding.resolvedAt, nowMs)}`;
  if (finding.waitingFor === null) return null;
  const until = relative(finding.waitingUntil, nowMs);
  return `${finding.waitingFor}${until === null ? '' : ` (${until})`}`;
}

function cycleText(status: Status, nowMs: number): string {
  const ended = status.lastCycle?.finishedAt ?? null;
  const last = ended === null ? '' : `, last ended ${relative(ended, nowMs)}`;
  const phase = status.phase === null ? status.loop : status.phase;
  return `${status.cycle}${last}, loop: ${phase}`;
}

export function breakerText(status: Pick<Status, 'breaker'>, nowMs: number): string {
  const { state, failures, openAfter, probeAt, reason } = status.breaker;
  if (state === 'closed')
    return failures === 0 ? 'closed' : `closed, ${failures} of ${openAfter} failed cycles`;
  return `${state}${probeAt === null ? '' : `, probe ${relative(probeAt, nowMs)}`}: ${reason ?? 'cycles failed'}`;
}

export function pauseText(pause: Status['pauses'][number], nowMs: number): string {
  const scope = pause.value === null ? pause.scope : `${pause.scope} ${pause.value}`;
  const until = pause.until === null ? 'until resumed' : `ends ${relative(pause.until, nowMs)}`;
  return `${scope} by ${pause.by}, ${until}: ${pause.reason}`;
}

export function leftText(status: Pick<Status, 'limits'>): string {
  const { limit, used, left, reservedForIncidents } = status.limits.mutatingPer5Min;
  const kept = reservedForIncidents > 0 ? `, ${reservedForIncidents} more for incidents` : '';
  return `${left} mutating effects now (${used} of ${limit} used in 5 min${kept})`;
}

export function budgetText(status: Pick<Status, 'budget'>, nowMs: number): string {
  const { budget } = status;
  if (budget === null) return 'off (model.enabled)';
  const { tokensUsed, tokensLimit, tokensHeld, costUsd, resetsAt } = budget;
  const left = Math.max(0, tokensLimit - tokensUsed - tokensHeld);
  const held = tokensHeld > 0 ? `, ${tokensHeld} held by calls under way` : '';
  return `${left} tokens left of ${tokensLimit} (${tokensUsed} used, $${costUsd.toFixed(2)}${held}), anew ${relative(resetsAt, nowMs)}`;
}

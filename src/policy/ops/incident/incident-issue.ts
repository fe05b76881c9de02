// The issue of an incident in the format of INC-3, and what is written to it later: changes of severity, actions, the summary at its end. Pure
// text; logs and names are data from outside and stay in code blocks or plain words. Bounded far below GitHub's 65,536 characters, so that
// markers and cleaning still fit.

import type { SeverityChange, TimelineEntry } from '../../../contract/ops/incident.ts';
import type { LogLine } from '../../../contract/ops/platform.ts';
import type { IncidentLevel } from '../../../contract/ops/settings.ts';
import { command, folded, lastLines, link, plainWords, utcTime } from '../../markdown.ts';
import { spanWords } from '../span-words.ts';

const shownLines = 30;
const lineChars = 400;
/** Of all logs together; each service gets an equal share. */
const logChars = 28_000;
const shownServices = 20;
/** Of what fails, escaped. */
const checkChars = 6_000;
const titleChecks = 5;
/** Of a timeline, escaped. */
const timelineChars = 50_000;

export type IncidentView = {
  readonly level: IncidentLevel;
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
  readonly detectedMs: number;
  /** The platform's name for people: `Railway`. */
  readonly platform: string;
  readonly logs: readonly ServiceLog[];
  /** Where the run of this incident's workflow is shown; null: there is no such page. */
  readonly runUrl: string | null;
  readonly dashboardUrl: string | null;
  /** What prints the logs in a terminal. */
  readonly logsCommand: string;
};

export type ServiceLog = {
  readonly service: string;
  /** Oldest first, redacted. */
  readonly lines: readonly LogLine[];
  /** Why they could not be read; null: they were. */
  readonly problem: string | null;
};

/** One line: severity and checks. */
export function incidentTitle(view: Pick<IncidentView, 'level' | 'failed'>): string {
  const names = view.failed.map(({ name }) => name);
  const more = names.length > titleChecks ? ` and ${names.length - titleChecks} more` : '';
  return `[${view.level.toUpperCase()}] Production incident: ${names.slice(0, titleChecks).join(', ')}${more}`;
}

export function incidentBody(view: IncidentView): string {
  const shown = view.logs.slice(0, shownServices);
  const chars = Math.floor(logChars / Math.max(1, shown.length));
  const left = view.logs.length - shown.length;
  return [
    '## 🚨 Production Incident',
    `**Severity**: ${view.level.toUpperCase()}\n**Failed Checks**: ${failedChecks(view.failed)}\n**Detected**: ${utcTime(view.detectedMs)}`,
    `### ${plainWords(view.platform, 60)} Logs (last ${shownLines} lines)`,
    ...(shown.length === 0 ? ['No service is known to be involved.'] : []),
    ...shown.map((log) => folded(log.service, logText(log, chars))),
    ...(left > 0 ? [`Logs of ${left} more services are left out.`] : []),
    '### Actions',
    [
      `- ${link('View workflow logs', view.runUrl)}`,
      `- ${link(`Open the ${view.platform} dashboard`, view.dashboardUrl)}`,
      '- Read the logs in a terminal:',
    ].join('\n'),
    command(view.logsCommand),
  ].join('\n\n');
}

/** The comment on each change of severity (INC-1). */
export function severityComment(change: SeverityChange): string {
  const name = (level: IncidentLevel | null): string => level?.toUpperCase() ?? 'none';
  const failing =
    change.failing.length === 0
      ? 'none'
      : failedChecks(change.failing.map((one) => ({ name: one, reason: '' })));
  return [
    `**Severity**: ${name(change.from)} → ${name(change.to)} at ${utcTime(change.atMs)}`,
    `Reason: ${plainWords(change.reason)}\nFailed Checks now: ${failing}`,
  ].join('\n\n');
}

/** One entry as a line of a list: in the summary at the end, and alone as the comment on what was done (INC-2). */
export function timelineLine(entry: TimelineEntry): string {
  return `- ${utcTime(entry.atMs)}: ${plainWords(entry.text)}`;
}

export type ClosingView = {
  readonly detectedMs: number;
  readonly recoveredMs: number;
  /** The worst it was. */
  readonly worst: IncidentLevel;
  readonly timeline: readonly TimelineEntry[];
};

/** The last comment: how long, how bad, who was needed, and everything that happened in order (INC-2). */
export function closingSummary(view: ClosingView): string {
  const entries = view.timeline.toSorted((a, b) => a.atMs - b.atMs);
  const acts = entries.filter(({ kind }) => kind === 'action').length;
  const told = entries.filter(({ kind }) => kind === 'told').length;
  return [
    '## Resolved',
    `**Severity**: ${view.worst.toUpperCase()} at its worst\n**Detected**: ${utcTime(view.detectedMs)}\n**Recovered**: ${utcTime(view.recoveredMs)}, after ${spanWords(view.recoveredMs - view.detectedMs)}`,
    `Actions taken: ${acts}. Times a person was told: ${told}.`,
    '### Timeline',
    bothEnds(entries.map(timelineLine), timelineChars).join('\n'),
  ].join('\n\n');
}

function failedChecks(failed: IncidentView['failed']): string {
  const shown: string[] = [];
  let room = checkChars;
  for (const { name, reason } of failed) {
    const why = reason === '' ? '' : ` (${plainWords(reason, 200)})`;
    const one = `${plainWords(name, 100)}${why}`;
    room -= one.length + 2;
    if (room < 0) break;
    shown.push(one);
  }
  const left = failed.length - shown.length;
  return `${shown.join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
}

/** A long incident keeps its beginning and its end: lines from both, in turn, as far as there is room. */
function bothEnds(lines: readonly string[], chars: number): readonly string[] {
  const head: string[] = [];
  const tail: string[] = [];
  let room = chars;
  while (head.length + tail.length < lines.length) {
    const fromHead = head.length <= tail.length;
    const line = (fromHead ? lines[head.length] : lines.at(-1 - tail.length)) ?? '';
    room -= line.length + 1;
    if (room < 0) break;
    if (fromHead) head.push(line);
    else tail.unshift(line);
  }
  const left = lines.length - head.length - tail.length;
  return left === 0 ? [...head, ...tail] : [...head, `- (${left} entries left out)`, ...tail];
}

function logText({ lines, problem }: ServiceLog, chars: number): string {
  if (problem !== null)
    return `The logs could not be read: ${lastLines([problem], { lines: 1, chars: lineChars + 1, lineChars })}`;
  if (lines.length === 0) return 'No lines.';
  const text = lines.map((line) => `${utcTime(line.atMs).slice(11, 19)} ${line.severity} ${line.text}`);
  return lastLines(text, { lines: shownLines, chars, lineChars });
}

// What is said of an incident to channels and on its issue, beside the issue itself. Plain text of ours; names and reasons are data.

import type { IncidentLevel } from '../../../contract/ops/settings.ts';
import { plainWords, utcTime } from '../../../policy/markdown.ts';
import { spanWords } from '../../../policy/ops/span-words.ts';

export type Said = { readonly title: string; readonly body: string };

export type Subject = {
  readonly workspace: string;
  readonly repository: string;
  readonly issue: number | null;
  readonly level: IncidentLevel;
  readonly failing: readonly { readonly name: string; readonly reason: string }[];
  readonly detectedMs: number;
  /** The beginning of the finding's fingerprint. */
  readonly id: string;
};

export type Asked = {
  readonly what: string;
  readonly reason: string;
  readonly hash: string;
  readonly expiresAtMs: number;
};

const maxTitle = 250;
const maxBody = 3_900;

export function alertText(subject: Subject): Said {
  const { level, failing, workspace, detectedMs } = subject;
  const names = failing.map(({ name }) => name).join(', ') || 'nothing fails now';
  return said(`${level.toUpperCase()} in ${workspace}: ${names}`, [
    `Detected ${utcTime(detectedMs)}.`,
    ...failing.map(({ name, reason }) => (reason === '' ? name : `${name}: ${reason}`)),
    place(subject),
  ]);
}

const whyTold = {
  first: 'needs a person',
  raised: 'became worse and needs a person',
  reminder: 'is still not acknowledged',
} as const;

export function toldText(subject: Subject, why: keyof typeof whyTold): Said {
  const { title, body } = alertText(subject);
  return said(`${whyTold[why]}: ${title}`, [
    body,
    `Acknowledge: "untilgreen ack ${subject.id}", or comment /ack on the issue.`,
  ]);
}

/** One line for the timeline. */
export function toldLine(level: IncidentLevel, why: keyof typeof whyTold, number: number): string {
  const times = number === 1 ? '' : `, told ${number} times`;
  return `${level.toUpperCase()} ${whyTold[why]}${times}`;
}

export function recoveredText(subject: Subject, downMs: number): Said {
  return said(`Recovered after ${spanWords(downMs)}: ${subject.workspace}`, [
    `Detected ${utcTime(subject.detectedMs)}, ${subject.level.toUpperCase()} at its worst.`,
    place(subject),
  ]);
}

/** Under a line that mentions people. */
export function ackHint(text: string): string {
  return `${plainWords(text)}\n\nComment \`/ack\` to say that you have it.`;
}

export function askComment({ what, reason, hash, expiresAtMs }: Asked): string {
  return `**${plainWords(what)}** waits for approval: ${plainWords(reason)}.\n\nTo approve exactly this, comment \`/approve ${hash}\`; to reject, \`/reject ${hash} reason\`. It expires on ${utcTime(expiresAtMs)}; a change of what it is bound to voids it.`;
}

export function askText({ what, reason, hash, expiresAtMs }: Asked, subject: Subject, again: boolean): Said {
  const { repository, issue } = subject;
  const where = issue === null ? '' : ` or comment "/approve ${hash}" on ${repository}#${issue}`;
  return said(`${again ? 'Still waiting for approval' : 'Approval needed'}: ${what}`, [
    `${reason}. "untilgreen approve ${hash}"${where}. Expires ${utcTime(expiresAtMs)}.`,
  ]);
}

function place({ repository, issue }: Subject): string {
  return issue === null ? 'Its issue is not open yet.' : `Issue: ${repository}#${issue}`;
}

function said(title: string, lines: readonly string[]): Said {
  return { title: title.slice(0, maxTitle), body: lines.join('\n').slice(0, maxBody) };
}

// The answer to a question in a comment, in the format of DIAG-2. Pure text; what services, checks and logs say is data from outside and stays
// in code blocks or plain words. Bounded far below GitHub's 65,536 characters.
import type { DiagnosisView } from '../../../contract/ops/diagnosis.ts';
import type { DiagnosticRequest } from '../../../contract/ops/diagnostics.ts';
import type { CheckState } from '../../../contract/ops/incident.ts';
import type { ServiceHealth } from '../../../contract/ops/ladder.ts';
import { fenced, folded, lastLines, link, plainWords, utcTime } from '../../markdown.ts';

const heading = '## 🔧 DevOps Diagnostic Results';
const outputChars = 45_000;
const shownServices = 60;
const shownChecks = 60;
const shownLogs = 30;
const lineChars = 400;
const answerParagraphs = 20;
const answerChars = 600;

export type DiagnosticView = Omit<DiagnosisView, 'environment' | 'request'> & {
  readonly request: DiagnosticRequest;
  /** Of this program. */
  readonly version: string;
  readonly atMs: number;
  /** The platform and environment for people: `Railway, production`. */
  readonly where: string;
  /** What is answered: `@devops`. */
  readonly mention: string;
  /** The comment that is answered; absent: nobody asked on GitHub. */
  readonly asked?: { readonly by: string; readonly url: string };
};

export function diagnosticAnswer(view: DiagnosticView): string {
  return [
    heading,
    ...(view.asked ? [`For ${plainWords(view.asked.by, 60)}: ${link('the question', view.asked.url)}.`] : []),
    ...(view.request.kind === 'help' && view.request.problem !== null
      ? [`Not understood: ${plainWords(view.request.problem)}.`]
      : []),
    summary(view),
    ...(view.answer === null ? [] : paragraphs(view.answer)),
    folded('📋 Diagnostic Output', output(view)),
    '**Need more info?** Comment with one of these:',
    fenced(commands(view.mention).join('\n')).trim(),
  ].join('\n\n');
}

/** The id of the comment that an answer of ours is for; null: it is none. */
export function answeredComment(body: string): number | null {
  if (!body.startsWith(heading)) return null;
  const id = /^For [^\n]*#issuecomment-(\d{1,15})\)\.$/m.exec(body)?.[1];
  return id === undefined ? null : Number(id);
}

/** What can be asked, one a line (DIAG-1). */
export function commands(mention: string): readonly string[] {
  return [
    `${mention} status`,
    `${mention} check database`,
    `${mention} check user <name>`,
    `${mention} check logs <service>`,
    `${mention} <a question in your own words>`,
  ];
}

function summary({ services, checks, problems }: DiagnosticView): string {
  const bad = services.filter(({ health }) => health !== 'healthy' && health !== 'stopped');
  const failing = checks.filter(({ state }) => state === 'failing');
  const named = (names: readonly { readonly name: string }[]): string => {
    const shown = names.slice(0, 8).map(({ name }) => plainWords(name, 60));
    return ` (${shown.join(', ')}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ''})`;
  };
  const parts = [
    services.length === 0
      ? 'No services are known.'
      : `${bad.length} of ${services.length} services are not healthy${bad.length === 0 ? '' : named(bad)}.`,
    ...(checks.length === 0
      ? []
      : [`${failing.length} of ${checks.length} checks fail${failing.length === 0 ? '' : named(failing)}.`]),
    ...(problems.length === 0
      ? []
      : [`${problems.length} ${problems.length === 1 ? 'thing' : 'things'} could not be read.`]),
  ];
  return parts.join(' ');
}

function output(view: DiagnosticView): string {
  const services = view.services.toSorted((a, b) => order.indexOf(a.health) - order.indexOf(b.health));
  const states: readonly CheckState[] = ['failing', 'unknown', 'passing'];
  const checks = view.checks.toSorted((a, b) => states.indexOf(a.state) - states.indexOf(b.state));
  const blocks = [
    [`untilgreen ${view.version}, ${utcTime(view.atMs)}`],
    part(
      `Services (${view.where})`,
      services.map(({ name, health, rawStatus, sinceMs, image }) =>
        [name, `${health} (${rawStatus})`, sinceMs === null ? '' : `since ${utcTime(sinceMs)}`, image ?? '']
          .filter((one) => one !== '')
          .join('  '),
      ),
      shownServices,
    ),
    part(
      'Checks',
      checks.map(({ name, state, reason, latencyMs }) =>
        [name, state, latencyMs === null ? '' : `${latencyMs} ms`, reason]
          .filter((one) => one !== '')
          .join('  '),
      ),
      shownChecks,
    ),
    ...view.findings.map(({ title, lines }) =>
      part(title, lines.length === 0 ? ['nothing'] : lines, shownLogs),
    ),
    part('Not read', view.problems, shownChecks),
    ...(view.logs === null ? [] : [logPart(view.logs)]),
  ];
  const lines = blocks
    .filter((block) => block.length > 0)
    .flatMap((block) => ['', ...block])
    .slice(1);
  return withinChars(lines);
}

const order: readonly ServiceHealth[] = ['unhealthy', 'unknown', 'gone', 'deploying', 'stopped', 'healthy'];

function part(title: string, lines: readonly string[], most: number): readonly string[] {
  if (lines.length === 0) return [];
  const left = lines.length - most;
  const shown = lines.slice(0, most).map((line) => `  ${line}`);
  return [title, ...shown, ...(left > 0 ? [`  and ${left} more`] : [])];
}

function logPart({ service, lines }: NonNullable<DiagnosticView['logs']>): readonly string[] {
  const last = lines.slice(-shownLogs);
  const shown = last.map((line) => `  ${utcTime(line.atMs).slice(11, 19)} ${line.severity} ${line.text}`);
  return [`Logs of ${service} (last ${shownLogs} lines)`, ...(shown.length === 0 ? ['  No lines.'] : shown)];
}

/** Each line cleaned and cut, up to what the whole may have; the end is left out first, and that is said. */
function withinChars(lines: readonly string[]): string {
  const shown: string[] = [];
  let room = outputChars;
  for (const line of lines) {
    const one = lastLines([line], { lines: 1, chars: lineChars + 1, lineChars });
    room -= one.length + 1;
    if (room < 0) return [...shown, `(${lines.length - shown.length} lines left out)`].join('\n');
    shown.push(one);
  }
  return shown.join('\n');
}

function paragraphs(answer: string): readonly string[] {
  const all = answer.split(/\n\s*\n/).filter((one) => one.trim() !== '');
  const shown = all.slice(0, answerParagraphs).map((one) => plainWords(one, answerChars));
  return all.length > shown.length ? [...shown, '(cut)'] : shown;
}

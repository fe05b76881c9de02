// `untilgreen ci state`: failing CI per SHA, job and fingerprint, with what was tried (CI-11); as a table, JSON, or Markdown to paste.
import type { Command } from 'commander';
import type { CiStateRow } from '../../client/look/findings.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { withCommon } from '../options.ts';
import { ciFixCommand } from '../steer/focus.ts';
import { printable, shorten, shortId, table } from '../text/table.ts';
import { stamp } from '../text/time.ts';

type CiStateOptions = CommonOptions & { readonly markdown?: boolean };

export function ciCommand(program: Command, frame: Frame): void {
  const ci = program.command('ci').description('failing workflow runs');
  ciFixCommand(ci, frame);
  withCommon(ci.command('state'))
    .argument('[tenant]', 'default: the only one')
    .option('--markdown', 'a Markdown table')
    .description(
      'per SHA, job and fingerprint: class, attempts, pull request, last action, outcome, how the fix held; resolved ones for 7 days',
    )
    .action((tenant: string | undefined, options: CiStateOptions) =>
      frame.ask(options, async (client) => {
        const about = await client.tenants.show(tenant);
        const rows = await client.ciState(about.tenant);
        return {
          json: { tenant: about.tenant, rows },
          text: options.markdown
            ? ciMarkdown(about.tenant, rows, about.config.retention.resolvedFindingsMs)
            : ciTable(rows) || 'no failing runs',
        };
      }),
    );
}

const dayMs = 86_400_000;
const head = [
  'SHA',
  'Job',
  'Finding',
  'Class',
  'Attempts',
  'Pull request',
  'Last action',
  'Status',
  'Outcome',
  'After the fix',
];

/** `passed 10m, 1h`, `proved`, `not proved`, `2 repeat failures`: how the fixes held (CI-10). */
export function afterText({
  soak,
  repeatFailures,
}: Pick<CiStateRow, 'soak' | 'repeatFailures'>): string | null {
  const parts = [
    soak?.state === 'proved' ? 'proved' : '',
    soak?.state === 'unproved' ? 'not proved' : '',
    soak?.state === 'running'
      ? soak.passed.length === 0
        ? 'to be checked'
        : `passed ${soak.passed.join(', ')}`
      : '',
    repeatFailures > 0 ? `${repeatFailures} repeat ${repeatFailures === 1 ? 'failure' : 'failures'}` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? null : parts.join('; ');
}

function cells(row: CiStateRow): (string | null)[] {
  const pull = row.pullRequest;
  return [
    row.sha.slice(0, 10),
    `${row.workflow} / ${row.job}`,
    shortId(row.fingerprint),
    row.class,
    row.attempts,
    pull === null ? (row.issue === null ? null : `issue #${row.issue}`) : (pull.url ?? `#${pull.number}`),
    row.lastAction === null
      ? null
      : `${shorten(row.lastAction, 60)}${row.lastActionAt === null ? '' : ` (${stamp(row.lastActionAt)})`}`,
    row.status,
    row.outcome,
    afterText(row),
  ];
}

function ciTable(rows: readonly CiStateRow[]): string {
  return table(head, rows.map(cells));
}

/** Names and titles come from others: they may not become Markdown or HTML of their own. */
export function ciMarkdown(tenant: string, rows: readonly CiStateRow[], resolvedWithinMs: number): string {
  const line = (parts: readonly (string | null)[]): string =>
    `| ${parts.map((part) => (part === null ? '' : escaped(part))).join(' | ')} |`;
  const body = rows.map((row) => line(cells(row)));
  return [
    `**CI of ${escaped(tenant)}**: ${rows.filter(({ status }) => status !== 'resolved').length} open, ${rows.filter(({ status }) => status === 'resolved').length} resolved in the last ${Math.max(1, Math.round(resolvedWithinMs / dayMs))} days`,
    '',
    `| ${head.join(' | ')} |`,
    `|${' --- |'.repeat(head.length)}`,
    ...body,
  ].join('\n');
}

function escaped(text: string): string {
  const plain = printable(text).replace(/\s+/g, ' ');
  // An address stays one that can be clicked.
  if (/^https?:\/\/[A-Za-z0-9./:_#%-]+$/.test(plain)) return plain;
  return plain.replace(/[\\`*_{}[\]<>|~@&]/g, (char) => `&#${char.charCodeAt(0)};`);
}

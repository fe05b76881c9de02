// How the demo ended: one document for programs, the same as tables for people. It formats what it is given and asks nothing.
import Table from 'cli-table3';
import type { FindingRow } from '../src/store/findings.ts';
import type { EffectRow } from '../src/store/history.ts';
import type { Count } from './count.ts';
import { problemsOf, type Verdict } from './judge.ts';
import type { Kill } from './killer.ts';
import { exitCodes } from './options.ts';

export type Merge = { readonly number: number; readonly title: string; readonly url: string };

export type Report = {
  readonly outcome: 'green' | 'escalated' | 'failed' | 'interrupted';
  readonly exitCode: number;
  readonly reason: string;
  readonly seed: number;
  /** From the start of the loop to the judge's word; without downloads and starting servers. Null: no loop was started. */
  readonly loopMs: number | null;
  readonly preparedMs: number | null;
  /** As the judge found it, before and after. */
  readonly wasRed: readonly string[];
  readonly judged: Verdict | null;
  readonly findings: readonly {
    readonly fingerprint: string;
    readonly kind: string;
    readonly title: string;
    readonly status: string;
    readonly attempts: number;
    readonly waitingFor?: string;
  }[];
  readonly effects: readonly {
    readonly kind: string;
    readonly describe: string;
    readonly state: string;
    readonly outcome: string | null;
    /** The effect's key; its first 12 digits are what people see. */
    readonly receipt: string;
    readonly attempts: number;
    readonly url: string | null;
  }[];
  /** By the maintainer account of the forge, which presses merge. */
  readonly merges: readonly Merge[];
  readonly alerts: readonly string[];
  readonly kills: readonly Kill[];
  readonly exactlyOnce: Count | null;
  readonly cost: {
    readonly tokens: number;
    readonly usd: number;
    /** From Temporal's own metric; null: it could not be read. */
    readonly temporalActions: number | null;
    readonly cycles: number;
  } | null;
  /** Live for as long as the demo is: see `--keep`. */
  readonly links: Readonly<Record<string, string>>;
};

export function findingsOf(rows: readonly FindingRow[]): Report['findings'] {
  return rows.map(({ fingerprint, kind, title, status, attempts, waitingFor }) => ({
    fingerprint,
    kind,
    title,
    status,
    attempts,
    ...(waitingFor === undefined || status === 'resolved' ? {} : { waitingFor }),
  }));
}

export function effectsOf(rows: readonly EffectRow[]): Report['effects'] {
  return rows.map(({ kind, describe, state, outcome, key, attempts, result }) => ({
    kind,
    describe,
    state,
    outcome,
    receipt: key,
    attempts,
    url: typeof result?.url === 'string' ? result.url : null,
  }));
}

/** For people. */
export function reportText(report: Report): string {
  const { judged, cost, exactlyOnce: count } = report;
  const parts: string[] = [];
  const part = (title: string, lines: readonly string[]): void => {
    if (lines.length > 0) parts.push(`\n${title}\n${lines.map((line) => `  ${line}`).join('\n')}`);
  };
  part('What was red', report.wasRed);
  if (report.effects.length > 0) parts.push(`\nWhat was done\n${effectTable(report.effects)}`);
  part(
    'Merged by the maintainer account of the forge (maria), who presses merge on verified pull requests',
    report.merges.map(({ number, title }) => `#${number} ${title}`),
  );
  for (const { number, title, state, timeline } of judged?.production.incidents ?? [])
    part(`Issue #${number} "${title}" (${state}), as its last comment tells it`, timeline);
  part('Alerts on the console', report.alerts);
  part(
    'Kills',
    report.kills.map(({ moment, pid }, index) => `${index + 1}. SIGKILL to worker ${pid} ${moment}`),
  );
  if (count !== null)
    part(
      "Landed, by the journals of the forge and of the services' supervisor, and the database",
      countLines(count),
    );
  if (judged !== null) part('Judged from outside', verdictLines(judged));
  if (cost !== null)
    part('Cost', [
      `${cost.tokens} model tokens, ${cost.usd} USD, ${cost.temporalActions ?? 'unknown'} Temporal actions, ${cost.cycles} cycles`,
    ]);
  part(
    'Links (while the demo is up: --keep)',
    Object.entries(report.links).map(([name, url]) => `${name.padEnd(12)} ${url}`),
  );
  parts.push(`\n${endLine(report)}`);
  return parts.join('\n');
}

function endLine({ outcome, reason, loopMs, preparedMs }: Report): string {
  const word = {
    green: 'GREEN',
    escalated: 'ENDED WITH A PERSON',
    failed: 'FAILED',
    interrupted: 'INTERRUPTED',
  }[outcome];
  const time =
    loopMs === null || preparedMs === null
      ? ''
      : ` The loop took ${seconds(loopMs)}, starting everything before it ${seconds(preparedMs)}.`;
  return `${word}: ${reason}${/[.!?]$/.test(reason) ? '' : '.'}${time}`;
}

function effectTable(effects: Report['effects']): string {
  const table = new Table({
    head: ['effect', 'what', 'outcome', 'receipt'],
    style: { head: [], border: [], compact: true },
  });
  for (const { kind, describe, outcome, state, receipt, attempts } of effects) {
    const tried = attempts > 1 ? ` (attempt ${attempts})` : '';
    table.push([kind, shorten(describe), `${outcome ?? state}${tried}`, receipt.slice(0, 12)]);
  }
  return table.toString();
}

function countLines({ ok, landed, problems }: Count): readonly string[] {
  const counts = Object.entries(landed).map(([kind, times]) => `${kind} ${times}`);
  return [
    ...(ok
      ? [`every effect exactly once: ${counts.join(', ') || 'none'}`]
      : ['NOT every effect exactly once:']),
    ...problems,
  ];
}

function verdictLines(verdict: Verdict): readonly string[] {
  const { ci, migrations, drift, production } = verdict;
  const problems = problemsOf(verdict);
  return [
    ...(production.green
      ? [`production: ${production.services.map(({ name }) => name).join(' and ')} answer as they should`]
      : []),
    ...(ci.green
      ? [`the newest run on main, ${ci.runId}, is a success in all jobs, and it is the run of main's head`]
      : []),
    ...(migrations.green ? [`dbmate: ${migrations.applied} migrations applied, none pending`] : []),
    ...(drift.green ? ['the drift command: clean'] : []),
    ...problems.map((problem) => `NOT GREEN: ${problem}`),
  ];
}

function shorten(text: string): string {
  return text.length <= 90 ? text : `${text.slice(0, 89)}…`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

export function exitCodeOf(outcome: Report['outcome']): number {
  return exitCodes[outcome];
}

// `untilgreen why`: what a tenant or a finding waits for, what held it, and what to do about it.
import type { Command } from 'commander';
import { NotFoundError } from '../../client/errors.ts';
import type { FindingWhy, Why } from '../../client/look/why.ts';
import type { Untilgreen } from '../../client.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { withCommon } from '../options.ts';
import { facts, paint, paragraphs, shorten, shortId, table } from '../text/table.ts';
import { relative } from '../text/time.ts';
import { afterText } from './ci.ts';
import { eventsTable } from './history.ts';
import { breakerText, budgetText, leftText, pauseText } from './status-text.ts';

type WhyOptions = CommonOptions & { readonly tenant?: string };

export function whyCommand(program: Command, frame: Frame): void {
  withCommon(program.command('why'))
    .argument('[tenant-or-finding]', 'a tenant, or the beginning of a fingerprint; default: the only tenant')
    .argument('[finding]', 'a finding of that tenant')
    .option('--tenant <name>', 'the tenant of the finding, when there are several')
    .description('what it waits for, until when, which guard held what and why, the next step, what is left')
    .action((first: string | undefined, second: string | undefined, options: WhyOptions) =>
      frame.ask(options, async (client) => {
        const why = await resolveWhy(client, first, second, options.tenant);
        return { json: why, text: whyText(why, Date.now()) };
      }),
    );
}

/** One word may be either; a tenant of that name goes first. */
async function resolveWhy(
  client: Untilgreen,
  first: string | undefined,
  second: string | undefined,
  tenant: string | undefined,
): Promise<Why> {
  if (second !== undefined) return client.why(first, second);
  if (tenant !== undefined || first === undefined) return client.why(tenant, first);
  const names = (await client.tenants.list()).map((one) => one.tenant);
  if (names.includes(first)) return client.why(first);
  if (names.length <= 1 && looksLikeFinding(first)) return client.why(undefined, first);
  if (!looksLikeFinding(first)) return client.why(first);
  for (const name of names) {
    const found = await client.why(name, first).catch((error: unknown) => {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    });
    if (found) return found;
  }
  throw new NotFoundError(
    `"${first.slice(0, 80)}" is neither a tenant nor a finding of one. Run "untilgreen tenant list" or "untilgreen findings TENANT"`,
  );
}

function looksLikeFinding(text: string): boolean {
  return /^[0-9a-f]{6,64}$/i.test(text);
}

function whyText(why: Why, nowMs: number): string {
  return paragraphs(
    facts([
      ['tenant', why.tenant],
      ['state', `${paint(why.state)}: ${why.summary}`],
      ['next step', why.nextStep],
      ['breaker', breakerText(why, nowMs)],
      ['paused', why.pauses.length === 0 ? 'no' : why.pauses.map((p) => pauseText(p, nowMs)).join('; ')],
      ['left', leftText(why)],
      ['model', budgetText(why, nowMs)],
      [
        'cooldowns',
        why.cooldowns.map((c) => `${c.kind} on ${c.target}, ends ${relative(c.until, nowMs)}`).join('; '),
      ],
      ['not readable', why.unreadable.map((s) => `${s.workspace}/${s.source}: ${s.reason}`).join('; ')],
    ]),
    ...why.findings.map((finding) => findingText(finding, nowMs)),
    why.notes.map((note) => `note: ${note}`).join('\n'),
  );
}

function findingText(why: FindingWhy, nowMs: number): string {
  const { finding } = why;
  const until = relative(why.until, nowMs);
  const { source } = why.evidence;
  return [
    `${shortId(finding.fingerprint)} ${finding.status}: ${shorten(finding.title, 100)}`,
    indent(
      facts([
        ['waits for', `${why.waitsFor}${until === null ? '' : ` (${until})`}`],
        ['next step', why.nextStep],
        ['model', findingBudget(why)],
        ['attempts', `${finding.attempts.used} of ${finding.attempts.limit} used, ${why.attemptsLeft} left`],
        [
          'evidence',
          source === null
            ? null
            : `${source.source}: ${source.reason}, read ${relative(source.readAt, nowMs)}`,
        ],
        ['run', why.evidence.run],
        ['remedy', finding.links.workflow ?? finding.workflowId],
        ['class', finding.class],
        ['after the fix', afterText(finding)],
        [
          'pull request',
          finding.pullRequest === null ? null : (finding.pullRequest.url ?? `#${finding.pullRequest.number}`),
        ],
      ]),
    ),
    indent(
      table(
        ['guard', 'effect', 'decision', 'why'],
        why.held.map((held) => [held.guard, shorten(held.what, 60), held.decision, shorten(held.reason, 90)]),
      ),
    ),
    indent(
      table(
        ['approval', 'state', 'expires', 'how'],
        why.approvals.map((a) => [a.hash, a.state, relative(a.expiresAt, nowMs), a.howToApprove]),
      ),
    ),
    indent(eventsTable(why.events)),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function findingBudget({ budget }: FindingWhy): string | null {
  if (budget === null) return null;
  const { triage, fix, costUsd } = budget;
  if (triage.tokensUsed + fix.tokensUsed === 0) return null;
  const part = (name: string, { tokensUsed, tokensLimit }: typeof fix): string =>
    `${name} ${tokensUsed} of ${tokensLimit} tokens`;
  return `${part('triage', triage)}, ${part('fix', fix)}, $${costUsd.toFixed(2)}`;
}

function indent(text: string): string {
  return text === '' ? '' : text.replace(/^/gm, '  ');
}

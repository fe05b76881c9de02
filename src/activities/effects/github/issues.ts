// Issues and comments, each written once: a marker of the effect stands hidden in what was written, and counts only where the agent's own
// account wrote it (SEC-1). Found again by GitHub's lists, never by its search, which lags.
import * as z from 'zod';
import { cleanBody, cleanTitle, hasMarker, markersIn } from '../../../integrations/github/body-text.ts';
import { type Place, readIssue, readIssuesBy } from '../../../integrations/github/read.ts';
import { type Issue, IssueShape } from '../../../integrations/github/shapes.ts';
import {
  defineEffect,
  type EffectContext,
  type EffectDefinition,
  type EffectResult,
  NotWritten,
} from '../definition.ts';
import { commentOnce, findComment, postComment } from './comments.ts';
import {
  beforeWrite,
  type GitHubEffectParts,
  IssueNumber,
  Labels,
  labelNames,
  placeOf,
  reading,
  Text,
  write,
} from './parts.ts';

/** Issues and comments of an incident pass pause, breaker and caps (INC-6). */
const incident = z.boolean().default(false);
const keptMarkers = 5;

const OpenIssue = z.strictObject({
  title: Text.min(1),
  body: Text,
  labels: Labels.default([]),
  incident,
});
const UpdateIssue = z.strictObject({
  number: IssueNumber,
  title: Text.min(1).optional(),
  body: Text.optional(),
  addLabels: Labels.default([]),
  removeLabels: Labels.default([]),
  /** One that is closed is opened again. */
  reopen: z.boolean().default(false),
  incident,
});
const CloseIssue = z.strictObject({
  number: IssueNumber,
  comment: Text.optional(),
  reason: z.enum(['completed', 'not_planned']).default('completed'),
  incident,
});
const CommentOnIssue = z.strictObject({
  number: IssueNumber,
  body: Text.min(1),
  /** People who are woken by it: nobody but those whom the settings name for incidents (INC-4). */
  mention: z.array(z.string().max(150)).max(50).default([]),
  incident,
});

const risk = (input: { readonly incident: boolean }) => (input.incident ? 'safe' : 'proposing');

export function issueEffects(parts: GitHubEffectParts): readonly EffectDefinition[] {
  const { redactor } = parts;
  const cleaned = (body: string, { marker }: EffectContext): string => cleanBody(body, redactor, [marker]);

  return [
    defineEffect<z.output<typeof OpenIssue>>({
      kind: 'openIssue',
      schema: OpenIssue as z.ZodType<z.output<typeof OpenIssue>>,
      delivery: 'exactlyOnce',
      autonomy: () => 'propose',
      risk,
      describe: (input, request) => `open issue "${cleanTitle(input.title, redactor)}" at ${request.target}`,
      probe: (context) => reading(() => findIssue(parts, context)),
      apply: async (context, input) => {
        const place = await placeOf(parts, context);
        const issue = await write(place, context, {
          method: 'POST',
          path: '/issues',
          params: {
            title: cleanTitle(input.title, redactor),
            body: cleanBody(input.body, redactor, [context.marker]),
            labels: input.labels,
          },
          schema: IssueShape,
        });
        return issueResult(issue);
      },
    }),

    defineEffect<z.output<typeof UpdateIssue>>({
      kind: 'updateIssue',
      schema: UpdateIssue as z.ZodType<z.output<typeof UpdateIssue>>,
      delivery: 'exactlyOnce',
      autonomy: () => 'propose',
      risk,
      describe: (input) => `update issue #${input.number}`,
      probe: (context, input) =>
        reading(async () => {
          const place = await placeOf(parts, context);
          const issue = await readIssue(place, input.number);
          const own = issue !== null && hasMarker(issue.body, context.marker) && (await isOwn(place, issue));
          return own ? issueResult(issue) : null;
        }),
      precondition: (context, input) =>
        reading(async () =>
          missing(await readIssue(await placeOf(parts, context), input.number), input.number),
        ),
      apply: async (context, input) => {
        const place = await placeOf(parts, context);
        const before = await beforeWrite(() => readIssue(place, input.number));
        if (before === null || !(await beforeWrite(() => isOwn(place, before)))) {
          throw new NotWritten(
            `issue #${input.number} was not opened by this agent: only its own are rewritten`,
            {
              permanent: true,
            },
          );
        }
        const labels = new Set([...labelNames(before.labels), ...input.addLabels]);
        for (const label of input.removeLabels) labels.delete(label);
        const issue = await write(place, context, {
          method: 'PATCH',
          path: '/issues/{issue_number}',
          params: {
            issue_number: input.number,
            ...(input.title === undefined ? {} : { title: cleanTitle(input.title, redactor) }),
            ...(input.reopen ? { state: 'open' } : {}),
            body: cleanBody(
              input.body ?? withoutMarkers(before.body ?? ''),
              redactor,
              // The first is that of the issue itself.
              [...markersIn(before.body).filter(firstAndLast(keptMarkers)), context.marker],
            ),
            labels: [...labels],
          },
          schema: IssueShape,
        });
        return issueResult(issue);
      },
    }),

    defineEffect<z.output<typeof CloseIssue>>({
      kind: 'closeIssue',
      schema: CloseIssue as z.ZodType<z.output<typeof CloseIssue>>,
      delivery: 'exactlyOnce',
      autonomy: () => 'propose',
      risk,
      describe: (input) => `close issue #${input.number}`,
      // The comment is written first: closed means that both are there, or that somebody else closed it.
      probe: (context, input) =>
        reading(async () => {
          const issue = await readIssue(await placeOf(parts, context), input.number);
          return issue?.state === 'closed' ? issueResult(issue) : null;
        }),
      precondition: (context, input) =>
        reading(async () =>
          missing(await readIssue(await placeOf(parts, context), input.number), input.number),
        ),
      apply: async (context, input) => {
        const place = await placeOf(parts, context);
        if (input.comment !== undefined)
          await commentOnce(place, context, input.number, cleaned(input.comment, context));
        const issue = await write(place, context, {
          method: 'PATCH',
          path: '/issues/{issue_number}',
          params: { issue_number: input.number, state: 'closed', state_reason: input.reason },
          schema: IssueShape,
        });
        return issueResult(issue);
      },
    }),

    defineEffect<z.output<typeof CommentOnIssue>>({
      kind: 'commentOnIssue',
      schema: CommentOnIssue as z.ZodType<z.output<typeof CommentOnIssue>>,
      delivery: 'exactlyOnce',
      autonomy: () => 'propose',
      risk,
      describe: (input) => `comment on #${input.number}`,
      probe: (context, input) =>
        reading(async () => findComment(await placeOf(parts, context), context.marker, input.number)),
      precondition: (context, input) =>
        reading(async () =>
          missing(await readIssue(await placeOf(parts, context), input.number), input.number),
        ),
      forbidden: ({ mention }, { name, incidents }) => {
        const other = mention.find((who) => !incidents.mention.includes(who));
        return other === undefined ? null : `${other} is not in incidents.mention of workspace ${name}`;
      },
      apply: async (context, { number, body, mention }) => {
        const text = cleaned(body, context);
        const woken = mention.length === 0 ? text : `${mention.join(' ')}\n\n${text}`;
        return postComment(await placeOf(parts, context), context, number, woken);
      },
    }),
  ];
}

async function findIssue(parts: GitHubEffectParts, context: EffectContext): Promise<EffectResult | null> {
  const place = await placeOf(parts, context);
  const account = await place.github.account(place.signal);
  const issues = await readIssuesBy(place, account.login);
  const found = issues.find(
    (issue) => issue.user?.id === account.id && markersIn(issue.body)[0] === context.marker,
  );
  return found === undefined ? null : issueResult(found);
}

async function isOwn(place: Place, issue: Issue): Promise<boolean> {
  return (await place.github.account(place.signal)).id === issue.user?.id;
}

function missing(issue: Issue | null, number: number): string | null {
  return issue === null ? `there is no issue or pull request #${number}` : null;
}

function issueResult(issue: Issue): EffectResult {
  return { number: issue.number, url: issue.html_url };
}

function withoutMarkers(body: string): string {
  return body.replace(/\n*<!-- untilgreen:[0-9a-f]{24} -->/g, '');
}

/** Keeps the first and the last of a list, `count` in all. */
function firstAndLast(count: number): (item: string, index: number, all: readonly string[]) => boolean {
  return (_item, index, all) => index === 0 || index > all.length - count;
}

// The source `mentions` (DIAG-1): questions in comments on issues and pull requests. Each is one finding by its comment's id, from when it is seen
// until our answer is seen, or for half an hour. Whoever may not ask gets no answer, and one line in the audit trail says why. Reads only.
import type { Json } from '../../../contract/effect.ts';
import type { ObservedFinding } from '../../../contract/finding.ts';
import type { DiagnosticRequest } from '../../../contract/ops/diagnostics.ts';
import type { WorkspaceConfig } from '../../../contract/tenant-config.ts';
import type { GitHub } from '../../../integrations/github/client.ts';
import type { Place } from '../../../integrations/github/read.ts';
import type { Comment } from '../../../integrations/github/shapes.ts';
import { answeredComment } from '../../../policy/ops/diagnostics/diagnostic-answer.ts';
import { mayAsk } from '../../../policy/ops/diagnostics/may-ask.ts';
import { readMention } from '../../../policy/ops/diagnostics/mention.ts';
import type { SourceContext, SourceDefinition, SourceEvent, SourceReading } from '../definition.ts';
import { eachNewComment, firstCursor } from '../new-comments.ts';
import { askerOf } from './asker.ts';
import {
  type MentionsMemory,
  maxHandled,
  maxPending,
  mentionsMemoryOf,
  type Pending,
} from './mentions-memory.ts';

/** Who asked has gone elsewhere. */
const waitsMs = 30 * 60_000;
const ruleVersion = 1;
const stepMs = 5 * 60_000;

export type MentionsParts = { readonly github: (workspace: WorkspaceConfig) => Promise<GitHub> };

export function createMentionsSource(parts: MentionsParts): SourceDefinition {
  return {
    kind: 'mentions',
    timeoutMs: () => 60_000,
    targets: ({ diagnostics }) => (diagnostics ? [undefined] : []),
    read: async (context) => {
      const { diagnostics, github } = context.workspace;
      if (!diagnostics) throw new Error('diagnostics are not in the settings any more');
      const place: Place = {
        github: await parts.github(context.workspace),
        repository: github.repository,
        signal: context.signal,
      };
      const identity = `${github.apiUrl} ${github.repository}`;
      const before = mentionsMemoryOf(context.memory, identity);
      const reading = new Reading(place, context, diagnostics, before);
      const cursor = await eachNewComment(place, before ?? (await firstCursor(place)), (comment) =>
        reading.take(comment),
      );
      return reading.end(identity, cursor);
    },
  };
}

class Reading {
  readonly #place: Place;
  readonly #context: SourceContext;
  readonly #settings: NonNullable<WorkspaceConfig['diagnostics']>;
  readonly #handled: Set<number>;
  /** Comments written before this were asked while nobody read them. */
  readonly #sinceMs: number;
  #pending: readonly Pending[];
  readonly #events: SourceEvent[] = [];

  constructor(
    place: Place,
    context: SourceContext,
    settings: NonNullable<WorkspaceConfig['diagnostics']>,
    before: MentionsMemory | undefined,
  ) {
    this.#place = place;
    this.#context = context;
    this.#settings = settings;
    this.#handled = new Set(before?.handled);
    this.#pending = before?.pending ?? [];
    const wasAway = before === undefined || context.nowMs - before.readAtMs > waitsMs + stepMs;
    this.#sinceMs = wasAway ? context.nowMs - waitsMs : 0;
  }

  async take(comment: Comment): Promise<void> {
    const body = comment.body ?? '';
    const answered = answeredComment(body);
    if (answered !== null && (await this.#isOwn(comment))) {
      this.#handled.add(answered);
      this.#pending = this.#pending.filter(({ commentId }) => commentId !== answered);
      return;
    }
    if (this.#handled.has(comment.id)) return;
    const request = readMention(body, this.#settings.mention);
    if (request === null) return;
    const issue = issueOf(comment);
    const refused = issue === null ? 'it belongs to no issue' : await this.#refusal(comment, issue);
    if (issue === null || refused !== null) {
      if (!(await this.#isOwn(comment))) this.#note('mention.refused', comment, refused ?? '');
    } else this.#pending = [...this.#pending, this.#pendingOf(comment, issue, request)];
    this.#handled.add(comment.id);
  }

  async #refusal(comment: Comment, issue: number): Promise<string | null> {
    const askedAtMs = Date.parse(comment.created_at);
    if (askedAtMs < this.#sinceMs) return 'it was asked more than 30 min before it was seen';
    const asker = await askerOf(this.#place, comment, issue, this.#settings.apps);
    if (asker === null) return 'its author is gone';
    const may = mayAsk(asker);
    if (may.verdict !== 'allow') return may.reason;
    return this.#pending.length >= maxPending ? `${maxPending} questions wait already` : null;
  }

  #pendingOf(comment: Comment, issue: number, request: DiagnosticRequest): Pending {
    const { nowMs } = this.#context;
    return {
      commentId: comment.id,
      issue,
      author: comment.user?.login ?? '',
      url: comment.html_url,
      request,
      askedAtMs: Date.parse(comment.created_at) || nowMs,
      seenAtMs: nowMs,
    };
  }

  async #isOwn({ user }: Comment): Promise<boolean> {
    return user !== null && user.id === (await this.#place.github.account(this.#place.signal)).id;
  }

  #note(action: string, { user, html_url: url, id }: Comment, reason: string): void {
    const { nowMs: atMs } = this.#context;
    const subject = `question of ${user?.login ?? 'nobody'}`;
    this.#events.push({ atMs, action, subject, reason, detail: { commentId: id, url } });
  }

  end(identity: string, cursor: Pick<MentionsMemory, 'since' | 'etag'>): SourceReading {
    const { nowMs } = this.#context;
    const over = this.#pending.filter(({ seenAtMs }) => nowMs - seenAtMs >= waitsMs);
    for (const { author, commentId, url } of over)
      this.#events.push({
        atMs: nowMs,
        action: 'mention.dropped',
        subject: `question of ${author}`,
        reason: 'no answer could be written within 30 min',
        detail: { commentId, url },
      });
    const pending = this.#pending.filter((one) => !over.includes(one));
    const memory: MentionsMemory = {
      version: 1,
      identity,
      ...cursor,
      readAtMs: Math.floor(nowMs / stepMs) * stepMs,
      handled: [...this.#handled].slice(-maxHandled),
      pending: [...pending],
    };
    const refused = this.#events.length - over.length;
    return {
      state: 'green',
      reason: [
        pending.length === 0 ? 'no open question' : `${pending.length} open questions`,
        ...(refused > 0 ? [`${refused} refused`] : []),
        ...(over.length > 0 ? [`${over.length} dropped`] : []),
      ].join(', '),
      findings: pending.map((one) => findingOf(this.#context.workspace.github.repository, one)),
      memory: memory satisfies Json,
      events: this.#events,
    };
  }
}

function issueOf({ issue_url: url }: Comment): number | null {
  const number = Number(/\/issues\/(\d{1,15})$/.exec(url ?? '')?.[1] ?? Number.NaN);
  return Number.isSafeInteger(number) ? number : null;
}

/** The comment's id makes it the same one, whatever is delivered again or edited. */
function findingOf(repository: string, pending: Pending): ObservedFinding {
  const { commentId, issue, author } = pending;
  return {
    kind: 'mention',
    target: `${repository}#${issue}`,
    signature: `comment ${commentId}`,
    ruleVersion,
    severity: 'info',
    title: `${author} asks on #${issue}`,
    detail: { kind: 'mention', repository, ...pending },
  };
}

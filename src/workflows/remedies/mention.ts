// A question in a comment (DIAG-1, DIAG-2): read, answer once on the same thread, done. The only effect that this remedy can ask for is that comment,
// whose key is the id of the comment it answers: however often it is delivered, or begun anew, there is one answer.
import type { RemedyInput, RemedyResult } from '../../contract/loop.ts';
import type { MentionDetail } from '../../contract/ops/findings.ts';
import { diagnose } from '../diagnosis.ts';
import { type Remedy, refOf, runEffect } from '../effects.ts';
import { asRemedy, endReason, look, waitFor } from './remedy.ts';

/** As the source does: who asked has gone elsewhere. */
const waitsMs = 30 * 60_000;

export async function mentionRemedy(input: RemedyInput): Promise<RemedyResult> {
  return asRemedy(input, untilAnswered);
}

async function untilAnswered(remedy: Remedy): Promise<RemedyResult> {
  const { input } = remedy;
  const { tenant, finding } = input;
  const { commentId, repository, issue, author, url, request, seenAtMs } = finding.detail as MentionDetail;
  const untilMs = seenAtMs + waitsMs;
  for (;;) {
    const { status } = await look(remedy);
    if (status === 'resolved') return { outcome: 'gone', summary: 'nobody waits for the answer any more' };
    const { body } = await diagnose(input.queues, {
      tenant,
      workspace: finding.workspace,
      request,
      nowMs: Date.now(),
      ref: refOf(input),
      asked: { by: author, url },
    });
    let againMs: number | undefined;
    const end = await runEffect(
      { ...remedy, requester: `mention/${repository}/${commentId}` },
      {
        kind: 'commentOnIssue',
        target: `${repository}#${issue}`,
        precondition: `comment ${commentId}`,
        step: 'answer',
        input: { number: issue, body },
      },
      async (hold) => {
        againMs = hold.untilMs;
        return { giveUp: hold.reason };
      },
    );
    if (end.status === 'receipt' && end.outcome !== 'refused' && end.outcome !== 'stale')
      return { outcome: 'green', summary: `answered ${author} on #${issue}` };
    const reason = end.status === 'receipt' ? end.reason : endReason(end);
    const leftMs = untilMs - Date.now();
    // What is not answered is the source's to drop; until then nobody starts it again and again.
    if (leftMs <= 0) return { outcome: 'refused', summary: `not answered within 30 min: ${reason}` };
    const waitMs = againMs === undefined ? leftMs : Math.max(1, Math.min(leftMs, againMs - Date.now()));
    await waitFor(remedy, `to answer ${author}: ${reason}`, waitMs, 'watched');
  }
}

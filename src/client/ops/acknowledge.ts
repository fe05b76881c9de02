// Somebody has an incident (INC-4): told to the loop, or written to Postgres by the same code when no loop answers; the incident's remedy goes on
// either way.
import type { AcknowledgeResult } from '../../contract/loop.ts';
import { signals, updates } from '../../contract/names.ts';
import { acknowledgeIncident } from '../../store/ops/incidents.ts';
import { type Context, tell } from '../context.ts';
import { NotFoundError, UsageError } from '../errors.ts';
import { clip, requireTenant } from '../names.ts';
import { update } from '../steer/orders.ts';

export type Acknowledged = {
  readonly tenant: string;
  readonly incident: string;
  readonly message: string;
  /** Who wrote it: the loop, or this process because no loop answered. */
  readonly through: 'loop' | 'store';
};

const deadlineMs = 8_000;

/** @param incident the beginning of its finding's fingerprint @throws NotFoundError when none of that name is open */
export async function acknowledge(
  context: Context,
  name: string | undefined,
  incident: string,
  by: string,
): Promise<Acknowledged> {
  const id = incident.toLowerCase();
  if (!/^[0-9a-f]{6,64}$/.test(id))
    throw new UsageError(
      `incident: "${clip(incident)}" is none. Fix: give at least 6 hex digits of its finding, see "untilgreen findings"`,
    );
  const { tenant } = await requireTenant(context.pool, name);
  let through: Acknowledged['through'] = 'loop';
  let answer: AcknowledgeResult;
  try {
    const order = { by, incident: id, channel: 'cli' as const };
    answer = await update<AcknowledgeResult>(context, tenant, updates.acknowledge, order, deadlineMs);
  } catch {
    through = 'store';
    const nowMs = context.clock();
    const ack = await acknowledgeIncident(context.pool, {
      tenant,
      incident: { fingerprint: id },
      by,
      channel: 'cli',
      nowMs,
    });
    if ('workflowId' in ack) await tell(context, ack.workflowId, signals.nudge);
    answer = ack;
  }
  if (answer.result === 'unknown' || answer.result === 'ambiguous')
    throw new NotFoundError(`${answer.message}. Run "untilgreen findings ${tenant}"`);
  return { tenant, incident: id, message: answer.message, through };
}

// The records of the tenant loop: opening, settling a cycle, decisions, pauses, decisions of people.

import type { LoopActivities } from '../../contract/activities.ts';
import type { Json } from '../../contract/effect.ts';
import { failures, remedyWorkflowId } from '../../contract/names.ts';
import { type Approval, decideApproval } from '../../store/approvals.ts';
import { appendAudit } from '../../store/audit.ts';
import { recordDecisions } from '../../store/cycles.ts';
import { type Pool, type Queryable, transaction } from '../../store/database.ts';
import { type FindingRow, findFinding, lockFindingRow, readMemory, remember } from '../../store/findings.ts';
import { acknowledgeIncident } from '../../store/ops/incidents.ts';
import { liftPause, raisePause } from '../../store/pauses.ts';
import { setDrained } from '../../store/tenants.ts';
import { BadRequest } from '../effects/door-failure.ts';
import type { Services } from '../services.ts';
import type { SourceDefinition } from '../sources/definition.ts';
import { asActivity } from '../temporal.ts';
import { openTenant, settleCycle } from './settle.ts';

/** Of one finding: the ids of orders, so that a repeated one does nothing twice. */
const keepRequests = 50;

export function createLoopActivities(
  services: Services,
  sources: readonly SourceDefinition[],
): LoopActivities {
  const { pool, redactor } = services;
  const parts = { pool, sources };
  return {
    openTenant: ({ tenant, nowMs }) => asActivity(redactor, () => openTenant(parts, tenant, nowMs)),
    settleCycle: (request) => asActivity(redactor, () => settleCycle(parts, request)),
    recordDecisions: (request) =>
      asActivity(redactor, () =>
        transaction(pool, async (tx) => {
          const started: { fingerprint: string; remedy: number }[] = [];
          for (const decision of request.decisions.filter((one) => one.action === 'start')) {
            const remedy = await startedRemedy(
              tx,
              request.tenant,
              decision.fingerprint,
              decision.occurrence,
              { name: `cycle ${request.cycle}`, onlyOpen: true },
            );
            if (remedy !== null) started.push({ fingerprint: decision.fingerprint, remedy });
          }
          await recordDecisions(
            tx,
            request,
            request.decisions.map((decision): Json => ({ ...decision })),
          );
          return { started };
        }),
      ),
    raisePause: ({ tenant, reason, by, scope, value, untilMs, nowMs, requestId }) =>
      asActivity(redactor, async () => {
        const { started } = await raisePause(pool, {
          tenant,
          scope: scope ?? 'tenant',
          scopeValue: value ?? null,
          reason,
          by,
          untilMs: untilMs ?? null,
          nowMs,
          ...(requestId === undefined ? {} : { requestId }),
        });
        return { started: started.map(({ kind, target, describe }) => ({ kind, target, describe })) };
      }),
    liftPause: ({ tenant, reason, by, scope, value, nowMs }) =>
      asActivity(redactor, async () => ({
        lifted: await liftPause(pool, {
          tenant,
          scope: scope ?? 'tenant',
          scopeValue: value ?? null,
          reason: reason ?? 'resumed',
          by,
          nowMs,
        }),
      })),
    decideApproval: ({ tenant, hash, decision, by, channel, reason, nowMs }) =>
      asActivity(redactor, async () => {
        const result = await decideApproval(pool, {
          tenant,
          hash,
          decision,
          by,
          channel: channel ?? 'ui',
          reason: reason ?? '',
          nowMs,
        });
        if (result.result !== 'decided') return { result: result.result, message: result.message };
        return {
          result: 'decided',
          message: `${decision === 'approve' ? 'approved' : 'rejected'}: ${result.approval.describe}`,
          nudge: await waitsFor(pool, result.approval),
        };
      }),
    acknowledgeIncident: ({ tenant, incident, by, channel, nowMs }) =>
      asActivity(redactor, async () => {
        const ack = await acknowledgeIncident(pool, {
          tenant,
          incident: { fingerprint: incident },
          by,
          channel: channel ?? 'ui',
          nowMs,
        });
        const { result, message } = ack;
        return 'workflowId' in ack ? { result, message, nudge: ack.workflowId } : { result, message };
      }),
    drainTenant: ({ tenant, by, reason, nowMs }) =>
      asActivity(redactor, () =>
        transaction(pool, async (tx) => {
          await setDrained(tx, tenant, true);
          await appendAudit(tx, {
            tenant,
            atMs: nowMs,
            actor: by,
            action: 'tenant.drained',
            subject: tenant,
            reason,
          });
        }),
      ),
    orderRemedy: ({ tenant, finding: prefix, by, requestId, nowMs }) =>
      asActivity(redactor, () => orderRemedy(pool, { tenant, prefix, by, requestId, nowMs })),
  };
}

/** A requester is a workflow id and the number of its remedy. */
export function workflowOf(requester: string): string {
  return requester.replace(/#\d+$/, '');
}

/** The workflow that waits for an answer. A step on a service keeps who asked first, and may be another finding's business by now. */
async function waitsFor(db: Queryable, { tenant, requester, fingerprint }: Approval): Promise<string> {
  const asked = workflowOf(requester);
  const isRemedy = asked.startsWith('remedy/');
  if (fingerprint === null || !isRemedy || asked.includes(`/${fingerprint.slice(0, 16)}/`)) return asked;
  const [finding] = await findFinding(db, tenant, fingerprint);
  return finding === undefined ? asked : remedyWorkflowId(finding);
}

/**
 * Which remedy of its occurrence this one is; the same order again gives the same number. Null: the finding is gone, or, for `onlyOpen`, has a
 * remedy since it was looked at: that one would not know its number any more when it is adopted.
 */
async function startedRemedy(
  tx: Queryable,
  tenant: string,
  fingerprint: string,
  occurrence: number,
  order: { readonly name: string; readonly onlyOpen: boolean },
): Promise<number | null> {
  const { rows } = await tx.query(
    `update findings set status = 'working', waiting_for = null, waiting_until_ms = null,
       remedies = remedies + (case when memory ->> 'order' = $4 then 0 else 1 end), memory = memory || jsonb_build_object('order', $4::text)
     where tenant = $1 and fingerprint = $2 and occurrence = $3 and status <> 'resolved'
       and (not $5 or status = 'open' or memory ->> 'order' = $4) returning remedies`,
    [tenant, fingerprint, occurrence, order.name, order.onlyOpen],
  );
  return rows[0]?.remedies ?? null;
}

async function orderRemedy(
  pool: Pool,
  order: {
    readonly tenant: string;
    readonly prefix: string;
    readonly by: string;
    readonly requestId: string;
    readonly nowMs: number;
  },
): Promise<{ readonly finding: FindingRow; readonly remedy: number }> {
  return transaction(pool, async (tx) => {
    const found = await findFinding(tx, order.tenant, order.prefix);
    // Two orders at once, or one and a cycle: the second sees what the first made of it.
    const finding = found[0] && (await lockFindingRow(tx, found[0]));
    if (!finding)
      throw new BadRequest(
        failures.requestInvalid,
        `no finding of ${order.tenant} begins with ${order.prefix}; see "untilgreen findings"`,
      );
    if (found.length > 1)
      throw new BadRequest(
        failures.requestInvalid,
        `${order.prefix} is the beginning of ${found.length} findings: give more of it`,
      );
    if (finding.status === 'resolved')
      throw new BadRequest(
        failures.requestInvalid,
        `finding ${order.prefix} is resolved; nothing is left to do`,
      );
    const { requests } = await readMemory(tx, finding);
    const known = Array.isArray(requests) ? requests : [];
    // The same request again, or one for what is being worked on: nothing is ordered twice.
    if (finding.status === 'working' || finding.status === 'waiting' || known.includes(order.requestId))
      return { finding, remedy: Math.max(1, finding.remedies) };
    const remedy = await startedRemedy(tx, order.tenant, finding.fingerprint, finding.occurrence, {
      name: `request ${order.requestId}`,
      onlyOpen: false,
    });
    await remember(tx, finding, { requests: [...known, order.requestId].slice(-keepRequests) });
    await appendAudit(tx, {
      tenant: order.tenant,
      atMs: order.nowMs,
      actor: order.by,
      action: 'remedy.ordered',
      workspace: finding.workspace,
      fingerprint: finding.fingerprint,
      subject: finding.title,
      reason: `asked by ${order.by}: ${remedyWorkflowId({ ...finding, tenant: order.tenant })}`,
    });
    return { finding, remedy: remedy ?? 1 };
  });
}

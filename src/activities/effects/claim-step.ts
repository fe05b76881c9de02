// The first step through the door: one transaction that locks the tenant's guard row, finds or makes the claim, and lets the pure guard
// judge it. What it answers is what the door does next.
import type { EffectAnswer, EffectRequest, Receipt, Risk } from '../../contract/effect.ts';
import { failures } from '../../contract/names.ts';
import type { TenantConfig, WorkspaceConfig } from '../../contract/tenant-config.ts';
import { type GuardedEffect, guard, type Verdict } from '../../policy/guard.ts';
import { askApproval, useApproval } from '../../store/approvals.ts';
import { appendAudit } from '../../store/audit.ts';
import * as claims from '../../store/claims.ts';
import { type Pool, type Queryable, transaction } from '../../store/database.ts';
import { readTenant } from '../../store/tenants.ts';
import { classOf, type EffectDefinition } from './definition.ts';
import { BadRequest } from './door-failure.ts';
import type { DoorTimes } from './door-times.ts';

export type Claimed = {
  readonly step: 'claimed';
  readonly held: claims.Held;
  readonly inDoubt: { readonly ageMs: number } | null;
  readonly risk: Risk;
  readonly describe: string;
  readonly approvalHash: string | null;
  readonly config: TenantConfig;
  readonly workspace: WorkspaceConfig;
};

export type ClaimStep =
  | Claimed
  | { readonly step: 'answer'; readonly answer: EffectAnswer }
  | { readonly step: 'busy'; readonly leaseLeftMs: number; readonly describe: string };

export type ClaimQuestion = {
  readonly pool: Pool;
  readonly definition: EffectDefinition;
  readonly input: unknown;
  readonly request: EffectRequest;
  readonly owner: string;
  readonly times: DoorTimes;
  readonly dryRun: boolean;
  /** Takes secrets and what cannot be stored out of a text that is recorded. */
  readonly clean: (text: string) => string;
};

export async function claimStep(question: ClaimQuestion): Promise<ClaimStep> {
  const { request, definition, input } = question;
  const key = claims.effectKey(request);
  const digest = claims.effectDigest(request);
  const describe = question.clean(definition.describe(input, request));
  return transaction(question.pool, async (tx): Promise<ClaimStep> => {
    const row = await claims.lockGuard(tx, request.tenant);
    const tenant = await readTenant(tx, request.tenant);
    if (!row || !tenant)
      throw new BadRequest(failures.tenantUnknown, `tenant "${request.tenant}" is not known`);
    const workspace = tenant.config.workspaces.find((w) => w.name === request.workspace);
    const existing = await claims.readClaim(tx, key, true);
    if (existing) {
      if (existing.digest !== digest) {
        throw new BadRequest(
          failures.effectDigestChanged,
          `${request.kind} ${key.slice(0, 12)} was claimed with another content`,
        );
      }
      if (existing.state === 'done') return { step: 'answer', answer: receiptOf(existing) };
      if (existing.leaseLeftMs > 0) return { step: 'busy', leaseLeftMs: existing.leaseLeftMs, describe };
      // Its attempt ended before the fence: it keeps nothing that it reserved, whatever the guard says now.
      if (existing.state === 'claimed')
        await claims.freeClaim(tx, existing, 'its attempt ended before the write');
    }
    if (!workspace) {
      const gone = `workspace "${request.workspace}" is not in the tenant's settings any more`;
      if (existing && isInDoubt(existing))
        return { step: 'answer', answer: await settleUnknown(existing, gone) };
      return refuseHere(gone);
    }
    const hash = claims.approvalHash(key, digest);
    const claimed = {
      step: 'claimed',
      risk: definition.risk(input),
      describe,
      config: tenant.config,
      workspace,
    } as const;
    if (existing && isInDoubt(existing)) {
      const { fence } = await claims.takeOverInDoubt(tx, key, question.owner, question.times.leaseMs);
      const ageMs = existing.doubtAgeMs ?? -existing.leaseLeftMs;
      return {
        ...claimed,
        held: { key, owner: question.owner, fence },
        inDoubt: { ageMs },
        approvalHash: hash,
      };
    }

    const forbidden = definition.forbidden?.(input, workspace);
    if (forbidden) return refuseHere(forbidden);
    const needsApproval = request.needsApproval ?? definition.needsApproval?.(input, workspace);
    const effect: GuardedEffect = {
      kind: request.kind,
      workspace: request.workspace,
      target: request.target,
      risk: claimed.risk,
      autonomy: definition.autonomy(input),
      forIncident: definition.forIncidents === true,
      ...(needsApproval === undefined ? {} : { needsApproval }),
    };
    const state = await claims.readGuardState(tx, { key, request, hash }, row, tenant.enabled);
    const { config } = tenant;
    const verdict = guard(
      effect,
      state,
      {
        autonomy: config.autonomy.effects[request.kind],
        mutatingPer5Min: config.limits.mutatingPer5Min,
        reservedForIncidents: config.limits.reservedForIncidents,
        breakerProbeAfterMs: config.limits.breaker.probeAfterMs,
        approvalChannels: config.approvals.channels,
      },
      request.nowMs,
    );
    if (verdict.verdict !== 'allow') return { step: 'answer', answer: await answerNo(tx, verdict) };
    const capped = await definition.cap?.(tx, request, { input, workspace, approved: verdict.usesApproval });
    if (capped)
      return {
        step: 'answer',
        answer: await answerNo(tx, { verdict: 'hold', guard: 'cap', ...capped }),
      };
    if (question.dryRun) return refuseHere(`dry run: would ${describe}`);

    const { fence } = await claims.writeClaim(tx, {
      key,
      digest,
      request,
      risk: claimed.risk,
      delivery: classOf(definition, input),
      describe,
      owner: question.owner,
      leaseMs: question.times.leaseMs,
      pauseEpoch: row.pauseEpoch,
      approvalHash: verdict.usesApproval ? hash : null,
    });
    await claims.reserveCooldown(tx, request, key, config.limits.cooldownsMs[request.kind]);
    if (verdict.usesApproval) await useApproval(tx, request.tenant, hash, key);
    if (verdict.isProbe)
      await tx.query(
        `update guards set breaker_state = 'halfOpen', breaker_probe_key = $2 where tenant = $1`,
        [request.tenant, key],
      );
    return {
      ...claimed,
      held: { key, owner: question.owner, fence },
      inDoubt: null,
      approvalHash: verdict.usesApproval ? hash : null,
    };

    /** Nobody can ask any more whether it landed. */
    async function settleUnknown(row: claims.ClaimRow, reason: string): Promise<Receipt> {
      const receipt = { ...receiptOf(row), outcome: 'unknown', reason } as const;
      await claims.settleClaim(tx, row, receipt);
      await appendAudit(tx, {
        tenant: request.tenant,
        atMs: request.nowMs,
        actor: request.actor,
        action: 'effect.unknown',
        workspace: request.workspace,
        fingerprint: request.fingerprint,
        subject: describe,
        reason,
        detail: { key, kind: request.kind, target: request.target },
      });
      return receipt;
    }

    async function refuseHere(reason: string): Promise<ClaimStep> {
      return {
        step: 'answer',
        answer: await answerNo(tx, { verdict: 'refuse', guard: 'allowlist', reason }),
      };
    }

    async function answerNo(
      db: Queryable,
      no: Exclude<Verdict, { verdict: 'allow' }>,
    ): Promise<EffectAnswer> {
      const action = no.verdict === 'hold' ? 'effect.held' : 'effect.refused';
      await appendAudit(db, {
        tenant: request.tenant,
        atMs: request.nowMs,
        actor: request.actor,
        action,
        workspace: request.workspace,
        fingerprint: request.fingerprint,
        subject: describe,
        reason: no.reason,
        detail: { key, kind: request.kind, target: request.target, guard: no.guard },
      });
      if (no.verdict === 'refuse') return { status: 'refused', key, guard: no.guard, reason: no.reason };
      const until = no.untilMs === undefined ? {} : { untilMs: no.untilMs };
      if (!no.askApproval) return { status: 'hold', key, guard: no.guard, reason: no.reason, ...until };
      const asked = await askApproval(
        db,
        { request, hash, risk: definition.risk(input), describe },
        tenant?.config,
      );
      return {
        status: 'hold',
        key,
        guard: no.guard,
        reason: no.reason,
        untilMs: asked.wakeMs,
        approval: { hash, expiresAtMs: asked.expiresAtMs },
      };
    }
  });
}

function isInDoubt(row: claims.ClaimRow): boolean {
  return row.state === 'applying' || row.state === 'doubt';
}

function receiptOf(row: claims.ClaimRow): Receipt {
  return {
    status: 'receipt',
    key: row.key,
    kind: row.kind,
    outcome: row.outcome ?? 'unknown',
    reason: row.reason ?? '',
    result: row.result ?? {},
    risk: row.risk,
  };
}

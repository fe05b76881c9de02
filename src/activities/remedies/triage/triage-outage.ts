// CI-4: people of a tenant hear once of an outage that many tenants see, however many of their jobs fail of it and however often those are looked at.
import type { FindingRef } from '../../../contract/activities.ts';
import type { EffectRequest } from '../../../contract/effect.ts';
import { outageOverMs } from '../../../policy/ci/ci-triage.ts';
import { noteOutage } from '../../../store/ci/outages.ts';
import type { Pool } from '../../../store/database.ts';

/** The door, for an alert. */
export type Alert = (request: EffectRequest, signal: AbortSignal) => Promise<unknown>;

/** An alert that cannot be sent holds up nothing: the next look asks again, and the door sends one. */
export async function tellOutage(
  pool: Pool,
  alert: Alert,
  outage: {
    readonly ref: FindingRef;
    readonly signature: string;
    readonly why: string;
    readonly nowMs: number;
  },
  signal: AbortSignal,
): Promise<void> {
  const { ref, signature, why, nowMs } = outage;
  const { tenant, workspace } = ref;
  const { sinceMs, said } = await noteOutage(pool, { tenant, signature, said: why }, nowMs, outageOverMs);
  const request: EffectRequest = {
    tenant,
    workspace,
    kind: 'sendAlert',
    target: 'outage',
    precondition: signature,
    requester: `triage/${tenant}`,
    step: `outage ${signature.slice(0, 12)} ${sinceMs}`,
    input: {
      severity: 'warning',
      title: 'CI fails of an outage outside of your repositories',
      body: `${said}. Nothing is fixed or rerun for it: the failing jobs wait until it is over, and a person gets what still fails an hour later.`,
    },
    nowMs,
    actor: 'triage',
  };
  await alert(request, signal).catch(() => undefined);
}

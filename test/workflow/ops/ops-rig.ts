// What the tests of incidents share: a workspace with a platform and health checks, a service that crashes again and again, what is recorded.
import type { Rig } from '../rig.ts';
import type { Written } from '../world.ts';

export { crashLoop, opsWorkspace } from './scene.ts';

export function alerts(rig: Rig, title: RegExp): readonly Written[] {
  return rig.world.writes('sendAlert').filter(({ input }) => title.test(String(input.title)));
}

export function minutesAfter(fromMs: number, atMs: number): number {
  return Math.round((atMs - fromMs) / 60_000);
}

export type Incident = {
  readonly open: boolean;
  readonly opening: number;
  readonly detectedMs: number;
  readonly issue: number | null;
  readonly fingerprint: string;
  readonly state: { readonly severity: { readonly level: string | null } };
};

/** The one of a tenant that is about health checks. */
export async function incidentOf(rig: Rig, tenant: string, kind = 'incident'): Promise<Incident> {
  const { rows } = await rig.database.pool.query(
    `select i.open, i.opening, i.detected_ms as "detectedMs", i.issue, i.fingerprint, i.state from incidents i
     join findings f using (tenant, fingerprint, occurrence) where tenant = $1 and f.kind = $2`,
    [tenant, kind],
  );
  if (rows.length !== 1) throw new Error(`${rows.length} incidents of kind ${kind}`);
  return rows[0];
}

/** What was done to services, oldest first. */
export async function ladderOf(
  rig: Rig,
  tenant: string,
): Promise<readonly { readonly kind: string; readonly atMs: number; readonly target: string }[]> {
  const { rows } = await rig.database.pool.query(
    `select kind, policy_ms as "atMs", target from effects
     where tenant = $1 and kind = any('{restartService,redeployService,rollBackService}') and state = 'done' order by policy_ms`,
    [tenant],
  );
  return rows;
}

export async function timelineOf(
  rig: Rig,
  tenant: string,
): Promise<
  readonly { readonly kind: string; readonly text: string; readonly atMs: number; readonly key: string }[]
> {
  const { rows } = await rig.database.pool.query(
    'select kind, text, at_ms as "atMs", key from incident_events where tenant = $1 order by id',
    [tenant],
  );
  return rows;
}

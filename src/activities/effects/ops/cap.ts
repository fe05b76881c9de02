// What holds changes of services beside the guard (DEPLOY-3): an outage of the platform, and the cap of an hour, by what the source `deployments`
// saw last. Asked inside the claim's transaction. What a person approved waits for the outage only.
import type { EffectKind } from '../../../contract/effect.ts';
import { judgeOpsCap } from '../../../policy/ops/ladder/ops-cap.ts';
import { outageHold } from '../../../policy/ops/ladder/outage.ts';
import { changesOf } from '../../../store/claims.ts';
import { readWatches } from '../../../store/ops/watches.ts';
import type { EffectDefinition } from '../definition.ts';

/** Whoever ordered them. */
const kinds: readonly EffectKind[] = [
  'restartService',
  'redeployService',
  'rollBackService',
  'removeDeployment',
  'updateService',
  'cleanUp',
];
const windowMs = 3_600_000;

export const capOnServices: NonNullable<EffectDefinition['cap']> = async (tx, request, { approved }) => {
  const { tenant, workspace, nowMs } = request;
  const watches = await readWatches(tx, tenant);
  const outage = watches.find((watch) => watch.workspace === workspace)?.outage ?? null;
  if (outage !== null) return outageHold(outage, nowMs);
  const services = watches.reduce((sum, { watched }) => sum + watched, 0);
  const recentMs = await changesOf(tx, request, { kinds, sinceMs: nowMs - windowMs });
  return judgeOpsCap({ services, recentMs, approved }, nowMs);
};

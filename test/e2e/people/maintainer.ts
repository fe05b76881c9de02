// The one person whom most tests need: a maintainer of the forge who merges what is verified, and nothing else.
import { approveAndMergeVerified, type Maintainer } from '../../../demo/forge/maintainer.ts';
import type { World } from '../rig.ts';

/** Looks twice a second until it is stopped. */
export function startMaintainer(world: World): Maintainer {
  return approveAndMergeVerified({
    url: world.forge.url,
    token: world.maintainerToken,
    owner: 'acme',
    repo: 'shop',
    label: 'verified',
    evidenceHeading: 'Evidence',
    intervalMs: 500,
  });
}

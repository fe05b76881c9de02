// A shop on the stand-in for Railway, and a provider that talks to it; the budget grants everything unless a test brings its own.

import { type Provider, ProviderFailure } from '../../../src/integrations/provider/provider.ts';
import { createRailwayProvider, type RailwayParts } from '../../../src/integrations/railway/railway.ts';
import { type Railway, startRailway } from '../../support/railway/railway.ts';
import type { ProjectRow, ServiceSpec } from '../../support/railway/world.ts';

export const startMs = Date.UTC(2026, 10, 21, 3);
export const call = { signal: new AbortController().signal };
export const mayWrite = { ...call, assertMayWrite: () => {} };

export type Rig = {
  readonly railway: Railway;
  readonly shop: ProjectRow;
  readonly provider: Provider;
  readonly providerWith: (
    parts: Partial<RailwayParts>,
    settings?: Partial<ReturnType<Railway['settings']>>,
  ) => Provider;
  readonly pass: (ms: number) => void;
  /** Names of what was asked, since the last time this was called. */
  readonly asked: () => readonly string[];
};

const limitless = {
  take: () => Promise.resolve({ granted: true } as const),
  pause: () => Promise.resolve(),
};

export async function startRig(
  services: readonly ServiceSpec[],
  tokenKind: 'project' | 'account' = 'project',
): Promise<Rig> {
  let nowMs = startMs;
  let seen = 0;
  const railway = await startRailway({ now: () => nowMs });
  const shop = railway.world.addProject({ project: 'shop', services });
  const token = tokenKind === 'project' ? shop.projectToken : railway.accountToken;
  const providerWith: Rig['providerWith'] = (parts, settings = {}) =>
    createRailwayProvider(
      { ...railway.settings(shop, tokenKind), ...settings },
      { token, budget: limitless, ...parts },
    );
  return {
    railway,
    shop,
    provider: providerWith({}),
    providerWith,
    pass: (ms) => {
      nowMs += ms;
    },
    asked: () => {
      const all = railway.journal().slice(seen);
      seen += all.length;
      return all.map(({ operation }) => operation);
    },
  };
}

export async function failureOf(promise: Promise<unknown>): Promise<ProviderFailure> {
  const error = await promise.then(
    (value) => new Error(`no failure: ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (error instanceof ProviderFailure) return error;
  throw error;
}

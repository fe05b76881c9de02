// Faults that tests order: which request is hit, how often, and how. What a fault does to a connection is the server's part.
import type { FaultSpec, FaultState } from '../operations.ts';
import type { ForgeRequest } from './route.ts';

export interface FaultBox {
  add(spec: FaultSpec): number;
  list(): FaultState[];
  clear(): void;
  /** The first fault that matches and is not used up; counts the hit. */
  take(request: ForgeRequest): FaultSpec | null;
}

export function createFaultBox(): FaultBox {
  let faults: { id: number; hits: number; spec: FaultSpec }[] = [];
  let lastId = 0;
  return {
    add: (spec) => {
      lastId += 1;
      faults.push({ id: lastId, hits: 0, spec });
      return lastId;
    },
    list: () => faults.map(({ id, hits, spec }) => ({ ...spec, id, hits })),
    clear: () => {
      faults = [];
    },
    take: (request) => {
      const hit = faults.find(({ hits, spec }) => hits < (spec.times ?? 1) && matches(spec, request));
      if (hit === undefined) return null;
      hit.hits += 1;
      return hit.spec;
    },
  };
}

function matches(spec: FaultSpec, request: ForgeRequest): boolean {
  const { method, pathPattern, bodyPattern } = spec.match;
  return (
    (method === undefined || method === request.method) &&
    (pathPattern === undefined || new RegExp(pathPattern).test(request.target)) &&
    (bodyPattern === undefined || new RegExp(bodyPattern).test(request.body.toString('utf8')))
  );
}

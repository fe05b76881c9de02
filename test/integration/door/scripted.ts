// An effect that a test scripts, over a strict HTTP server in front of which nothing is faked: it journals what landed, in order, and answers
// as told. With the real door on a real Postgres, and tenants of their own.
import { createServer, type Server } from 'node:http';
import { createDoor, type Door, type DoorOptions } from '../../../src/activities/effects/door.ts';
import { BadRequest, TryAgain } from '../../../src/activities/effects/door-failure.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { EffectAnswer, EffectRequest } from '../../../src/contract/effect.ts';
import { createRedactor, type Redactor } from '../../../src/logs/redact/redact-values.ts';
import { createPool, type Pool } from '../../../src/store/database.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { scriptedEffects } from '../../support/scripted-effects.ts';

export const nowMs = Date.parse('2026-03-02T10:00:00Z');
export const times = { leaseMs: 3_000, writeMs: 2_200, settleMs: 2_000, giveUpMs: 60_000 };

/** How the next write with this id is answered; without one it is done and answered with 200. */
export type Fault =
  | { readonly kind: 'after'; readonly status: number }
  | { readonly kind: 'late'; readonly delayMs: number }
  | { readonly kind: 'instead'; readonly status: number }
  /** Done and answered when the test says so. */
  | { readonly kind: 'gate'; readonly open: Promise<void> };

export type Remote = {
  readonly url: string;
  /** Ids in the order in which they landed. */
  readonly landed: string[];
  readonly arrived: string[];
  readonly faults: Map<string, Fault>;
  readonly count: (id: string) => number;
  readonly stop: () => Promise<void>;
};

export async function startRemote(): Promise<Remote> {
  const landed: string[] = [];
  const arrived: string[] = [];
  const faults = new Map<string, Fault>();
  const unexpected: string[] = [];
  const server: Server = createServer((request, response) => {
    const answer = (status: number, body: object = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const id = /^\/things\/([\w.-]+)$/.exec(request.url ?? '')?.[1];
    request.resume();
    if (id === undefined || !['GET', 'PUT'].includes(request.method ?? '')) {
      unexpected.push(`${request.method} ${request.url}`);
      return answer(404);
    }
    if (request.method === 'GET') return answer(200, { count: landed.filter((one) => one === id).length });
    arrived.push(id);
    const fault = faults.get(id);
    faults.delete(id);
    const write = (): void => void landed.push(id);
    switch (fault?.kind) {
      case 'instead':
        return answer(fault.status);
      case 'late':
        setTimeout(write, fault.delayMs);
        return answer(502);
      case 'gate':
        void fault.open.then(() => {
          write();
          answer(200);
        });
        return;
      case 'after':
        write();
        return answer(fault.status);
      case undefined:
        write();
        return answer(200);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    landed,
    arrived,
    faults,
    count: (id) => landed.filter((one) => one === id).length,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (unexpected.length > 0) throw new Error(`unexpected requests: ${unexpected.join(', ')}`);
    },
  };
}

export type DoorScene = {
  readonly remote: Remote;
  readonly database: TestDatabase;
  readonly pool: Pool;
  readonly redactor: Redactor;
  /** A tenant of its own; `extra` is YAML under it. */
  readonly tenant: (extra?: string) => Promise<string>;
  readonly door: (options?: Partial<DoorOptions>) => Door;
  readonly run: (request: EffectRequest, options?: Partial<DoorOptions>) => Promise<EffectAnswer>;
  readonly finish: (request: EffectRequest, options?: Partial<DoorOptions>) => Promise<EffectAnswer>;
  readonly stop: () => Promise<void>;
};

let tenants = 0;
let requests = 0;

export async function openScene(): Promise<DoorScene> {
  const remote = await startRemote();
  const database = await createTestDatabase();
  const pool = createPool(database.url, () => {}, 30);
  const redactor = createRedactor();
  const door: DoorScene['door'] = (options = {}) =>
    createDoor({ pool, definitions: scriptedEffects(remote.url), redactor, times, ...options });
  const run: DoorScene['run'] = (request, options) => door(options).run(request, AbortSignal.timeout(60_000));
  return {
    remote,
    database,
    pool,
    redactor,
    door,
    run,
    finish: (request, options) => finish(() => run(request, options)),
    tenant: async (extra = '') => {
      tenants += 1;
      const name = `tenant-${tenants}`;
      await registerTenant(pool, name, extra);
      return name;
    },
    stop: async () => {
      await pool.end();
      await database.drop();
      await remote.stop();
    },
  };
}

export async function registerTenant(pool: Pool, name: string, extra = ''): Promise<void> {
  const text = `tenant: ${name}\n${extra || 'autonomy: { default: act }'}\nworkspaces: [{ name: shop, github: { repository: acme/shop } }, { name: api, github: { repository: acme/api } }]`;
  const parsed = parseTenantFile(text, { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await applyTenant(pool, parsed.config, 'test', nowMs);
}

/** Asks until there is an answer, and waits as long as it is told to. `away`: Postgres may not be there for a while. */
export async function finish(
  ask: () => Promise<EffectAnswer>,
  away?: 'postgresMayBeAway',
): Promise<EffectAnswer> {
  for (let round = 0; round < 200; round += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof TryAgain) && (away === undefined || error instanceof BadRequest)) throw error;
      const delayMs = error instanceof TryAgain ? (error.delayMs ?? 100) : 200;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }
  throw new Error('it never came to its end');
}

export function thing(
  tenant: string,
  input: { readonly [name: string]: string | null } = {},
  more: Partial<EffectRequest> = {},
): EffectRequest {
  requests += 1;
  const id = `thing-${requests}`;
  return {
    tenant,
    workspace: 'shop',
    kind: 'rerunFailedJobs',
    target: id,
    precondition: 'planned',
    requester: `remedy/${tenant}/ci/1/1`,
    step: id,
    input: { id, ...input },
    // Each in five minutes of its own, unless the test is about the cap.
    nowMs: nowMs + requests * 600_000,
    actor: 'test',
    ...more,
  };
}

export function idOf(request: EffectRequest): string {
  return (request.input as { id: string }).id;
}

/** What a promise comes to, thrown or not. */
export async function outcome(promise: Promise<EffectAnswer>): Promise<unknown> {
  return promise.catch((error: unknown) => error);
}

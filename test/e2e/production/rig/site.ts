// Everything outside that a tenant's production is made of, on one clock: Railway, the backend and frontend that run there, GitHub with two people,
// a pager that takes signed alerts. All are servers over state; nothing of ours is in here.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Forge, startForge } from '../../../../demo/forge/forge.ts';
import type { Alert } from '../../../../src/integrations/notify/send.ts';
import { type Production, startProduction } from '../../../support/backend/production.ts';
import { type Railway, startRailway } from '../../../support/railway/railway.ts';
import type { ProjectRow } from '../../../support/railway/world.ts';

/** Policy time; the rig moves it. */
export type Clock = { nowMs: number };

export type Paged = Alert & {
  readonly atMs: number;
  /** By its secret, over the raw body. */
  readonly signed: boolean;
};

export type Issue = {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly state: 'open' | 'closed';
};
export type Comment = {
  readonly body: string;
  readonly created_at: string;
  readonly user: { readonly login: string };
};

export type Person = {
  readonly login: string;
  readonly token: string;
  readonly comment: (issue: number, body: string) => Promise<void>;
};

export type Site = {
  readonly railway: Railway;
  readonly project: ProjectRow;
  readonly production: Production;
  readonly forge: Forge;
  /** May write. */
  readonly maria: Person;
  /** May read. */
  readonly eve: Person;
  /** Alerts as they came. */
  readonly pages: readonly Paged[];
  readonly pagerUrl: string;
  /** What references of the tenant's settings stand for. */
  readonly env: Readonly<Record<string, string>>;
  readonly issues: () => Promise<readonly Issue[]>;
  readonly comments: (issue: number) => Promise<readonly Comment[]>;
  /** The backend answers while its deployment runs on Railway, and not while it has crashed. */
  readonly settle: () => Promise<void>;
  readonly close: () => Promise<void>;
};

const pagerSecret = 'pager-s3cret-of-the-shop';

export async function startSite(clock: Clock, dataDir: string): Promise<Site> {
  const now = (): number => clock.nowMs;
  const railway = await startRailway({ now });
  const project = railway.world.addProject({
    project: 'shop',
    services: [
      { name: 'backend', commitSha: 'a'.repeat(40), domains: ['shop.example'] },
      { name: 'frontend', image: 'shop/web:1.4', domains: ['www.shop.example'] },
    ],
  });
  const production = await startProduction();
  const forge = await startForge({ dataDir, clock: now });
  const agent = await forge.createUser({ login: 'untilgreen-agent', permission: 'write' });
  const people = {
    maria: await forge.createUser({ login: 'maria', permission: 'write' }),
    eve: await forge.createUser({ login: 'eve', permission: 'read' }),
  };
  await forge.createRepository({ owner: 'acme', name: 'shop', files: { 'README.md': 'shop\n' }, ci: false });
  const pager = await startPager(clock);

  const api = async <T>(token: string, method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await fetch(`${forge.url}/repos/acme/shop${path}`, {
      method,
      headers: { authorization: `token ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  const person = ({ login, token }: { readonly login: string; readonly token: string }): Person => ({
    login,
    token,
    comment: async (issue, body) => {
      await api(token, 'POST', `/issues/${issue}/comments`, { body });
    },
  });
  let wasUp = true;
  return {
    railway,
    project,
    production,
    forge,
    maria: person(people.maria),
    eve: person(people.eve),
    pages: pager.pages,
    pagerUrl: pager.url,
    env: {
      GITHUB_TOKEN: agent.token,
      RAILWAY_TOKEN_SW_FACTORY: project.projectToken,
      PAGER_SECRET: pagerSecret,
      DEVOPS_API_SECRET: production.devopsSecret,
    },
    issues: () => api(people.maria.token, 'GET', '/issues?state=all&per_page=100'),
    comments: (issue) => api(people.maria.token, 'GET', `/issues/${issue}/comments?per_page=100`),
    settle: async () => {
      const { world } = railway;
      const isUp = world.deploymentsOf('backend').some((row) => {
        const { status, stopped } = world.phase(row);
        return status === 'SUCCESS' && !stopped;
      });
      if (isUp === wasUp) return;
      wasUp = isUp;
      if (isUp) await production.heal();
      else production.fail({ kind: 'status', status: 502, side: 'backend' });
    },
    close: async () => {
      await Promise.all([railway.close(), production.close(), forge.stop(), pager.close()]);
    },
  };
}

async function startPager(clock: Clock): Promise<{
  readonly url: string;
  readonly pages: readonly Paged[];
  readonly close: () => Promise<unknown>;
}> {
  const pages: Paged[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const signature = `sha256=${createHmac('sha256', pagerSecret).update(body).digest('hex')}`;
    const signed = request.headers['x-untilgreen-signature-256'] === signature;
    pages.push({ ...(JSON.parse(body) as Alert), atMs: clock.nowMs, signed });
    response.writeHead(signed ? 204 : 401).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`,
    pages,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

type Settings = { readonly [key: string]: unknown };
export type Change = {
  readonly tenant?: Settings;
  readonly workspace?: Settings;
  readonly services?: Settings;
  readonly incidents?: Settings;
  readonly checks?: readonly Settings[];
};

/** A tenant file over the site: its defaults, and what a test changes. */
export function tenantFile(tenant: string, site: Site, change: Change = {}): string {
  const { production, railway, forge } = site;
  return JSON.stringify({
    tenant,
    timeZone: 'UTC',
    autonomy: { default: 'act' },
    model: { enabled: false },
    alerts: { channels: [{ kind: 'webhook', url: site.pagerUrl, secret: 'env:PAGER_SECRET' }] },
    workspaces: [
      {
        name: 'shop',
        github: { repository: 'acme/shop', token: 'env:GITHUB_TOKEN', apiUrl: forge.url },
        ci: { enabled: false },
        services: {
          // Its budget is the database's time, which no test skips.
          provider: {
            kind: 'railway',
            apiUrl: railway.url,
            requestsPerHour: 100_000,
            requestsPerSecond: 1_000,
          },
          ...change.services,
        },
        health: {
          checks: change.checks ?? [
            {
              kind: 'http',
              name: 'backend',
              url: production.backendUrl,
              path: '/health',
              services: ['backend'],
            },
            {
              kind: 'content',
              name: 'frontend',
              url: production.frontendUrl,
              services: ['frontend'],
              expect: { contains: ['Welcome'] },
            },
          ],
        },
        incidents: { mention: ['@maria'], ...change.incidents },
        ...change.workspace,
      },
    ],
    ...change.tenant,
  });
}

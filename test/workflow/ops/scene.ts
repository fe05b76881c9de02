// A workspace of nothing but what runs, and a service that crashes again and again.
import type { ScriptedService } from './production.ts';

type Settings = { readonly [key: string]: unknown };

/** A workspace of nothing but what runs. */
export function opsWorkspace(
  more: {
    readonly services?: Settings;
    readonly incidents?: Settings;
    readonly checks?: readonly Settings[];
    readonly ci?: boolean;
  } = {},
): Settings {
  const checks = more.checks ?? [
    {
      kind: 'http',
      name: 'backend',
      url: 'https://shop.example.com',
      path: '/health',
      services: ['backend'],
    },
  ];
  return {
    name: 'shop',
    github: { repository: 'acme/shop', activityIssue: false },
    ci: { enabled: more.ci === true },
    services: {
      provider: { kind: 'command', status: 'true', logs: 'true', restart: 'true' },
      ...more.services,
    },
    health: { checks },
    incidents: { mention: ['@acme/oncall'], ...more.incidents },
  };
}

/** Two deployments; the newest crashes whatever is done, until it is rolled back. */
export function crashLoop(): ScriptedService {
  return {
    deployments: [
      { id: 'd1', status: 'stopped', commitSha: 'a'.repeat(40) },
      { id: 'd2', status: 'crashed', commitSha: 'a'.repeat(40) },
    ],
    log: ['starting', 'fatal: cannot go on'],
    heals: {},
  };
}

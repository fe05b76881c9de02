// The digest of failing CI (CI-11): while something fails, as often as the tenant file says, and never without the setting.
import { expect, test } from 'vitest';
import { settleCycle } from '../../../src/activities/record/settle.ts';
import type { SourceDefinition } from '../../../src/activities/sources/definition.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { Observation, ObservedFinding } from '../../../src/contract/finding.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { createTestDatabase } from '../../support/database.ts';

const minute = 60_000;
const start = Date.UTC(2026, 10, 21, 9);
const source: SourceDefinition = {
  kind: 'ciRuns',
  timeoutMs: () => 1_000,
  targets: () => [undefined],
  read: async () => ({ state: 'green', reason: '', findings: [] }),
};
const failing: ObservedFinding = {
  kind: 'ci',
  target: 'acme/shop@main:ci.yml:test',
  signature: 'test',
  ruleVersion: 1,
  severity: 'critical',
  title: 'ci / test fails on main',
  detail: {
    kind: 'ci',
    repository: 'acme/shop',
    branch: 'main',
    runId: 1,
    runAttempt: 1,
    headSha: '0123456789abcdef0123456789abcdef01234567',
    workflowPath: 'ci.yml',
    workflowName: 'ci',
    job: 'test',
    jobId: 1,
    step: 'Test',
    stepNumber: 1,
    url: 'https://example.com/1',
  },
};

async function digests(
  alerts: string,
  cycles: readonly { atMs: number; red: boolean }[],
): Promise<(string | undefined)[]> {
  const database = await createTestDatabase();
  try {
    const file = `tenant: acme\n${alerts}workspaces: [{ name: shop, github: { repository: acme/shop } }]\n`;
    const parsed = parseTenantFile(file, { fileName: 'tenant.yaml' });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    await applyTenant(database.pool, parsed.config, 'test', start);
    const said: (string | undefined)[] = [];
    for (const [index, { atMs, red }] of cycles.entries()) {
      const observation: Observation = {
        workspace: 'shop',
        source: 'ciRuns',
        readAtMs: atMs,
        durationMs: 1,
        state: red ? 'red' : 'green',
        reason: 'read',
        findings: red ? [failing] : [],
      };
      const request = {
        tenant: 'acme',
        cycle: index + 1,
        runId: 'run',
        trigger: 'schedule',
        startedMs: atMs,
        nowMs: atMs,
        observations: [observation],
        unrecordedFailures: 0,
      } as const;
      const settled = await settleCycle({ pool: database.pool, sources: [source] }, request);
      // An answer that was lost is given again.
      expect((await settleCycle({ pool: database.pool, sources: [source] }, request)).digest).toBe(
        settled.digest,
      );
      said.push(settled.digest);
    }
    return said;
  } finally {
    await database.drop();
  }
}

const cycles = [
  { atMs: start, red: true },
  { atMs: start + 5 * minute, red: true },
  { atMs: start + 30 * minute, red: true },
  { atMs: start + 90 * minute, red: false },
];

test('CI-11: a digest each 30 minutes while CI fails', async () => {
  const line = 'ci / test fails on main at 01234567: open, attempt 0/3';
  expect(await digests('alerts: { digestEvery: 30m }\n', cycles)).toEqual([line, undefined, line, undefined]);
});

test('CI-11: no digest without the setting', async () => {
  expect(await digests('', cycles)).toEqual([undefined, undefined, undefined, undefined]);
});

// A tenant with a little of everything in its records, written by the same functions that the activities use: no loop and no Temporal needed.
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { EffectRequest } from '../../../src/contract/effect.ts';
import type { ObservedFinding } from '../../../src/contract/finding.ts';
import { askApproval } from '../../../src/store/approvals.ts';
import { appendAudit } from '../../../src/store/audit.ts';
import { approvalHash, effectDigest, effectKey, settleClaim, writeClaim } from '../../../src/store/claims.ts';
import { finishCycle, openCycle } from '../../../src/store/cycles.ts';
import type { Pool } from '../../../src/store/database.ts';
import { saveEvidence } from '../../../src/store/evidence.ts';
import { applyChange, fingerprintOf, remember, setFindingStatus } from '../../../src/store/findings.ts';
import { applyTenant } from '../../../src/store/tenants.ts';

/** Stands in titles and reasons, and is the value of a variable of the command line: must never come out. */
export const secret = 'ghp_thisMustNeverBePrinted42';

export const tenantYaml = (tenant: string): string => `
tenant: ${tenant}
autonomy: { default: act }
approvals: { channels: { cli: true } }
workspaces:
  - name: shop
    github: { repository: acme/shop }
    databases:
      - { name: main, url: "env:SHOP_DATABASE_URL", migrations: db/migrations, policy: approval }
`;

export type Seeded = {
  readonly ci: string;
  readonly migration: string;
  readonly effect: string;
  readonly approval: string;
  readonly destructive: string;
  readonly evidence: string;
};

const ciFinding: ObservedFinding = {
  kind: 'ci',
  target: 'acme/shop main ci.yml test',
  signature: 'test failed',
  ruleVersion: 1,
  severity: 'warning',
  title: `ci / test fails on main ${secret} \u001b[31m`,
  detail: {
    kind: 'ci',
    repository: 'acme/shop',
    branch: 'main',
    runId: 4711000,
    runAttempt: 1,
    headSha: '0123456789abcdef0123456789abcdef01234567',
    workflowPath: '.github/workflows/ci.yml',
    workflowName: 'ci',
    job: 'test',
    jobId: 1,
    step: 'npm test',
    stepNumber: 3,
    url: 'https://github.com/acme/shop/actions/runs/4711000',
  },
};
const migrationFinding: ObservedFinding = {
  kind: 'migration',
  target: 'main',
  signature: 'pending',
  ruleVersion: 1,
  severity: 'warning',
  title: '2 migrations are pending in main',
  detail: {
    kind: 'migration',
    database: 'main',
    environment: 'production',
    pending: ['1', '2'],
    missingOnDisk: [],
  },
};

export async function register(pool: Pool, tenant: string): Promise<void> {
  const parsed = parseTenantFile(tenantYaml(tenant), { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await applyTenant(pool, parsed.config, 'test', Date.now());
}

/** One open CI finding with a pull request, one migration that waits for approval, a cooldown, a hold, a receipt, two questions. */
export async function seed(pool: Pool, tenant: string): Promise<Seeded> {
  const nowMs = Date.now();
  await register(pool, tenant);
  const observed = [
    { finding: ciFinding, source: 'ciRuns' },
    { finding: migrationFinding, source: 'migrations' },
  ] as const;
  const [ci = '', migration = ''] = observed.map(({ finding }) => fingerprintOf(tenant, 'shop', finding));
  await openCycle(pool, { tenant, cycle: 1, runId: 'run', trigger: 'schedule', startedMs: nowMs - 5_000 });
  for (const { finding, source } of observed) {
    const change = {
      change: 'appear',
      workspace: 'shop',
      source,
      fingerprint: fingerprintOf(tenant, 'shop', finding),
      occurrence: 1,
      observed: finding,
    } as const;
    await applyChange(pool, tenant, change, nowMs - 4_000);
  }
  await remember(pool, { tenant, fingerprint: ci, occurrence: 1 }, { pullRequest: 7 });
  const waits = { status: 'waiting', waitingFor: 'needs approval: the database says so' } as const;
  await setFindingStatus(pool, { tenant, fingerprint: migration, occurrence: 1 }, waits);
  await finishCycle(
    pool,
    { tenant, cycle: 1 },
    {
      state: 'completed',
      outcome: 'red',
      summary: '1 not green, 1 waiting',
      observations: observed.map(({ finding, source }) => ({
        workspace: 'shop',
        source,
        readAtMs: nowMs - 4_500,
        durationMs: 20,
        state: 'red' as const,
        reason: 'read',
        findings: [finding],
      })),
      findings: [],
      finishedMs: nowMs - 3_900,
    },
  );

  const request: EffectRequest = {
    tenant,
    workspace: 'shop',
    kind: 'openPullRequest',
    target: 'acme/shop',
    precondition: 'head',
    requester: `remedy/${tenant}/ci/${ci.slice(0, 16)}/1#1`,
    step: 'open',
    input: {},
    fingerprint: ci,
    occurrence: 1,
    nowMs,
    actor: 'loop',
  };
  const effect = effectKey(request);
  const claim = {
    key: effect,
    digest: effectDigest(request),
    request,
    risk: 'proposing',
    delivery: 'exactlyOnce',
    describe: 'open a pull request on acme/shop',
    owner: 'test',
    leaseMs: 1_000,
    pauseEpoch: 0,
    approvalHash: null,
  } as const;
  const { fence } = await writeClaim(pool, claim);
  const url = 'https://github.com/acme/shop/pull/7';
  const receipt = { outcome: 'applied', reason: 'opened', result: { number: 7, url } } as const;
  await settleClaim(pool, { key: effect, owner: 'test', fence }, receipt);
  await pool.query(
    `insert into cooldowns (tenant, target, kind, until_ms, set_by_key) values ($1, 'main', 'applyMigrations', $2, 'x')`,
    [tenant, nowMs + 600_000],
  );

  const asked = { ...request, kind: 'applyMigrations', target: 'main', fingerprint: migration } as const;
  const config = undefined;
  const question = async (risk: 'mutating' | 'destructive', step: string): Promise<string> => {
    const one = { ...asked, step, requester: `remedy/${tenant}/migration/${migration.slice(0, 16)}/1#1` };
    const hash = approvalHash(effectKey(one), effectDigest(one));
    await askApproval(
      pool,
      { request: one, hash, risk, describe: `apply 2 migrations to main (${step})` },
      config,
    );
    await appendAudit(pool, {
      tenant,
      atMs: nowMs,
      actor: 'loop',
      action: 'effect.held',
      workspace: 'shop',
      fingerprint: migration,
      subject: `apply 2 migrations to main (${step})`,
      reason: 'needs approval: the database says so',
      detail: { key: effectKey(one), kind: 'applyMigrations', target: 'main', guard: 'approval' },
    });
    return hash;
  };
  return {
    ci,
    migration,
    effect,
    approval: await question('mutating', 'first'),
    destructive: await question('destructive', 'second'),
    evidence: await saveEvidence(pool, {
      tenant,
      kind: 'log',
      body: `reduced log ${secret}`,
      retentionMs: 3_600_000,
    }),
  };
}

// LOOP-14: what is left of the model's budget, for the tenant and for a finding, as `status` and `why` show it; and settings from before there was a model.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import { freePort } from '../../../src/embedded/machine/ports.ts';
import { nextUtcMidnight } from '../../../src/policy/model/model-budget.ts';
import { applyTenant, readTenant } from '../../../src/store/tenants.ts';
import { type Cli, createCli } from '../../support/cli.ts';
import { minimalFile } from '../../support/tenant-files.ts';
import { seed } from '../cli/seed.ts';
import { type ModelRig, now, openRig } from './rig.ts';

const tenant = 'acme';
let rig: ModelRig;
let cli: Cli;
let fingerprint: string;
beforeAll(async () => {
  rig = await openRig();
  fingerprint = (await seed(rig.pool, tenant)).ci;
  await rig.pool.query(
    `update tenants set config = jsonb_set(config, '{model,baseUrl}', to_jsonb($2::text)) where tenant = $1`,
    [tenant, rig.claude.url],
  );
  cli = await createCli({ DATABASE_URL: rig.databaseUrl, TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` });
});
afterAll(async () => {
  await cli.remove();
  await rig.stop();
});

it('used, held and left of the day; what one finding used of its own (LOOP-14)', async () => {
  const nowMs = Date.now();
  const replies = [{ text: 'a flake', outputTokens: 100 }, { fault: 'truncate' as const }];
  rig.claude.script({ name: 'shown', replies });
  const answer = await rig.caller()(await rig.question(tenant, { fingerprint }), now(nowMs));
  if (answer.result !== 'answered') throw new Error(JSON.stringify(answer));
  await expect(
    rig.caller()(await rig.question(tenant, { fingerprint, purpose: 'implement' }), now(nowMs)),
  ).rejects.toThrow();
  const [, broken] = await rig.attempts(tenant);
  // A third is under way.
  await rig.pool.query(
    `insert into model_attempts (tenant, key, fingerprint, occurrence, budget, purpose, model, day, reserved_tokens, reserved_micro_usd, lease_until)
     select tenant, key, fingerprint, occurrence, budget, purpose, model, day, 777, 1, now() + interval '1 hour' from model_attempts
     where tenant = $1 order by id limit 1`,
    [tenant],
  );
  const used = answer.tokens + (broken?.tokens ?? 0);
  const budget = {
    tokensUsed: used,
    tokensHeld: 777,
    tokensLimit: 1_000_000,
    costUsd: (answer.costMicroUsd + (broken?.microUsd ?? 0)) / 1_000_000,
    resetsAt: new Date(nextUtcMidnight(nowMs)).toISOString(),
  };
  expect((await cli.run('status', tenant, '--json')).json()).toMatchObject({ budget });
  expect((await cli.run('why', fingerprint.slice(0, 12), '--json')).json()).toMatchObject({
    budget,
    findings: [
      {
        budget: {
          triage: { tokensUsed: answer.tokens + 777, tokensLimit: 50_000 },
          fix: { tokensUsed: broken?.tokens, tokensLimit: 200_000 },
        },
      },
    ],
  });
  const left = `${1_000_000 - used - 777} tokens left of 1000000`;
  expect((await cli.run('status', tenant)).stdout).toContain(left);
  expect((await cli.run('why', fingerprint.slice(0, 12))).stdout).toContain(
    `fix ${broken?.tokens} of 200000 tokens`,
  );
});

it('settings from before there was a model get what a new file gets (DUR-3)', async () => {
  const parsed = parseTenantFile(JSON.stringify(minimalFile), { fileName: 'old.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const old = { ...parsed.config, tenant: 'old' };
  await applyTenant(rig.pool, old, 'test', 0);
  await rig.pool.query(`update tenants set config = config - 'model' where tenant = 'old'`);
  const migration = await readFile('db/migrations/20261121120000_model.sql', 'utf8');
  const [update = ''] = /^update tenants[\s\S]*?;$/m.exec(migration) ?? [];
  await rig.pool.query(update);
  // What the model learned since then comes when it is read (LOOP-9).
  expect((await readTenant(rig.pool, 'old'))?.config).toEqual(old);
});

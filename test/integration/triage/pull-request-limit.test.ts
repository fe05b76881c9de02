// CI-12: at most 3 open pull requests of fixes per repository and 2 new ones per hour, at the door, where none can pass beside another.
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import * as z from 'zod';
import { createCiActivities } from '../../../src/activities/remedies/ci.ts';
import { createServices } from '../../../src/activities/services.ts';
import { createSecretResolver } from '../../../src/config/secrets.ts';
import type { CiActivities } from '../../../src/contract/activities.ts';
import type { EffectAnswer } from '../../../src/contract/effect.ts';
import { readOpenPullRequests } from '../../../src/integrations/github/read.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { applyChange } from '../../../src/store/findings.ts';
import {
  at,
  type DoorRig,
  effect,
  type GitHubRig,
  nowMs,
  openDoor,
  repository,
  startGitHubRig,
} from '../github/rig.ts';

const hourMs = 3_600_000;
let rig: GitHubRig;
let door: DoorRig;
beforeEach(async () => {
  rig = await startGitHubRig();
  door = await openDoor(rig);
});
afterEach(async () => {
  await door.stop();
  await rig.stop();
});

const fingerprintOf = (index: number): string => `${index}`.padStart(12, '0').padEnd(64, 'a');
const branchOf = (index: number): string => `untilgreen/ci-${fingerprintOf(index).slice(0, 12)}-1`;

async function branch(name: string): Promise<void> {
  await rig.forge.commitFiles({ ...at, branch: name, files: { [`${name}.txt`]: 'x' }, message: name });
}

async function finding(index: number): Promise<void> {
  const fingerprint = fingerprintOf(index);
  await applyChange(
    door.database.pool,
    'acme',
    {
      change: 'appear',
      fingerprint,
      occurrence: 1,
      workspace: 'shop',
      source: 'ciRuns',
      observed: {
        kind: 'ci',
        target: fingerprint,
        signature: '',
        ruleVersion: 1,
        severity: 'critical',
        title: `job ${index}`,
        detail: {
          kind: 'ci',
          repository,
          branch: 'main',
          runId: 1,
          runAttempt: 1,
          headSha: 'a'.repeat(40),
          workflowPath: '.github/workflows/ci.yml',
          workflowName: 'CI',
          job: `job ${index}`,
          jobId: index,
          step: null,
          stepNumber: null,
          url: '',
        },
      },
    },
    nowMs,
  );
}

async function open(index: number, atMs = nowMs, head = branchOf(index)): Promise<EffectAnswer> {
  const input = { head, base: 'main', title: `Fix ${index}`, body: 'x', labels: [], draft: true };
  const answer = await door.finish(
    effect('openPullRequest', input, {
      target: `${repository}@${head}`,
      precondition: head,
      step: 'pull-request-1',
      requester: `remedy/acme/ci/${index}`,
      fingerprint: fingerprintOf(index),
      occurrence: 1,
      nowMs: atMs,
    }),
  );
  if (answer.status === 'receipt')
    await door.database.pool.query(
      `update findings set memory = memory || jsonb_build_object('pullRequest', $3::int) where tenant = 'acme' and fingerprint = $1 and occurrence = $2`,
      [fingerprintOf(index), 1, answer.result.number],
    );
  return answer;
}

async function pulls(): Promise<number> {
  return (await readOpenPullRequests(rig.place)).length;
}

it('lets two of eight through that ask at the same time; the others wait until one leaves the hour', async () => {
  const all = [1, 2, 3, 4, 5, 6, 7, 8];
  for (const index of all) {
    await branch(branchOf(index));
    await finding(index);
  }
  const answers = await Promise.all(all.map((index) => open(index, nowMs + index)));
  expect(answers.filter(({ status }) => status === 'receipt')).toHaveLength(2);
  expect(await pulls()).toBe(2);
  const held = answers.filter((one) => one.status === 'hold');
  expect(held).toHaveLength(6);
  for (const one of held) {
    expect(one).toMatchObject({
      guard: 'cap',
      reason: '2 pull requests of fixes are new in the last hour, the limit is 2',
    });
    expect(one.untilMs).toBeGreaterThan(nowMs + hourMs);
    expect(one.untilMs).toBeLessThanOrEqual(nowMs + hourMs + 8);
  }
});

it('holds a fourth while three are open, whenever they were opened; the same one again has its receipt', async () => {
  for (const index of [1, 2, 3, 4]) {
    await branch(branchOf(index));
    await finding(index);
    // Long written: only what the findings remember counts.
    await door.database.pool.query(`update effects set settled_at = settled_at - interval '1 hour'`);
    const answer = await open(index, nowMs + index * hourMs);
    expect(answer.status).toBe(index < 4 ? 'receipt' : 'hold');
    if (answer.status === 'hold')
      expect(answer.reason).toBe('3 pull requests of fixes are open, the limit is 3');
  }
  await door.database.pool.query(
    `update findings set status = 'resolved', resolved_ms = $2 where tenant = 'acme' and fingerprint = $1`,
    [fingerprintOf(2), nowMs],
  );
  expect((await open(4, nowMs + 5 * hourMs)).status).toBe('receipt');
  expect((await open(4, nowMs + 6 * hourMs)).status).toBe('receipt');
  expect(await pulls()).toBe(4);
});

it('CI-8: the open pull request of a branch of the agent is known, whatever is remembered of it', async () => {
  const head = branchOf(1);
  await branch(head);
  await finding(1);
  const answer = await open(1);
  const number = answer.status === 'receipt' ? answer.result.number : null;
  const secrets = createSecretResolver({ env: { GITHUB_TOKEN: rig.token }, redactor: createRedactor() });
  const { pool } = door.database;
  const ci = createCiActivities(
    createServices({ pool, redactor: createRedactor(), secrets, cacheDir: 'none' }),
  );
  const ownBranch = (): ReturnType<CiActivities['ownBranch']> =>
    new MockActivityEnvironment().run(() =>
      ci.ownBranch({ tenant: 'acme', workspace: 'shop', branch: head }),
    );
  // Nobody knows who pushed it.
  expect(await ownBranch()).toMatchObject({ ours: false, pullRequest: null });
  await pool.query(
    `update effects set kind = 'pushBranch', result = jsonb_build_object('commitSha', $1::text) where kind = 'openPullRequest'`,
    [(await ownBranch()).sha],
  );
  expect(await ownBranch()).toMatchObject({ ours: true, pullRequest: number });
  await rig.github.write({
    route: 'PATCH /repos/{owner}/{repo}/pulls/{pull_number}',
    params: { ...at, pull_number: number, state: 'closed' },
    schema: z.unknown(),
    signal: rig.place.signal,
    assertMayWrite: () => {},
  });
  expect(await ownBranch()).toMatchObject({ ours: true, pullRequest: null });
});

it('does not count pull requests of drift, nor limits them', async () => {
  for (const index of [1, 2]) {
    await branch(branchOf(index));
    await finding(index);
    expect((await open(index)).status).toBe('receipt');
  }
  await branch('untilgreen/drift-production');
  expect((await open(9, nowMs, 'untilgreen/drift-production')).status).toBe('receipt');
});

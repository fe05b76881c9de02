// What tests of effects on GitHub share: a repository with the agent's token, the door over it, and things to write to.
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import * as z from 'zod';
import type { JournalWrite } from '../../../demo/forge/operations.ts';
import type { EffectAnswer, EffectRequest, Json } from '../../../src/contract/effect.ts';
import { readBranchSha, readPullRequestsFrom } from '../../../src/integrations/github/read.ts';
import { driftBranch } from '../../../src/policy/drift-branch.ts';
import { decideApproval } from '../../../src/store/approvals.ts';
import { approvalHash, effectDigest, effectKey } from '../../../src/store/claims.ts';
import { at, type DoorRig, type GitHubRig, nowMs, openDoor, patchOf, startGitHubRig } from './rig.ts';

export type WriteKind = JournalWrite['kind'];

/** Registers set-up and end with vitest; `rig` and `door` are there once a test runs. */
export function effectScene() {
  let rig: GitHubRig;
  let door: DoorRig;
  let minutes = 0;
  let branches = 0;
  beforeAll(async () => {
    rig = await startGitHubRig(`autonomy: { default: act }
limits: { mutatingPer5Min: 5, cooldowns: { rerunFailedJobs: 0m, mergePullRequest: 0m } }`);
    door = await openDoor(rig);
  });
  afterAll(async () => {
    await door.stop();
    await rig.stop();
  });
  beforeEach(async () => {
    await rig.forge.faults.clear();
    minutes += 10;
  });

  /** Each test has its own five minutes. */
  const later = (): { nowMs: number } => ({ nowMs: nowMs + minutes * 60_000 });
  async function send(
    token: string,
    route: string,
    params: { [name: string]: unknown },
  ): Promise<{ number?: number | undefined }> {
    return await rig.clientFor(token).write({
      route,
      params: { ...at, ...params },
      schema: z.object({ number: z.int().optional() }).catch({}),
      signal: rig.place.signal,
      assertMayWrite: () => {},
    });
  }
  const openIssue = async (body = ''): Promise<number> =>
    (await send(rig.token, 'POST /repos/{owner}/{repo}/issues', { title: 'by hand', body })).number ?? 0;
  async function pushed(prefix = 'untilgreen/ci-', exact?: string): Promise<{ branch: string; sha: string }> {
    branches += 1;
    const branch = exact ?? `${prefix}${branches}`;
    const { sha } = await rig.forge.commitFiles({
      ...at,
      branch,
      files: { [`f${branches}.txt`]: 'x' },
      message: 'x',
      login: 'untilgreen-agent',
    });
    return { branch, sha };
  }
  async function pullRequest(
    prefix?: string,
    draft = false,
    exact?: string,
  ): Promise<{ number: number; sha: string; branch: string }> {
    const { branch, sha } = await pushed(prefix, exact);
    const { number } = await send(rig.token, 'POST /repos/{owner}/{repo}/pulls', {
      head: branch,
      base: 'main',
      title: branch,
      draft,
    });
    return { number: number ?? 0, sha, branch };
  }
  /** From the branch of an environment's drift, in place of the one that was open. */
  async function driftPull(draft = false): Promise<{ number: number; sha: string; branch: string }> {
    const branch = driftBranch('shop', 'production');
    for (const pull of await readPullRequestsFrom(rig.place, branch)) {
      if (pull.state === 'open')
        await send(rig.token, 'PATCH /repos/{owner}/{repo}/pulls/{number}', {
          number: pull.number,
          state: 'closed',
        });
    }
    return pullRequest(undefined, draft, branch);
  }
  async function pushInput(more: { [name: string]: Json } = {}): Promise<{ [name: string]: Json }> {
    branches += 1;
    return {
      branch: `untilgreen/push-${branches}`,
      baseSha: (await readBranchSha(rig.place, 'main')) ?? '',
      expectedOldSha: null,
      patchEvidence: await door.savePatch(patchOf('a.txt', 'one\n', `two ${branches}\n`)),
      message: 'fix: two',
      author: { name: 'Untilgreen', email: 'agent@example.com' },
      dateIso: '2026-03-02T10:00:00Z',
      ...more,
    };
  }
  async function approve(request: EffectRequest): Promise<void> {
    const hash = approvalHash(effectKey(request), effectDigest(request));
    const decision = {
      tenant: 'acme',
      hash,
      decision: 'approve',
      by: 'maria',
      channel: 'github',
      reason: '',
      nowMs: request.nowMs,
    } as const;
    expect(await decideApproval(door.database.pool, decision)).toMatchObject({ result: 'decided' });
  }
  async function landed(kind: WriteKind, mark: number): Promise<number> {
    return (await rig.forge.journal.writes({ kind, after: mark })).length;
  }

  return {
    get rig() {
      return rig;
    },
    get door() {
      return door;
    },
    later,
    send,
    openIssue,
    pushed,
    pullRequest,
    driftPull,
    pushInput,
    approve,
    landed,
  };
}

/** What a promise comes to, thrown or not. */
export async function thrown(promise: Promise<EffectAnswer>): Promise<unknown> {
  return promise.then(
    (answer) => answer,
    (error: unknown) => error,
  );
}

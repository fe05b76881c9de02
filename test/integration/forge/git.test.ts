// The forge's git and pull requests, with real git and Octokit: clone, push, pull request, merge on a condition.
// Other tests rely on these answers being GitHub's own (statuses, fields, exactly-once journal).
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { git, tryGit } from '../../../demo/forge/git/bare.ts';
import { approveAndMergeVerified } from '../../../demo/forge/maintainer.ts';
import { AT, OWNER, REPO, type Rig, startRig, statusOf } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig({ 'README.md': '# shop\n', 'src/a.txt': 'one\ntwo\nthree\n' });
});

afterEach(async () => {
  const unexpected = await rig.forge.journal.unexpected();
  await rig.stop();
  expect(unexpected).toEqual([]);
});

async function pushFile(clone: string, branch: string, file: string, content: string): Promise<string> {
  await git(clone, ['checkout', '--quiet', '-B', branch, 'origin/main']);
  await writeFile(join(clone, file), content);
  await git(clone, ['add', '.']);
  await git(clone, ['commit', '--quiet', '-m', `Change ${file}`]);
  await git(clone, ['push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`]);
  return await git(clone, ['rev-parse', 'HEAD']);
}

describe('pushes', () => {
  it('are seen by REST at once and journalled with old and new SHA', async () => {
    const clone = await rig.clone('clone');
    const sha = await pushFile(clone, 'fix/ci', 'src/a.txt', 'one\n2\nthree\n');
    const branch = await rig.agent.rest.repos.getBranch({ ...AT, branch: 'fix/ci' });
    const ref = await rig.agent.rest.git.getRef({ ...AT, ref: 'heads/fix/ci' });
    const commit = await rig.agent.rest.repos.getCommit({ ...AT, ref: sha });
    const writes = await rig.forge.journal.writes({ kind: 'refUpdated', actor: 'untilgreen-agent' });
    expect(branch.data.commit.sha).toBe(sha);
    expect(ref.data.object.sha).toBe(sha);
    expect(commit.data.files).toMatchObject([
      { filename: 'src/a.txt', additions: 1, deletions: 1, status: 'modified' },
    ]);
    expect(writes).toMatchObject([
      { ref: 'refs/heads/fix/ci', oldSha: '0'.repeat(40), newSha: sha, via: 'git' },
    ]);
  });

  it('with a lease on an old SHA are refused by git and not journalled', async () => {
    const clone = await rig.clone('clone');
    const first = await pushFile(clone, 'fix', 'b.txt', 'b\n');
    const other = await rig.clone('other');
    await git(clone, ['commit', '--quiet', '--amend', '-m', 'Another']);
    await git(clone, ['push', '--quiet', '--force', 'origin', 'HEAD:refs/heads/fix']);
    const mark = await rig.forge.journal.mark();
    await git(other, ['commit', '--quiet', '--allow-empty', '-m', 'late']);
    const refused = await tryGit(other, [
      'push',
      `--force-with-lease=refs/heads/fix:${first}`,
      'origin',
      'HEAD:refs/heads/fix',
    ]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('stale info');
    expect(await rig.forge.journal.writes({ after: mark })).toEqual([]);
  });

  it.each([
    { kind: 'badGatewayAfter', beforeTheAnswer: true },
    { kind: 'badGatewayLate', beforeTheAnswer: false },
  ] as const)('answered 502 ($kind) land exactly once', async ({ kind, beforeTheAnswer }) => {
    const clone = await rig.clone('clone');
    await git(clone, ['commit', '--quiet', '--allow-empty', '-m', 'empty']);
    const sha = await git(clone, ['rev-parse', 'HEAD']);
    await rig.forge.faults.add({
      kind,
      match: { pathPattern: 'git-receive-pack$', method: 'POST' },
      delayMs: 500,
    });
    const landed = () => rig.forge.journal.writes({ kind: 'refUpdated', actor: 'untilgreen-agent' });
    expect((await tryGit(clone, ['push', 'origin', 'HEAD:refs/heads/late'])).code).not.toBe(0);
    await vi.waitFor(async () => expect(await landed()).toMatchObject([{ newSha: sha }]), {
      timeout: 10_000,
    });
    const [answered] = (await rig.forge.journal.requests()).filter(({ status }) => status === 502);
    const [write] = await landed();
    expect((write?.seq ?? 0) < (answered?.seq ?? 0)).toBe(beforeTheAnswer);
    expect((await rig.agent.rest.git.getRef({ ...AT, ref: 'heads/late' })).data.object.sha).toBe(sha);
    expect((await tryGit(clone, ['push', 'origin', 'HEAD:refs/heads/late'])).code).toBe(0);
    expect(await landed()).toHaveLength(1);
  });

  it('need a token with write permission', async () => {
    const clone = await rig.clone('clone');
    const stranger = await rig.forge.createUser({ login: 'stranger', permission: 'read' });
    const urlWith = (token: string): string => rig.forge.gitUrl(OWNER, REPO).replace('//', `//x:${token}@`);
    await git(clone, ['commit', '--quiet', '--allow-empty', '-m', 'empty']);
    for (const url of [rig.forge.gitUrl(OWNER, REPO), urlWith('wrong'), urlWith(stranger.token)]) {
      expect((await tryGit(clone, ['push', url, 'HEAD:refs/heads/x'])).code).not.toBe(0);
    }
    expect((await tryGit(clone, ['fetch', '--quiet', rig.forge.gitUrl(OWNER, REPO)])).code).toBe(0);
  });
});

describe('refs by REST', () => {
  it('answer 422 when they exist, are no fast forward, or do not exist', async () => {
    const { sha } = await rig.forge.commitFiles({
      ...AT,
      branch: 'side',
      files: { 'x.txt': 'x' },
      message: 'x',
    });
    const main = (await rig.agent.rest.git.getRef({ ...AT, ref: 'heads/main' })).data.object.sha;
    const create = () => rig.agent.rest.git.createRef({ ...AT, ref: 'refs/heads/new', sha: main });
    expect((await create()).status).toBe(201);
    expect(await statusOf(create())).toBe(422);
    const update = (to: string) => rig.agent.rest.git.updateRef({ ...AT, ref: 'heads/new', sha: to });
    expect((await update(sha)).data.object.sha).toBe(sha);
    expect(await statusOf(update(main))).toBe(422);
    expect((await rig.agent.rest.git.deleteRef({ ...AT, ref: 'heads/new' })).status).toBe(204);
    expect(await statusOf(update(sha))).toBe(422);
    expect(await statusOf(rig.stranger.rest.git.createRef({ ...AT, ref: 'refs/heads/no', sha: main }))).toBe(
      403,
    );
  });

  it('give contents in base64 and raw, and a comparison', async () => {
    await rig.forge.commitFiles({
      ...AT,
      branch: 'side',
      files: { 'ä b.txt': 'größe\n', 'src/a.txt': null },
      message: 'x',
    });
    const file = await rig.agent.rest.repos.getContent({ ...AT, path: 'ä b.txt', ref: 'side' });
    const raw = await rig.agent.rest.repos.getContent({
      ...AT,
      path: 'ä b.txt',
      ref: 'side',
      mediaType: { format: 'raw' },
    });
    const root = await rig.agent.rest.repos.getContent({ ...AT, path: '' });
    const compared = await rig.agent.rest.repos.compareCommitsWithBasehead({
      ...AT,
      basehead: 'main...side',
    });
    const content = 'content' in file.data ? Buffer.from(file.data.content ?? '', 'base64').toString() : null;
    expect(content).toBe('größe\n');
    expect(raw.data).toBe('größe\n');
    expect(root.data).toMatchObject([
      { name: 'README.md', type: 'file' },
      { name: 'src', type: 'dir' },
    ]);
    expect(compared.data).toMatchObject({ status: 'ahead', ahead_by: 1, behind_by: 0 });
    expect(compared.data.files?.map(({ filename, status }) => [filename, status])).toEqual([
      ['src/a.txt', 'removed'],
      ['ä b.txt', 'added'],
    ]);
    expect(await statusOf(rig.agent.rest.repos.getContent({ ...AT, path: 'none.txt' }))).toBe(404);
  });
});

describe('pull requests', () => {
  it('are created once, follow pushes, merge on the expected head only', async () => {
    const clone = await rig.clone('clone');
    const first = await pushFile(clone, 'fix/ci', 'src/a.txt', 'one\n2\nthree\n');
    const body = '## Evidence\n\nyes <!-- untilgreen:finding=1 -->';
    const create = () =>
      rig.agent.rest.pulls.create({ ...AT, head: 'fix/ci', base: 'main', title: 'Fix', body });
    const { data: pull } = await create();
    expect(pull).toMatchObject({
      draft: false,
      merged: false,
      mergeable: true,
      head: { sha: first, ref: 'fix/ci' },
    });
    expect(await statusOf(create())).toBe(422);
    const listed = await rig.agent.rest.pulls.list({ ...AT, head: `${OWNER}:fix/ci`, state: 'all' });
    expect(listed.data.map(({ number }) => number)).toEqual([pull.number]);
    expect((await rig.agent.rest.pulls.list({ ...AT, head: `${OWNER}:other` })).data).toEqual([]);

    await git(clone, ['commit', '--quiet', '--allow-empty', '-m', 'more']);
    await git(clone, ['push', '--quiet', 'origin', 'HEAD:refs/heads/fix/ci']);
    const second = await git(clone, ['rev-parse', 'HEAD']);
    const at = { ...AT, pull_number: pull.number };
    expect((await rig.agent.rest.pulls.get(at)).data.head.sha).toBe(second);
    expect(await statusOf(rig.agent.rest.pulls.merge({ ...at, sha: first }))).toBe(409);
    expect(await rig.forge.journal.writes({ kind: 'pullMerged' })).toEqual([]);

    const { data: merge } = await rig.agent.rest.pulls.merge({ ...at, sha: second });
    expect(await statusOf(rig.agent.rest.pulls.merge({ ...at, sha: second }))).toBe(405);
    const after = await rig.agent.rest.pulls.get(at);
    const parents = await git(rig.forge.repositoryPath(OWNER, REPO), [
      'rev-parse',
      'main',
      'main^1',
      'main^2',
    ]);
    expect(parents.split('\n')).toEqual([merge.sha, pull.base.sha, second]);
    expect(after.data).toMatchObject({ state: 'closed', merged: true, merge_commit_sha: merge.sha });
    expect(await rig.forge.journal.writes({ kind: 'pullMerged' })).toMatchObject([
      { number: pull.number, newSha: merge.sha },
    ]);
    const created = await rig.forge.journal.writes({ kind: 'pullCreated' });
    expect(created).toMatchObject([{ marker: 'untilgreen:finding=1', actor: 'untilgreen-agent' }]);
  });

  it('answer 405 for a conflict and for a draft, and close when the branch goes', async () => {
    await rig.forge.commitFiles({ ...AT, branch: 'left', files: { 'src/a.txt': 'left\n' }, message: 'left' });
    await rig.forge.commitFiles({ ...AT, branch: 'right', files: { 'new.txt': 'new\n' }, message: 'right' });
    const left = await rig.agent.rest.pulls.create({ ...AT, head: 'left', base: 'main', title: 'left' });
    const right = await rig.agent.rest.pulls.create({
      ...AT,
      head: 'right',
      base: 'main',
      title: 'right',
      draft: true,
    });
    await rig.forge.commitFiles({ ...AT, files: { 'src/a.txt': 'main\n' }, message: 'main' });
    const conflict = await rig.agent.rest.pulls.get({ ...AT, pull_number: left.data.number });
    expect(conflict.data).toMatchObject({ mergeable: false, mergeable_state: 'dirty' });
    for (const { data } of [left, right]) {
      expect(await statusOf(rig.agent.rest.pulls.merge({ ...AT, pull_number: data.number }))).toBe(405);
    }
    await rig.agent.rest.git.deleteRef({ ...AT, ref: 'heads/left' });
    expect((await rig.agent.rest.pulls.get({ ...AT, pull_number: left.data.number })).data.state).toBe(
      'closed',
    );
  });

  it('are merged by the maintainer only with label and evidence, drafts too', async () => {
    const open = async (head: string, body: string, labels: string[]): Promise<number> => {
      await rig.forge.commitFiles({ ...AT, branch: head, files: { [head]: head }, message: head });
      const { data } = await rig.agent.rest.pulls.create({
        ...AT,
        head,
        base: 'main',
        title: head,
        body,
        draft: true,
      });
      if (labels.length > 0)
        await rig.agent.rest.issues.addLabels({ ...AT, issue_number: data.number, labels });
      return data.number;
    };
    const good = await open('good', '## Evidence\nfails before, passes after', ['untilgreen']);
    await open('unlabelled', '## Evidence', []);
    await open('unproven', 'trust me: Evidence', ['untilgreen']);
    const merged = await new Promise<number>((resolve) => {
      const maintainer = approveAndMergeVerified({
        url: rig.forge.url,
        token: rig.maintainerToken,
        ...AT,
        label: 'untilgreen',
        evidenceHeading: 'Evidence',
        intervalMs: 20,
        onMerge: ({ number }) => void maintainer.stop().then(() => resolve(number)),
      });
    });
    expect(merged).toBe(good);
    const pulls = await rig.agent.rest.pulls.list({ ...AT, state: 'open' });
    expect(pulls.data.map(({ title }) => title)).toEqual(['unproven', 'unlabelled']);
    const reviews = await rig.agent.rest.pulls.listReviews({ ...AT, pull_number: good });
    expect(reviews.data).toMatchObject([{ state: 'APPROVED', user: { login: 'maria' } }]);
  });
});

// REST: commits, comparison and contents, straight from the bare repository; check runs out of the runs of a commit.
import { jobsAsOf } from '../ci/runs.ts';
import { git, readChanges, readCommits, resolveCommit, tryGit } from '../git/bare.ts';
import {
  ApiError,
  type Call,
  type ForgeResponse,
  json,
  page,
  param,
  type Route,
  route,
} from '../http/route.ts';
import { commitJson, fileJson, jobJson, webUrl } from '../shapes.ts';
import type { Repository } from '../state.ts';
import { repositoryOf } from './repositories.ts';

async function commitOf(repository: Repository, name: string): Promise<string> {
  const sha = await resolveCommit(repository.path, name);
  if (sha === null) throw new ApiError(404, 'Not Found');
  return sha;
}

function wantsRaw(call: Call): boolean {
  return /application\/vnd\.github(\.v3)?\.raw/.test(call.request.headers.accept ?? '');
}

async function contents(call: Call): Promise<ForgeResponse> {
  const repository = repositoryOf(call);
  const path = (call.params.path ?? '').replace(/^\/+|\/+$/g, '');
  const ref = call.request.query.get('ref') ?? repository.defaultBranch;
  const sha = await resolveCommit(repository.path, ref);
  if (sha === null) throw new ApiError(404, `No commit found for the ref ${ref}`);
  const type = await tryGit(repository.path, ['cat-file', '-t', `${sha}:${path}`]);
  if (type.code !== 0) throw new ApiError(404, 'Not Found');
  const isTree = type.stdout.toString('utf8').trim() === 'tree';
  const base = `${call.state.url}/repos/${repository.fullName}`;
  const entry = (file: string, kind: string, blob: string, size: number): Record<string, unknown> => ({
    type: kind,
    name: file.split('/').at(-1) ?? file,
    path: file,
    sha: blob,
    size,
    url: `${base}/contents/${file}?ref=${ref}`,
    git_url: `${base}/git/blobs/${blob}`,
    html_url: `${webUrl(call.state, repository)}/blob/${ref}/${file}`,
    download_url: null,
  });
  if (isTree) {
    const listing = await git(repository.path, [
      'ls-tree',
      '-z',
      '--long',
      '--full-tree',
      sha,
      '--',
      ...(path === '' ? [] : [`${path}/`]),
    ]);
    const entries = listing.split('\0').flatMap((line) => {
      const match = /^\d+ (\w+) ([0-9a-f]+) +(\d+|-)\t(.*)$/s.exec(line);
      if (match === null) return [];
      const kind = match[1] === 'tree' ? 'dir' : match[1] === 'commit' ? 'submodule' : 'file';
      return [entry(match[4] ?? '', kind, match[2] ?? '', Number(match[3]) || 0)];
    });
    return json(entries);
  }
  const blob = await tryGit(repository.path, ['cat-file', 'blob', `${sha}:${path}`]);
  if (wantsRaw(call)) {
    return {
      status: 200,
      headers: { 'content-type': 'application/vnd.github.raw; charset=utf-8' },
      body: blob.stdout,
    };
  }
  const id = await git(repository.path, ['rev-parse', `${sha}:${path}`]);
  const content = blob.stdout.toString('base64').replace(/(.{60})/g, '$1\n');
  return json({ ...entry(path, 'file', id, blob.stdout.length), encoding: 'base64', content });
}

export const commitRoutes: readonly Route[] = [
  route('GET', '/repos/:owner/:repo/commits', async (call) => {
    const repository = repositoryOf(call);
    const { query } = call.request;
    const sha = await commitOf(repository, query.get('sha') ?? repository.defaultBranch);
    const path = query.get('path');
    const log = await git(repository.path, ['rev-list', sha, '--', ...(path === null ? [] : [path])]);
    const { items, headers } = page(call, log.split('\n').filter(Boolean));
    const commits =
      items.length === 0 ? [] : await readCommits(repository.path, ['--no-walk=unsorted', ...items]);
    return json(
      commits.map((commit) => commitJson(call.state, repository, commit)),
      200,
      headers,
    );
  }),
  route('GET', '/repos/:owner/:repo/commits/:ref/check-runs', async (call) => {
    const repository = repositoryOf(call);
    const sha = await commitOf(repository, param(call, 'ref'));
    const jobs = call.state.ci
      .runs(repository)
      .filter((run) => run.sha === sha)
      .flatMap((run) =>
        jobsAsOf(run).map((job) => ({ ...jobJson(call.state, run, job), app: { slug: 'github-actions' } })),
      );
    const { items, headers } = page(call, jobs);
    return json({ total_count: jobs.length, check_runs: items }, 200, headers);
  }),
  route('GET', '/repos/:owner/:repo/commits/*ref', async (call) => {
    const repository = repositoryOf(call);
    const sha = await resolveCommit(repository.path, param(call, 'ref'));
    const commit = sha === null ? undefined : (await readCommits(repository.path, ['-1', sha]))[0];
    if (sha === null || commit === undefined)
      throw new ApiError(422, `No commit found for SHA: ${param(call, 'ref')}`);
    const changes = await readChanges(repository.path, commit.parents[0] ?? null, sha);
    const additions = changes.reduce((sum, change) => sum + change.additions, 0);
    const deletions = changes.reduce((sum, change) => sum + change.deletions, 0);
    return json({
      ...commitJson(call.state, repository, commit),
      stats: { total: additions + deletions, additions, deletions },
      files: changes.map((change) => fileJson(call.state, repository, sha, change)),
    });
  }),
  route('GET', '/repos/:owner/:repo/compare/*basehead', async (call) => {
    const repository = repositoryOf(call);
    const [baseName, headName] = param(call, 'basehead').split('...');
    const side = (name: string | undefined): Promise<string> =>
      commitOf(repository, (name ?? '').replace(`${repository.owner}:`, ''));
    const base = await side(baseName);
    const head = await side(headName);
    const merge = await tryGit(repository.path, ['merge-base', base, head]);
    if (merge.code !== 0) throw new ApiError(404, `No common ancestor between ${baseName} and ${headName}.`);
    const mergeBase = merge.stdout.toString('utf8').trim();
    const ahead = await readCommits(repository.path, ['--reverse', `${base}..${head}`]);
    const behind = Number(await git(repository.path, ['rev-list', '--count', `${head}..${base}`]));
    const changes = await readChanges(repository.path, mergeBase, head);
    const one = async (sha: string): Promise<unknown> => {
      const commit = (await readCommits(repository.path, ['-1', sha]))[0];
      return commit === undefined ? null : commitJson(call.state, repository, commit);
    };
    const direction =
      ahead.length === 0 ? (behind === 0 ? 'identical' : 'behind') : behind === 0 ? 'ahead' : 'diverged';
    return json({
      status: direction,
      ahead_by: ahead.length,
      behind_by: behind,
      total_commits: ahead.length,
      html_url: `${webUrl(call.state, repository)}/compare/${baseName}...${headName}`,
      base_commit: await one(base),
      merge_base_commit: await one(mergeBase),
      commits: ahead.map((commit) => commitJson(call.state, repository, commit)),
      files: changes.map((change) => fileJson(call.state, repository, head, change)),
    });
  }),
  route('GET', '/repos/:owner/:repo/git/commits/:sha', async (call) => {
    const repository = repositoryOf(call);
    const sha = await commitOf(repository, param(call, 'sha'));
    const commit = (await readCommits(repository.path, ['-1', sha]))[0];
    if (commit === undefined) throw new ApiError(404, 'Not Found');
    const { author, committer, message, tree } = commit;
    return json({
      sha,
      author,
      committer,
      message,
      tree: { sha: tree },
      parents: commit.parents.map((parent) => ({ sha: parent })),
    });
  }),
  route('GET', '/repos/:owner/:repo/contents/?', contents),
  route('GET', '/repos/:owner/:repo/contents/*path', contents),
];

// REST: branches and git refs, straight from the bare repository.
import { isAncestor, listRefs, readCommits, resolveCommit, ZERO_SHA } from '../git/bare.ts';
import { moveBranch } from '../git/updates.ts';
import {
  ApiError,
  bodyOf,
  type Call,
  empty,
  json,
  page,
  param,
  type Route,
  requiredText,
  route,
} from '../http/route.ts';
import { commitJson } from '../shapes.ts';
import { type Repository, requireWrite } from '../state.ts';
import { repositoryOf } from './repositories.ts';

function refJson(call: Call, repository: Repository, ref: string, sha: string): Record<string, unknown> {
  const url = `${call.state.url}/repos/${repository.fullName}/git`;
  return {
    ref,
    node_id: `REF_${ref}`,
    url: `${url}/${ref}`,
    object: { type: 'commit', sha, url: `${url}/commits/${sha}` },
  };
}

async function refOf(call: Call, repository: Repository): Promise<{ ref: string; sha: string } | null> {
  const ref = `refs/${param(call, 'ref')}`;
  const sha = (await listRefs(repository.path)).get(ref);
  return sha === undefined ? null : { ref, sha };
}

async function commitNamed(repository: Repository, sha: string): Promise<string> {
  const found = /^[0-9a-f]{40}$/.test(sha) ? await resolveCommit(repository.path, sha) : null;
  if (found === null) throw new ApiError(422, 'Object does not exist');
  return found;
}

export const refRoutes: readonly Route[] = [
  route('GET', '/repos/:owner/:repo/branches', async (call) => {
    const repository = repositoryOf(call);
    const { items, headers } = page(call, [...(await listRefs(repository.path, 'refs/heads/'))]);
    const url = `${call.state.url}/repos/${repository.fullName}/commits`;
    return json(
      items.map(([ref, sha]) => ({
        name: ref.slice('refs/heads/'.length),
        commit: { sha, url: `${url}/${sha}` },
        protected: false,
      })),
      200,
      headers,
    );
  }),
  route('GET', '/repos/:owner/:repo/branches/*branch', async (call) => {
    const repository = repositoryOf(call);
    const name = param(call, 'branch');
    const sha = (await listRefs(repository.path, 'refs/heads/')).get(`refs/heads/${name}`);
    const commit = sha === undefined ? undefined : (await readCommits(repository.path, ['-1', sha]))[0];
    if (commit === undefined) throw new ApiError(404, 'Branch not found');
    return json({ name, commit: commitJson(call.state, repository, commit), protected: false });
  }),
  route('GET', '/repos/:owner/:repo/git/ref/*ref', async (call) => {
    const repository = repositoryOf(call);
    const found = await refOf(call, repository);
    if (found === null) throw new ApiError(404, 'Not Found');
    return json(refJson(call, repository, found.ref, found.sha));
  }),
  route('GET', '/repos/:owner/:repo/git/matching-refs/*ref', async (call) => {
    const repository = repositoryOf(call);
    const prefix = `refs/${param(call, 'ref')}`;
    const matching = [...(await listRefs(repository.path))].filter(([ref]) => ref.startsWith(prefix));
    return json(matching.map(([ref, sha]) => refJson(call, repository, ref, sha)));
  }),
  route('POST', '/repos/:owner/:repo/git/refs', async (call) => {
    const repository = repositoryOf(call);
    requireWrite(repository, call.actor);
    const body = bodyOf(call);
    const ref = requiredText(body, 'Reference', 'ref');
    if (!/^refs\/(heads|tags)\/./.test(ref))
      throw new ApiError(422, `Reference name must start with 'refs/'.`);
    const newSha = await commitNamed(repository, requiredText(body, 'Reference', 'sha'));
    const by = { actor: call.actor, via: 'rest' } as const;
    if (!(await moveBranch(call.state, repository, by, { ref, oldSha: ZERO_SHA, newSha }))) {
      throw new ApiError(422, 'Reference already exists');
    }
    return json(refJson(call, repository, ref, newSha), 201);
  }),
  route('PATCH', '/repos/:owner/:repo/git/refs/*ref', async (call) => {
    const repository = repositoryOf(call);
    requireWrite(repository, call.actor);
    const body = bodyOf(call);
    const found = await refOf(call, repository);
    if (found === null) throw new ApiError(422, 'Reference does not exist');
    const newSha = await commitNamed(repository, requiredText(body, 'Reference', 'sha'));
    if (body.force !== true && !(await isAncestor(repository.path, found.sha, newSha))) {
      throw new ApiError(422, 'Update is not a fast forward');
    }
    const by = { actor: call.actor, via: 'rest' } as const;
    if (!(await moveBranch(call.state, repository, by, { ref: found.ref, oldSha: found.sha, newSha }))) {
      throw new ApiError(409, 'Reference was updated meanwhile');
    }
    return json(refJson(call, repository, found.ref, newSha));
  }),
  route('DELETE', '/repos/:owner/:repo/git/refs/*ref', async (call) => {
    const repository = repositoryOf(call);
    requireWrite(repository, call.actor);
    const found = await refOf(call, repository);
    if (found === null) throw new ApiError(422, 'Reference does not exist');
    if (found.ref === `refs/heads/${repository.defaultBranch}`)
      throw new ApiError(422, 'Cannot delete the default branch');
    const by = { actor: call.actor, via: 'rest' } as const;
    await moveBranch(call.state, repository, by, { ref: found.ref, oldSha: found.sha, newSha: ZERO_SHA });
    return empty(204);
  }),
];

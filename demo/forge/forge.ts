// A GitHub on one loopback address for tests and the demo: REST, git over HTTP, workflows that really run,
// a journal of what landed, and faults on order. State is in memory; only repositories, logs and checkouts are on disk.
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createCiEngine } from './ci/engine.ts';
import { runInfo } from './ci/runs.ts';
import {
  createBare,
  listRefs,
  moveRef,
  resolveCommit,
  tryGit,
  writeCommit,
  writeTree,
  ZERO_SHA,
} from './git/bare.ts';
import { changeRefs } from './git/updates.ts';
import { createFaultBox } from './http/faults.ts';
import { createJournal } from './http/journal.ts';
import { createRateLimit } from './http/rate-limit.ts';
import { ApiError } from './http/route.ts';
import { startServer } from './http/server.ts';
import type { ForgeOperations, RepositoryInfo, RepositorySpec } from './operations.ts';
import { addUser, type ForgeState, findRepository, oneAtATime, type Repository, takeId } from './state.ts';

export interface Forge extends ForgeOperations {
  /** REST base for Octokit, root of the host, without a slash at the end. */
  readonly url: string;
  gitUrl(owner: string, repo: string): string;
  webUrl(owner: string, repo: string): string;
  /** The bare repository on disk. */
  repositoryPath(owner: string, repo: string): string;
  /** Kills running workflow steps, ends all connections. */
  stop(): Promise<void>;
}

export interface ForgeOptions {
  /** Directory for repositories, logs and checkouts; made if missing. */
  readonly dataDir: string;
  /** Default: any free port. */
  readonly port?: number;
  /** Milliseconds since 1970; default the machine's clock. */
  readonly clock?: () => number;
  /** Path of an `act` (see `ci/act/program.ts`) that executes jobs; default: a runner of the forge's own. */
  readonly act?: string;
}

/** Starts a forge. Throws when the port is taken. */
export async function startForge(options: ForgeOptions): Promise<Forge> {
  let offsetMs = 0;
  const clock = options.clock ?? Date.now;
  const now = (): number => clock() + offsetMs;
  const dataDir = resolve(options.dataDir);
  await mkdir(join(dataDir, 'logs'), { recursive: true });
  const state: ForgeState = {
    dataDir,
    now,
    act: options.act ?? null,
    users: new Map(),
    tokens: new Map(),
    repositories: new Map(),
    journal: createJournal(now),
    faults: createFaultBox(),
    rate: createRateLimit(now),
    ci: undefined as never,
    url: '',
    nextId: 1000,
  };
  state.ci = createCiEngine(state);
  const operations = createOperations(state, (ms) => {
    offsetMs += ms;
  });
  const server = await startServer(state, operations, options.port ?? 0);
  state.url = server.url;
  return {
    ...operations,
    url: state.url,
    gitUrl: (owner, repo) => `${state.url}/${owner}/${repo}.git`,
    webUrl: (owner, repo) => `${state.url}/${owner}/${repo}`,
    repositoryPath: (owner, repo) => findRepository(state, owner, repo).path,
    stop: async () => {
      await Promise.all([server.stop(), state.ci.stop()]);
    },
  };
}

function createOperations(state: ForgeState, advance: (ms: number) => void): ForgeOperations {
  const { journal, faults, ci } = state;
  return {
    createRepository: (spec) => createRepository(state, spec),
    createUser: async (spec) => {
      const { user, token } = addUser(state, spec);
      return { login: user.login, id: user.id, token };
    },
    setPermission: async ({ owner, repo, login, permission }) => {
      if (!state.users.has(login)) throw new ApiError(422, `No user "${login}": create it first`);
      findRepository(state, owner, repo).permissions.set(login, permission);
    },
    commitFiles: (spec) => commitFiles(state, spec),
    readFile: async ({ owner, repo, ref, path }) => {
      const repository = findRepository(state, owner, repo);
      const sha = await resolveCommit(repository.path, ref ?? repository.defaultBranch);
      const blob =
        sha === null ? null : await tryGit(repository.path, ['cat-file', 'blob', `${sha}:${path}`]);
      return blob === null || blob.code !== 0 ? null : blob.stdout.toString('utf8');
    },
    advanceClock: async ({ ms }) => advance(ms),
    setRateLimit: async (change) => state.rate.set(change),
    journal: {
      requests: async (filter) => journal.requests(filter),
      counted: async (filter) =>
        journal.requests({ ...filter, method: 'GET' }).filter(({ counted }) => counted),
      unexpected: async () => journal.requests().filter(({ unexpected }) => unexpected),
      writes: async (filter) => journal.writes(filter),
      mark: async () => journal.mark(),
    },
    faults: {
      add: async (spec) => ({ id: faults.add(spec) }),
      list: async () => faults.list(),
      clear: async () => faults.clear(),
    },
    actions: {
      createRun: async (spec) => runInfo(await ci.createRun(spec)),
      setRun: async (patch) => runInfo(ci.setRun(patch)),
      runs: async ({ owner, repo }) => ci.runs(findRepository(state, owner, repo)).map(runInfo),
      failJob: async (failure) => ci.failJob(failure),
      waitIdle: () => ci.waitIdle(),
    },
  };
}

async function createRepository(state: ForgeState, spec: RepositorySpec): Promise<RepositoryInfo> {
  const fullName = `${spec.owner}/${spec.name}`;
  if (!/^[\w.-]+\/[\w.-]+$/.test(fullName)) throw new ApiError(422, `"${fullName}" is no repository name`);
  if (state.repositories.has(fullName.toLowerCase()))
    throw new ApiError(422, `Repository ${fullName} exists already`);
  const owner = state.users.get(spec.owner) ?? addUser(state, { login: spec.owner, permission: 'read' }).user;
  const defaultBranch = spec.defaultBranch ?? 'main';
  const path = join(state.dataDir, 'git', spec.owner, `${spec.name}.git`);
  await mkdir(join(state.dataDir, 'git', spec.owner), { recursive: true });
  await createBare(path, defaultBranch);
  const repository: Repository = {
    id: takeId(state),
    owner: spec.owner,
    name: spec.name,
    fullName,
    defaultBranch,
    path,
    createdAt: state.now(),
    ci: spec.ci ?? true,
    permissions: new Map(),
    labels: new Map(),
    issues: new Map(),
    comments: new Map(),
    reviews: [],
    exclusively: oneAtATime(),
  };
  state.repositories.set(fullName.toLowerCase(), repository);
  const tree = await writeTree(path, null, spec.files, spec.executable);
  const commit = { tree, parents: [], message: 'Initial commit\n', login: owner.login, timeMs: state.now() };
  const headSha = await writeCommit(path, commit);
  await changeRefs(state, repository, { actor: owner, via: 'setup' }, () =>
    moveRef(path, `refs/heads/${defaultBranch}`, headSha, ZERO_SHA),
  );
  const webUrl = `${state.url}/${fullName}`;
  return { owner: spec.owner, name: spec.name, gitUrl: `${webUrl}.git`, webUrl, path, headSha };
}

async function commitFiles(
  state: ForgeState,
  spec: Parameters<ForgeOperations['commitFiles']>[0],
): Promise<{ sha: string }> {
  const repository = findRepository(state, spec.owner, spec.repo);
  const login = spec.login ?? repository.owner;
  const actor = state.users.get(login);
  if (actor === undefined) throw new ApiError(422, `No user "${login}": create it first`);
  return await changeRefs(state, repository, { actor, via: 'setup' }, async () => {
    const ref = `refs/heads/${spec.branch ?? repository.defaultBranch}`;
    const refs = await listRefs(repository.path, 'refs/heads/');
    const parent = refs.get(ref) ?? refs.get(`refs/heads/${repository.defaultBranch}`);
    if (parent === undefined) throw new ApiError(422, `${repository.fullName} has no commits`);
    const sha = await writeCommit(repository.path, {
      tree: await writeTree(repository.path, parent, spec.files),
      parents: [parent],
      message: `${spec.message}\n`,
      login,
      timeMs: state.now(),
    });
    await moveRef(repository.path, ref, sha, refs.get(ref) ?? ZERO_SHA);
    return { sha };
  });
}

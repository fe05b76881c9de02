// What the forge's own tests share: a forge with a small repository, its three users, Octokit and a clone.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Octokit } from '@octokit/rest';
import { type Forge, startForge } from '../../../demo/forge/forge.ts';
import { git } from '../../../demo/forge/git/bare.ts';

export const OWNER = 'acme';
export const REPO = 'shop';
export const AT = { owner: OWNER, repo: REPO } as const;

export interface Rig {
  readonly forge: Forge;
  readonly directory: string;
  readonly agent: Octokit;
  readonly agentToken: string;
  readonly maintainer: Octokit;
  readonly maintainerToken: string;
  readonly stranger: Octokit;
  /** Clones as the agent into a new directory. */
  clone(name: string): Promise<string>;
  stop(): Promise<void>;
}

export function octokitFor(url: string, token: string): Octokit {
  const silent = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  };
  return new Octokit({ baseUrl: url, auth: token, log: silent });
}

export async function startRig(
  files: Readonly<Record<string, string>>,
  options: { ci?: boolean; clock?: () => number; act?: string } = {},
): Promise<Rig> {
  const directory = await mkdtemp(join(tmpdir(), 'forge-test-'));
  const forge = await startForge({
    dataDir: join(directory, 'data'),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.act === undefined ? {} : { act: options.act }),
  });
  const agent = await forge.createUser({ login: 'untilgreen-agent', permission: 'write' });
  const maintainer = await forge.createUser({ login: 'maria', permission: 'admin' });
  const stranger = await forge.createUser({ login: 'stranger', permission: 'read' });
  await forge.createRepository({ owner: OWNER, name: REPO, files, ci: options.ci ?? false });
  return {
    forge,
    directory,
    agent: octokitFor(forge.url, agent.token),
    agentToken: agent.token,
    maintainer: octokitFor(forge.url, maintainer.token),
    maintainerToken: maintainer.token,
    stranger: octokitFor(forge.url, stranger.token),
    clone: async (name) => {
      const path = join(directory, name);
      const url = forge.gitUrl(OWNER, REPO).replace('//', `//x-access-token:${agent.token}@`);
      await git(directory, ['clone', '--quiet', url, path]);
      await git(path, ['config', 'user.name', 'Agent']);
      await git(path, ['config', 'user.email', 'agent@example.com']);
      return path;
    },
    stop: async () => {
      await forge.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The HTTP status that a promise is refused with; 0 where it is kept. */
export async function statusOf(promise: Promise<unknown>): Promise<number> {
  try {
    await promise;
    return 0;
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'status' in error) return Number(error.status);
    throw error;
  }
}

type JobsOf = Awaited<ReturnType<Octokit['rest']['actions']['listJobsForWorkflowRun']>>['data']['jobs'];

/** The jobs of a run, by default of its latest attempt. */
export async function jobsOf(
  agent: Octokit,
  runId: number,
  filter: 'latest' | 'all' = 'latest',
): Promise<JobsOf> {
  return (await agent.rest.actions.listJobsForWorkflowRun({ ...AT, run_id: runId, filter })).data.jobs;
}

export async function logOf(agent: Octokit, jobId: number): Promise<string> {
  return String((await agent.rest.actions.downloadJobLogsForWorkflowRun({ ...AT, job_id: jobId })).data);
}

/** Whether a process runs; one that is dead and not yet collected does not. */
export async function isRunning(pid: string): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/^\d+ \(.*\) Z/.test(stat);
}

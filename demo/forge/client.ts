// The operations of a forge in another process, with the same types as `startForge` gives in this one.
import { type ForgeOperations, OPERATION_PATHS } from './operations.ts';

export interface ForgeClient extends ForgeOperations {
  /** REST base for Octokit, root of the host. */
  readonly url: string;
  gitUrl(owner: string, repo: string): string;
  webUrl(owner: string, repo: string): string;
}

/**
 * The operations of the forge at `url`. An operation that the forge refuses throws with its message.
 */
export function connectForge(url: string): ForgeClient {
  const root: Record<string, unknown> = {};
  for (const path of OPERATION_PATHS) {
    const names = path.split('/');
    const last = names.pop() ?? '';
    let target = root;
    for (const name of names) {
      const group = (target[name] ?? {}) as Record<string, unknown>;
      target[name] = group;
      target = group;
    }
    target[last] = (argument?: unknown) => call(url, path, argument);
  }
  return {
    ...(root as unknown as ForgeOperations),
    url,
    gitUrl: (owner, repo) => `${url}/${owner}/${repo}.git`,
    webUrl: (owner, repo) => `${url}/${owner}/${repo}`,
  };
}

async function call(url: string, path: string, argument: unknown): Promise<unknown> {
  const response = await fetch(`${url}/_forge/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    ...(argument === undefined ? {} : { body: JSON.stringify(argument) }),
  });
  const answer = (await response.json()) as { result?: unknown; message?: string };
  if (!response.ok) throw new Error(`forge ${path}: ${answer.message ?? response.status}`);
  return answer.result;
}

// A maintainer of the demo: merges verified pull requests after a look of its own, over the same API as anybody.
// Started and stopped explicitly; it never touches a pull request without the label and the evidence.
import { setTimeout as sleep } from 'node:timers/promises';
import { Octokit } from '@octokit/rest';

export interface MaintainerOptions {
  /** REST base of the forge. */
  readonly url: string;
  /** A token of an account that may merge. */
  readonly token: string;
  readonly owner: string;
  readonly repo: string;
  /** Only pull requests with this label. */
  readonly label: string;
  /** A heading that the pull request's body must have, without its hashes. */
  readonly evidenceHeading: string;
  readonly intervalMs?: number;
  /** Told of each merge. */
  readonly onMerge?: (merged: MergedPull) => void;
}

interface MergedPull {
  readonly number: number;
  readonly title: string;
  readonly headSha: string;
  readonly mergeSha: string;
  readonly url: string;
}

export interface Maintainer {
  /** One look at the open pull requests; merges those that qualify. */
  pass(): Promise<void>;
  readonly merged: readonly MergedPull[];
  /** Ends the polling after the pass that is under way. */
  stop(): Promise<void>;
}

/**
 * Polls for open pull requests with the label and the evidence heading, marks drafts ready, approves and merges
 * them on condition that the head is still the one looked at. A conflict or a moved head is left for the next pass.
 */
export function approveAndMergeVerified(options: MaintainerOptions): Maintainer {
  const { owner, repo } = options;
  const silent = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  };
  const octokit = new Octokit({ baseUrl: options.url, auth: options.token, log: silent });
  const merged: MergedPull[] = [];
  const abort = new AbortController();

  const pass = async (): Promise<void> => {
    const pulls = await octokit.paginate(octokit.rest.pulls.list, {
      owner,
      repo,
      state: 'open',
      per_page: 100,
    });
    for (const pull of pulls) {
      const labelled = pull.labels.some(({ name }) => name === options.label);
      if (!labelled || !hasHeading(pull.body ?? '', options.evidenceHeading)) continue;
      const at = { owner, repo, pull_number: pull.number };
      try {
        if (pull.draft === true) await markReady(octokit, pull.node_id);
        await octokit.rest.pulls.createReview({ ...at, event: 'APPROVE', commit_id: pull.head.sha });
        const { data } = await octokit.rest.pulls.merge({ ...at, sha: pull.head.sha });
        const done = {
          number: pull.number,
          title: pull.title,
          headSha: pull.head.sha,
          mergeSha: data.sha,
          url: pull.html_url,
        };
        merged.push(done);
        options.onMerge?.(done);
      } catch (error) {
        if (!isStatus(error, [405, 409, 422])) throw error;
      }
    }
  };

  const polling = (async () => {
    while (!abort.signal.aborted) {
      // A pass that fails (the forge answers 502) is made up for by the next.
      await pass().catch(() => undefined);
      await sleep(options.intervalMs ?? 500, undefined, { signal: abort.signal }).catch(() => undefined);
    }
  })();

  return {
    pass,
    merged,
    stop: async () => {
      abort.abort();
      await polling;
    },
  };
}

async function markReady(octokit: Octokit, id: string): Promise<void> {
  await octokit.graphql(
    'mutation ($id: ID!) { markPullRequestReadyForReview(input: { pullRequestId: $id }) { pullRequest { isDraft } } }',
    { id },
  );
}

function hasHeading(body: string, heading: string): boolean {
  return body
    .split('\n')
    .some((line) => /^#{1,6}\s/.test(line) && line.replace(/^#+\s+/, '').trim() === heading);
}

function isStatus(error: unknown, statuses: readonly number[]): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'status' in error &&
    statuses.includes(Number(error.status))
  );
}

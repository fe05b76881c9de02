// What people are told when CI does not start for a commit that the agent pushed (CI-8). Words only.

/** A comment on the pull request. */
export function ciDidNotStart(sha: string): string {
  return [
    `No workflow run has started for ${sha}, so nothing but the sandbox says that this change is right.`,
    '',
    'GitHub starts none for what is pushed with the token of a workflow (`GITHUB_TOKEN`), for `[skip ci]`, and where the filters of `on:` leave the branch out.',
    'To start it: close this pull request and open it again, or push an empty commit to its branch. To have it start by itself, give Untilgreen a token of a GitHub App or of a person.',
  ].join('\n');
}

export function waitsForStart(sha: string, number: number): string {
  return `a person to start CI for ${sha.slice(0, 12)} of pull request #${number}`;
}

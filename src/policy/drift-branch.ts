// The one branch on which the drift of an environment is written down (DRIFT-2). Its name is also what lets its pull request be merged
// without a person where the tenant file says so, so that nothing else of the agent passes as drift.

/** `untilgreen/drift-<workspace>-<environment>`, each in lower case with `-` for what is no letter or digit, at most 40 characters. */
export function driftBranch(workspace: string, environment: string): string {
  return `untilgreen/drift-${slug(workspace)}-${slug(environment)}`;
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40);
}

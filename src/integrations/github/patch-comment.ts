// How the author of a pull request takes a verified patch from a comment (CI-8): one command that carries the patch itself. Pure text work.
import { fenced, staysInCode } from './body-text.ts';

/** What a comment holds beside the evidence. */
const maxPatchLength = 40_000;

/**
 * Markdown with a shell command that applies `patch` (as `git diff --binary` writes it) at the root of the repository; where a comment cannot
 * carry the patch as it is, how to get it by its evidence address.
 */
export function takePatch(patch: string, evidence: string): string {
  if (patch.length > maxPatchLength || !staysInCode(patch))
    return `## Take it\n\nThe patch does not fit into a comment as it is. Whoever runs the agent gets it with \`untilgreen show ${evidence.slice(0, 16)}\`.\n`;
  let end = 'PATCH';
  while (patch.split('\n').includes(end)) end += '_';
  return `## Take it\n\nAt the root of the repository, on this branch:${fenced(`git apply --index - <<'${end}'\n${patch.trimEnd()}\n${end}`, 'sh')}`;
}

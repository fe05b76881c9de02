// All effects on GitHub, for the registry of the door.
import type { EffectDefinition } from '../definition.ts';
import { issueEffects } from './issues.ts';
import type { GitHubEffectParts } from './parts.ts';
import { pullRequestEffects } from './pull-requests.ts';
import { pushBranchEffect } from './push-branch.ts';
import { rerunEffect } from './rerun.ts';

export function createGitHubEffects(parts: GitHubEffectParts): readonly EffectDefinition[] {
  return [...issueEffects(parts), pushBranchEffect(parts), ...pullRequestEffects(parts), rerunEffect(parts)];
}

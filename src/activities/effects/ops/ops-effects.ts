// All effects on what runs, for the registry of the door.
import type { Services } from '../../services.ts';
import type { EffectDefinition } from '../definition.ts';
import type { GitHubEffectParts } from '../github/parts.ts';
import { capOnServices } from './cap.ts';
import { cleanUpEffect } from './clean-up.ts';
import { createPlatformEffects } from './platform.ts';
import { createServiceEffects } from './services.ts';
import { startCodeAgentEffect } from './start-code-agent.ts';

export function createOpsEffects(
  { provider, secrets }: Pick<Services, 'provider' | 'secrets'>,
  onGitHub: GitHubEffectParts,
): readonly EffectDefinition[] {
  const { resolve } = secrets;
  return [
    ...createServiceEffects({ provider, cap: capOnServices }),
    ...createPlatformEffects({ provider, resolve }),
    cleanUpEffect({ resolve, cap: capOnServices }),
    startCodeAgentEffect(onGitHub),
  ];
}

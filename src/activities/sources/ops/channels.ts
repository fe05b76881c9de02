// The source `channels` (DEPLOY-2): whether people can be told at all, as notices. Once per tenant, with the first workspace whose production is
// watched. Sends nothing.
import type { ObservedFinding } from '../../../contract/finding.ts';
import type { AlertChannel, TenantConfig, WorkspaceConfig } from '../../../contract/tenant-config.ts';
import { channelNames, judgeChannel } from '../../../policy/ops/watch/alert-channels.ts';
import { channelKey, readDeliveries } from '../../../store/ops/alert-channels.ts';
import { openChannel } from '../../effects/alert-channel.ts';
import { messageOf } from '../../message-of.ts';
import type { Services } from '../../services.ts';
import type { SourceDefinition } from '../definition.ts';
import { notice } from './notice.ts';

const ruleVersion = 1;

export function createChannelsSource(services: Pick<Services, 'pool' | 'secrets'>): SourceDefinition {
  return {
    kind: 'channels',
    timeoutMs: () => 15_000,
    targets: (workspace, config) => (workspace.name === tellingWorkspace(config) ? [undefined] : []),
    read: async ({ config, nowMs }) => {
      const { channels } = config.alerts;
      const names = channelNames(channels.map(({ kind }) => kind));
      const deliveries = await readDeliveries(services.pool, config.tenant);
      const findings: ObservedFinding[] = [];
      for (const [index, settings] of channels.entries()) {
        const name = names[index] ?? settings.kind;
        const unresolved = await unresolvedOf(services, settings, index);
        const last = deliveries.get(channelKey(settings)) ?? null;
        const text = judgeChannel({ name, unresolved, last }, nowMs);
        if (text !== null)
          findings.push(
            notice({
              about: 'channel',
              name,
              level: 'warning',
              signature: 'takes no alerts',
              text,
              ruleVersion,
            }),
          );
      }
      return {
        state: findings.length > 0 ? 'red' : 'green',
        reason: `${channels.length} alert channels${findings.length > 0 ? `, ${findings.length} not well` : ''}`,
        findings,
      };
    },
  };
}

/** The first one in the settings that has a production to tell of. */
function tellingWorkspace({ alerts, workspaces }: TenantConfig): string | undefined {
  const isWatched = ({ services, health }: WorkspaceConfig): boolean =>
    services !== undefined || health !== undefined;
  return alerts.channels.some(({ kind }) => kind !== 'console')
    ? workspaces.find(isWatched)?.name
    : undefined;
}

async function unresolvedOf(
  services: Pick<Services, 'secrets'>,
  settings: AlertChannel,
  index: number,
): Promise<string | null> {
  try {
    await openChannel(services, settings, index, () => undefined);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

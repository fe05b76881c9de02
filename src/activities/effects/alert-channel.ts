// A channel of alerts with its secrets resolved. Holds them in the process only.
import type { AlertChannel } from '../../contract/tenant-config.ts';
import type { Channel } from '../../integrations/notify/send.ts';
import type { Services } from '../services.ts';

/** @param write of the console @throws SecretUnavailable with field and fix */
export async function openChannel(
  { secrets }: Pick<Services, 'secrets'>,
  settings: AlertChannel,
  index: number,
  write: (line: string) => void,
): Promise<Channel> {
  const field = `alerts.channels.${index}`;
  switch (settings.kind) {
    case 'console':
      return { kind: 'console', write };
    case 'slack':
      return { kind: 'slack', url: await secrets.resolve(settings.webhookUrl, `${field}.webhookUrl`) };
    case 'webhook': {
      const url = /^(env|file):/.test(settings.url)
        ? await secrets.resolve(settings.url as `env:${string}`, `${field}.url`)
        : settings.url;
      return { kind: 'webhook', url, secret: await secrets.resolve(settings.secret, `${field}.secret`) };
    }
  }
}

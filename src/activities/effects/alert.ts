// Effect `sendAlert`: risk safe, at least once (DUR-5, INC-6). One claim per alert, all its channels; a channel that was served before an
// interruption may be served again with the same id.
import * as z from 'zod';
import type { AlertChannel, TenantConfig } from '../../contract/tenant-config.ts';
import { type Channel, sendAlert } from '../../integrations/notify/send.ts';
import { redactText } from '../../logs/redact/redact-text.ts';
import { canonicalJson, sha256 } from '../../store/database.ts';
import type { Services } from '../services.ts';
import { defineEffect, type EffectDefinition, NotWritten } from './definition.ts';

const Input = z.object({
  severity: z.enum(['critical', 'warning', 'info']),
  title: z.string().max(300),
  body: z.string().max(4_000),
  /** What it is about: all that is said about it has one id, so that a receiver updates or resolves what it shows. */
  about: z.string().max(200).optional(),
  state: z.enum(['open', 'update', 'resolved']).optional(),
});
type Input = z.output<typeof Input>;

export function createAlertEffects(
  services: Services,
  write: (line: string) => void,
): readonly EffectDefinition[] {
  return [
    defineEffect<Input>({
      kind: 'sendAlert',
      schema: Input,
      delivery: 'atLeastOnce',
      autonomy: () => 'observe',
      risk: () => 'safe',
      describe: ({ severity, title }) => `alert (${severity}): ${title}`,
      apply: async (context, input) => {
        const alert = {
          id: input.about === undefined ? context.marker : idOf(context.request.tenant, input.about),
          ...(input.about === undefined ? {} : { delivery: context.marker }),
          ...(input.state === undefined ? {} : { state: input.state }),
          tenant: context.request.tenant,
          severity: input.severity,
          title: redactText(input.title, services.redactor),
          body: redactText(input.body, services.redactor),
        };
        const sent: string[] = [];
        const failed: string[] = [];
        for (const [index, settings] of channelsOf(context.config).entries()) {
          context.assertMayWrite();
          try {
            await sendAlert(await channelOf(services, settings, index, write), alert, context.signal);
            sent.push(settings.kind);
          } catch (error) {
            failed.push(services.redactor.redact(error instanceof Error ? error.message : String(error)));
          }
        }
        // One channel that works has woken somebody; none is tried again.
        if (sent.length === 0) throw new NotWritten(failed.join('; '), { permanent: false });
        return { sent, failed };
      },
    }),
  ];
}

function idOf(tenant: string, about: string): string {
  return `untilgreen:${sha256(canonicalJson([tenant, about])).slice(0, 24)}`;
}

/** A tenant without channels still speaks: on the worker's console. */
function channelsOf(config: TenantConfig): readonly AlertChannel[] {
  return config.alerts.channels.length > 0 ? config.alerts.channels : [{ kind: 'console' }];
}

async function channelOf(
  services: Services,
  settings: AlertChannel,
  index: number,
  write: (line: string) => void,
): Promise<Channel> {
  const field = `alerts.channels.${index}`;
  switch (settings.kind) {
    case 'console':
      return { kind: 'console', write };
    case 'slack':
      return {
        kind: 'slack',
        url: await services.secrets.resolve(settings.webhookUrl, `${field}.webhookUrl`),
      };
    case 'webhook': {
      const url = /^(env|file):/.test(settings.url)
        ? await services.secrets.resolve(settings.url as `env:${string}`, `${field}.url`)
        : settings.url;
      return {
        kind: 'webhook',
        url,
        secret: await services.secrets.resolve(settings.secret, `${field}.secret`),
      };
    }
  }
}

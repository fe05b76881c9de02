// Effect `sendAlert`: risk safe, at least once (DUR-5, INC-6). One claim per alert, all its channels; a channel that was served before an
// interruption may be served again with the same id.
import * as z from 'zod';
import type { EffectRequest } from '../../contract/effect.ts';
import type { AlertChannel, TenantConfig } from '../../contract/tenant-config.ts';
import { type Alert, sendAlert } from '../../integrations/notify/send.ts';
import { redactText } from '../../logs/redact/redact-text.ts';
import { canonicalJson, sha256 } from '../../store/database.ts';
import { channelKey, noteDelivery } from '../../store/ops/alert-channels.ts';
import { messageOf } from '../message-of.ts';
import type { Services } from '../services.ts';
import { openChannel } from './alert-channel.ts';
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
  /** Why it was not taken, without secrets; null: it was. */
  const sendOver = async (
    settings: AlertChannel,
    index: number,
    alert: Alert,
    signal: AbortSignal,
  ): Promise<string | null> => {
    try {
      await sendAlert(await openChannel(services, settings, index, write), alert, signal);
      return null;
    } catch (error) {
      return services.redactor.redact(messageOf(error));
    }
  };
  /** For the source `channels`. The alert matters more than the note of it. */
  const keepDelivery = (
    { tenant, nowMs }: EffectRequest,
    settings: AlertChannel,
    problem: string | null,
  ): Promise<void> =>
    noteDelivery(services.pool, { tenant, channel: channelKey(settings), atMs: nowMs, problem }).catch(
      () => undefined,
    );
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
        const channels = channelsOf(context.config);
        const sent: AlertChannel['kind'][] = [];
        const failed: string[] = [];
        for (const [index, settings] of channels.entries()) {
          context.assertMayWrite();
          const problem = await sendOver(settings, index, alert, context.signal);
          if (problem === null) sent.push(settings.kind);
          else failed.push(problem);
          await keepDelivery(context.request, settings, problem);
        }
        // One channel that works has woken somebody; none is tried again. A line on the worker's console wakes nobody where there is another channel.
        const isTold = sent.some((kind) => kind !== 'console' || channels.every((one) => one.kind === kind));
        if (!isTold) throw new NotWritten(failed.join('; '), { permanent: false });
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

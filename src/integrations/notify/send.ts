// Alert channels: Slack's incoming webhook, a signed webhook, the worker's own console. Knows nothing of Temporal. An alert is delivered at
// least once: a repeat carries the same visible id.
import { createHmac } from 'node:crypto';

export type Alert = {
  /** The same for all that is said about one thing. */
  readonly id: string;
  /** Of this message, where several have one id: a repeat has the same. */
  readonly delivery?: string;
  /** Absent: it stands alone. `resolved`: what was open is over. */
  readonly state?: 'open' | 'update' | 'resolved';
  readonly tenant: string;
  readonly severity: 'critical' | 'warning' | 'info';
  readonly title: string;
  readonly body: string;
};

export type Channel =
  | { readonly kind: 'console'; readonly write: (line: string) => void }
  | { readonly kind: 'slack'; readonly url: string }
  | { readonly kind: 'webhook'; readonly url: string; readonly secret: string };

const timeoutMs = 10_000;

/** @throws Error with the status; never with the address, which may hold a secret */
export async function sendAlert(channel: Channel, alert: Alert, signal: AbortSignal): Promise<void> {
  switch (channel.kind) {
    case 'console':
      channel.write(`[${wordOf(alert)}] ${alert.tenant}: ${alert.title} (${alert.id})`);
      return;
    case 'slack':
      return post('slack', channel.url, JSON.stringify({ text: slackText(alert) }), {}, signal);
    case 'webhook': {
      const body = JSON.stringify(alert);
      const signature = `sha256=${createHmac('sha256', channel.secret).update(body).digest('hex')}`;
      return post(
        'webhook',
        channel.url,
        body,
        {
          'x-untilgreen-signature-256': signature,
          'x-untilgreen-alert': alert.id,
          ...(alert.delivery === undefined ? {} : { 'x-untilgreen-delivery': alert.delivery }),
        },
        signal,
      );
    }
  }
}

async function post(
  name: string,
  url: string,
  body: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  }).catch((error: unknown) => {
    throw new Error(
      `alert channel ${name}: not reachable (${error instanceof Error ? error.name : 'error'})`,
    );
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`alert channel ${name}: answered ${response.status}`);
}

/** Slack's own escapes: text of third parties must not become a mention or a link. */
export function slackText(alert: Alert): string {
  const plain = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `*[${wordOf(alert)}] ${plain(alert.tenant)}: ${plain(alert.title)}*\n${plain(alert.body)}\n_${alert.id}_`;
}

function wordOf({ severity, state }: Alert): string {
  return state === 'resolved' ? 'resolved' : severity;
}

// What happened in a night, in order and from all sides: for whoever reads why a test failed.
import type { Night } from './rig.ts';

export async function storyOf({ site, client, tenant, clock, findings }: Night): Promise<string> {
  const lines: { readonly atMs: number; readonly text: string }[] = [];
  for (const { atMs, operation, errors } of site.railway.journal().filter(({ kind }) => kind === 'mutation'))
    lines.push({ atMs, text: `railway  ${operation} ${errors.join('; ')}` });
  for (const { atMs, severity, state, title } of site.pages)
    lines.push({ atMs, text: `pager    ${severity} ${state ?? ''} ${title}` });
  for (const issue of await site.issues()) {
    lines.push({ atMs: 0, text: `issue    #${issue.number} ${issue.state} ${issue.title}` });
    for (const { created_at, user, body } of await site.comments(issue.number))
      lines.push({
        atMs: Date.parse(created_at),
        text: `comment  #${issue.number} ${user.login}: ${body.replaceAll('\n', ' ⏎ ').slice(0, 200)}`,
      });
  }
  const { events } = await client.history(tenant, { limit: 400 });
  for (const { at, actor, action, subject, reason } of events)
    lines.push({ atMs: Date.parse(at), text: `audit    ${actor} ${action} ${subject}: ${reason}` });
  const now = (await findings()).map(
    (one) => `${one.kind} ${one.status}: ${one.title} | ${one.waitingFor ?? ''}`,
  );
  const told = lines
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, text }) => `${new Date(atMs).toISOString().slice(11, 19)} ${text}`.slice(0, 300));
  return [`now ${new Date(clock.nowMs).toISOString()}`, ...now, ...told].join('\n');
}

// Everything that stays after a night, as text: tables, raw histories, issues and comments, alerts.
import type { Night } from './rig.ts';

export async function keptTexts({
  site,
  database,
  histories,
}: Night): Promise<{ readonly [place: string]: string }> {
  const { rows: tables } = await database.pool.query<{ name: string }>(
    `select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public'`,
  );
  const rows = await Promise.all(
    tables.map(async ({ name }) => (await database.pool.query(`select t::text as line from ${name} t`)).rows),
  );
  const issues = await site.issues();
  const comments = await Promise.all(issues.map(({ number }) => site.comments(number)));
  return {
    tables: rows
      .flat()
      .map(({ line }) => String(line))
      .join('\n'),
    histories: textOf((await histories()).map(({ history }) => history.events ?? [])),
    issues: issues.map(({ title, body }) => `${title}\n${body}`).join('\n'),
    comments: comments
      .flat()
      .map(({ body }) => body)
      .join('\n'),
    alerts: JSON.stringify(site.pages),
  };
}

/** Everything in it, bytes as text. */
function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (Array.isArray(value)) return value.map(textOf).join('\n');
  if (typeof value === 'object' && value !== null) return Object.values(value).map(textOf).join('\n');
  return String(value);
}

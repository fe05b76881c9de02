// Billable actions by the Temporal server's own metric, over everything that ran on it.

/** @throws when the server does not serve its metrics, or has no such metric */
export async function actionsOf(metricsUrl: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  const lines = text.split('\n').filter((line) => /^action(?:_total)?\{/.test(line));
  if (lines.length === 0) throw new Error('the server has no metric "action"');
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

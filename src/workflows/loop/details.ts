// What the Temporal UI shows of a workflow (SEE-1): Markdown under 6 KB, with third-party text escaped. Pure text.
import type { Finding } from '../../contract/finding.ts';
import type { SettleResult } from '../../contract/loop.ts';
import type { Loop } from './loop.ts';

const maxBytes = 5_500;
const maxRows = 20;

export function tenantDetails(loop: Loop, settled: SettleResult | null): string {
  if (settled === null) return `**${escapeText(loop.state.tenant)}**: starting`;
  const lines = [
    `**${escapeText(loop.state.tenant)}**: ${settled.outcome}, ${escapeText(settled.summary)} (cycle ${loop.state.cycle})`,
    '',
    `Circuit breaker: ${settled.breaker.state}${settled.breaker.probeAtMs === undefined ? '' : `, probe at ${iso(settled.breaker.probeAtMs)}`}`,
    '',
  ];
  if (settled.findings.length > 0) {
    lines.push('| Finding | Kind | Status | Waits for |', '| --- | --- | --- | --- |');
    let shown = 0;
    for (const finding of settled.findings.slice(0, maxRows)) {
      const line = row(finding, loop);
      if (bytesOf([...lines, line].join('\n')) > maxBytes) break;
      lines.push(line);
      shown += 1;
    }
    if (settled.findings.length > shown) lines.push('', `and ${settled.findings.length - shown} more`);
  }
  return lines.join('\n');
}

function bytesOf(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}

function row(finding: Finding, loop: Loop): string {
  const open = loop.state.openRemedies.find((remedy) => remedy.fingerprint === finding.fingerprint);
  const title = escapeText(finding.title.slice(0, 80));
  const link = open
    ? `[${title}](/namespaces/{namespace}/workflows/${encodeURIComponent(open.workflowId)})`
    : title;
  const until = finding.waitingUntilMs === undefined ? '' : ` until ${iso(finding.waitingUntilMs)}`;
  return `| ${link} | ${finding.kind} | ${finding.status} | ${escapeText((finding.waitingFor ?? '').slice(0, 100))}${until} |`;
}

/** Markdown and raw HTML pass through the UI: neither may come from a log or a comment. */
export function escapeText(text: string): string {
  return text
    .replace(/[\\`*_{}[\]()#+!|<>~&]/g, (char) => `&#${char.charCodeAt(0)};`)
    .replace(/[\r\n]+/g, ' ');
}

function iso(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

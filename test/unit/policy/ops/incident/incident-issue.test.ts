// INC-3: the issue of an incident to the letter (golden file); INC-1, INC-2: what is written to it later; SEC-1: logs cannot break out of it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TimelineEntry } from '../../../../../src/contract/ops/incident.ts';
import { cleanBody } from '../../../../../src/integrations/github/body-text.ts';
import { createRedactor } from '../../../../../src/logs/redact/redact-values.ts';
import {
  closingSummary,
  type IncidentView,
  incidentBody,
  incidentTitle,
  severityComment,
  timelineLine,
} from '../../../../../src/policy/ops/incident/incident-issue.ts';
import { breakouts, mentions, rendered } from '../rendered.ts';

const detectedMs = Date.UTC(2026, 10, 21, 3, 12, 9);
const lines = (count: number, text: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => ({
    atMs: detectedMs - (count - n) * 1_000,
    severity: 'error',
    text: text(n),
  }));
const view: IncidentView = {
  level: 'sev1',
  failed: [
    { name: 'backend', reason: 'HTTP 503 four times in 45 s' },
    { name: 'login', reason: 'no answer within 10 s' },
  ],
  detectedMs,
  platform: 'Railway',
  logs: [
    { service: 'backend', lines: lines(40, (n) => `GET /api/orders/${n} 503 pool exhausted`), problem: null },
    { service: 'worker', lines: [], problem: null },
    { service: 'auth', lines: [], problem: 'Railway answered 429; asked again at 03:14' },
  ],
  runUrl: 'http://localhost:8233/namespaces/default/workflows/incident%2Fshop%2F0123/run/history',
  dashboardUrl: 'https://railway.com/project/p1?environmentId=e1',
  logsCommand: 'untilgreen view-logs shop backend --follow',
};

describe('INC-3: the issue', () => {
  it('matches the format to the letter', async () => {
    const body = incidentBody(view);
    await expect(`${incidentTitle(view)}\n\n${body}\n`).toMatchFileSnapshot('../golden/incident-issue.md');
    expect(body).toMatch(/^## 🚨 Production Incident\n/);
    for (const part of [
      '**Severity**: SEV1',
      '**Failed Checks**: backend ',
      '**Detected**: 2026-11-21 03:12:09 UTC',
    ])
      expect(body).toContain(part);
    expect(rendered(body).headings).toEqual([
      '🚨 Production Incident',
      'Railway Logs (last 30 lines)',
      'Actions',
    ]);
    expect(body).toContain(`[View workflow logs](${view.runUrl})`);
    expect(body.match(/<details>/g)).toHaveLength(3);
    expect(rendered(body).codeBlocks[0]?.trim().split('\n')).toHaveLength(30);
  });

  it('names another platform, and leaves out links that are none', () => {
    const body = incidentBody({
      ...view,
      platform: 'this machine',
      dashboardUrl: null,
      runUrl: 'javascript:alert(1)',
    });
    expect(body).toContain('### this machine Logs (last 30 lines)');
    expect(rendered(body).links).toEqual([]);
    expect(body).toContain('- View workflow logs\n');
  });

  it('comes through what cleans bodies before they are sent as it is', () => {
    const body = incidentBody(view);
    expect(cleanBody(body, createRedactor())).toBe(body.trimEnd());
  });

  it('has one line of title with the severity and the checks', () => {
    const failed = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => ({ name, reason: '' }));
    expect(incidentTitle({ level: 'sev2', failed })).toBe(
      '[SEV2] Production incident: a, b, c, d, e and 2 more',
    );
  });

  it('is bounded, whatever the logs are, and keeps the actions', () => {
    const wide = { lines: lines(500, () => '`'.repeat(200_000)), problem: null };
    const failed = Array.from({ length: 300 }, (_, n) => ({
      name: `check-${n}-`.repeat(200),
      reason: 'x&<'.repeat(9_000),
    }));
    const logs = Array.from({ length: 300 }, (_, n) => ({ ...wide, service: `s${n}`.repeat(500) }));
    const body = incidentBody({ ...view, failed, logs });
    expect(body.length).toBeLessThan(65_536 - 1_000);
    expect(body).toContain('### Actions');
    expect(body).toContain('Logs of 280 more services are left out.');
    expect(body).toContain('earlier lines left out: too long');
  });
});

const outside = fc
  .array(fc.oneof(fc.constantFrom(...breakouts), fc.string({ unit: 'binary', maxLength: 20 })), {
    maxLength: 6,
  })
  .map((parts) => parts.join(''));

it('SEC-1: nothing from outside leaves its place: no heading, link, mention or raw HTML of its own', () => {
  const log = fc.record({
    service: outside,
    lines: fc.array(
      outside.map((text) => ({ atMs: detectedMs, severity: 'info', text })),
      { maxLength: 5 },
    ),
    problem: fc.option(outside, { nil: null }),
  });
  const failed = fc.array(fc.record({ name: outside, reason: outside }), { maxLength: 3 });
  const check = (
    body: string,
    htmlTags: number,
    links: readonly string[],
    headings: readonly string[],
  ): void => {
    const seen = rendered(body);
    expect(seen.headings).toEqual(headings);
    expect(mentions(seen.words)).toBe(false);
    expect(mentions(seen.html)).toBe(false);
    expect(seen.links).toEqual(links);
    expect(seen.html.match(/<[/!a-z]/gi) ?? []).toHaveLength(htmlTags);
    expect(body.isWellFormed()).toBe(true);
  };
  fc.assert(
    fc.property(fc.array(log, { maxLength: 3 }), failed, outside, (logs, names, platform) => {
      const given = { ...view, logs, failed: names, platform: `R${platform}` };
      const body = incidentBody(given);
      const seen = rendered(body);
      expect(seen.codeBlocks).toHaveLength(logs.length + 1);
      check(
        body,
        4 * logs.length,
        [view.runUrl ?? '', view.dashboardUrl ?? ''],
        ['🚨 Production Incident', seen.headings[1] ?? '', 'Actions'],
      );
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(outside, fc.array(outside, { maxLength: 4 }), (text, texts) => {
      check(severityComment({ atMs: 0, from: null, to: 'sev1', reason: text, failing: texts }), 0, [], []);
      const timeline = texts.map((one): TimelineEntry => ({ atMs: 0, kind: 'note', text: one }));
      const closing = { detectedMs: 0, recoveredMs: 1, worst: 'sev1' as const, timeline };
      check(closingSummary(closing), 0, [], ['Resolved', 'Timeline']);
    }),
    { numRuns: 300 },
  );
});

describe('INC-1, INC-2: what is written later', () => {
  const at = (minutes: number): number => detectedMs + minutes * 60_000;
  const timeline: readonly TimelineEntry[] = [
    { atMs: at(0), kind: 'detected', text: 'SEV1: backend fails' },
    { atMs: at(9), kind: 'told', text: 'SEV1 to a person, channels: slack' },
    { atMs: at(5), kind: 'action', text: 'restarted backend (deployment d2): unhealthy for 5 min' },
    { atMs: at(12), kind: 'acknowledged', text: 'acknowledged by maria by a comment' },
    { atMs: at(66), kind: 'recovered', text: 'healthy for 5 min' },
  ];

  it('a change of severity', () => {
    const change = {
      atMs: at(3),
      from: 'sev2',
      to: 'sev1',
      reason: '2 fail at once: frontend, login',
      failing: ['frontend', 'login'],
    } as const;
    expect(severityComment(change)).toBe(
      '**Severity**: SEV2 → SEV1 at 2026-11-21 03:15:09 UTC\n\nReason: 2 fail at once: frontend, login\nFailed Checks now: frontend, login',
    );
    const over = severityComment({ ...change, to: null, failing: [] });
    expect(over).toContain('SEV2 → none');
    expect(over).toContain('Failed Checks now: none');
    expect(severityComment({ ...change, failing: ['login'] })).toContain('Failed Checks now: login');
  });

  it('an action', () => {
    expect(timelineLine(timeline[2] as TimelineEntry)).toBe(
      '- 2026-11-21 03:17:09 UTC: restarted backend (deployment d2): unhealthy for 5 min',
    );
  });

  it('the end, with a timeline in order', async () => {
    const closing = closingSummary({ detectedMs, recoveredMs: at(66), worst: 'sev1', timeline });
    await expect(`${closing}\n`).toMatchFileSnapshot('../golden/incident-closing.md');
    expect(closing).toContain('after 1 h 06 min');
  });

  it('the end of a long incident is bounded', () => {
    const many = Array.from(
      { length: 3_000 },
      (_, n): TimelineEntry => ({ atMs: at(n), kind: 'note', text: '<'.repeat(2_000) }),
    );
    const closing = closingSummary({ detectedMs, recoveredMs: at(9), worst: 'sev3', timeline: many });
    expect(closing.length).toBeLessThan(65_536 - 1_000);
    expect(closing).toMatch(/\n- \(\d{4} entries left out\)\n/);
    expect(closing).toContain(`- ${new Date(at(0)).toISOString().slice(0, 10)} 03:12:09 UTC: `);
    expect(closing).toContain('2026-11-23 05:11:09 UTC: ');
  });
});

// DIAG-2: the answer to the letter (golden file), bounded; SEC-1: nothing that was read breaks out of it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanBody } from '../../../../../src/integrations/github/body-text.ts';
import { createRedactor } from '../../../../../src/logs/redact/redact-values.ts';
import {
  type DiagnosticView,
  diagnosticAnswer,
} from '../../../../../src/policy/ops/diagnostics/diagnostic-answer.ts';
import { readMention } from '../../../../../src/policy/ops/diagnostics/mention.ts';
import { breakouts, mentions, rendered } from '../rendered.ts';

const atMs = Date.UTC(2026, 10, 21, 3, 12, 9);
const view: DiagnosticView = {
  request: { kind: 'logs', service: 'backend' },
  version: '0.1.0',
  atMs,
  where: 'Railway, production',
  services: [
    { name: 'frontend', health: 'healthy', rawStatus: 'SUCCESS', sinceMs: atMs - 86_400_000, image: null },
    {
      name: 'backend',
      health: 'unhealthy',
      rawStatus: 'CRASHED',
      sinceMs: atMs - 300_000,
      image: 'ghcr.io/acme/backend:1.4.2',
    },
    { name: 'nightly', health: 'stopped', rawStatus: 'SLEEPING', sinceMs: null, image: null },
  ],
  checks: [
    { name: 'frontend', state: 'passing', reason: 'HTTP 200', latencyMs: 120 },
    { name: 'login', state: 'unknown', reason: 'the canary user is locked', latencyMs: null },
    { name: 'backend', state: 'failing', reason: 'HTTP 503 four times in 45 s', latencyMs: 31 },
  ],
  findings: [
    { title: 'Health endpoint of the backend', lines: ['status: degraded', 'pool: 20 of 20 in use'] },
  ],
  logs: {
    service: 'backend',
    lines: Array.from({ length: 35 }, (_, n) => ({
      atMs: atMs - (35 - n) * 1_000,
      severity: 'error',
      text: `pool exhausted (${n})`,
    })),
  },
  problems: ['migrations of production: no connection within 10 s'],
  answer: null,
  mention: '@devops',
};

describe('DIAG-2: the answer', () => {
  it('matches the format to the letter', async () => {
    const body = diagnosticAnswer(view);
    await expect(`${body}\n`).toMatchFileSnapshot('../golden/diagnostic-answer.md');
    expect(body).toMatch(/^## 🔧 DevOps Diagnostic Results\n/);
    expect(body).toContain('<summary>📋 Diagnostic Output</summary>');
    const [output = '', commands = ''] = rendered(body).codeBlocks;
    expect(output).toContain('untilgreen 0.1.0, 2026-11-21 03:12:09 UTC\n');
    expect(output.match(/pool exhausted/g)).toHaveLength(30);
    expect(body.indexOf('Need more info?')).toBeGreaterThan(body.indexOf('</details>'));
    for (const one of ['status', 'check database', 'check user <name>', 'check logs <service>'])
      expect(commands).toContain(`@devops ${one}\n`);
  });

  it('comes through what cleans bodies before they are sent as it is, and asks nobody', () => {
    const body = diagnosticAnswer(view);
    expect(cleanBody(body, createRedactor())).toBe(body.trimEnd());
    expect(readMention(body, '@devops')).toBeNull();
  });

  it('says what was not understood, what a model answered, and that nothing is wrong', () => {
    const well = {
      ...view,
      services: view.services.slice(0, 1),
      checks: view.checks.slice(0, 1),
      problems: [],
      logs: null,
    };
    expect(diagnosticAnswer(well)).toContain('0 of 1 services are not healthy. 0 of 1 checks fail.\n');
    const help = { ...well, request: { kind: 'help', problem: '`check logs` takes one name' } } as const;
    expect(diagnosticAnswer(help)).toContain('Not understood: \\`check logs\\` takes one name.');
    const answered = diagnosticAnswer({
      ...well,
      answer: 'The pool is full.\n\nSince 03:10 <b>no</b> connection ends.',
    });
    expect(answered).toContain(
      '\n\nThe pool is full.\n\nSince 03:10 &lt;b&gt;no&lt;/b&gt; connection ends.\n\n',
    );
    expect(diagnosticAnswer({ ...well, services: [], checks: [] })).toContain('No services are known.\n');
  });

  it('is bounded, with what is worst first', () => {
    const service = {
      name: 's'.repeat(9_000),
      health: 'healthy',
      rawStatus: '@`'.repeat(5_000),
      sinceMs: 0,
      image: null,
    } as const;
    const body = diagnosticAnswer({
      ...view,
      services: [
        ...Array.from({ length: 2_000 }, () => service),
        { ...service, name: 'worst', health: 'unhealthy' },
      ],
      checks: Array.from({ length: 900 }, (_, n) => ({
        name: '@'.repeat(900) + n,
        state: 'failing',
        reason: '<'.repeat(9_000),
        latencyMs: 1,
      })),
      findings: Array.from({ length: 200 }, () => ({ title: 't'.repeat(900), lines: ['`'.repeat(90_000)] })),
      problems: Array.from({ length: 200 }, () => '@'.repeat(900)),
      answer: '@a\n\n'.repeat(900) + '@'.repeat(90_000),
    });
    expect(body.length).toBeLessThan(65_536 - 1_000);
    expect(body).toContain('lines left out)');
    expect(body).toContain('**Need more info?**');
    expect(rendered(body).codeBlocks[0]?.split('\n')[3]).toMatch(/^ {2}worst {2}unhealthy/);
  });
});

it('SEC-1: nothing that was read leaves its place', () => {
  const outside = fc
    .array(fc.oneof(fc.constantFrom(...breakouts), fc.string({ unit: 'binary', maxLength: 20 })), {
      maxLength: 5,
    })
    .map((parts) => parts.join(''));
  const given = fc.record({
    name: outside,
    text: outside,
    answer: fc.option(outside, { nil: null }),
    problem: fc.option(outside, { nil: null }),
  });
  fc.assert(
    fc.property(given, ({ name, text, answer, problem }) => {
      const body = diagnosticAnswer({
        ...view,
        request: { kind: 'help', problem },
        where: text,
        services: [{ name, health: 'unhealthy', rawStatus: text, sinceMs: null, image: text }],
        checks: [{ name, state: 'failing', reason: text, latencyMs: null }],
        findings: [{ title: name, lines: [text] }],
        logs: { service: name, lines: [{ atMs, severity: text, text }] },
        problems: [text],
        answer,
      });
      const seen = rendered(body);
      expect(seen.headings).toEqual(['🔧 DevOps Diagnostic Results']);
      expect(seen.codeBlocks).toHaveLength(2);
      expect(seen.links).toEqual([]);
      expect(seen.html.match(/<[/!a-z]/gi)).toHaveLength(4);
      expect(mentions(seen.words)).toBe(false);
      expect(body.isWellFormed()).toBe(true);
      expect(readMention(body, '@devops')).toBeNull();
    }),
    { numRuns: 300 },
  );
});

// DIAG-1: what a question reads.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DiagnosticRequest } from '../../../../../src/contract/ops/diagnostics.ts';
import { readMention } from '../../../../../src/policy/ops/diagnostics/mention.ts';
import { checksFor, logsFor, requestText } from '../../../../../src/policy/ops/diagnostics/what-to-read.ts';

const checks = [
  { kind: 'http', name: 'backend', services: ['backend'] },
  { kind: 'content', name: 'frontend', services: ['frontend'] },
  { kind: 'login', name: 'login', services: ['backend'] },
  { kind: 'database', name: 'database', services: [] },
  { kind: 'devops', name: 'devops', services: [] },
] as const;

describe('DIAG-1: the health checks involved', () => {
  it.each<[DiagnosticRequest, readonly string[]]>([
    [{ kind: 'status' }, checks.map(({ name }) => name)],
    [{ kind: 'question', text: 'why?' }, checks.map(({ name }) => name)],
    [{ kind: 'logs', service: 'backend' }, ['backend', 'login']],
    [{ kind: 'logs', service: 'mailer' }, checks.map(({ name }) => name)],
    [{ kind: 'database' }, ['database', 'devops']],
    [{ kind: 'user', name: 'ana' }, ['backend', 'login', 'devops']],
    [{ kind: 'help', problem: null }, []],
  ])('%j', (request, names) => {
    expect(checksFor(request, checks).map(({ name }) => name)).toEqual(names);
  });
});

describe('DIAG-1: whose logs', () => {
  const services = [
    { name: 'frontend', health: 'healthy' },
    { name: 'backend', health: 'unhealthy' },
    { name: 'mail-er', health: 'unhealthy' },
  ] as const;
  it.each<[DiagnosticRequest, string | null]>([
    [{ kind: 'logs', service: 'other' }, 'other'],
    [{ kind: 'question', text: 'Is the FRONTEND slow?' }, 'frontend'],
    [{ kind: 'question', text: 'what about mail-er.' }, 'mail-er'],
    [{ kind: 'question', text: 'is all well' }, 'backend'],
    [{ kind: 'status' }, null],
    [{ kind: 'user', name: 'backend' }, null],
  ])('%j', (request, service) => {
    expect(logsFor(request, services)).toBe(service);
  });

  it('reads none for a question where all is well', () => {
    expect(logsFor({ kind: 'question', text: 'is all well' }, [services[0]])).toBeNull();
  });
});

it('DIAG-1: the text of a command is the command', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
  const request: fc.Arbitrary<DiagnosticRequest> = fc.oneof(
    fc.constant<DiagnosticRequest>({ kind: 'status' }),
    fc.constant<DiagnosticRequest>({ kind: 'database' }),
    name.map((user): DiagnosticRequest => ({ kind: 'user', name: user })),
    name.map((service): DiagnosticRequest => ({ kind: 'logs', service })),
  );
  fc.assert(
    fc.property(request, (given) => {
      expect(readMention(`@devops ${requestText(given)}`, '@devops')).toEqual(given);
    }),
  );
});

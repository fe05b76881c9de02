// DRIFT-1, DRIFT-3, DUR-4: what a plan says, as tables over exit codes and outputs.
import { expect, test } from 'vitest';
import {
  type PlanContext,
  readPrintedPlan,
  readTerraformPlan,
} from '../../../src/integrations/drift/plan.ts';
import { driftCommands } from '../../../src/integrations/drift/presets.ts';
import type { CommandResult } from '../../../src/integrations/process/run-command.ts';

const CONTEXT: PlanContext = {
  exitCodes: { clean: 0, drifted: 2 },
  paths: [],
  redact: (text) => text.replaceAll('hunter2', '[secret]'),
  maxOutputBytes: 1_000,
};

function ended(more: Partial<CommandResult>): CommandResult {
  const output = { stdout: '', stderr: '', combined: '', truncated: false, totalBytes: 0, durationMs: 7 };
  return { exitCode: 0, signal: null, end: 'exited', ...output, ...more };
}

const one = { address: 'service.web', action: 'update' };

test.each([
  ['no output', { exitCode: 0 }, { state: 'clean' }],
  ['exit code only', { exitCode: 2 }, { state: 'drifted', changes: [] }],
  [
    'JSON agrees',
    { exitCode: 2, stdout: JSON.stringify({ drifted: true, changes: [one] }) },
    { state: 'drifted', changes: [one], summary: '1 update' },
  ],
  [
    'JSON after other lines',
    { exitCode: 2, stdout: `reading\n${JSON.stringify({ changes: [one] })}\n` },
    { state: 'drifted', changes: [one] },
  ],
  ['JSON alone tells', { exitCode: 0, stdout: '{"drifted":true}' }, { state: 'drifted' }],
  ['JSON says clean', { exitCode: 0, stdout: '{"drifted":false,"changes":[]}' }, { state: 'clean' }],
  [
    'JSON contradicts',
    { exitCode: 2, stdout: '{"drifted":false}' },
    { state: 'failed', failure: 'Drift.OutputUnreadable' },
  ],
  [
    'JSON of another shape',
    { exitCode: 2, stdout: '{"drifted":true,"changes":[{"address":4}]}' },
    {
      state: 'failed',
      failure: 'Drift.OutputUnreadable',
      reason: expect.stringContaining('"changes.0.address"'),
    },
  ],
  ['JSON that is not ours', { exitCode: 2, stdout: '{"other":1}' }, { state: 'drifted', changes: [] }],
  [
    'error',
    { exitCode: 1, stderr: 'no such\nregion: hunter2\n' },
    {
      state: 'failed',
      failure: 'Drift.CommandFailed',
      reason: 'plan: exit code 1, expected 0 or 2: no such | region: [secret]',
    },
  ],
  [
    'not found by the shell',
    { exitCode: 127, stderr: 'hybrid: command not found' },
    { state: 'failed', failure: 'Drift.CommandMissing' },
  ],
  ['not found', { end: 'notFound', exitCode: null }, { state: 'failed', failure: 'Drift.CommandMissing' }],
  [
    'timeout',
    { end: 'timedOut', exitCode: null, signal: 'SIGKILL' },
    { state: 'failed', failure: 'Drift.TimedOut' },
  ],
  [
    'signal',
    { exitCode: null, signal: 'SIGSEGV' },
    { state: 'failed', failure: 'Drift.Killed', reason: 'plan: ended by SIGSEGV' },
  ],
  [
    'flood',
    { exitCode: 2, truncated: true, totalBytes: 200_000_000 },
    { state: 'failed', failure: 'Drift.OutputTooLarge' },
  ],
  [
    'invalid UTF-8',
    { exitCode: 2, stdout: 'a\ufffd' },
    { state: 'failed', failure: 'Drift.OutputUnreadable' },
  ],
  [
    'state lock',
    { exitCode: 1, stderr: 'Error acquiring the state lock' },
    { state: 'failed', failure: 'Drift.StateLocked' },
  ],
] as const)('%s', (_name, result, expected) => {
  const plan = readPrintedPlan(ended(result), CONTEXT);

  expect(plan).toMatchObject(expected);
  expect(plan.planHash).toMatch(plan.state === 'drifted' ? /^[0-9a-f]{64}$/ : /^$/);
  expect(plan.reason === '').toBe(plan.state !== 'failed');
});

test('exit codes are the tenant’s', () => {
  const context = { ...CONTEXT, exitCodes: { clean: 10, drifted: 11 } };

  const states = [10, 11, 0, 2].map((exitCode) => readPrintedPlan(ended({ exitCode }), context).state);

  expect(states).toEqual(['clean', 'drifted', 'failed', 'failed']);
});

test.each([
  ['Plan: 1 to add, 0 to change, 2 to destroy.', 2],
  ['Plan: 1 to add, 0 to change, 0 to destroy.', 0],
  ['service web will be destroyed\nservice api will be replaced\nservice db: replicas 2 -> 3', 2],
  [
    JSON.stringify({
      changes: [one, { address: 'a', action: 'delete' }, { address: 'b', action: 'replace' }],
    }),
    2,
  ],
])('destroys of %j: %i (DRIFT-3)', (stdout, destroys) => {
  expect(readPrintedPlan(ended({ exitCode: 2, stdout }), CONTEXT).destroys).toBe(destroys);
});

test('no value of a plan gets through, and registered secrets are taken out of addresses', () => {
  const changes = [
    { address: 'token["hunter2"]', action: 'update', before: 'old-value', after: 'new-value' },
  ];

  const data = JSON.stringify(
    readPrintedPlan(ended({ exitCode: 2, stdout: JSON.stringify({ changes }) }), CONTEXT),
  );
  const text = JSON.stringify(readPrintedPlan(ended({ exitCode: 2, stdout: 'key = new-value' }), CONTEXT));

  expect(data).toContain('token[\\"[secret]\\"]');
  expect(`${data}${text}`).not.toMatch(/hunter2|old-value|new-value/);
});

test('the plan of OpenTofu and Terraform: replaced and deleted resources are destroys, reads are nothing', () => {
  const change = (address: string, actions: string[], after: unknown = null) => ({
    address,
    change: { actions, before: null, after, after_unknown: {}, importing: undefined },
  });
  const plan = (after: string) =>
    ended({
      stdout: JSON.stringify({
        format_version: '1.2',
        timestamp: '2026-01-02T03:04:05Z',
        resource_changes: [
          change('a.same', ['no-op']),
          change('a.read', ['read']),
          change('a.new', ['create'], after),
          change('a.other', ['delete', 'create'], 'x'),
          change('a.gone', ['delete']),
        ],
        output_changes: { url: change('', ['delete']).change },
      }),
    });

  const read = readTerraformPlan(plan('secret-value'), CONTEXT);

  expect(read).toMatchObject({
    state: 'drifted',
    destroys: 2,
    summary: '1 create, 1 delete, 1 output delete, 1 replace',
  });
  expect(read.changes.map(({ address }) => address)).toEqual(['a.gone', 'a.new', 'a.other', 'output.url']);
  expect(JSON.stringify(read)).not.toContain('secret-value');
  expect(readTerraformPlan(plan('other-value'), CONTEXT).planHash).not.toBe(read.planHash);
  expect(readTerraformPlan(ended({ stdout: 'no json' }), CONTEXT)).toMatchObject({ state: 'failed' });
});

test.each([
  [
    { preset: 'hybrid' },
    ['hybrid', 'drift-plan', '--env', 'production'],
    ['hybrid', 'apply', '--env', 'production'],
  ],
  [{ preset: 'command', plan: './plan' }, ['bash', '-c', './plan'], undefined],
  [
    { preset: 'hybrid', plan: './plan', apply: './apply' },
    ['bash', '-c', './plan'],
    ['bash', '-c', './apply'],
  ],
  [
    { preset: 'opentofu' },
    ['tofu', 'plan', '-detailed-exitcode', '-input=false', '-no-color', '-out=/p'],
    ['tofu', 'apply', '-input=false', '-no-color', '-auto-approve', '/p'],
  ],
  [
    { preset: 'terraform', plan: 'terraform plan -detailed-exitcode -var-file=p' },
    ['bash', '-c', 'terraform plan -detailed-exitcode -var-file=p'],
    ['terraform', 'apply', '-input=false', '-no-color', '-auto-approve'],
  ],
] as const)('commands of %o', (settings, plan, apply) => {
  const commands = driftCommands({ environment: 'production', ...settings }, '/p');

  expect([commands.plan.plan, commands.apply]).toEqual([plan, apply]);
});

// CI-5(a), CI-6, CI-7: from a failing command to a verified patch, with real git and the real sandbox.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ensureMirror } from '../../../src/integrations/git/mirror.ts';
import { commitValue } from '../../../src/integrations/git/push.ts';
import type { Sandbox } from '../../../src/integrations/sandbox/run-in-sandbox.ts';
import {
  type FixerRequest,
  type FixResult,
  runFixer,
} from '../../../src/integrations/workspace/run-fixer.ts';
import { prepareCheckout } from '../../../src/integrations/workspace/set-up.ts';
import { errorSignature } from '../../../src/logs/signature.ts';
import { patchGateDefaults } from '../../../src/policy/patch/gate.ts';
import type { TestFile } from '../../support/git-repository.ts';
import { useWorkspace } from './workspace-rig.ts';

/** A generated file that is stale, and a check that says so, as a generator's check usually does. */
const SHOP: Record<string, TestFile> = {
  'prices.txt': 'apple 1\npear 2\n',
  'generate.sh': 'sort -r prices.txt > generated.txt\n',
  'generated.txt': 'pear 1\napple 1\n',
  'check.sh':
    'sh generate.sh\nif ! git diff --exit-code -- generated.txt; then echo "error: generated.txt is out of date"; exit 1; fi\necho "1 passed"\n',
  '.gitignore': 'node_modules/\n',
};
const LOG =
  '2026-01-01T00:00:00.0Z ##[group]Run sh check.sh\n2026-01-01T00:00:00.0Z ##[endgroup]\n2026-01-01T00:00:00.0Z error: generated.txt is out of date\n2026-01-01T00:00:01.0Z ##[error]Process completed with exit code 1.\n';

const rig = useWorkspace();

type Change = {
  files?: Record<string, TestFile>;
  fixer?: Partial<FixerRequest['fixer']>;
  setup?: string;
  failing?: Partial<FixerRequest['failing']>;
  more?: Partial<FixerRequest>;
};

async function requestOf({
  files = {},
  fixer = {},
  failing = {},
  setup,
  more = {},
}: Change): Promise<FixerRequest> {
  const baseSha = rig.repository.commit({ ...SHOP, ...files });
  const mirror = await ensureMirror({ cacheDir: rig.cacheDir, url: rig.repository.url, sha: baseSha });
  const limits = { timeoutMs: 20_000, memoryBytes: 500_000_000, maxOutputBytes: 100_000 };
  return {
    mirror,
    baseSha,
    prepare: (worktree) =>
      prepareCheckout({
        worktree,
        command: setup,
        lockfiles: [],
        registries: [],
        trustedBranches: ['main'],
        sandbox: rig.sandbox,
        limits,
        cacheDir: rig.cacheDir,
        workerEnv: {},
      }),
    failing: {
      command: 'sh check.sh',
      jobName: 'check',
      stepName: 'Check',
      signature: errorSignature(LOG),
      ...failing,
    },
    fixer: { name: 'generate', command: 'sh generate.sh', ...fixer },
    sandbox: rig.sandbox,
    limits,
    gate: patchGateDefaults,
    ...more,
  };
}

const fix = async (change: Change = {}): Promise<FixResult> => runFixer(await requestOf(change));

describe('a fixer', () => {
  it('gives a patch that a fresh checkout proved twice', async () => {
    const stages: string[] = [];
    const request = await requestOf({ more: { onProgress: (stage) => stages.push(stage) } });
    const result = await runFixer(request);
    if (result.kind !== 'verified') throw new Error(JSON.stringify(result));
    expect(result).toMatchObject({
      files: ['generated.txt'],
      lines: 2,
      before: { exitCode: 1, passed: false, signatureMatches: true },
    });
    expect(result.before.lines).toContain('error: generated.txt is out of date');
    expect(result.after.map((run) => [run.exitCode, run.passed, run.lines.at(-1)])).toEqual([
      [0, true, '1 passed'],
      [0, true, '1 passed'],
    ]);
    expect(new Set(stages)).toEqual(new Set(['checkout', 'reproduce', 'fix', 'gate', 'verify']));
    const commit = await commitValue({
      ...request,
      patch: result.patch,
      message: 'x',
      author: { name: 'a', email: 'b' },
      dateIso: '2026-01-01T00:00:00Z',
    });
    expect(commit.treeSha).toBe(result.treeSha);
    expect(await runFixer(request)).toMatchObject({ patch: result.patch, treeSha: result.treeSha });
  });

  it('is about what the fixer changed, not about what set-up made or other paths', async () => {
    const setup =
      'mkdir -p node_modules; echo x > node_modules/a; echo lock > setup.lock; echo setup >> prices.txt; sed -i "/setup/d" prices.txt';
    const result = await fix({
      setup,
      fixer: { command: 'sh generate.sh; echo cache > .fixer-cache', paths: ['generated.txt'] },
    });
    expect(result).toMatchObject({ kind: 'verified', files: ['generated.txt'] });
    const all = await fix({ setup, fixer: { command: 'sh generate.sh; echo cache > cache.txt' } });
    expect(all).toMatchObject({ kind: 'verified', files: ['cache.txt', 'generated.txt'] });
  });

  it('runs the failing step in its folder, with its environment', async () => {
    const result = await fix({
      files: { 'web/x': '' },
      failing: {
        command: '[ "$MODE" = ci ] && cd .. && sh check.sh',
        workingDirectory: 'web',
        env: { MODE: 'ci' },
      },
    });
    expect(result).toMatchObject({ kind: 'verified' });
  });
});

describe('CI-6 no fix', () => {
  const cases: [string, Change, object][] = [
    [
      'a base that passes',
      { files: { 'generated.txt': 'pear 2\napple 1\n' } },
      { kind: 'cannotReproduce', reason: expect.stringContaining('passes') },
    ],
    [
      'a base that fails otherwise',
      { files: { 'check.sh': 'echo "error: disk on fire"; exit 1\n' } },
      { kind: 'cannotReproduce', reason: expect.stringContaining('otherwise') },
    ],
    [
      'a missing program',
      { failing: { command: 'no-such-program-here' } },
      { kind: 'cannotReproduce', reason: expect.stringContaining('not installed') },
    ],
    ['a fixer that changes nothing', { fixer: { command: 'true' } }, { kind: 'noChange' }],
    [
      'a fixer that does not help',
      { fixer: { command: 'echo >> prices.txt' } },
      { kind: 'notFixed', after: [{ passed: false }] },
    ],
    [
      'a fixer that fails',
      { fixer: { command: 'sh generate.sh; exit 3' } },
      { kind: 'failed', stage: 'fix', reason: expect.stringContaining('3') },
    ],
    [
      'a set-up that fails',
      { setup: 'exit 9' },
      { kind: 'failed', stage: 'reproduce', reason: expect.stringContaining('set-up') },
    ],
    [
      'a fix that works once only',
      {
        fixer: {
          command:
            'sh generate.sh; printf "if [ -e seen ]; then exit 1; fi\\ntouch seen\\n" > a.txt; cat a.txt check.sh > b.txt; mv b.txt check.sh; rm a.txt',
        },
      },
      { kind: 'notFixed', after: [{ passed: true }, { passed: false }] },
    ],
    [
      '0 tests after the fix',
      { fixer: { command: 'printf "echo No tests found\\n" > check.sh' } },
      { kind: 'notFixed', after: [{ passed: false, exitCode: 0 }] },
    ],
    [
      'a folder outside',
      { failing: { workingDirectory: '../..' } },
      { kind: 'failed', reason: expect.stringContaining('workingDirectory') },
    ],
  ];
  it.each(cases)('%s', async (_name, change, expected) => {
    expect(await fix(change)).toMatchObject(expected);
  });

  it('hangs, floods and a missing sandbox are results', async () => {
    const limits = { timeoutMs: 1_500, memoryBytes: 500_000_000, maxOutputBytes: 10_000 };
    expect(await fix({ fixer: { command: 'sleep 60' }, more: { limits } })).toMatchObject({
      kind: 'failed',
      stage: 'fix',
      reason: expect.stringContaining('timedOut'),
    });
    expect(
      await fix({
        fixer: { command: 'yes | head -c 20000000; sh generate.sh' },
        more: { limits: { ...limits, timeoutMs: 20_000 } },
      }),
    ).toMatchObject({ kind: 'verified' });
    expect(await fix({ fixer: { command: 'head -c 60000000 /dev/zero > big' } })).toMatchObject({
      kind: 'failed',
      stage: 'fix',
      reason: expect.stringContaining('bytes'),
    });
    const unavailable: Sandbox = { kind: 'unavailable', reason: 'none here' };
    mkdirSync(join(rig.cacheDir, 'worktrees'), { recursive: true });
    expect(await fix({ more: { sandbox: unavailable } })).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('none here'),
    });
  });

  it('an abort is thrown, and leaves nothing', async () => {
    const abort = new AbortController();
    const running = fix({
      fixer: { command: 'echo here; sleep 60' },
      more: {
        signal: abort.signal,
        onProgress: (stage) => stage === 'fix' && abort.abort(new Error('stop')),
      },
    });
    await expect(running).rejects.toThrow('stop');
  });
});

// CI-7
describe('the gate stops a fixer that', () => {
  it.each([
    [
      'swallows the failure',
      'sed -i "s/exit 1/true || exit 1/; s/; then/ || true; then/" check.sh',
      'swallowedFailure',
    ],
    ['deletes', 'sh generate.sh; rm prices.txt', 'deletion'],
    [
      'touches the workflow',
      'sh generate.sh; mkdir -p .github/workflows; echo x > .github/workflows/ci.yml',
      'forbiddenPath',
    ],
    ['makes a link', 'sh generate.sh; ln -s /etc/passwd link', 'symlink'],
    [
      'makes a repository',
      'sh generate.sh; git init -q sub; cd sub; git -c user.name=a -c user.email=b commit -q --allow-empty -m x',
      'submodule',
    ],
    ['writes a program', 'sh generate.sh; cp /bin/true tool', 'binary'],
    ['writes a lot', 'seq 300 > generated.txt', 'tooManyLines'],
  ])('%s', async (_name, command, rule) => {
    const result = await fix({ fixer: { command } });
    expect(result).toMatchObject({ kind: 'gated' });
    expect(result.kind === 'gated' ? result.violations.map((violation) => violation.rule) : []).toContain(
      rule,
    );
  });
});

import { expect, it } from 'vitest';
import { ensureMirror } from '../../../src/integrations/git/mirror.ts';
import type { Sandbox } from '../../../src/integrations/sandbox/run-in-sandbox.ts';
import { runTool, unchangedValue } from '../../../src/integrations/workspace/run-tool.ts';
import {
  type Verified,
  type VerifyRequest,
  verifyFix,
} from '../../../src/integrations/workspace/verify-fix.ts';
import { errorSignature } from '../../../src/logs/signature.ts';
import { patchGateDefaults } from '../../../src/policy/patch/gate.ts';
import type { TestFile } from '../../support/git-repository.ts';
import { useWorkspace } from './workspace-rig.ts';

/** `check.sh` prints as pytest does, so that what it says about tests counts. */
const FILES: Record<string, TestFile> = {
  'add.sh': 'echo $(($1 + $2 + 1))\n',
  'check.sh': `for case in "1 1 2" "2 2 4"; do
  set -- $case
  if [ "$(sh add.sh $1 $2)" = "$3" ]; then echo "check.py::test_$1 PASSED"; passed=$((passed + 1)); else echo "check.py::test_$1 FAILED [ 50%]"; echo "error: expected $3"; failed=$((failed + 1)); fi
done
if [ -n "$failed" ]; then echo "=== $failed failed, \${passed:-0} passed in 0.1s ==="; exit 1; fi
echo "=== $passed passed in 0.1s ==="
`,
  '.gitignore': 'seen\n',
};
const LOG =
  '2026-01-01T00:00:00.0Z ##[group]Run sh check.sh\n2026-01-01T00:00:00.0Z ##[endgroup]\n2026-01-01T00:00:00.0Z check.py::test_1 FAILED [ 50%]\n2026-01-01T00:00:00.0Z error: expected 2\n2026-01-01T00:00:01.0Z ##[error]Process completed with exit code 1.\n';

const rig = useWorkspace();

async function verify(draft: string, change: Partial<VerifyRequest> = {}, files = FILES): Promise<Verified> {
  const sha = rig.repository.commit(files);
  const mirror = await ensureMirror({ cacheDir: rig.cacheDir, url: rig.repository.url, sha });
  const request = {
    mirror,
    failing: {
      command: 'sh check.sh',
      jobName: 'check',
      stepName: 'Check',
      signature: errorSignature(LOG),
      env: {},
    },
    sandbox: rig.sandbox,
    limits: { timeoutMs: 20_000, memoryBytes: 500_000_000, maxOutputBytes: 100_000 },
    prepare: async () => {},
  };
  const drafted = await runTool({
    ...request,
    value: await unchangedValue(mirror, sha),
    call: { tool: 'bash', command: draft },
    secrets: () => [],
  });
  return verifyFix({
    ...request,
    value: drafted.value,
    gate: { ...patchGateDefaults, drafted: true },
    ...change,
  });
}

const FIX = "echo 'echo $(($1 + $2))' > add.sh";

it('a fix: fails before, passes twice, with the tests that failed among those that ran', async () => {
  expect(await verify(FIX)).toMatchObject({
    kind: 'passed',
    before: { exitCode: 1, signatureMatches: true },
    after: [
      { exitCode: 0, passed: true },
      { exitCode: 0, passed: true },
    ],
    failedTests: ['check.py::test_1', 'check.py::test_2'],
    files: ['add.sh'],
    lines: 2,
  });
});

it.each<[string, string, object]>([
  ['still fails', 'echo "# tried" >> add.sh', { kind: 'notFixed', reason: /still fails in the first run/ }],
  [
    'passes once',
    `${FIX}; printf 'if [ -e seen ]; then echo 0; exit; fi\\n[ "$1" = 2 ] && touch seen\\necho $(($1 + $2))\\n' > add.sh`,
    { kind: 'notFixed', reason: /in the second run/ },
  ],
  ['runs no test', "echo 'echo collected 0 items' > check.sh", { kind: 'notFixed', reason: /no test ran/ }],
  [
    'takes the failing test away',
    `${FIX}; sed -i 's/"1 1 2" //' check.sh`,
    { kind: 'notFixed', reason: /test_1 did not run/ },
  ],
  [
    'takes all but a new test away',
    'echo \'echo "check.py::test_9 PASSED"; echo "== 1 passed in 0.1s =="\' > check.sh',
    { kind: 'notFixed', reason: /test_1 did not run/ },
  ],
  [
    'skips the failing test',
    `${FIX}; sed -i 's/test_$1 PASSED/test_$1 SKIPPED/' check.sh`,
    { kind: 'notFixed', reason: /is skipped/ },
  ],
  ['hangs', 'echo "while :; do :; done" > add.sh', { kind: 'failed', reason: /did not end by itself/ }],
  ['deletes', `${FIX}; rm .gitignore`, { kind: 'gated', violations: [{ rule: 'deletion' }] }],
])('no fix: %s', async (_name, draft, { reason, ...expected }: { reason?: RegExp }) => {
  const limits = { timeoutMs: 3_000, memoryBytes: 500_000_000, maxOutputBytes: 100_000 };
  const result = await verify(draft, { limits });
  expect(result).toMatchObject(expected);
  if (reason) expect('reason' in result ? result.reason : '').toMatch(reason);
});

it('no fix: a base that passes, that fails otherwise, and no sandbox', async () => {
  const good = { ...FILES, 'add.sh': 'echo $(($1 + $2))\n' };
  expect(await verify('echo x > new', {}, good)).toMatchObject({ kind: 'cannotReproduce' });
  const other = { ...FILES, 'check.sh': 'echo "error: disk on fire"; exit 1\n' };
  expect(await verify('echo x > new', {}, other)).toMatchObject({
    kind: 'cannotReproduce',
    reason: expect.stringContaining('otherwise'),
  });
  const unavailable: Sandbox = { kind: 'unavailable', reason: 'none here' };
  expect(await verify(FIX, { sandbox: unavailable })).toMatchObject({
    kind: 'failed',
    reason: expect.stringContaining('none here'),
  });
});

it('set-up runs before, in each fresh checkout; what it leaves is not part of the fix', async () => {
  let prepared = 0;
  const prepare = async (): Promise<void> => {
    prepared += 1;
  };
  expect(await verify(FIX, { prepare })).toMatchObject({ kind: 'passed', files: ['add.sh'] });
  expect(prepared).toBe(2);
});

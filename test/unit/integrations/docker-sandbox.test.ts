// SEC-3: the container's bounds are on its command line. That an engine keeps them is Docker's part: no engine runs here.
import { expect, it } from 'vitest';
import { dockerArguments } from '../../../src/integrations/sandbox/docker.ts';

const request = {
  image: 'node:24',
  worktree: '/data/tree',
  workingDirectory: 'web',
  script: 'npm test',
  pipefail: true,
  env: { MODE: 'ci' },
  limits: { memoryBytes: 1_000_000, maxProcesses: 9, maxFileBytes: 77 },
  home: undefined,
  timeoutMs: 1_500,
};

it('confines, bounds, and ends with its client', () => {
  const text = dockerArguments(request).join(' ');
  for (const part of [
    'bash -c exec "$@" < <(exec tail -f /dev/null)',
    '--rm --interactive --init --read-only --cap-drop ALL --security-opt no-new-privileges',
    '--memory 1000000 --pids-limit 9 --ulimit fsize=77',
    '--network none',
    '--volume /data/tree:/workspace --workdir /workspace/web',
    '--env MODE=ci',
    'node:24 bash -c',
  ])
    expect(text).toContain(part);
  expect(dockerArguments(request).slice(-4)).toEqual(['sandbox', '2', '-eo pipefail', 'npm test']);
  expect(dockerArguments({ ...request, home: '/data/home' }).join(' ')).toContain(
    '--volume /data/home:/home/sandbox --volume',
  );
  expect(() => dockerArguments({ ...request, workingDirectory: '../x' })).toThrow(/workingDirectory/);
});

// CI-6, SEC-3: what a set-up reaches and what it leaves, with a real package manager, registry, git and sandbox.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { applyValue, captureWorktree } from '../../../src/integrations/git/worktree.ts';
import { findSandbox } from '../../../src/integrations/sandbox/find-sandbox.ts';
import type { Sandbox } from '../../../src/integrations/sandbox/run-in-sandbox.ts';
import { StepStopped } from '../../../src/integrations/workspace/run-step.ts';
import { prepareCheckout, type SetUp } from '../../../src/integrations/workspace/set-up.ts';
import { createRig, type Registry, type Rig, shop, startRegistry } from './set-up-rig.ts';

const tarball = '/dep/-/dep-1.0.0.tgz';
let sandbox: Sandbox;
let registry: Registry;
let rig: Rig;
beforeAll(async () => {
  sandbox = await findSandbox({ mode: 'required', view: { readOnlyPaths: [], pathPrepend: [], hide: [] } });
  process.env.UNTILGREEN_TEST_SECRET = 'planted-secret-value';
});
afterAll(() => {
  delete process.env.UNTILGREEN_TEST_SECRET;
});
beforeEach(async () => {
  registry = await startRegistry();
  rig = createRig(sandbox, registry);
});
afterEach(async () => {
  await rig.end();
  await registry.close();
});

/** A fresh checkout, set up. */
async function prepared(sha: string, more: Parameters<Rig['requestOf']>[1] = {}) {
  const worktree = await rig.checkout(sha);
  return { worktree, done: await prepareCheckout(rig.requestOf(worktree, more)) };
}

const linesOf = (done: SetUp): string => (done.kind === 'ran' ? done.evidence.lines.join('\n') : done.kind);
const entries = (): string[] => readdirSync(join(rig.cacheDir, 'set-ups')).filter((name) => name !== 'locks');
const after = 'cat node_modules/after node_modules/dep/index.js';
const good = 'good\nmodule.exports = "from the registry";';

describe('CI-6 a set-up', () => {
  it('gets packages from an allowed registry; the next command reaches nothing', async () => {
    const sha = rig.repository.commit(shop(registry.port));
    const { worktree, done } = await prepared(sha);
    expect(done).toMatchObject({ kind: 'ran', notKept: undefined, evidence: { passed: true } });
    expect(registry.journal).toEqual([tarball]);
    expect(await rig.step(worktree, after)).toBe(good);
    const tried = `curl -sS -m 3 http://127.0.0.1:${registry.port}/x 2>&1; curl -sS -m 3 -x http://127.0.0.1:3128 http://127.0.0.1:${registry.port}/x 2>&1; ls /run; env`;
    const said = await rig.step(worktree, `set +e\n${tried}`);
    expect(said).toContain('connect');
    expect(said).not.toMatch(/way-out|proxy=/i);
    expect(registry.journal).toEqual([tarball]);
  });

  it('SEC-3: reaches nothing else, and sees no secret', async () => {
    const canary = createServer((_request, response) => response.end('reached'));
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
    const { port } = canary.address() as AddressInfo;
    const sha = rig.repository.commit(shop(registry.port));
    const tries = [
      `curl -sS -m 5 http://127.0.0.1:${port}/`,
      `curl -sSp -m 5 http://127.0.0.1:${port}/`,
      `curl -sS -m 5 --noproxy '*' http://127.0.0.1:${registry.port}/around`,
      'curl -sS -m 5 http://169.254.169.254/latest/meta-data/',
      'curl -sS -m 5 https://evil.example/',
      // The name is this machine's: it is on the list, its address is not.
      'curl -sS -m 5 http://localhost/',
      `curl -sS -m 5 -H 'Host: other.example' http://127.0.0.1:${registry.port}/host`,
    ].map((line) => `${line} 2>&1`);
    const command = `set +e\n${tries.join('; echo; ')}; env; cat /proc/self/environ /proc/1/environ 2>&1; exit 0`;
    const registries = [`127.0.0.1:${registry.port}`, 'localhost'];
    const { done } = await prepared(sha, { command, registries });
    const said = linesOf(done);
    expect(said).not.toContain('reached');
    expect(said).not.toContain('planted-secret-value');
    for (const line of [
      `set-up asked for 127.0.0.1:${port}: not on ci.setup.registries`,
      'set-up asked for 169.254.169.254:80: not on ci.setup.registries',
      'set-up asked for evil.example:443: not on ci.setup.registries',
    ])
      expect(said.split('\n')).toContain(line);
    expect(said).toMatch(/set-up asked for localhost:80: (?:127\.0\.0\.1|::1) is inside of this network/);
    expect(registry.journal).toEqual(['/host']);
    canary.close();
  });

  it('that fails is an outcome with evidence, and is not kept', async () => {
    const sha = rig.repository.commit(shop(registry.port));
    const command = 'echo trying; curl -sSf https://evil.example/ || exit 9';
    for (let time = 0; time < 2; time += 1) {
      const failed = await prepared(sha, { command }).catch((error: unknown) => error);
      if (!(failed instanceof StepStopped)) throw failed;
      expect(failed.message).toBe(
        'the set-up failed with exit code 9; set-up asked for evil.example:443: not on ci.setup.registries',
      );
      expect(failed.evidence.lines[0]).toBe('trying');
    }
    expect(entries()).toEqual([]);
  });
});

describe('CI-6 what a set-up left', () => {
  it('is put back without a request, in the checkout and in the home, and no later command changes it', async () => {
    const sha = rig.repository.commit(shop(registry.port));
    const command =
      'npm ci --no-audit && mkdir -p ~/.cargo && echo home > ~/.cargo/x && echo built > built.txt';
    const first = await prepared(sha, { command });
    expect(first.done).toMatchObject({ kind: 'ran', notKept: undefined });
    const second = await prepared(sha, { command });
    expect(second.done).toEqual({ kind: 'cached' });
    expect(registry.journal).toEqual([tarball]);
    const look = `${after}; cat ~/.cargo/x built.txt`;
    expect(await rig.step(second.worktree, look)).toBe(`${good}\nhome\nbuilt`);
    await rig.step(
      second.worktree,
      'echo evil > node_modules/dep/index.js; echo evil > ~/.cargo/x; echo evil >> built.txt',
    );
    const third = await prepared(sha, { command });
    expect(third.done).toEqual({ kind: 'cached' });
    expect(await rig.step(third.worktree, look)).toBe(`${good}\nhome\nbuilt`);
  });

  it.each<[string, (port: number) => Parameters<Rig['repository']['commit']>[0], SetUp['kind']]>([
    ['other sources', () => ({ 'src/index.js': 'x\n' }), 'cached'],
    [
      'another lockfile',
      (port) => ({ 'package-lock.json': shop(port, '1.0.1')['package-lock.json'] ?? '' }),
      'ran',
    ],
    ['another manifest', (port) => ({ 'package.json': shop(port, '1.0.1')['package.json'] ?? '' }), 'ran'],
    ['settings of the package manager', () => ({ 'web/.npmrc': 'audit=false\n' }), 'ran'],
  ])('is for the same lockfiles and manifests: %s', async (_name, change, kind) => {
    const command = 'mkdir node_modules; curl -sS "http://127.0.0.1:$(cat port)/x"';
    await prepared(rig.repository.commit({ ...shop(registry.port), port: String(registry.port) }), {
      command,
    });
    const next = await prepared(rig.repository.commit(change(registry.port)), { command });
    expect(next.done.kind).toBe(kind);
    expect(registry.journal).toHaveLength(kind === 'ran' ? 2 : 1);
  });

  it('is not kept when it changed files of the repository', async () => {
    const sha = rig.repository.commit(shop(registry.port));
    const { done } = await prepared(sha, { command: 'echo more >> scripts/after.sh' });
    expect(done).toMatchObject({ notKept: 'it changed files of the repository: scripts/after.sh' });
    expect(entries()).toEqual([]);
  });
});

describe('SEC-3 the cache cannot be poisoned', () => {
  it("by a pull request with main's lockfile and manifest, nor by a draft on main", async () => {
    const files = shop(registry.port);
    const main = rig.repository.commit(files);
    rig.repository.git('checkout', '-q', '-b', 'pr');
    const evil = { 'scripts/after.sh': 'echo evil > node_modules/after\n' };
    const pr = rig.repository.commit(evil, 'pr');
    const theirs = await prepared(pr);
    expect(theirs.done).toMatchObject({ kind: 'ran', notKept: undefined });
    expect(await rig.step(theirs.worktree, 'cat node_modules/after')).toBe('evil');

    const scratch = await rig.checkout(main);
    await rig.step(scratch, 'echo "echo worse > node_modules/after" > scripts/after.sh');
    const value = await captureWorktree(scratch);
    const draft = await rig.checkout(main);
    await applyValue(draft, value);
    expect(await prepareCheckout(rig.requestOf(draft))).toMatchObject({ kind: 'ran', notKept: undefined });

    const ours = await prepared(main);
    expect(ours.done.kind).toBe('ran');
    expect(await rig.step(ours.worktree, after)).toBe(good);
    // What main made is good enough for a pull request that changes neither lockfile nor manifest.
    const later = await prepared(rig.repository.commit({ 'src/a.js': 'x\n' }, 'pr'));
    expect(later.done).toEqual({ kind: 'cached' });
    expect(await rig.step(later.worktree, after)).toBe(good);
  });

  it('through a link where something is put back', async () => {
    const outside = join(rig.repository.dir, 'outside');
    mkdirSync(outside);
    const command = 'mkdir -p packages/a/node_modules && echo x > packages/a/node_modules/x';
    await prepared(rig.repository.commit({ ...shop(registry.port), 'packages/a/keep': '' }), { command });
    rig.repository.git('checkout', '-q', '-b', 'pr');
    rig.repository.git('rm', '-rq', 'packages');
    const pr = rig.repository.commit({ 'packages/a': { link: outside } }, 'pr');
    const worktree = await rig.checkout(pr);
    await expect(prepareCheckout(rig.requestOf(worktree, { command }))).rejects.toThrow(/the set-up failed/);
    expect(readdirSync(outside)).toEqual([]);
  });
});

describe('CI-6 makers of the same set-up', () => {
  it('at once make it once', async () => {
    const sha = rig.repository.commit(shop(registry.port));
    const worktrees = [await rig.checkout(sha), await rig.checkout(sha), await rig.checkout(sha)];
    const done = await Promise.all(worktrees.map((worktree) => prepareCheckout(rig.requestOf(worktree))));
    expect(done.map(({ kind }) => kind).sort()).toEqual(['cached', 'cached', 'ran']);
    expect(registry.journal).toEqual([tarball]);
    for (const worktree of worktrees) expect(await rig.step(worktree, after)).toBe(good);
  });

  it.each([
    ['while it runs', 'echo x > begun; sleep 60', 'begun'],
    ['while it is copied', 'mkdir many; cd many; seq 1 30000 | xargs touch', 'copy'],
  ])('that are killed %s leave no half of it', async (_name, command, when) => {
    const sha = rig.repository.commit(shop(registry.port));
    const worktree = await rig.checkout(sha);
    const program = `import { prepareCheckout } from ${JSON.stringify(join(import.meta.dirname, '../../../src/integrations/workspace/set-up.ts'))};
      await prepareCheckout(JSON.parse(process.argv[1]));`;
    const request = JSON.stringify(rig.requestOf(worktree, { command }));
    const maker = spawn(process.execPath, ['--input-type=module', '-e', program, request], {
      stdio: 'inherit',
    });
    const making = (): boolean =>
      existsSync(join(rig.cacheDir, 'set-ups')) && entries().some((name) => name.startsWith('.making-'));
    await until(() => (when === 'begun' ? existsSync(join(worktree.path, 'begun')) : making()));
    maker.kill('SIGKILL');
    await until(() => maker.signalCode !== null);
    expect(entries().filter((name) => !name.startsWith('.'))).toEqual([]);

    const quick = command.replace('sleep 60', 'true');
    const next = await prepared(sha, { command: quick });
    expect(next.done).toMatchObject({ kind: 'ran', notKept: undefined });
    const left = entries();
    expect(left).toHaveLength(1);
    const kept = join(rig.cacheDir, 'set-ups', left[0] ?? '');
    const { made } = JSON.parse(readFileSync(join(kept, 'entry.json'), 'utf8')) as {
      made: { tree: string[] };
    };
    expect(made.tree).toEqual([when === 'begun' ? 'begun' : 'many']);
    if (when === 'copy') expect(readdirSync(join(kept, 'tree', 'many'))).toHaveLength(30_000);
    expect((await prepared(sha, { command: quick })).done).toEqual({ kind: 'cached' });
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

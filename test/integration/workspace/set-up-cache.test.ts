// CI-6: what set-ups left, on a real file system: what is put away first, what stays, and what is never copied.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  dropDownloads,
  keep,
  lockEntry,
  prune,
  putBack,
  type SetUpCache,
} from '../../../src/integrations/workspace/set-up-cache.ts';

let root: string;
let cache: SetUpCache;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'untilgreen-set-ups-'));
  cache = { dir: join(root, 'set-ups'), maxEntryBytes: 1_000_000, maxBytes: 250_000 };
  mkdirSync(join(cache.dir, 'locks'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const keyOf = (name: string): string => name.repeat(64);
function place(name: string) {
  const made = { tree: join(root, name, 'tree'), home: join(root, name, 'home') };
  for (const path of Object.values(made)) mkdirSync(path, { recursive: true });
  return made;
}
function filled(name: string, bytes: number) {
  const made = place(name);
  writeFileSync(join(made.tree, 'big'), Buffer.alloc(bytes, 'x'));
  return made;
}
const usedAt = (name: string, seconds: number): void =>
  utimesSync(join(cache.dir, keyOf(name), 'entry.json'), seconds, seconds);
const kept = (): string[] =>
  readdirSync(cache.dir)
    .filter((name) => name !== 'locks')
    .map((name) => name[0] ?? '')
    .sort();

it('puts away what was not used for longest, but nothing that is in use', async () => {
  for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) {
    expect(
      await keep(cache, keyOf(name), filled(name, 100_000), { tree: ['big'], home: [] }),
    ).toBeUndefined();
    usedAt(name, 1_000 + index);
  }
  expect(await putBack(cache, keyOf('a'), place('x'))).toBe(true);
  const lock = await lockEntry(cache, keyOf('b'), 'shared', undefined);
  await prune(cache);
  expect(kept()).toEqual(['a', 'b']);
  await lock.release();
  mkdirSync(join(cache.dir, `.making-${keyOf('e')}`));
  await prune({ ...cache, maxBytes: 150_000 });
  expect(kept()).toEqual(['a']);
});

it('does not keep more than its limit, nor what lies behind a link', async () => {
  const large = filled('l', 1_200_000);
  expect(await keep(cache, keyOf('a'), large, { tree: ['big'], home: [] })).toMatch(
    /at most 1000000 are kept/,
  );
  const linked = place('k');
  symlinkSync('/etc', join(linked.tree, 'vendor'));
  const behind = { tree: ['vendor/hostname'], home: [] };
  expect(await keep(cache, keyOf('a'), linked, behind)).toBe('vendor/hostname lies behind a link');
  expect(await keep(cache, keyOf('a'), linked, { tree: ['../k/tree/vendor'], home: [] })).toMatch(/behind/);
  expect(await keep(cache, keyOf('a'), linked, { tree: ['gone'], home: [] })).toMatch(
    /^it cannot be copied: /,
  );
  expect(kept()).toEqual([]);
});

it('copies links as links, files with their modes, and nothing over what is there', async () => {
  const from = place('f');
  mkdirSync(join(from.tree, 'node_modules/.bin'), { recursive: true });
  writeFileSync(join(from.tree, 'node_modules/tool.js'), 'x', { mode: 0o755 });
  symlinkSync('../tool.js', join(from.tree, 'node_modules/.bin/tool'));
  symlinkSync('/etc/passwd', join(from.home, 'link'));
  const made = { tree: ['node_modules'], home: ['link'] };
  expect(await keep(cache, keyOf('a'), from, made)).toBeUndefined();
  const to = place('t');
  expect(await putBack(cache, keyOf('a'), to)).toBe(true);
  expect(readFileSync(join(to.tree, 'node_modules/.bin/tool'), 'utf8')).toBe('x');
  const copied = statSync(join(to.tree, 'node_modules/tool.js'));
  expect(copied.mode & 0o777).toBe(0o755);
  const original = statSync(join(cache.dir, keyOf('a'), 'tree/node_modules/tool.js'));
  expect([original.nlink, copied.nlink]).toEqual([1, 1]);
  expect(copied.ino).not.toBe(original.ino);

  const taken = place('u');
  mkdirSync(join(taken.tree, 'node_modules'));
  expect(await putBack(cache, keyOf('a'), taken)).toBe(false);
  expect(readdirSync(join(taken.tree, 'node_modules'))).toEqual([]);
  expect(await putBack(cache, keyOf('b'), place('v'))).toBe(false);
});

it('drops downloads of the home, but follows no link to them', async () => {
  const { home } = place('h');
  mkdirSync(join(home, '.npm/_cacache'), { recursive: true });
  mkdirSync(join(root, 'elsewhere/pip'), { recursive: true });
  symlinkSync(join(root, 'elsewhere'), join(home, '.cache'));
  await dropDownloads(home);
  expect(existsSync(join(home, '.npm'))).toBe(false);
  expect(existsSync(join(root, 'elsewhere/pip'))).toBe(true);
});

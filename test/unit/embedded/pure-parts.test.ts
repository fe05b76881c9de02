// The decisions of the embedded parts that need no server: versions, ports, paths, connection strings, locks.

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cachedProgram, cacheFolder } from '../../../src/embedded/machine/binary-cache.ts';
import { lockHolder, tryLock } from '../../../src/embedded/machine/file-lock.ts';
import { embeddedPorts, requireFreePorts } from '../../../src/embedded/machine/ports.ts';
import { throwAwayFolder } from '../../../src/embedded/machine/throw-away-folder.ts';
import { parsePostmasterPid } from '../../../src/embedded/postgres.ts';
import { canPassThrough } from '../../../src/embedded/postgres-programs.ts';
import { dbmateUrl, withoutConnection } from '../../../src/embedded/schema.ts';
import { isAtLeast, noBinaryMessage, parseServerVersion } from '../../../src/embedded/temporal-binary.ts';
import { defaultDataFolder } from '../../../src/embedded/up.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'untilgreen-pure-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test.each([
  { output: 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)', version: '1.29.1' },
  { output: 'temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)', version: '1.29.1' },
  { output: 'some other program 1.2.3', version: undefined },
])('the server version of "$output" is $version', ({ output, version }) => {
  expect(parseServerVersion(output)).toBe(version);
});

test.each([
  { version: '1.29.0', enough: true },
  { version: '1.30.0', enough: true },
  { version: '1.100.0', enough: true },
  { version: '2.0.0', enough: true },
  { version: '1.28.9', enough: false },
  { version: '1.3.0', enough: false },
])('server $version is at least 1.29.0: $enough', ({ version, enough }) => {
  expect(isAtLeast(version, '1.29.0')).toBe(enough);
});

// DUR-4
test('the error without any Temporal lists what was tried and what helps', () => {
  const message = noBinaryMessage(['build from the Go module proxy: no `go` on PATH']);

  for (const part of ['no `go` on PATH', 'TEMPORAL_ADDRESS', 'on PATH', 'temporal.download', 'Go 1.25']) {
    expect(message).toContain(part);
  }
});

test('ports come from flags, then variables, then defaults; 0 is any free one', async () => {
  const ports = await embeddedPorts(
    { UNTILGREEN_POSTGRES_PORT: '5544', UNTILGREEN_TEMPORAL_PORT: '1' },
    { temporal: 0 },
  );

  expect(ports).toMatchObject({
    postgres: 5544,
    temporalUi: 8233,
    temporalHttp: 7243,
    temporalMetrics: 9233,
  });
  expect(ports.temporal).toBeGreaterThan(1);
});

// DUR-4
test.each(['x', '-1', '70000', '1.5', ' '])(
  'a port "%s" is refused with the variable and the value',
  async (value) => {
    await expect(embeddedPorts({ UNTILGREEN_TEMPORAL_UI_PORT: value }, {})).rejects.toThrow(
      `UNTILGREEN_TEMPORAL_UI_PORT is "${value}": give a port from 0 to 65535`,
    );
  },
);

// DUR-4
test.each([Number.NaN, -1, 70_000, 1.5])('a port %s from a flag is refused with the flag', async (port) => {
  await expect(embeddedPorts({}, { postgres: port })).rejects.toThrow(
    `--postgres-port is ${port}: give a port`,
  );
});

// DUR-4
test('a taken port is named, a free one passes', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  await expect(requireFreePorts({ temporalMetrics: port })).rejects.toThrow(
    `port ${port} for Temporal's metrics is taken by another program: choose another one with --temporal-metrics-port`,
  );
  await new Promise((resolve) => other.close(resolve));
  await expect(requireFreePorts({ temporalMetrics: port })).resolves.toBeUndefined();
});

test.each([
  { text: '4711\n/data/cluster\n1763716800\n7432\n', parsed: { pid: 4711, cluster: '/data/cluster' } },
  { text: '', parsed: undefined },
  { text: 'garbage\n/data', parsed: undefined },
  { text: '-1\n/data', parsed: undefined },
])('postmaster.pid $text', ({ text, parsed }) => {
  expect(parsePostmasterPid(text)).toEqual(parsed);
});

test.each([
  { name: 'open to all', folders: [{ mode: 0o40755, uid: 0, gid: 0 }], passes: true },
  {
    name: 'private to root',
    folders: [
      { mode: 0o40755, uid: 0, gid: 0 },
      { mode: 0o40700, uid: 0, gid: 0 },
    ],
    passes: false,
  },
  { name: 'its own', folders: [{ mode: 0o40700, uid: 101, gid: 0 }], passes: true },
  { name: 'its group’s', folders: [{ mode: 0o40710, uid: 0, gid: 104 }], passes: true },
  { name: 'closed to its group only', folders: [{ mode: 0o40701, uid: 0, gid: 104 }], passes: false },
])('an account passes a folder $name: $passes', ({ folders, passes }) => {
  expect(canPassThrough(folders, { uid: 101, gid: 104 })).toBe(passes);
});

test.each([
  { given: 'postgresql://u:p@h:1/d', mode: 'disable' },
  { given: 'postgresql://u:p@h:1/d?sslmode=no-verify', mode: 'require' },
  { given: 'postgresql://u:p@h:1/d?sslmode=verify-full', mode: 'verify-full' },
])('dbmate gets sslmode $mode for $given', ({ given, mode }) => {
  expect(new URL(dbmateUrl(given)).searchParams.get('sslmode')).toBe(mode);
});

// SEC-2
test('no spelling of the connection string is left in a message', () => {
  const url = 'postgresql://u:p%40ss%2Fword@h:1/d';

  const text = withoutConnection(
    `cannot use ${url} nor ${dbmateUrl(url)}: p@ss/word or p%40ss%2Fword is wrong`,
    url,
  );

  expect(text).toBe(
    'cannot use [redacted] nor [redacted]?sslmode=disable: [redacted] or [redacted] is wrong',
  );
});

test('folders follow the XDG variables', () => {
  expect(cacheFolder({ XDG_CACHE_HOME: '/c' })).toBe('/c/untilgreen');
  expect(cacheFolder({ XDG_CACHE_HOME: '' })).toMatch(/\/\.cache\/untilgreen$/);
  expect(defaultDataFolder({ XDG_DATA_HOME: '/d' })).toBe('/d/untilgreen');
  expect(defaultDataFolder({})).toMatch(/\/\.local\/share\/untilgreen$/);
});

test('a lock has one holder, who is known, until it is released', () => {
  const path = join(folder, 'lock');
  const lock = tryLock(path);

  expect(tryLock(path)).toBeUndefined();
  expect(lockHolder(path)).toBe(process.pid);
  lock?.release();
  const next = tryLock(path);
  expect(next).toBeDefined();
  next?.release();
});

test('a program is made once for callers at the same time, and appears whole', async () => {
  let made = 0;
  const entry = {
    folder,
    file: 'program',
    progress: () => {},
    make: async (_work: string, out: string) => {
      made += 1;
      await writeFile(out, 'whole');
    },
  };

  const paths = await Promise.all([cachedProgram(entry), cachedProgram(entry), cachedProgram(entry)]);

  expect(made).toBe(1);
  expect(new Set(paths)).toEqual(new Set([join(folder, 'program')]));
});

test('a maker that fails leaves nothing, and the next one tries again', async () => {
  const make = (fail: boolean) =>
    cachedProgram({
      folder,
      file: 'program',
      progress: () => {},
      make: async (_work, out) => {
        await writeFile(out, 'half');
        if (fail) throw new Error('no space left');
      },
    });

  await expect(make(true)).rejects.toThrow('no space left');
  await expect(make(false)).resolves.toBe(join(folder, 'program'));
});

test('an abandoned throw-away folder goes, one in use stays', async () => {
  const used = await throwAwayFolder();
  const abandoned = await mkdtemp(join(tmpdir(), 'untilgreen-throw-away-'));
  await writeFile(join(abandoned, 'lock'), ''); // as after a kill: the file is there, nobody holds it

  const next = await throwAwayFolder();

  expect([used.path, next.path, abandoned].map((path) => existsSync(path))).toEqual([true, true, false]);
  await used.remove();
  await next.remove();
});

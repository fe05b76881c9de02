// Logs on disk: plain, gzip, GitHub's archives (CI-2).
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LogFile, openLog } from '../../../src/logs/lines.ts';
import { LogFileError } from '../../../src/logs/log-files.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'untilgreen-archive-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function given(name: string, bytes: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

async function textOf(file: LogFile | undefined): Promise<string> {
  const parts: Buffer[] = [];
  for await (const chunk of file?.open() ?? []) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts).toString();
}

describe('a log on disk', () => {
  test.each([
    ['plain', (text: string) => Buffer.from(text)],
    ['gzip', (text: string) => gzipSync(text)],
  ])('%s is one log, which can be read twice', async (name, packed) => {
    const text = 'line of the log\n'.repeat(50_000);
    const files = await openLog(await given(`${name}.log`, packed(text)));
    expect(files).toHaveLength(1);
    expect(await textOf(files[0])).toBe(text);
    expect(await textOf(files[0])).toBe(text);
  });

  test('CI-2: an archive gives the logs of its jobs by their numbers, not those of steps', async () => {
    const archive = zip({
      'build/1_Set up job.txt': 'step',
      '10_late.txt': 'ten',
      '2_lint.txt': 'two',
      '1_build (ubuntu, 20).txt': 'one',
      'notes.bin': 'no log',
    });
    const files = await openLog(await given('run.zip', archive));
    expect(files.map(({ name }) => name)).toEqual(['1_build (ubuntu, 20).txt', '2_lint.txt', '10_late.txt']);
    expect(await Promise.all(files.map(textOf))).toEqual(['one', 'two', 'ten']);
  });

  test('an archive without logs of jobs gives all its logs', async () => {
    const files = await openLog(await given('steps.zip', zip({ 'a/2_b.txt': 'b', 'a/1_a.log': 'a' })));
    expect(files.map(({ name }) => name)).toEqual(['a/1_a.log', 'a/2_b.txt']);
  });

  test('a stop in the middle leaves nothing open', async () => {
    const [file] = await openLog(await given('long.log', 'x\n'.repeat(1_000_000)));
    for await (const chunk of file?.open() ?? []) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });

  test.each([
    ['a missing file', 'missing.log', undefined],
    ['a broken archive', 'broken.zip', 'PK\u0003\u0004 and no more'],
  ])('%s is said with what to do', async (_, name, content) => {
    const path = content === undefined ? join(folder, name) : await given(name, content);
    await expect(openLog(path)).rejects.toThrow(LogFileError);
    await expect(openLog(path)).rejects.toThrow(/^FILE: cannot read .*Fix: /);
  });
});

/** An archive of deflated files, as the format's description says. */
function zip(files: Readonly<Record<string, string>>): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const packed = deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2); // names are UTF-8
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(Buffer.byteLength(content), 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const head = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(
      Buffer.concat([Buffer.from('PK\u0001\u0002'), Buffer.from([20, 0]), common, tail, Buffer.from(name)]),
    );
    local.push(head);
    offset += head.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(local.length, 4);
  end.writeUInt16LE(local.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...local, directory, Buffer.from('PK\u0005\u0006'), end]);
}

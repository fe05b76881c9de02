// A log on disk as one or several streams of bytes: a plain file, a gzip file, or an archive of GitHub's (one log per job).
// Nothing is unpacked to disk or held in memory as a whole.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import yauzl, { type Entry, type ZipFile } from 'yauzl';

/** One log. `name` is the file's name inside an archive (`2_build (ubuntu).txt`), else the path. `open` may be called again. A chunk is good until the next. */
export type LogFile = { readonly name: string; readonly open: () => AsyncIterable<Uint8Array> };

/** The file cannot be read as a log; the message says what to do. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError';
}

const CHUNK_BYTES = 256 * 1024;
/** A log file inside an archive is text; the archive itself may come from a stranger. */
const MAX_FILES = 20_000;

/**
 * What the path holds. An archive gives its logs of whole jobs (the files at its top; without any, all its text files), in
 * the order of their leading numbers. @throws {LogFileError} the file is missing, a folder, or a broken archive
 */
export async function openLog(path: string): Promise<readonly LogFile[]> {
  const head = await firstBytes(path);
  if (head[0] === 0x1f && head[1] === 0x8b)
    return [{ name: path, open: () => createReadStream(path).pipe(createGunzip()) }];
  if (head.toString('latin1', 0, 4) !== 'PK\u0003\u0004')
    return [{ name: path, open: () => readPlain(path) }];
  const names = (await entriesOf(path)).filter((name) => name.endsWith('.txt') || name.endsWith('.log'));
  const jobs = names.filter((name) => !name.includes('/'));
  return (jobs.length > 0 ? jobs : names)
    .toSorted((a, b) => leadingNumber(a) - leadingNumber(b) || (a < b ? -1 : 1))
    .map((name) => ({ name, open: () => readEntry(path, name) }));
}

/**
 * In two buffers that take turns, one being filled while the other is worked on. (A stream's new buffer for each chunk piles
 * up faster than it is collected.)
 */
async function* readPlain(path: string): AsyncGenerator<Uint8Array> {
  try {
    await using file = await open(path, 'r');
    let [filling, free] = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)];
    let reading = file.read(filling, 0, CHUNK_BYTES, null);
    try {
      for (;;) {
        const { bytesRead, buffer } = await reading;
        if (bytesRead === 0) return;
        [filling, free] = [free, filling];
        reading = file.read(filling, 0, CHUNK_BYTES, null);
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      // A reader that stops early must not leave a read on a closed file.
      await reading.catch(() => undefined);
    }
  } catch (error) {
    throw cannotRead(path, error);
  }
}

async function firstBytes(path: string): Promise<Buffer> {
  try {
    await using file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw cannotRead(path, error);
  }
}

async function entriesOf(path: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { entry } of walk(path)) {
    names.push(entry.fileName);
    if (names.length > MAX_FILES)
      throw new LogFileError(`FILE: ${path} holds more than ${MAX_FILES} files. Fix: name one log`);
  }
  return names;
}

async function* readEntry(path: string, name: string): AsyncGenerator<Uint8Array> {
  for await (const { entry, zip } of walk(path)) {
    if (entry.fileName !== name) continue;
    try {
      yield* await zip.openReadStreamPromise(entry);
    } catch (error) {
      throw cannotRead(`${path} (${name})`, error);
    }
    return;
  }
}

async function* walk(path: string): AsyncGenerator<{ readonly entry: Entry; readonly zip: ZipFile }> {
  let zip: ZipFile;
  try {
    zip = await yauzl.openPromise(path, { lazyEntries: true, autoClose: false });
  } catch (error) {
    throw cannotRead(path, error);
  }
  try {
    for await (const entry of zip.eachEntry()) yield { entry, zip };
  } finally {
    zip.close();
  }
}

function cannotRead(path: string, error: unknown): Error {
  if (error instanceof LogFileError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  const fix =
    code === 'ENOENT' ? 'name a file that exists' : 'name a log file, or the archive as GitHub gave it';
  const reason = error instanceof Error ? error.message : String(error);
  return new LogFileError(`FILE: cannot read ${JSON.stringify(path)}: ${reason}. Fix: ${fix}`, {
    cause: error,
  });
}

function leadingNumber(name: string): number {
  const digits = /^\d{1,9}/.exec(name);
  return digits ? Number(digits[0]) : Number.MAX_SAFE_INTEGER;
}

// A log on disk as one or several streams of bytes: a plain file, a gzip file, or an archive of GitHub's (one log per job).
// Nothing is unpacked to disk or held in memory as a whole.
import { createReadStream, read as fsRead } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import yauzl, { type Entry, type ZipFile } from 'yauzl';

/** One log. `name` is the file's name inside an archive (`2_build (ubuntu).txt`), else the path. `open` may be called again. A chunk is good until the next. */
export type LogFile = { readonly name: string; readonly open: () => AsyncIterable<Uint8Array> };

/** The file cannot be read as a log; the message says what to do. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError';
}

const CHUNK_BYTES = 256 * 1024;
const STDIN_FD = 0;
/** A terminal's or another program's stdin may have nothing yet. */
const STDIN_WAIT_MS = 10;
/** A log file inside an archive is text; the archive itself may come from a stranger. */
const MAX_FILES = 20_000;

/**
 * What the path holds. An archive gives its logs of whole jobs (the files at its top; without any, all its text files), in
 * the order of their leading numbers. @throws {LogFileError} the file is missing, a folder, or a broken archive
 */
export async function openLog(path: string): Promise<readonly LogFile[]> {
  const head = await firstBytes(path);
  if (head[0] === 0x1f && head[1] === 0x8b) return [{ name: path, open: () => readGzip(path) }];
  if (head.toString('latin1', 0, 4) !== 'PK\u0003\u0004')
    return [{ name: path, open: () => readPlain(path) }];
  const names = (await entriesOf(path)).filter((name) => name.endsWith('.txt') || name.endsWith('.log'));
  const jobs = names.filter((name) => !name.includes('/'));
  return (jobs.length > 0 ? jobs : names)
    .toSorted((a, b) => leadingNumber(a) - leadingNumber(b) || (a < b ? -1 : 1))
    .map((name) => ({ name, open: () => readEntry(path, name) }));
}

async function* readGzip(path: string): AsyncGenerator<Uint8Array> {
  const packed = createReadStream(path);
  const text = packed.pipe(createGunzip());
  packed.on('error', (error) => text.destroy(error));
  try {
    yield* text;
  } catch (error) {
    throw cannotRead(path, error);
  } finally {
    packed.destroy();
  }
}

async function* readPlain(path: string): AsyncGenerator<Uint8Array> {
  const file = await opened(path);
  try {
    yield* readTurns((buffer) => file.read(buffer, 0, CHUNK_BYTES, null));
  } catch (error) {
    throw cannotRead(path, error);
  } finally {
    await file.close();
  }
}

/** A plain log on stdin; can be read once. */
export async function* readStdin(): AsyncGenerator<Uint8Array> {
  const read = promisify(fsRead);
  yield* readTurns(async (buffer) => {
    for (;;) {
      try {
        return await read(STDIN_FD, buffer, 0, CHUNK_BYTES, null);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EOF') return { bytesRead: 0, buffer };
        if (code !== 'EAGAIN') throw error;
        await delay(STDIN_WAIT_MS);
      }
    }
  });
}

type ReadInto = (buffer: Buffer) => Promise<{ readonly bytesRead: number; readonly buffer: Buffer }>;

/**
 * In two buffers that take turns, one being filled while the other is worked on. (A stream's new buffer for each chunk piles
 * up faster than it is collected.)
 */
async function* readTurns(read: ReadInto): AsyncGenerator<Uint8Array> {
  let [filling, free] = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)];
  let reading = read(filling);
  try {
    for (;;) {
      const { bytesRead, buffer } = await reading;
      if (bytesRead === 0) return;
      [filling, free] = [free, filling];
      reading = read(filling);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    // A reader that stops early must not leave a read on a closed file.
    await reading.catch(() => undefined);
  }
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await opened(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw cannotRead(path, error);
  } finally {
    await file.close();
  }
}

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
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

// How `untilgreen up` tells other commands on this machine where its servers are: one file in the data folder, for its owner only, because
// it holds the password of the embedded Postgres. Only addresses of servers that are ours stand in it.
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const ConnectionFile = z.object({
  version: z.literal(1),
  /** The `up` that wrote it: when it is gone, so are its servers. */
  pid: z.number().int().positive(),
  databaseUrl: z.string().optional(),
  temporalAddress: z.string().optional(),
  uiUrl: z.string().optional(),
});
export type ConnectionFile = z.infer<typeof ConnectionFile>;

function pathIn(folder: string): string {
  return join(folder, 'connection.json');
}

/** Mode 0600, replaced in one step. */
export async function writeConnectionFile(
  folder: string,
  connection: Omit<ConnectionFile, 'version'>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const fresh = `${pathIn(folder)}.${process.pid}`;
  await writeFile(fresh, `${JSON.stringify({ version: 1, ...connection })}\n`, { mode: 0o600 });
  await chmod(fresh, 0o600);
  await rename(fresh, pathIn(folder));
}

/** What a running `up` wrote; undefined when there is none, or the one that wrote it is gone. */
export async function readConnectionFile(folder: string): Promise<ConnectionFile | undefined> {
  const text = await readFile(pathIn(folder), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const parsed = ConnectionFile.safeParse(parseJson(text));
  return parsed.success && isAlive(parsed.data.pid) ? parsed.data : undefined;
}

/** Removes the file when it is the one of this process. */
export async function removeConnectionFile(folder: string): Promise<void> {
  if ((await readConnectionFile(folder))?.pid === process.pid) await rm(pathIn(folder), { force: true });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

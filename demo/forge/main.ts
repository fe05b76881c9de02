// The forge as a process of its own: prints one JSON line `{ url, port, pid, dataDir }` when it is ready, ends on
// SIGTERM, SIGINT, or (with --with-parent) when its standard input closes. `--act PATH` lets `act` execute the jobs.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startForge } from './forge.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    data: { type: 'string' },
    act: { type: 'string' },
    'with-parent': { type: 'boolean', default: false },
  },
});

const dataDir = values.data ?? (await mkdtemp(join(tmpdir(), 'forge-')));
const forge = await startForge({
  dataDir,
  port: Number(values.port),
  ...(values.act === undefined ? {} : { act: values.act }),
});

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await forge.stop();
  if (values.data === undefined) await rm(dataDir, { recursive: true, force: true });
  process.exit(0);
}

process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
if (values['with-parent']) {
  process.stdin.on('end', () => void stop());
  process.stdin.resume();
}
console.log(
  JSON.stringify({ url: forge.url, port: Number(new URL(forge.url).port), pid: process.pid, dataDir }),
);

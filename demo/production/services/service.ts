// What both services of the shop have in common: they listen on the port of `PORT`, tell their supervisor, and end with it.
import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const portTries = 20;
const portAgainMs = 100;

/** Returns when it listens. */
export async function runService(server: Server): Promise<void> {
  process.on('SIGTERM', () => process.exit(0));
  process.stdin.on('close', () => process.exit(0));
  process.stdin.resume();
  for (let tries = 1; ; tries += 1) {
    const failure = await listen(server, Number(process.env.PORT));
    if (failure === undefined) break;
    // The one before it has just ended.
    if (failure.code !== 'EADDRINUSE' || tries >= portTries) throw failure;
    await delay(portAgainMs);
  }
  process.send?.('listens');
}

async function listen(server: Server, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => resolve(error);
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', failed);
      resolve(undefined);
    });
  });
}

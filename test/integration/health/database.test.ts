// HEALTH-1: the database takes a connection and answers; nothing of its connection string is in what is said (MIG-3).
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { reading } from './support.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase({ empty: true });
});
afterAll(() => database.drop());

function answers(url: string, more: object = {}) {
  return reading({ kind: 'database', ...more }, { DATABASE_URL: url });
}

function changed(change: (url: URL) => void): string {
  const url = new URL(database.url);
  change(url);
  return url.href;
}

describe('a database', () => {
  it('answers (HEALTH-1)', async () => {
    expect(await answers(database.url)).toMatchObject({
      state: 'ok',
      level: 'sev1',
      reason: 'connected and answered',
    });
  });

  it('that is not there is named by the code alone', async () => {
    const url = changed((one) => {
      one.pathname = '/no_such_shop';
    });
    const read = await answers(url);
    expect(read).toMatchObject({
      state: 'failed',
      reason: 'it has no such database (3D000)',
      facts: { code: '3D000' },
    });
    expect(JSON.stringify(read)).not.toMatch(/no_such_shop|127\.0\.0\.1/);
  });

  it('that refuses the login', async () => {
    const role = `canary_${database.url.slice(-8)}`;
    await database.pool.query(`create role ${role} login connection limit 0`);
    try {
      const read = await answers(
        changed((one) => {
          one.username = role;
          one.password = 'p4ssword-of-role';
        }),
      );
      expect(read.state).toBe('failed');
      expect(read.reason).toMatch(
        /^it (?:has too many connections|refused the login) \((?:53300|28\w{3})\)$/,
      );
      expect(JSON.stringify(read)).not.toMatch(/p4ssword|canary_/);
    } finally {
      await database.pool.query(`drop role ${role}`);
    }
  });

  it('on a machine where nobody listens', async () => {
    const server = await listening(() => {});
    const port = (server.address() as AddressInfo).port;
    await closed(server);
    expect(await answers(`postgres://me:p4ssword@127.0.0.1:${port}/shop`)).toMatchObject({
      state: 'failed',
      reason: 'connection refused (ECONNREFUSED)',
      facts: { stage: 'connect', code: 'ECONNREFUSED' },
    });
  });

  it('whose machine is not known may be our own network', async () => {
    const read = await answers('postgres://me:p4ssword@db.invalid/shop');
    expect(read).toMatchObject({ state: 'failed', facts: { stage: 'name', network: true } });
    expect(JSON.stringify(read)).not.toMatch(/db\.invalid|p4ssword/);
  });

  it('that takes the connection and never answers: its time is over', async () => {
    const sockets: Socket[] = [];
    const server = await listening((socket) => sockets.push(socket));
    const port = (server.address() as AddressInfo).port;
    const read = await answers(`postgres://me:word-of-me@127.0.0.1:${port}/shop`, { timeout: '1s' });
    // Not the driver's own 10 s.
    expect(read.latencyMs).toBeLessThan(7_000);
    expect(read).toMatchObject({
      state: 'failed',
      reason: 'timed out before it answered (TIMEOUT)',
      facts: { stage: 'answer', code: 'TIMEOUT' },
    });
    // And it is not left open.
    await Promise.all(
      sockets.map((socket) => socket.closed || new Promise((resolve) => socket.once('close', resolve))),
    );
    await closed(server);
  });

  it('that ends the connection in the middle', async () => {
    const server = await listening((socket) => socket.once('data', () => socket.end('N')));
    const port = (server.address() as AddressInfo).port;
    const read = await answers(`postgres://me:word-of-me@127.0.0.1:${port}/shop`);
    expect(read).toMatchObject({ state: 'failed', facts: { stage: 'answer' } });
    await closed(server);
  });

  it('whose connection string is none says nothing about production', async () => {
    expect(await answers('mysql://me:word-of-me@db/shop')).toMatchObject({
      state: 'unknown',
      reason: 'the connection string is no postgres:// address',
    });
  });
});

async function listening(by: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    by(socket);
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function closed(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

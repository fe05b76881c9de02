// HEALTH-1: the database takes a connection and answers `select 1`. A reason has the database's code and nothing of the connection string, not even
// its host.
import { Socket } from 'node:net';
import type { DatabaseCheck } from '../../contract/ops/health-settings.ts';
import { connectTenantDatabase, databaseError } from '../dbmate/connection.ts';
import { DbmateError } from '../dbmate/failure.ts';
import { type CheckContext, CheckUnusable, type Verdict } from './check.ts';
import type { Stage } from './http/request.ts';
import { noAnswer } from './no-answer.ts';

/** @throws CheckUnusable when the reference holds no postgres:// address */
export async function checkDatabase(settings: DatabaseCheck, context: CheckContext): Promise<Verdict> {
  const { signal } = context;
  signal.throwIfAborted();
  const sockets: Socket[] = [];
  const progress: { stage: Stage } = { stage: 'name' };
  const stream = (): Socket => {
    const socket = new Socket();
    socket.once('connectionAttempt', () => {
      progress.stage = 'connect';
    });
    socket.once('connect', () => {
      progress.stage = 'answer';
    });
    if (signal.aborted) socket.destroy();
    sockets.push(socket);
    return socket;
  };
  const abort = () => {
    for (const socket of sockets) socket.destroy();
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    const database = await connectTenantDatabase(context.value(settings.url), { stream, query_timeout: 0 });
    try {
      await database.client.query('select 1').catch((error: unknown) => {
        throw databaseError('no answer', error, database.redact);
      });
    } finally {
      await database.client.end().catch(() => {});
    }
    return { ok: true, reason: 'connected and answered', facts: {} };
  } catch (error) {
    if (!signal.aborted) return failed(error, progress.stage);
    const reason: unknown = signal.reason;
    if (reason instanceof Error && reason.name === 'TimeoutError')
      return noAnswer({ stage: progress.stage, code: 'TIMEOUT' });
    throw reason;
  } finally {
    signal.removeEventListener('abort', abort);
    abort();
  }
}

const words: { readonly [code: string]: string } = {
  '28P01': 'it refused the login',
  '28000': 'it refused the login',
  '3D000': 'it has no such database',
  '42501': 'it denied access',
  '53100': 'its disk is full',
  '53200': 'it is out of memory',
  '53300': 'it has too many connections',
  '57P01': 'it is shutting down',
  '57P02': 'it crashed and recovers',
  '57P03': 'it is starting up or shutting down',
};

function failed(error: unknown, stage: Stage): Verdict {
  if (!(error instanceof DbmateError)) throw error;
  const { code, type } = error;
  if (type === 'Dbmate.BadUrl') throw new CheckUnusable('the connection string is no postgres:// address');
  // The driver has no code for a connection that ends in the middle.
  if (code === undefined) return noAnswer({ stage, code: 'CLOSED' });
  if (!/^[0-9A-Z]{5}$/.test(code)) return noAnswer({ stage, code });
  return {
    ok: false,
    reason: `${words[code] ?? 'it answered with an error'} (${code})`,
    facts: { stage, code },
  };
}

// What every operation of the client works with: the store, Temporal when it is needed, and bounded calls to workflows. A call to a
// workflow waits for a worker only as long as its deadline: the operations that must work without one write to Postgres first.
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection, isGrpcServiceError, ServiceError } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { type QueueNames, signals, tenantWorkflowId } from '../contract/names.ts';
import type { Pool } from '../store/database.ts';
import type { Endpoints } from './endpoints.ts';
import { UnreachableError } from './errors.ts';

export type Context = {
  readonly pool: Pool;
  /** Connects when first asked. @throws UnreachableError */
  readonly temporal: () => Promise<Client>;
  readonly endpoints: Endpoints;
  readonly queues: QueueNames;
  readonly clock: () => number;
};

const connectTimeoutMs = 4_000;
const tryAgainMs = 2_000;
const closeMs = 500;
const signalDeadlineMs = 3_000;

const grpc = { deadlineExceeded: 4, invalidArgument: 3, unimplemented: 12, unavailable: 14 } as const;

/** Connects once; a failed try is tried again after two seconds, so that one operation waits for a server that is away only once. */
export function temporalConnector(endpoints: Endpoints): {
  readonly client: () => Promise<Client>;
  readonly close: () => Promise<void>;
} {
  let connecting: Promise<Connection> | undefined;
  let lost: { readonly atMs: number; readonly error: UnreachableError } | undefined;
  const { temporal } = endpoints;
  const open = async (): Promise<Connection> => {
    if (temporal === undefined) {
      throw new UnreachableError(
        'Temporal',
        '',
        `TEMPORAL_ADDRESS is not set, and no "untilgreen up" runs on ${endpoints.dataDir}`,
        'run "untilgreen up", or set TEMPORAL_ADDRESS',
      );
    }
    const { address, tls, apiKey } = temporal;
    const lostAgoMs = performance.now() - (lost?.atMs ?? Number.NEGATIVE_INFINITY);
    if (lost && lostAgoMs < tryAgainMs) throw lost.error;
    connecting ??= refusesHere(address).then((reason) => {
      if (reason !== undefined) throw new Error(reason);
      return Connection.connect({
        address,
        connectTimeout: connectTimeoutMs,
        ...(tls === undefined ? {} : { tls }),
        ...(apiKey === undefined ? {} : { apiKey }),
      });
    });
    try {
      return await connecting;
    } catch (error) {
      connecting = undefined;
      lost = { atMs: performance.now(), error: unreachable(endpoints, error) };
      throw lost.error;
    }
  };
  return {
    client: async () => new Client({ connection: await open(), namespace: temporal?.namespace ?? 'default' }),
    close: async () => {
      const closing = connecting?.then(
        (connection) => connection.close(),
        () => undefined,
      );
      // One that is still trying to connect ends by itself.
      await Promise.race([closing, delay(closeMs)]);
    },
  };
}

/** Why a port of this machine cannot be connected to: gRPC would go on trying until its time is over. Undefined for other machines. */
function refusesHere(address: string): Promise<string | undefined> {
  const [, host = '', port] = /^(127\.0\.0\.1|localhost):(\d+)$/.exec(address) ?? [];
  if (port === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: connectTimeoutMs });
    const end = (reason: string | undefined) => (): void => {
      socket.destroy();
      resolve(reason);
    };
    socket.once('connect', end(undefined));
    socket.once('timeout', end('no answer in time'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message)());
  });
}

/** Errors of the connection as `UnreachableError`; anything else comes back as it is. */
export function asTemporalError(endpoints: Endpoints, error: unknown): unknown {
  if (error instanceof UnreachableError) return error;
  const code = grpcCode(error);
  return code === grpc.unavailable || code === grpc.deadlineExceeded ? unreachable(endpoints, error) : error;
}

/** The server says that it does not understand what was asked: a search attribute that it lacks, a call of a later version. */
export function isNotUnderstood(error: unknown): boolean {
  const code = grpcCode(error);
  return code === grpc.invalidArgument || code === grpc.unimplemented;
}

function grpcCode(error: unknown): number | undefined {
  const root = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(root) ? root.code : undefined;
}

function unreachable(endpoints: Endpoints, error: unknown): UnreachableError {
  const { address = '' } = endpoints.temporal ?? {};
  const reason = grpcCode(error) === grpc.deadlineExceeded ? 'no answer in time' : rootMessage(error);
  return new UnreachableError(
    'Temporal',
    address,
    reason,
    'start it ("untilgreen up" starts one), or correct TEMPORAL_ADDRESS',
  );
}

export function rootMessage(error: unknown): string {
  let current: unknown = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  return current instanceof Error ? current.message : String(current);
}

export type SignalResult = 'sent' | 'notRunning' | 'unreachable';

/** Tells a workflow; never throws: nothing hangs on it, what waits also wakes by a timer. */
export async function tell(
  context: Context,
  workflowId: string,
  signal: string,
  ...args: readonly unknown[]
): Promise<SignalResult> {
  try {
    const client = await context.temporal();
    await client.connection.withDeadline(Date.now() + signalDeadlineMs, () =>
      client.workflow.getHandle(workflowId).signal(signal, ...args),
    );
    return 'sent';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'notRunning';
    if (asTemporalError(context.endpoints, error) instanceof UnreachableError) return 'unreachable';
    throw error;
  }
}

export async function wake(
  context: Context,
  tenant: string,
  reason: string,
  sources: readonly string[],
): Promise<SignalResult> {
  return tell(context, tenantWorkflowId(tenant), signals.wake, { reason, sources });
}

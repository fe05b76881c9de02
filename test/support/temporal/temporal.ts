// Temporal for a test: the one real dev server of the run, or a time-skipping server of its own. Tests share the dev
// server's namespace, so queues and workflow ids must be unique to a test.

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { NativeConnection } from '@temporalio/worker';
import { findOnPath } from '../../../src/embedded/machine/child-process.ts';
import { testResource } from './test-servers.ts';

export interface TestTemporal {
  address: string;
  namespace: string;
  /** Prometheus text; the metric `action` counts billable actions. */
  metricsUrl: string;
  client: Client;
  /** For `Worker.create`. */
  nativeConnection: NativeConnection;
  /** Closes both connections; the server stays. */
  close(): Promise<void>;
}

/** Connections to the dev server of the run; our search attributes are registered, fairness is on. */
export async function testTemporal(): Promise<TestTemporal> {
  const { address, metricsUrl } = await testResource('temporal');
  const connection = await Connection.connect({ address });
  const nativeConnection = await NativeConnection.connect({ address });
  return {
    address,
    namespace: 'default',
    metricsUrl,
    client: new Client({ connection, namespace: 'default' }),
    nativeConnection,
    close: async () => {
      await connection.close();
      await nativeConnection.close();
    },
  };
}

/** Path of the bundle of `src/workflows/index.ts` for `Worker.create({ workflowBundle: { codePath } })`. */
export async function workflowBundle(): Promise<{ codePath: string }> {
  return testResource('workflows');
}

/** A time-skipping server of the caller's own; it dies with this process. End it with `teardown()`. */
export async function timeSkipping(): Promise<TestWorkflowEnvironment> {
  const { binary } = await testResource('timeSkipping');
  const setpriv = findOnPath('setpriv');
  if (setpriv === undefined) return startTimeSkipping(binary);
  // The SDK starts the program itself, so the tie to this process has to be in the program.
  const folder = await mkdtemp(join(tmpdir(), 'untilgreen-time-skipping-'));
  try {
    const bound = join(folder, 'temporal-test-server');
    await writeFile(bound, `#!/bin/sh\nexec '${setpriv}' --pdeathsig KILL -- '${binary}' "$@"\n`);
    await chmod(bound, 0o755);
    return await startTimeSkipping(bound);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function startTimeSkipping(path: string): Promise<TestWorkflowEnvironment> {
  return TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
}

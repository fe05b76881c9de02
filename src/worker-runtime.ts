// The SDK's runtime of a worker process: its log goes where ours goes, and signals are the owner's business. Once per process.
import { DefaultLogger, type LogEntry, makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
/** Expected of workers that split their work over queues. */
const usual = /^No (?:workflows|activities|Nexus services) registered/;

let installed = false;

/** @param metricsAddress `127.0.0.1:9464` gives Prometheus metrics there */
export function installRuntime(log: Logger, metricsAddress?: string): void {
  const write = (entry: LogEntry): void => {
    if (usual.test(entry.message)) return;
    log[levels[entry.level]]({ ...plain(entry.meta) }, entry.message);
  };
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: new DefaultLogger('INFO', write),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) },
      ...(metricsAddress === undefined ? {} : { metrics: { prometheus: { bindAddress: metricsAddress } } }),
    },
  });
}

/** Without what pino cannot print: symbols and the SDK's own objects. */
function plain(meta: LogEntry['meta']): Record<string, unknown> {
  const { workflowType, workflowId, runId, activityType, taskQueue, error, attempt } = meta ?? {};
  const known = { workflowType, workflowId, runId, activityType, taskQueue, attempt };
  return {
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
    ...(error === undefined ? {} : { error: error instanceof Error ? error.message : String(error) }),
  };
}

// A worker as in production: the real sources, effects and door over the real store, on one queue. Before each activity it asks for the time, so
// that the stand-ins outside live at the same moment as the workflows.
import { NativeConnection, Worker } from '@temporalio/worker';
import type { DoorOptions } from '../../../../src/activities/effects/door.ts';
import { type ActivityOptions, createActivities } from '../../../../src/activities/index.ts';
import { createServices } from '../../../../src/activities/services.ts';
import { createApprovalsSource } from '../../../../src/activities/sources/approvals.ts';
import { createDeploymentsSource } from '../../../../src/activities/sources/ops/deployments.ts';
import { createHealthSource } from '../../../../src/activities/sources/ops/health.ts';
import { createMentionsSource } from '../../../../src/activities/sources/ops/mentions.ts';
import { createVersionsSource } from '../../../../src/activities/sources/ops/versions.ts';
import { createSecretResolver } from '../../../../src/config/secrets.ts';
import { createRedactor } from '../../../../src/logs/redact/redact-values.ts';
import { decideApproval } from '../../../../src/store/approvals.ts';
import { createPool } from '../../../../src/store/database.ts';
import { acknowledgeIncident } from '../../../../src/store/ops/incidents.ts';

export type NightWorkerSettings = {
  readonly databaseUrl: string;
  readonly address: string;
  readonly queue: string;
  readonly bundlePath: string;
  readonly cacheDir: string;
  readonly uiUrl: string;
  /** False: see RigOptions of test/workflow/rig.ts. */
  readonly cached: boolean;
  /** Of the door; half of it is the margin of a call of the model. In the database's time, which is real. */
  readonly leaseMs: number;
};

export type NightWorkerParts = {
  readonly env: NodeJS.ProcessEnv;
  readonly follow: () => Promise<void>;
  readonly atPoint?: DoorOptions['atPoint'];
  readonly atModelPoint?: NonNullable<ActivityOptions['model']>['atPoint'];
  /** When an activity of this name is done, before its worker says so. */
  readonly atEnd?: (activity: string) => Promise<void>;
};

/** A first failure is read again three times: here within this, since that time is real. */
const confirmWithinMs = 300;
export async function startNightWorker(
  settings: NightWorkerSettings,
  { env, follow, atPoint, atModelPoint, atEnd = async () => {} }: NightWorkerParts,
): Promise<{ readonly stop: () => Promise<void> }> {
  const { leaseMs } = settings;
  const times = { leaseMs, writeMs: (leaseMs * 4) / 5, settleMs: 300 };
  const redactor = createRedactor();
  const pool = createPool(settings.databaseUrl);
  const secrets = createSecretResolver({ env, redactor });
  const services = createServices({ pool, redactor, secrets, cacheDir: settings.cacheDir });
  const { github } = services;
  const connection = await NativeConnection.connect({ address: settings.address });
  const worker = await Worker.create({
    connection,
    namespace: 'default',
    taskQueue: settings.queue,
    workflowBundle: { codePath: settings.bundlePath },
    activities: createActivities(services, {
      console: () => {},
      maxCycles: 20,
      uiUrl: settings.uiUrl,
      door: { times, ...(atPoint ? { atPoint } : {}) },
      model: { leaseMarginMs: leaseMs / 2, ...(atModelPoint ? { atPoint: atModelPoint } : {}) },
      sources: [
        createDeploymentsSource(services),
        createHealthSource({ resolve: secrets.resolve, confirmWithinMs }),
        createVersionsSource(services),
        createMentionsSource({ github }),
        createApprovalsSource({
          github,
          decide: (decision) => decideApproval(pool, decision),
          acknowledge: (ack) => acknowledgeIncident(pool, ack),
        }),
      ],
    }),
    interceptors: {
      activity: [
        ({ info }) => ({
          inbound: {
            execute: async (input, next) => {
              await follow();
              const answer = await next(input);
              await atEnd(info.activityType);
              return answer;
            },
          },
        }),
      ],
    },
    shutdownGraceTime: 1_000,
    ...(settings.cached ? {} : { maxCachedWorkflows: 0 }),
  });
  const ended = worker.run();
  return {
    stop: async () => {
      worker.shutdown();
      await ended;
      await connection.close();
      await pool.end();
    },
  };
}

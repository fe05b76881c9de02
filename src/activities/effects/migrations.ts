// Effect `applyMigrations` (MIG-1, MIG-2): exactly once by dbmate's own table, under an advisory lock of the database it changes.

import * as z from 'zod';
import { DbmateError, dbmateFailureTypes } from '../../integrations/dbmate/failure.ts';
import { type MigrateResult, migrateUnderLock } from '../../integrations/dbmate/migrate-under-lock.ts';
import { messageOf } from '../message-of.ts';
import type { Services } from '../services.ts';
import { databaseSettings, migrationStatus, withMigrations } from '../sources/migrations.ts';
import {
  defineEffect,
  type EffectContext,
  type EffectDefinition,
  type EffectResult,
  NotWritten,
  Stale,
} from './definition.ts';

const Input = z.object({ database: z.string(), pending: z.array(z.string()).min(1) });
type Input = z.output<typeof Input>;

export function createMigrationEffects(services: Services): readonly EffectDefinition[] {
  return [
    defineEffect<Input>({
      kind: 'applyMigrations',
      schema: Input,
      delivery: 'exactlyOnce',
      autonomy: () => 'act',
      risk: () => 'mutating',
      longRunning: true,
      describe: ({ database, pending }) =>
        `apply ${pending.length} migrations to ${database}: ${pending.join(', ')}`,
      needsApproval: ({ database }, workspace) =>
        databaseSettings(workspace, database)?.policy === 'auto'
          ? undefined
          : `the policy of database ${database} is approval`,
      probe: async (context, input) => {
        const status = await migrationStatus(
          services,
          context.workspace,
          settingsOf(context, input),
          context.signal,
        );
        return input.pending.every((file) => !status.pending.includes(file))
          ? { migrations: input.pending }
          : null;
      },
      precondition: async (context, input) => {
        const status = await migrationStatus(
          services,
          context.workspace,
          settingsOf(context, input),
          context.signal,
        );
        const same =
          status.pending.length === input.pending.length &&
          status.pending.every((file, i) => file === input.pending[i]);
        return same ? null : `pending now: ${status.pending.join(', ') || 'nothing'}`;
      },
      apply: async (context, input) => {
        const settings = settingsOf(context, input);
        const result = await withMigrations(services, context.workspace, settings, context.signal, (access) =>
          migrateUnderLock({
            ...access,
            expectedPending: input.pending,
            lockTimeoutMs: settings.lockTimeoutMs,
            signal: context.signal,
            fence: context.assertMayWrite,
          }),
        ).catch((error: unknown) => {
          throw beforeTheChild(error)
            ? new NotWritten(messageOf(error), { permanent: false, cause: error })
            : error;
        });
        return resultOf(result);
      },
    }),
  ];
}

function settingsOf(context: EffectContext, input: Input) {
  const settings = databaseSettings(context.workspace, input.database);
  if (!settings)
    throw new NotWritten(`database "${input.database}" is not in the settings any more`, { permanent: true });
  return settings;
}

function resultOf(result: MigrateResult): EffectResult {
  switch (result.outcome) {
    case 'applied':
      return { migrations: result.migrations };
    case 'alreadyApplied':
      return { migrations: [] };
    case 'stale':
      throw new Stale(`pending now: ${result.pending.join(', ') || 'nothing'}`);
    case 'busy':
      throw new NotWritten('another attempt holds the lock of the database', { permanent: false });
    case 'failed':
      throw new NotWritten(`${result.migration}: ${result.databaseError}`, {
        permanent: true,
        result: {
          migration: result.migration,
          transactionOff: result.transactionOff,
          appliedBefore: result.appliedBefore,
        },
      });
  }
}

const neverStarted: readonly string[] = [
  dbmateFailureTypes.badUrl,
  dbmateFailureTypes.denied,
  dbmateFailureTypes.databaseNotFound,
  dbmateFailureTypes.unreachable,
  dbmateFailureTypes.migrationsNotFound,
];

/** The child was not started: certainly not written. */
function beforeTheChild(error: unknown): boolean {
  return error instanceof DbmateError && neverStarted.includes(error.type);
}

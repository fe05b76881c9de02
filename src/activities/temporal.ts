// Between Temporal and the activities: heartbeats, cancellation, and the map from our errors to failures with their type and delay. An
// activity that waits inside tells Temporal every few seconds that it lives.
import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { failures } from '../contract/names.ts';
import type { Redactor } from '../logs/redact/redact-values.ts';
import { isAway } from '../store/database.ts';
import { BadRequest, TryAgain } from './effects/door-failure.ts';

const heartbeatMs = 3_000;

/**
 * Runs an activity's work: `signal` ends with its cancellation and its start-to-close time.
 * @throws ApplicationFailure only, with secrets taken out
 */
export async function asActivity<T>(
  redactor: Redactor,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const info = activityInfo();
  const timer = setInterval(() => heartbeat(), heartbeatMs);
  const left = info.startToCloseTimeoutMs - 1_000;
  const signal =
    left > 0 ? AbortSignal.any([cancellationSignal(), AbortSignal.timeout(left)]) : cancellationSignal();
  try {
    return await work(signal);
  } catch (error) {
    throw failureOf(error, redactor);
  } finally {
    clearInterval(timer);
  }
}

function failureOf(error: unknown, redactor: Redactor): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const message = redactor.redact(error instanceof Error ? error.message : String(error)).slice(0, 2_000);
  if (error instanceof TryAgain) {
    return ApplicationFailure.create({
      message,
      type: error.type,
      nonRetryable: false,
      ...(error.delayMs === undefined ? {} : { nextRetryDelay: error.delayMs }),
    });
  }
  if (error instanceof BadRequest)
    return ApplicationFailure.create({ message, type: error.type, nonRetryable: true });
  const name = error instanceof Error ? error.name : 'Error';
  return ApplicationFailure.create({
    message,
    type: isAway(error) ? failures.storeUnavailable : name,
    nonRetryable: false,
  });
}

// The activity around every source: opens the cycle's record, gives the source its memory and its timeout, and turns whatever goes wrong with
// reading into `unknown` with the reason (LOOP-2). It throws only when our own store is away.
import type { SourceActivities } from '../../contract/activities.ts';
import type { Json } from '../../contract/effect.ts';
import type { Observation, ObservedFinding } from '../../contract/finding.ts';
import type { ReadRequest } from '../../contract/loop.ts';
import { sourceKey } from '../../policy/loop/reconcile.ts';
import { appendAudit } from '../../store/audit.ts';
import {
  openCycle,
  readSourceMemory,
  replaceSourceMemory,
  type SourceMemoryKey,
  writeSourceMemory,
} from '../../store/cycles.ts';
import { canonicalJson, storable, storableJson, transaction } from '../../store/database.ts';
import { type Services, workspaceOf } from '../services.ts';
import { asActivity } from '../temporal.ts';
import { createCycleSlots } from './cycle-slots.ts';
import { type SourceDefinition, type SourceReading, Unreadable } from './definition.ts';

/** More than this from one source is one storm, not so many findings. */
const maxFindings = 100;

export function createSourceActivities(
  services: Services,
  sources: readonly SourceDefinition[],
  maxCycles: number,
): SourceActivities {
  const slots = createCycleSlots(maxCycles);
  const activity = (source: SourceDefinition) => (request: ReadRequest) =>
    asActivity(services.redactor, (signal) =>
      slots.inSlot(`${request.tenant}/${request.cycle}`, signal, () =>
        readOne(services, source, request, signal),
      ),
    );
  return Object.fromEntries(
    sources.map((source) => [`source.${source.kind}`, activity(source)]),
  ) as SourceActivities;
}

async function readOne(
  services: Services,
  source: SourceDefinition,
  request: ReadRequest,
  activitySignal: AbortSignal,
): Promise<Observation> {
  const started = performance.now();
  const { tenant, workspace: name, target } = request;
  await openCycle(services.pool, {
    tenant,
    cycle: request.cycle,
    runId: request.runId,
    trigger: request.trigger,
    startedMs: request.nowMs,
  });
  const base = {
    workspace: name,
    source: source.kind,
    readAtMs: request.nowMs,
    ...(target === undefined ? {} : { target }),
  };
  const key = { tenant, workspace: name, source: sourceKey(base) };
  const memory = await readSourceMemory(services.pool, key);
  const timeout = AbortSignal.timeout(request.timeoutMs);
  const signal = AbortSignal.any([activitySignal, timeout]);
  let reading: SourceReading;
  try {
    const { config, workspace } = await workspaceOf(services, tenant, name);
    reading = await untilSignal(
      source.read({ config, workspace, target, nowMs: request.nowMs, signal, memory }),
      signal,
    );
  } catch (error) {
    if (activitySignal.aborted && !timeout.aborted) throw error;
    const said = error instanceof Error ? error.message : String(error);
    const reason = timeout.aborted ? `no answer within ${Math.round(request.timeoutMs / 1_000)} s` : said;
    const rest = error instanceof Unreadable ? error.rest : {};
    await keep(services, key, memory, rest);
    return {
      ...base,
      durationMs: Math.round(performance.now() - started),
      state: 'unknown',
      reason: clip(services.redactor.redact(reason)),
      findings: findingsOf(services, rest.findings ?? []),
    };
  }
  await keep(services, key, memory, reading);
  return {
    ...base,
    durationMs: Math.round(performance.now() - started),
    state: reading.state,
    reason: clip(services.redactor.redact(reading.reason)),
    findings: findingsOf(services, reading.findings),
  };
}

/** Names that others chose must not keep the cycle from being recorded (DUR-4). */
async function keep(
  { pool, redactor }: Services,
  key: SourceMemoryKey,
  before: Json,
  { memory, events = [] }: Pick<SourceReading, 'memory' | 'events'>,
): Promise<void> {
  const after = memory === undefined ? undefined : storableJson(memory);
  if (after === undefined || canonicalJson(after) === canonicalJson(before)) return;
  if (events.length === 0) return writeSourceMemory(pool, key, after);
  await transaction(pool, async (tx) => {
    if (!(await replaceSourceMemory(tx, key, before, after)))
      throw new Error(`another attempt at reading ${key.source} of ${key.workspace} was first`);
    for (const { atMs, action, subject, reason, detail = {} } of events) {
      await appendAudit(tx, {
        tenant: key.tenant,
        atMs,
        actor: `source.${key.source}`,
        action,
        workspace: key.workspace,
        subject: clip(redactor.redact(subject)),
        reason: clip(redactor.redact(reason)),
        detail: storableJson(redactor.redactDeep(detail)) as { readonly [key: string]: Json },
      });
    }
  });
}

function findingsOf(
  { redactor }: Services,
  findings: readonly ObservedFinding[],
): readonly ObservedFinding[] {
  return findings
    .slice(0, maxFindings)
    .map((finding) => storableJson(redactor.redactDeep(finding)) as ObservedFinding);
}

/** A source that ignores its signal must not hold the cycle. */
async function untilSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const ended = new Promise<never>((_resolve, reject) => {
    const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('stopped'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  work.catch(() => {});
  return Promise.race([work, ended]);
}

function clip(text: string): string {
  return storable(text.length > 500 ? `${text.slice(0, 499)}…` : text);
}

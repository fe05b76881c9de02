// The source `deployments` (DEPLOY-2): all watched services of a workspace in as few requests as there can be, what happened to them since the last
// reading, and what is down or failed now. A platform that cannot be read is `unknown` (LOOP-2), and holds what changes services.
import type { Overview, Service } from '../../../contract/ops/platform.ts';
import type { ServicesSettings } from '../../../contract/ops/settings.ts';
import type { TenantConfig } from '../../../contract/tenant-config.ts';
import {
  type Provider,
  type ProviderCall,
  ProviderFailure,
} from '../../../integrations/provider/provider.ts';
import { requestsPerOverview } from '../../../integrations/railway/railway.ts';
import { readEveryMs } from '../../../policy/ops/request-budget.ts';
import type { ProviderOf } from '../../providers.ts';
import { type SourceContext, type SourceDefinition, type SourceReading, Unreadable } from '../definition.ts';
import { type DeploymentsMemory, deploymentsMemoryOf } from './deployments-memory.ts';
import {
  type DeploymentsRound,
  judgeApiFailure,
  judgeDeployments,
  servicesToList,
  watchedServices,
} from './deployments-round.ts';

const usualMs = 5 * 60_000;
/** Readings come on a grid that trembles. */
const trembleMs = 30_000;
const retryAfterMs = [2_000, 5_000];
/** Without budget for a reading, what was read in this time still stands. */
const freshMs = 15 * 60_000;
/** Lists of one reading: what moves beyond that is looked at in the next. */
const maxLists = 40;
const listsAtOnce = 4;
/** A service remembers so many of its deployments. */
const listed = 20;

export function createDeploymentsSource(parts: { readonly provider: ProviderOf }): SourceDefinition {
  return {
    kind: 'deployments',
    timeoutMs: () => 120_000,
    targets: (workspace) => (workspace.services ? [undefined] : []),
    read: async (context) => {
      const { services: settings } = context.workspace;
      if (!settings) throw new Error('services are not in the settings any more');
      const before = deploymentsMemoryOf(context.memory);
      const seldom = readSeldom(before, settings, context);
      if (seldom !== null) return seldom;
      const provider = await parts.provider(context.workspace, context.config.tenant);
      // While something is down the part of the budget counts that is kept for that (DEPLOY-5).
      const forIncident = Object.keys(before?.bad ?? {}).length > 0;
      const call: ProviderCall = { signal: context.signal, forIncident };
      const overview = await readOverview(provider, before, settings, context, call);
      if ('reading' in overview) return overview.reading;
      const moved = servicesToList(before, watchedServices(settings, overview), context.nowMs);
      const lists = await readLists(provider, moved, call);
      const result = judgeDeployments(before, { settings, overview, ...lists, nowMs: context.nowMs });
      const slower = slowerThanAsked(settings, overview.services.length, context.config);
      return {
        state: result.state,
        reason: slower === null ? result.reason : `${result.reason}; ${slower}`,
        findings: result.findings,
        memory: result.memory,
        events: result.events,
      };
    },
  };
}

/** The budget does not reach for a reading as often as asked (DEPLOY-5). Null: it is read. */
function readSeldom(
  before: DeploymentsMemory | null,
  settings: ServicesSettings,
  { config, nowMs }: SourceContext,
): SourceReading | null {
  if (before === null || before.outage !== null) return null;
  const cadence = cadenceOf(settings, before.services, config);
  const ageMs = nowMs - before.readAtMs;
  if (cadence?.slower == null || ageMs < 0 || ageMs >= cadence.everyMs - trembleMs) return null;
  return asBefore(before, cadence.slower, nowMs);
}

/** What the last reading said, marked as such. */
function asBefore({ findings, readAtMs }: DeploymentsMemory, why: string, nowMs: number): SourceReading {
  const reason = `not read now, the last reading is ${minutes(nowMs - readAtMs)} old: ${why}`;
  return { state: findings.length === 0 ? 'green' : 'red', reason, findings };
}

function minutes(ms: number): string {
  return `${Math.max(0, Math.round(ms / 60_000))} min`;
}

function cadenceOf(settings: ServicesSettings, services: number, config: TenantConfig) {
  const { provider } = settings;
  if (provider.kind !== 'railway') return null;
  return readEveryMs({
    services,
    requestsPerRead: requestsPerOverview(services),
    askedMs: config.cadence.perSourceMs.deployments ?? Math.min(usualMs, config.cadence.redMs),
    limits: { perHour: provider.requestsPerHour, perSecond: provider.requestsPerSecond },
  });
}

function slowerThanAsked(settings: ServicesSettings, services: number, config: TenantConfig): string | null {
  return cadenceOf(settings, services, config)?.slower ?? null;
}

/** @throws Unreadable with what is known nevertheless */
async function readOverview(
  provider: Provider,
  before: DeploymentsMemory | null,
  settings: ServicesSettings,
  { nowMs, signal }: SourceContext,
  call: ProviderCall,
): Promise<Overview | { readonly reading: SourceReading }> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await provider.overview(call);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ProviderFailure)) throw error;
      const away = error.kind === 'unreached' || error.kind === 'doubt';
      const waitMs = retryAfterMs[attempt];
      if (away && waitMs !== undefined) {
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        continue;
      }
      const ageMs = before === null ? Number.POSITIVE_INFINITY : nowMs - before.readAtMs;
      if (error.kind === 'limited' && before !== null && before.outage === null && ageMs < freshMs)
        return { reading: asBefore(before, error.message, nowMs) };
      const age =
        before === null || before.readAtMs === 0 ? '' : `; the last reading is ${minutes(ageMs)} old`;
      // A token that is wrong or used up is no outage of the platform.
      const rest = away ? judgeApiFailure(before, settings, error.message, nowMs) : {};
      throw new Unreadable(`${error.message}${age}`, rest);
    }
  }
}

/** The lists that could not be read, or are too many for one reading, are left for the next. */
async function readLists(
  provider: Provider,
  ids: readonly Service['id'][],
  call: ProviderCall,
): Promise<Pick<DeploymentsRound, 'listed' | 'deferred'>> {
  const lists = new Map<
    string,
    { deployments: Awaited<ReturnType<Provider['deployments']>>; complete: boolean }
  >();
  const waiting = ids.slice(0, maxLists);
  let failed = false;
  await Promise.all(
    Array.from({ length: listsAtOnce }, async () => {
      for (let id = waiting.shift(); id !== undefined && !failed; id = waiting.shift()) {
        try {
          const deployments = await provider.deployments(id, listed, call);
          lists.set(id, { deployments, complete: deployments.length < listed });
        } catch (error) {
          call.signal.throwIfAborted();
          if (!(error instanceof ProviderFailure)) throw error;
          failed = true;
        }
      }
    }),
  );
  return { listed: lists, deferred: new Set(ids.filter((id) => !lists.has(id))) };
}

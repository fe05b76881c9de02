// One run of the demo, from nothing to the judge's word and back to nothing. The end is judged from outside; our records only say when to ask.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { listCycles } from '../src/store/cycles.ts';
import { listFindings } from '../src/store/findings.ts';
import { listEffects } from '../src/store/history.ts';
import { openIncidents } from '../src/store/ops/incidents.ts';
import { type Count, countEffects } from './count.ts';
import { approveAndMergeVerified } from './forge/maintainer.ts';
import { judge, problemsOf, type Verdict } from './judge.ts';
import { doorTimes, type Kill, killThreeTimes } from './killer.ts';
import type { DemoOptions } from './options.ts';
import { effectsOf, exitCodeOf, findingsOf, type Merge, type Report } from './report.ts';
import { breakageOf } from './shop/shop.ts';
import { createScreen, type Screen, type Snapshot } from './table.ts';
import { type DemoWorker, launchWorker } from './worker.ts';
import { createWorld, findAct, preparePrograms, shop, type Undo, undoAll, type World } from './world.ts';

const loopLimitMs = 10 * 60_000;
const lookMs = 250;
/** The world is being made for seconds; it has to be whole before it can be taken down. */
const settleLimitMs = 60_000;

export type DemoConsole = {
  readonly out: NodeJS.WriteStream;
  /** Ctrl-C. */
  readonly stop: AbortSignal;
  /** Called once, before `--keep` waits. */
  readonly onReport: (report: Report) => void;
};

type Progressing = {
  readonly options: DemoOptions;
  readonly screen: Screen;
  /** Aborted by Ctrl-C, and by whatever makes going on pointless. */
  readonly over: AbortController;
  readonly undo: Undo;
};

export async function runDemo(options: DemoOptions, console: DemoConsole): Promise<Report> {
  const over = new AbortController();
  console.stop.addEventListener('abort', () => over.abort(console.stop.reason), { once: true });
  const screen = createScreen(console.out);
  const undo: Undo = [];
  const demo: Progressing = { options, screen, over, undo };
  try {
    const { report, world } = await fromNothing(demo);
    screen.end();
    console.onReport(report);
    if (options.keep) await stayUp(world, screen, over.signal);
    return report;
  } catch (error) {
    screen.end();
    const interrupted = console.stop.aborted;
    const report = brokenOff(
      options,
      interrupted ? 'interrupted' : 'failed',
      messageOf(over.signal.reason ?? error),
    );
    console.onReport(report);
    return report;
  } finally {
    if (undo.length > 0) screen.say('stopping everything');
    await undoAll(undo);
  }
}

async function fromNothing(demo: Progressing): Promise<{ readonly report: Report; readonly world: World }> {
  const { options, screen, over, undo } = demo;
  const { signal } = over;
  const progress = (line: string): void => screen.say(`prepare ${line}`);
  const breakage = breakageOf(options.seed);
  await abortable(preparePrograms(progress), signal);
  const act = await abortable(findAct(options.act, progress), signal);
  const beganMs = Date.now();
  const making = createWorld(breakage, undo, { progress, act, onFailure: (error) => over.abort(error) });
  const world = await abortable(making, signal).catch(async (error: unknown) => {
    await Promise.race([making.catch(() => {}), delay(settleLimitMs, undefined, { ref: false })]);
    throw error;
  });
  const before = await judge(world);
  for (const problem of problemsOf(before)) screen.say(`red     ${problem}`);
  const preparedMs = Date.now() - beganMs;
  return { world, report: await untilGreen(demo, world, before, preparedMs) };
}

/** Worker, loop and maintainer run from here on. */
async function untilGreen(
  demo: Progressing,
  world: World,
  before: Verdict,
  preparedMs: number,
): Promise<Report> {
  const { options, screen, over, undo } = demo;
  const alerts: string[] = [];
  const links = linksOf(world);
  for (const [name, url] of Object.entries(links)) screen.say(`look    ${name}: ${url}`);
  const begunMs = Date.now();
  const actionsBefore = await temporalActions(world);
  let current: DemoWorker | undefined;
  undo.push(async () => current?.stop());
  const start = async (more: object): Promise<DemoWorker> => {
    const worker = await launchWorker({
      settings: {
        databaseUrl: world.embedded.databaseUrl,
        temporalAddress: world.embedded.temporalAddress,
        dataDir: world.dataDir,
        bundlePath: world.bundlePath,
        ...more,
      },
      env: world.env,
      logFile: join(world.folder, 'worker.log'),
      onAlert: (line) => {
        alerts.push(line);
        screen.say(`alert   ${line}`);
      },
      onSpawn: (spawned) => {
        current = spawned;
      },
    });
    screen.say(`worker  process ${worker.pid} runs`);
    void worker.ended.then((how) => {
      if (how !== 'SIGKILL') over.abort(new Error(`the worker ended by itself (${how})`));
    });
    return worker;
  };
  const first = await start(options.kill ? { doorTimes } : {});
  const merges = startMaintainer(world, screen, undo);
  await world.untilgreen.tenants.apply(world.config, 'demo');

  let kills: readonly Kill[] = [];
  let killsAreOver = !options.kill;
  if (options.kill) {
    screen.say(
      `kill    three times on the way; for that the door's times are short: ${JSON.stringify(doorTimes)}`,
    );
    killThreeTimes(first, { world, signal: over.signal, start, say: screen.say }).then(
      (done) => {
        kills = done;
        killsAreOver = true;
      },
      (error: unknown) => over.abort(error),
    );
  }

  const end = await watch(demo, world, {
    mayEnd: () => killsAreOver,
    alerts: () => alerts.length,
    pid: () => current?.pid ?? 0,
    begunMs,
  });
  const loopMs = Date.now() - begunMs;
  const actions = await temporalActions(world);
  const cycles = await listCycles(world.pool, shop.tenant, 100_000);
  const count = await countEffects(world, end.snapshot.effects);
  const once = endedOnce(end, count);
  return {
    ...once,
    exitCode: exitCodeOf(once.outcome),
    seed: options.seed,
    loopMs,
    preparedMs,
    wasRed: problemsOf(before),
    judged: end.judged,
    findings: findingsOf(end.snapshot.findings),
    effects: effectsOf(end.snapshot.effects),
    merges,
    alerts,
    kills,
    exactlyOnce: count,
    cost: {
      tokens: cycles.reduce((sum, cycle) => sum + cycle.tokens, 0),
      usd: cycles.reduce((sum, cycle) => sum + cycle.costUsd, 0),
      temporalActions: actions === null ? null : actions - (actionsBefore ?? 0),
      cycles: cycles.length,
    },
    links: { ...links, ...issuesOf(end.snapshot) },
  };
}

/** Where the people are told. */
function issuesOf({ findings, effects }: Snapshot): Readonly<Record<string, string>> {
  const escalated = findings
    .filter(({ status }) => status === 'escalated')
    .map(({ fingerprint }) => fingerprint);
  const issues = effects.flatMap(({ kind, fingerprint, result }) =>
    kind === 'openIssue' && escalated.includes(fingerprint ?? '') && typeof result?.url === 'string'
      ? [result.url]
      : [],
  );
  return Object.fromEntries(issues.map((url, index) => [`escalation${index === 0 ? '' : index + 1}`, url]));
}

type End = Pick<Report, 'outcome' | 'reason'> & {
  readonly judged: Verdict | null;
  readonly snapshot: Snapshot;
};

/** Looks until the judge says green, or a person has what is left, or the time is over. */
async function watch(
  demo: Progressing,
  world: World,
  run: {
    readonly mayEnd: () => boolean;
    readonly alerts: () => number;
    readonly pid: () => number;
    readonly begunMs: number;
  },
): Promise<End> {
  const { signal } = demo.over;
  for (;;) {
    signal.throwIfAborted();
    const snapshot = await readSnapshot(world);
    const passed = Math.round((Date.now() - run.begunMs) / 1_000);
    demo.screen.update(
      snapshot,
      `Untilgreen demo   seed ${demo.options.seed}   ${passed} s   worker ${run.pid()}   cycle ${snapshot.cycles[0]?.cycle ?? 0}`,
    );
    const late = Date.now() - run.begunMs > loopLimitMs;
    const quiet = isQuiet(snapshot) && (await openIncidents(world.pool, shop.tenant)).length === 0;
    if (late || (run.mayEnd() && quiet)) {
      const judged = await judge(world);
      const rest = { judged, snapshot };
      if (judged.green && run.mayEnd())
        return {
          outcome: 'green',
          reason: 'judged from the services, the forge, the database and the drift command',
          ...rest,
        };
      const left = problemsOf(judged).join('; ');
      const [escalated] = snapshot.findings.filter(({ status }) => status === 'escalated');
      if (escalated !== undefined && run.mayEnd() && quiet && run.alerts() > 0)
        return {
          outcome: 'escalated',
          reason: `${escalated.title}: ${escalated.waitingFor ?? 'a person'}`,
          ...rest,
        };
      if (late)
        return {
          outcome: 'failed',
          reason: `not green after ${loopLimitMs / 60_000} minutes: ${left}`,
          ...rest,
        };
    }
    await delay(lookMs, undefined, { signal });
  }
}

/** Nothing is being worked on or waited for: worth asking the judge. */
function isQuiet({ findings, effects }: Snapshot): boolean {
  return (
    findings.length > 0 &&
    findings.every(({ status }) => status === 'resolved' || status === 'escalated' || status === 'watched') &&
    effects.every(({ state }) => state === 'done' || state === 'freed')
  );
}

function endedOnce(end: End, count: Count): Pick<Report, 'outcome' | 'reason'> {
  const { outcome, reason } = end;
  if (count.ok) return { outcome, reason };
  return { outcome: 'failed', reason: `not exactly once: ${count.problems.join('; ')}` };
}

async function readSnapshot({ pool }: World): Promise<Snapshot> {
  const [cycles, findings, effects] = await Promise.all([
    listCycles(pool, shop.tenant, 10),
    listFindings(pool, shop.tenant, 0),
    listEffects(pool, { tenant: shop.tenant, limit: 500 }),
  ]);
  return { cycles, findings, effects: [...effects].reverse() };
}

function startMaintainer(world: World, screen: Screen, undo: Undo): readonly Merge[] {
  const merges: Merge[] = [];
  screen.say(
    'people  a maintainer account of the forge (maria) presses merge on verified pull requests; nobody else does anything',
  );
  const maintainer = approveAndMergeVerified({
    url: world.forge.url,
    token: world.maintainerToken,
    owner: shop.owner,
    repo: shop.repo,
    label: 'verified',
    evidenceHeading: 'Evidence',
    onMerge: ({ number, title, url }) => {
      merges.push({ number, title, url });
      screen.say(`people  the maintainer account pressed merge on #${number} "${title}"`);
    },
  });
  undo.push(() => maintainer.stop());
  return merges;
}

function linksOf({ embedded, forge }: World): Readonly<Record<string, string>> {
  const workflow = `/namespaces/default/workflows/${encodeURIComponent(`tenant/${shop.tenant}`)}`;
  return {
    ...(embedded.uiUrl === undefined ? {} : { temporalUi: `${embedded.uiUrl}${workflow}` }),
    forge: forge.webUrl(shop.owner, shop.repo),
  };
}

/** Billable actions, by the server's own counter. */
async function temporalActions({ embedded }: World): Promise<number | null> {
  if (embedded.metricsUrl === undefined) return null;
  const text = await fetch(embedded.metricsUrl)
    .then((response) => response.text())
    .catch(() => '');
  const values = text.split('\n').flatMap((line) => {
    const value = /^action(?:_total)?(?:\{[^}]*\})? (\S+)/.exec(line)?.[1];
    return value === undefined ? [] : [Number(value)];
  });
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

async function stayUp(world: World, screen: Screen, signal: AbortSignal): Promise<void> {
  const cli = `UNTILGREEN_DATA=${world.dataDir} bin/untilgreen`;
  const lines = [
    '',
    'Everything stays up until Ctrl-C. To look around, from another terminal in this folder:',
    `  ${cli} status`,
    `  ${cli} findings --resolved`,
    `  ${cli} history`,
    `  ${cli} why`,
    `  ${cli} services`,
    `  ${cli} restart-service backend`,
    ...Object.entries(linksOf(world)).map(([name, url]) => `  ${name}: ${url}`),
    `  Temporal's address: ${world.embedded.temporalAddress}`,
    `  the worker's log: ${join(world.folder, 'worker.log')}`,
  ];
  for (const line of lines) screen.say(line);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function brokenOff(options: DemoOptions, outcome: 'failed' | 'interrupted', reason: string): Report {
  return {
    outcome,
    exitCode: exitCodeOf(outcome),
    reason,
    seed: options.seed,
    loopMs: null,
    preparedMs: null,
    wasRed: [],
    judged: null,
    findings: [],
    effects: [],
    merges: [],
    alerts: [],
    kills: [],
    exactlyOnce: null,
    cost: null,
    links: {},
  };
}

async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([work, aborted]);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

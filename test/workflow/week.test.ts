// A week of a tenant in skipped time: cadence by the hour, red cadence, continue-as-new (LOOP-1, LOOP-5, LOOP-6).
import { afterEach, expect } from 'vitest';
import { createRig, dayMs, hourMs, minuteMs, type Rig, test, workspace } from './rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

const zone = 'Europe/Madrid';

test('LOOP-1: a week of cycles by working hours, night and red', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('week', {
    timeZone: zone,
    cadence: { workingHours: { from: '08:00', to: '18:00' } },
    workspaces: [workspace({ ci: true, databases: [] })],
  });
  const { ci } = rig.world.place('week');
  await rig.startLoop('week', { rollAtEvents: 700 });
  await rig.skip(3 * dayMs);
  const redFromMs = await rig.nowMs();
  ci.rerunning = true;
  ci.jobs = ['build'];
  await rig.skip(hourMs);
  const redToMs = await rig.nowMs();
  ci.rerunning = false;
  ci.jobs = [];
  await rig.skip(4 * dayMs);

  const cycles = (await rig.cycles('week')).filter((cycle) => cycle.trigger === 'schedule');
  const perHour = Map.groupBy(cycles, (cycle) => Math.floor(cycle.startedMs / hourMs));
  const wrong: string[] = [];
  const hours = [...perHour.keys()].sort((a, b) => a - b).slice(1, -1);
  for (const hour of hours) {
    const atMs = hour * hourMs;
    if (Math.abs(atMs - redFromMs) < 2 * hourMs) continue;
    const kinds = [kindOf(atMs - hourMs), kindOf(atMs), kindOf(atMs + hourMs)];
    if (kinds.some((kind) => kind !== kinds[0])) continue; // the hours at which people come and go
    const count = perHour.get(hour)?.length;
    if (count !== (kinds[0] === 'work' ? 4 : 2)) wrong.push(`${new Date(atMs).toISOString()}: ${count}`);
  }
  expect(wrong).toEqual([]);
  expect(hours.filter((hour) => kindOf(hour * hourMs) === 'work').length).toBeGreaterThan(40);
  const inRed = cycles.filter(({ startedMs }) => startedMs > redFromMs && startedMs < redToMs);
  expect(inRed.length).toBeGreaterThanOrEqual(60 / 5 - 6); // the first red one is read at the old cadence
  const gaps = inRed.slice(1).map((cycle, index) => (inRed[index]?.startedMs ?? 0) - cycle.startedMs);
  expect(Math.max(...gaps)).toBeLessThan(6 * minuteMs);

  const green = cycles.filter((cycle) => cycle.outcome === 'green');
  expect(green.length).toBeGreaterThan(300);
  expect(new Set(green.map((cycle) => cycle.summary))).toEqual(new Set(['all clear'])); // LOOP-5
  expect(rig.world.journal).toEqual([]);
  expect(cycles.every((cycle) => cycle.state === 'completed')).toBe(true);
  const runs = (await rig.histories()).filter(({ workflowId }) => workflowId === 'tenant/week');
  expect(runs.length).toBeGreaterThan(3);
  expect(Math.max(...runs.map(({ history }) => history.events?.length ?? 0))).toBeLessThan(900);
});

function kindOf(atMs: number): 'work' | 'night' {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    hourCycle: 'h23',
  });
  const part = (type: string) => parts.formatToParts(atMs).find((one) => one.type === type)?.value ?? '';
  const hour = Number(part('hour'));
  return !['Sat', 'Sun'].includes(part('weekday')) && hour >= 8 && hour < 18 ? 'work' : 'night';
}

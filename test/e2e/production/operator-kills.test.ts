// The worker dies in the middle of asking the operator model about an incident: before an answer, when it is stored, in what the model proposed, between two
// answers. What was stored is not asked again, all that may have been used is paid for, and nobody is forgotten.
import { afterEach, expect } from 'vitest';
import { type Claude, startClaude } from '../../support/claude.ts';
import { type Mortal, startInCrashLoop, startMortal } from './rig/mortal.ts';
import { minuteMs, type Night, skipUntil, startNight, test } from './rig/rig.ts';
import type { Kill } from './rig/worker-process.ts';

let night: Night | undefined;
let workers: Mortal | undefined;
let claude: Claude | undefined;
afterEach(async () => {
  await workers?.stop();
  workers = undefined;
  await night?.stop();
  await claude?.close();
});

/** In the order in which they come. */
const kills: readonly Kill[] = [
  // The provider was asked, and what it said is lost: once more.
  { model: 'answered' },
  { model: 'stored' },
  { activity: 'judgeOperatorCall' },
  { kind: 'sendAlert', step: 'toolu_', point: 'claimed' },
  { kind: 'sendAlert', step: 'toolu_', point: 'settled' },
  { activity: 'tellOperator' },
  // Between two answers: the second is paid for, and was never sent.
  { model: 'reserved' },
  { activity: 'closeOperator' },
];

test('MODEL-2 MODEL-3 DUR-2 INC-4: killed at each step of asking the model: each answer once, all paid, one alert, nobody is forgotten', async () => {
  claude = await startClaude();
  const says = {
    tools: [
      {
        name: 'sendAlert',
        input: {
          workspaceId: 'shop',
          severity: 'critical',
          title: 'It runs out of connections',
          body: 'Raise the limit.',
        },
      },
      {
        name: 'recordAction',
        input: { action: 'looked', reasoning: 'the log', result: 'out of connections' },
      },
      { name: 'restartService', input: { service: 'backend', reason: 'to be safe' } },
    ],
  };
  // The lost one and its repetition, and what comes after.
  claude.script({ name: 'operator', replies: [says, says, { text: 'Nothing more helps.' }] });
  claude.script({ name: 'silent', replies: [{ text: 'Nothing helps now.' }], repeatLast: true });
  night = await startNight({ cached: false, leaseMs: 2_000 });
  const { site, database } = night;
  workers = await startMortal(night, kills, { ANTHROPIC_API_KEY: claude.apiKey });
  await night.apply({
    tenant: {
      cadence: { perSource: { health: '4m', deployments: '4m' } },
      model: { baseUrl: claude.url, timeout: '1s' },
    },
  });
  await startInCrashLoop(night);
  await skipUntil(night, 10 * minuteMs, () => {
    workers?.check();
    expect(site.pages).not.toHaveLength(0);
  });
  const detectedMs = site.pages[0]?.atMs ?? 0;
  await skipUntil(night, 35 * minuteMs, () => {
    workers?.check();
    expect(workers?.killed).toEqual(kills);
  });
  // A reminder of what nobody acknowledged, half an hour after the first word.
  await skipUntil(night, 50 * minuteMs, async () => {
    workers?.check();
    expect(site.pages.some(({ title }) => /not acknowledged/.test(title))).toBe(true);
    expect(await night?.client.approvals(night.tenant)).toHaveLength(1);
  });

  // Of the first state: asked twice and once, three times in all.
  const asked = claude.requests().filter(({ script }) => script === 'operator');
  expect(asked).toHaveLength(3);
  expect(asked[1]?.bytes.equals(asked[0]?.bytes ?? Buffer.alloc(0))).toBe(true);
  const { rows: attempts } = await database.pool.query(
    'select outcome, tokens, reserved_tokens as reserved from model_attempts order by id limit 4',
  );
  expect(attempts.map(({ outcome }) => outcome)).toEqual(['lapsed', 'answered', 'lapsed', 'answered']);
  for (const { outcome, tokens, reserved } of attempts)
    if (outcome === 'lapsed') expect(tokens).toBe(reserved);
    else expect(tokens).toBeGreaterThan(0);

  // What it asked for is done once, and what the rules did not allow is not done.
  expect(site.pages.filter(({ title }) => /out of connections/.test(title))).toHaveLength(1);
  const writes = site.railway.writes().map(({ operation }) => operation);
  expect(writes).toEqual(['Restart', 'Redeploy', 'Restart']);
  const { rows: notes } = await database.pool.query(
    `select text from incident_events where text like 'The model notes%' or text like 'The model was asked: 2%'`,
  );
  expect(notes).toHaveLength(2);
  const told = site.pages.filter(({ title }) => /needs a person: SEV1 in shop/.test(title));
  expect(told).toHaveLength(1);
  expect((told[0]?.atMs ?? Number.POSITIVE_INFINITY) - detectedMs).toBeLessThanOrEqual(10 * minuteMs);
  expect(new Set(site.pages.map(({ id }) => id)).size).toBe(1);
});

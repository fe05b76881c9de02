// A backend that stops to answer: who hears of it and when, what the issue says, and that a secret in its logs stays where it is.
import { afterEach, expect } from 'vitest';
import { keptTexts } from './rig/kept.ts';
import { minuteMs, type Night, skipUntil, startNight, test, uiUrl, until } from './rig/rig.ts';

let night: Night | undefined;
afterEach(async () => night?.stop());

/** By its form a token; nobody registered it. */
const planted = `ghp_${'x7Qb2'.repeat(7)}Z`;

test('INC-1 INC-3 INC-4 SEC-2: SEV1 is alerted in the cycle that saw it, told to a person within 10 min, and again until a writer has it', async () => {
  night = await startNight();
  const { site, tenant, client, clock } = night;
  await night.startWorker();
  await night.apply({ incidents: { escalation: { sev1: '9m', remindSev1: '10m' } } });
  await night.startLoop();
  await until(async () => expect((await client.history(tenant)).cycles.length).toBeGreaterThan(0));
  site.railway.world.addLogs('backend', 'deploy', [
    'listening on 8080',
    `payment failed with key ${planted}`,
    `railway ${site.env.RAILWAY_TOKEN_SW_FACTORY}`,
  ]);
  const faultMs = clock.nowMs;
  let firstMs = 0;
  site.production.fail({
    kind: 'answer',
    side: 'backend',
    path: '/health',
    by: (_request, response) => {
      firstMs ||= clock.nowMs;
      response.writeHead(503).end('Service Unavailable');
    },
  });
  const issue = await skipUntil(night, 6 * minuteMs, async () => {
    const issues = await site.issues();
    expect(issues).toHaveLength(1);
    expect(site.pages).toHaveLength(1);
    return issues[0];
  });
  const number = issue?.number ?? 0;
  const [alert] = site.pages;
  expect(alert).toMatchObject({
    severity: 'critical',
    state: 'open',
    title: 'SEV1 in shop: backend',
    signed: true,
  });
  expect((alert?.atMs ?? 0) - firstMs).toBeLessThan(minuteMs);
  expect((alert?.atMs ?? 0) - faultMs).toBeLessThanOrEqual(5 * minuteMs);

  expect(issue?.title).toBe('[SEV1] Production incident: backend');
  const [head = '', rest = ''] = (issue?.body ?? '').split('### Railway Logs (last 30 lines)');
  expect(head).toMatch(
    /^## 🚨 Production Incident\n\n\*\*Severity\*\*: SEV1\n\*\*Failed Checks\*\*: backend \(answered 503, expected 200-299: "Service Unavailable"\)\n\*\*Detected\*\*: [\d :-]+ UTC\n\n$/,
  );
  const detected = Date.parse(`${/Detected\*\*: ([\d-]+ [\d:]+) UTC/.exec(head)?.[1]}Z`);
  expect(Math.abs(detected - firstMs)).toBeLessThan(minuteMs);
  expect(rest).toMatch(
    /^\n\n<details>\n<summary>backend<\/summary>\n\n```\n[\s\S]*listening on 8080[\s\S]*payment failed with key [\s\S]*```\n\n<\/details>\n\n### Actions\n\n/,
  );
  const [remedy] = (await night.histories()).filter(({ workflowId }) => workflowId.startsWith('remedy/'));
  expect(rest).toContain(
    `- [View workflow logs](${uiUrl}/namespaces/default/workflows/${encodeURIComponent(remedy?.workflowId ?? '')}/`,
  );
  expect(rest).toContain('Open the Railway dashboard');
  expect(rest).toContain(`untilgreen view-logs backend --tenant ${tenant} --workspace shop`);

  const told = (): readonly number[] =>
    site.pages
      .filter(({ title }) => /SEV1 in shop/.test(title) && /needs a person|not acknowledged/.test(title))
      .map(({ atMs }) => atMs - firstMs);
  await night.skip(42 * minuteMs);
  expect(told()[0]).toBeLessThanOrEqual(10 * minuteMs);
  expect(told()).toHaveLength(4);
  // Somebody who may only read does not speak for it.
  await site.eve.comment(number, '/ack');
  await night.skip(11 * minuteMs);
  expect(told()).toHaveLength(5);
  await site.maria.comment(number, '/ack');
  const acknowledged = await skipUntil(night, 8 * minuteMs, async () => {
    const { events } = await client.history(tenant, { limit: 1_000 });
    expect(events.map(({ reason }) => reason)).toContain('Acknowledged by maria');
    return events.filter(({ action, actor }) => action === 'incident.acknowledged' && actor !== 'incident');
  });
  expect(acknowledged.map(({ actor }) => actor)).toEqual(['maria']);
  await night.skip(40 * minuteMs);
  expect(told()).toHaveLength(5);
  expect((await site.comments(number)).some(({ body }) => body.includes('@maria'))).toBe(true);
  expect(await site.issues()).toHaveLength(1);

  const kept = await keptTexts(night);
  expect(kept.histories).toContain('backend');
  for (const [place, text] of Object.entries(kept)) {
    expect(text.includes(planted), place).toBe(false);
    expect(text.includes(site.env.RAILWAY_TOKEN_SW_FACTORY ?? '-'), place).toBe(false);
  }
});

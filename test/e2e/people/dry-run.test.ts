// LOOP-12: a dry run swaps the effect port: the same decisions, no outbound write.
import { expect, test } from 'vitest';
import { breakageOf } from '../../../demo/shop/shop.ts';
import { createWorld } from '../rig.ts';

test('LOOP-12: a dry run decides and writes nothing to the outside', { timeout: 240_000 }, async ({
  onTestFinished,
}) => {
  const world = await createWorld(breakageOf(0));
  onTestFinished(world.stop);
  const before = await world.forge.journal.writes();
  await world.startWorker({ door: { dryRun: true } });
  await world.startLoop();

  await world.until('all are with a person', async () => {
    const findings = await world.findings();
    return findings.length === 4 && findings.every((finding) => finding.status === 'escalated');
  });

  const said = (await world.audit())
    .filter((line) => line.action === 'effect.refused')
    .map((line) => line.reason);
  expect(
    said.filter((reason) => reason.startsWith('dry run: would push a commit to untilgreen/ci-')),
  ).toHaveLength(2);
  expect(said.some((reason) => reason.startsWith('dry run: would apply 4 migrations'))).toBe(true);
  expect(await world.forge.journal.writes()).toEqual(before);
  expect(await world.effects()).toEqual([]);
  expect(world.alerts()).toEqual([]);
});

// CI-11: the digest reaches the channels.
import { expect, test } from 'vitest';
import { createWorld, whole } from '../rig.ts';

test('CI-11: what fails is told to the channels, by setting', { timeout: 240_000 }, async ({
  onTestFinished,
}) => {
  const world = await createWorld(
    { ...whole, test: true },
    { drift: null, database: null, tenant: { alerts: { digestEvery: '1m' } } },
  );
  onTestFinished(world.stop);
  await world.startWorker();
  await world.startLoop();
  await world.until('a digest', async () => world.alerts().some((line) => line.includes('Failing CI of')));
  const sent = (await world.effects('sendAlert')).filter((effect) =>
    JSON.stringify(effect).includes('Failing CI'),
  );
  expect(sent).toHaveLength(1);
});

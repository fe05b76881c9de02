// DUR-3: histories that were kept replay on the code as it is now; a history that this code would not have written does not.
import { expect, test } from 'vitest';
import { keptHistories, replay } from './histories.ts';

const kept = await keptHistories();

test('DUR-3: histories are kept', () => {
  expect(kept.length).toBeGreaterThan(0);
});

test.each(kept)(
  'DUR-3: $file replays',
  async ({ histories }) => {
    expect(histories.length).toBeGreaterThan(0);
    await replay(histories);
  },
  120_000,
);

test('DUR-3: a history with another step in it does not replay', async () => {
  const first = kept[0]?.histories[0];
  if (!first) throw new Error('no history is kept');
  const { events } = first.history;
  const scheduled = events?.find((event) => event.activityTaskScheduledEventAttributes);
  const type = scheduled?.activityTaskScheduledEventAttributes?.activityType;
  if (!type) throw new Error('the history has no activity');
  type.name = 'somethingElse';
  await expect(replay([first])).rejects.toThrow(/replay of/);
}, 120_000);

test.each(kept)('SEC-2: $file names no secret and no machine', ({ text }) => {
  const payloads = [...text.matchAll(/"data":"([A-Za-z0-9+/=]+)"/g)].map(([, data]) =>
    Buffer.from(data ?? '', 'base64').toString(),
  );
  const all = [text, ...payloads].join('\n');
  expect(all).not.toMatch(/\/tmp\/|\/root\/|\/home\/|\/work\//);
  expect(all).not.toMatch(/gh[pousr]_[A-Za-z0-9]{20,}|postgres(?:ql)?:\/\/|x-access-token/i);
});

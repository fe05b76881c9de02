// DRIFT-2: "the same normalised hash" means the same plan, and another plan has another one.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalisedChangesHash, normalisedPlanHash } from '../../../src/integrations/drift/plan-hash.ts';

const words = fc.stringMatching(/^[a-z]{1,12}( [a-z]{1,8}){0,3}$/);

test('order, colours, times and the path of the worktree do not count', () => {
  const time = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') });
  fc.assert(
    fc.property(
      fc.array(words, { minLength: 1 }),
      fc.infiniteStream(fc.nat()),
      time,
      time,
      (lines, random, one, two) => {
        const plan = [...lines, `at ${one.toISOString()} in /work/a/main.tf`].join('\n');
        const again = [`at ${two.toISOString()} in /tmp/b-${two.getTime()}/main.tf`, ...lines]
          .map((line) => ({ line, key: random.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ line }, index) => (index % 2 === 0 ? `\u001b[1;31m${line}\u001b[0m  ` : `${line}\r\n`))
          .join('\n');

        expect(normalisedPlanHash(again, [`/tmp/b-${two.getTime()}`])).toBe(
          normalisedPlanHash(plan, ['/work/a']),
        );
      },
    ),
  );
});

test('another plan has another hash', () => {
  fc.assert(
    fc.property(fc.array(words), words, (lines, line) => {
      expect(normalisedPlanHash([...lines, line].join('\n'), [])).not.toBe(
        normalisedPlanHash(lines.join('\n'), []),
      );
    }),
  );
});

test.each([
  ['2026-01-02T03:04:05.678Z', '2031-12-11T10:09:08Z'],
  ['2026-01-02 03:04:05 +0200', '2026-01-02 03:04 UTC'],
  ['[03:04:05] refreshing', '[13:14:15.161] refreshing'],
  ['done in 3.2s', 'done in 14 seconds'],
  ['still creating [10s elapsed]', 'still creating [1m20s elapsed]'],
  ['\u001b]8;;https://a\u001b\\link\u001b]8;;\u001b\\', 'link'],
])('%j and %j are the same', (one, two) => {
  expect(normalisedPlanHash(one, [])).toBe(normalisedPlanHash(two, []));
});

test.each([
  ['replicas: 2', 'replicas: 3'],
  ['version 1.2.3', 'version 1.2.4'],
  ['+ create a', '- destroy a'],
  ['a\na', 'a'],
])('%j and %j differ', (one, two) => {
  expect(normalisedPlanHash(one, [])).not.toBe(normalisedPlanHash(two, []));
});

test('as data, neither the order of changes nor of keys counts, and values do', () => {
  const change = fc.record({ address: words, action: words, value: fc.jsonValue() });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1 }), (changes) => {
      const again = changes.toReversed().map(({ address, action, value }) => ({ value, action, address }));
      const other = changes.map((one, index) => (index === 0 ? { ...one, address: `${one.address}x` } : one));

      expect(normalisedChangesHash(again, [])).toBe(normalisedChangesHash(changes, []));
      expect(normalisedChangesHash(other, [])).not.toBe(normalisedChangesHash(changes, []));
    }),
  );
});

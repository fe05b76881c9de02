// DEPLOY-4: newer versions and missing or old backups are told as info or warning; what cannot be told is unknown, never fine.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  judgeBackup,
  readBackupTime,
  watchedBackups,
} from '../../../../../src/policy/ops/watch/backup-age.ts';
import { imageTag, judgeVersion } from '../../../../../src/policy/ops/watch/versions.ts';

describe('DEPLOY-4: versions', () => {
  it.each([
    ['1.4.2', '1.4.2', 'current'],
    ['1.4.2', '1.4.3', 'info patch'],
    ['1.4.2', '1.5.0', 'info minor'],
    ['1.4.2', '2.0.0', 'warning major'],
    ['v1.4.2', '1.4.3', 'info patch'],
    ['1.4.2', 'v2.0.0', 'warning major'],
    ['1.10.0', '1.9.9', 'current'],
    ['2.0.0', '1.9.9', 'current'],
    ['1.4.2', '1.5.0-rc.1', 'current'],
    ['1.4.2', '1.5.0-beta', 'current'],
    ['1.5.0-rc.1', '1.5.0', 'info patch'],
    ['1.5.0-rc.1', '1.5.0-rc.2', 'info patch'],
    ['1.4.2+build5', '1.4.2+build6', 'current'],
    ['18', '18.4', 'current'],
    ['18', '19.0', 'warning major'],
    ['18.3', '18.4', 'info minor'],
    ['18.3-alpine3.22', '18.4', 'info minor'],
    ['18.4.1-alpine', '18.4.1', 'current'],
    ['18.4.1-alpine', '18.4.2-alpine', 'info patch'],
    ['18.4', '19beta1', 'unknown'],
    ['18.4', '19.0-beta1', 'current'],
    ['7.2.4.1', '7.2.4.2', 'info patch'],
    ['2026-10-01', '2026-11-01', 'info minor'],
    ['RELEASE.2025-01-20T14-49-07Z', 'RELEASE.2026-01-20T14-49-07Z', 'warning major'],
    ['release-3.1', 'release-3.2', 'info minor'],
    ['latest', '1.4.2', 'unknown'],
    ['1.4.2', '', 'unknown'],
    ['abc1234def', '1.0.0', 'unknown'],
    ['1.4.2', '9'.repeat(200), 'unknown'],
  ])('%s, newest %s: %s', (current, newest, expected) => {
    const verdict = judgeVersion('redis', current, newest);
    const said =
      verdict.state === 'newer'
        ? `${verdict.level} ${/a (\w+) version/.exec(verdict.text)?.[1]}`
        : verdict.state;
    expect(said).toBe(expected);
  });

  it('says which, and why it cannot be told', () => {
    expect(judgeVersion('redis', '7.2.0', '8.0.1')).toEqual({
      state: 'newer',
      level: 'warning',
      text: 'redis runs 7.2.0, 8.0.1 is out (a major version newer)',
    });
    expect(judgeVersion('redis', 'latest', '8.0.1')).toEqual({
      state: 'unknown',
      reason: 'versions of redis: "latest" and "8.0.1" cannot be compared',
    });
  });

  it('of two versions at most one is newer, and none than itself', () => {
    const part = fc.nat(3);
    const version = fc
      .tuple(part, fc.option(part), fc.option(part), fc.constantFrom('', '-alpine', '-rc.1'))
      .map(([a, b, c, end]) => [a, b, c].filter((one) => one !== null).join('.') + end);
    fc.assert(
      fc.property(version, version, fc.string(), (a, b, anything) => {
        expect(judgeVersion('x', a, a).state).toBe('current');
        const both = [judgeVersion('x', a, b).state, judgeVersion('x', b, a).state];
        expect(both.filter((state) => state === 'newer').length).toBeLessThanOrEqual(1);
        expect(judgeVersion('x', anything, anything).state).not.toBe('newer');
      }),
    );
  });

  it.each([
    ['postgres:18.4', '18.4'],
    ['ghcr.io/acme/backend:1.4.2@sha256:0123abcd', '1.4.2'],
    ['localhost:5000/acme/backend:v2', 'v2'],
    ['localhost:5000/acme/backend', null],
    ['postgres', null],
    ['postgres@sha256:0123abcd', null],
    ['', null],
  ])('the tag of %s is %s', (image, tag) => {
    expect(imageTag(image)).toBe(tag);
  });
});

describe('DEPLOY-4: backups', () => {
  const now = Date.UTC(2026, 10, 21, 3, 0, 0);
  const hour = 3_600_000;

  it.each([
    ['2026-11-21T02:00:00Z\n', 'fresh'],
    ['2026-11-21 04:30:00+02', 'fresh'],
    ['2026-11-20 21:30:00.123456-0500', 'fresh'],
    ['2026-11-21 03:09 +00:00', 'fresh'],
    ['2026-11-20', 'fresh'],
    ['2026-11-19T02:00:00Z', 'old'],
    ['', 'missing'],
    ['  \n', 'missing'],
    ['2026-11-22T03:00:00Z', 'unknown'],
    ['2026-11-21T02:00:00', 'unknown'],
    ['2026-13-41', 'unknown'],
    ['yesterday', 'unknown'],
    ['2026-11-20\n2026-11-21', 'unknown'],
    ['1763694000', 'unknown'],
  ])('%j is %s', (printed, state) => {
    expect(judgeBackup('nightly', readBackupTime(printed), 36 * hour, now).state).toBe(state);
  });

  it('says how old, and what was wrong', () => {
    const judge = (printed: string) => judgeBackup('nightly', readBackupTime(printed), 26 * hour, now);
    expect(judge('2026-11-17T03:00:00Z')).toEqual({
      state: 'old',
      level: 'warning',
      text: 'backup nightly: the latest is 4 days old (2026-11-17T03:00:00.000Z), at most 26 h are allowed',
    });
    expect(judge('')).toEqual({ state: 'missing', level: 'warning', text: 'backup nightly: there is none' });
    expect(judge('yesterday')).toEqual({
      state: 'unknown',
      reason:
        'backup nightly: it printed "yesterday"; a time with its zone is needed, as in 2026-11-21T03:00:00Z',
    });
  });

  it('is fresh exactly up to its greatest age', () => {
    expect(judgeBackup('b', now - hour, hour, now).state).toBe('fresh');
    expect(judgeBackup('b', now - hour - 1, hour, now).state).toBe('old');
  });
});

describe('DEPLOY-4 MIG-2: what services and databases back up is watched once', () => {
  const [ask, stricter, other] = [
    { command: 'age shop', maxAgeMs: 48 },
    { command: 'age shop', maxAgeMs: 24 },
    { command: 'age mail', maxAgeMs: 48 },
  ];
  type Named = Parameters<typeof watchedBackups>[0][number];
  type OfDatabase = Parameters<typeof watchedBackups>[1][number];
  it.each<[string, readonly Named[], readonly OfDatabase[], ReturnType<typeof watchedBackups>]>([
    ['nothing', [], [{ name: 'shop' }], []],
    ['a database', [], [{ name: 'shop', backup: ask }], [{ name: 'shop', asks: [ask] }]],
    [
      'the same command, by the stricter age',
      [{ name: 'nightly', ...ask }],
      [{ name: 'shop', backup: stricter }],
      [{ name: 'nightly', asks: [stricter] }],
    ],
    [
      'the same name, asked both ways',
      [{ name: 'shop', ...ask }],
      [{ name: 'shop', backup: other }],
      [{ name: 'shop', asks: [ask, other] }],
    ],
    [
      'one of services and one of a database',
      [{ name: 'files', ...ask }],
      [{ name: 'shop', backup: other }],
      [
        { name: 'files', asks: [ask] },
        { name: 'shop', asks: [other] },
      ],
    ],
  ])('%s', (_name, ofServices, ofDatabases, expected) => {
    expect(watchedBackups(ofServices, ofDatabases)).toEqual(expected);
  });
});

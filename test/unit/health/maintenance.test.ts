// HEALTH-1: maintenance windows, by instants and by the clock on the wall.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MaintenanceWindow } from '../../../src/contract/ops/health-settings.ts';
import { weekdays } from '../../../src/contract/secret-reference.ts';
import { inMaintenance } from '../../../src/policy/ops/maintenance.ts';

const berlin = 'Europe/Berlin';
const at = (iso: string): number => Date.parse(iso);
const weekly = (
  days: MaintenanceWindow & { kind: 'weekly' } extends { days: infer Days } ? Days : never,
  from: string,
  to: string,
): MaintenanceWindow => ({
  kind: 'weekly',
  days,
  from,
  to,
  reason: 'backup',
});

describe('a maintenance window', () => {
  it('of one time is on from its start up to its end', () => {
    const window: MaintenanceWindow = { kind: 'once', fromMs: 1_000, toMs: 2_000, reason: '' };
    expect([999, 1_000, 1_999, 2_000].map((now) => inMaintenance([window], 'UTC', now) === window)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it.each([
    // A Sunday in winter: 02:00 in Berlin is 01:00 UTC.
    ['2027-01-31T00:59:59Z', false],
    ['2027-01-31T01:00:00Z', true],
    ['2027-01-31T02:59:59Z', true],
    ['2027-01-31T03:00:00Z', false],
    ['2027-02-01T01:30:00Z', false],
    // The Sunday on which the clock goes from 02:00 to 03:00: the window is the hour from 03:00 on.
    ['2027-03-28T00:59:00Z', false],
    ['2027-03-28T01:00:00Z', true],
    ['2027-03-28T01:59:00Z', true],
    ['2027-03-28T02:00:00Z', false],
    // The Sunday on which the hour from 02:00 comes twice.
    ['2027-10-31T00:30:00Z', true],
    ['2027-10-31T01:30:00Z', true],
    ['2027-10-31T02:30:00Z', true],
    ['2027-10-31T03:00:00Z', false],
  ])('of Sunday 02:00 to 04:00 in Berlin, at %s: %s', (iso, on) => {
    expect(inMaintenance([weekly(['sun'], '02:00', '04:00')], berlin, at(iso)) !== undefined).toBe(on);
  });

  it.each([
    ['2027-01-30T22:59:00Z', false],
    ['2027-01-30T23:00:00Z', true],
    ['2027-01-31T01:59:00Z', true],
    ['2027-01-31T02:00:00Z', false],
    // The next evening is not on its list.
    ['2027-01-31T23:30:00Z', false],
    ['2027-02-01T01:00:00Z', false],
  ])('over midnight belongs to the day on which it starts, at %s: %s', (iso, on) => {
    expect(inMaintenance([weekly(['sat'], '23:00', '02:00')], 'UTC', at(iso)) !== undefined).toBe(on);
  });

  it('up to 24:00 ends with its day', () => {
    const window = weekly(['sat'], '22:00', '24:00');
    expect(inMaintenance([window], 'UTC', at('2027-01-30T23:59:59Z'))).toBe(window);
    expect(inMaintenance([window], 'UTC', at('2027-01-31T00:00:00Z'))).toBeUndefined();
  });

  it('and the one from its end to its start are never on together, and one of them always is', () => {
    const clock = fc.tuple(fc.nat(23), fc.nat(59)).map(([h, m]) => `${pad(h)}:${pad(m)}`);
    const zone = fc.constantFrom('UTC', berlin, 'America/St_Johns', 'Asia/Kathmandu', 'Pacific/Apia');
    const instant = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2028-01-01T00:00:00Z') });
    fc.assert(
      fc.property(clock, clock, zone, instant, (from, to, timeZone, now) => {
        fc.pre(from !== to);
        const one = inMaintenance([weekly([...weekdays], from, to)], timeZone, now);
        const other = inMaintenance([weekly([...weekdays], to, from)], timeZone, now);
        expect((one === undefined) !== (other === undefined)).toBe(true);
      }),
    );
  });
});

function pad(n: number): string {
  return String(n).padStart(2, '0');
}

// INC-2: one fault that the platform and a health check both see is told once.
import { describe, expect, it } from 'vitest';
import {
  type IncidentNear,
  type OwnRecord,
  tellsOf,
  type Voice,
  voiceOf,
} from '../../../../../src/policy/ops/incident/one-story.ts';

const near = (more: Partial<IncidentNear> = {}): IncidentNear => ({
  fingerprint: 'f',
  services: ['backend', 'worker'],
  isRed: true,
  isOpen: true,
  ...more,
});
const begins = near({ isOpen: false });
const ends = near({ isRed: false });
const over = near({ isRed: false, isOpen: false });

describe('INC-2: which incident tells of a service', () => {
  it.each<[string, readonly IncidentNear[], IncidentNear | null]>([
    ['one that names it', [near()], near()],
    ['one whose finding has just appeared', [begins], begins],
    ['one whose checks pass again, and which is not over', [ends], ends],
    ['none, when it is over', [over], null],
    ['none that names others only', [near({ services: ['mail'] })], null],
    ['none that names nobody', [near({ services: [] })], null],
    ['the one that has begun, of two', [begins, near({ fingerprint: 'g' })], near({ fingerprint: 'g' })],
    ['none, without an incident', [], null],
  ])('%s', (_name, incidents, expected) => {
    expect(tellsOf('backend', incidents)).toEqual(expected);
  });
});

describe('INC-2: what the finding of the service says itself', () => {
  it.each<[OwnRecord, IncidentNear | null, Voice]>([
    ['none', null, 'tells'],
    ['open', null, 'tells'],
    ['handedOver', null, 'tells'],
    ['closing', null, 'tells'],
    ['none', begins, 'isSilent'],
    ['none', near(), 'isSilent'],
    ['none', ends, 'isSilent'],
    ['open', begins, 'isSilent'],
    ['open', near(), 'pointsThere'],
    ['open', ends, 'pointsThere'],
    ['handedOver', near(), 'isSilent'],
    ['handedOver', ends, 'isSilent'],
    ['closing', near(), 'tells'],
  ])('record %s, %j: %s', (own, incident, expected) => {
    expect(voiceOf(incident, own)).toBe(expected);
  });
});

// Who tells of a service that is down (INC-2): one fault that both the platform and a health check see is one incident, with one issue, one alert and one
// escalation. Pure. Where an incident of the workspace names the service, the incident tells; the finding of the service stays beside it, silent.

export type IncidentNear = {
  readonly fingerprint: string;
  readonly services: readonly string[];
  /** Its finding is not resolved. */
  readonly isRed: boolean;
  /** Its record is open: it begins a moment after its finding appears, and ends after it is gone. */
  readonly isOpen: boolean;
};

/** The incident that tells of this service; null: none does, or it is over. One that has begun goes before one that only appeared. */
export function tellsOf<Near extends IncidentNear>(service: string, incidents: readonly Near[]): Near | null {
  const named = incidents.filter(
    ({ services, isRed, isOpen }) => (isRed || isOpen) && services.includes(service),
  );
  return named.find(({ isOpen }) => isOpen) ?? named[0] ?? null;
}

/** The record that the service's own finding has. `closing`: it recovered, and only its closing is left. */
export type OwnRecord = 'none' | 'open' | 'handedOver' | 'closing';

export type Voice =
  /** As if there were no incident. */
  | 'tells'
  /** Nothing new is said. What was planned before still gets its answer, so that nobody has to ask whether it landed. */
  | 'isSilent'
  /** The incident has an issue of its own by now: this one is closed with a word of where it goes on. */
  | 'pointsThere';

export function voiceOf(near: IncidentNear | null, own: OwnRecord): Voice {
  if (near === null || own === 'closing') return 'tells';
  // Until the incident has begun it may still take the record over.
  return own === 'open' && near.isOpen ? 'pointsThere' : 'isSilent';
}

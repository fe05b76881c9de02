// What a tenant's backend knows: users, sessions, orphaned rows. Plain data and the rules over it.
import { randomBytes } from 'node:crypto';

export type Session = {
  readonly id: string;
  readonly token: string;
  readonly email: string;
  readonly stale: boolean;
};

export type ShopState = {
  readonly users: Map<string, string>;
  sessions: Session[];
  orphans: number;
  /** More sessions than this and nobody can log in: what clearing stale ones is for. */
  sessionLimit: number;
};

export function createShopState(canary: { readonly email: string; readonly password: string }): ShopState {
  return { users: new Map([[canary.email, canary.password]]), sessions: [], orphans: 0, sessionLimit: 100 };
}

/** A new session, `refused` for a wrong password, `full` when there are too many sessions. */
export function logIn(state: ShopState, email: unknown, password: unknown): Session | 'refused' | 'full' {
  if (typeof email !== 'string' || state.users.get(email) !== password) return 'refused';
  if (state.sessions.length >= state.sessionLimit) return 'full';
  return addSession(state, email, false);
}

export function addSession(state: ShopState, email: string, stale: boolean): Session {
  const session = {
    id: randomBytes(12).toString('hex'),
    token: `tok_${randomBytes(18).toString('hex')}`,
    email,
    stale,
  };
  state.sessions.push(session);
  return session;
}

/** How many were removed. */
export function removeStaleSessions(state: ShopState): number {
  const before = state.sessions.length;
  state.sessions = state.sessions.filter(({ stale }) => !stale);
  return before - state.sessions.length;
}

export function removeOrphans(state: ShopState): number {
  const removed = state.orphans;
  state.orphans = 0;
  return removed;
}

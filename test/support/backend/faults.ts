// What goes wrong with a tenant's production when a test says so.
import type { IncomingMessage, ServerResponse } from 'node:http';

export type Side = 'backend' | 'frontend';

export type Fault =
  /** Every request is answered with this status; 500 by default. */
  | { readonly kind: 'status'; readonly status?: number }
  /** The right answer, later. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** No answer until the connection is closed. */
  | { readonly kind: 'hang' }
  /** The connection is reset. */
  | { readonly kind: 'reset' }
  /** 200 with something else: the page or JSON of an application that is broken. */
  | { readonly kind: 'wrongContent' }
  /** The canary user is refused. */
  | { readonly kind: 'loginRefused' }
  /** Nothing that needs the database works. */
  | { readonly kind: 'databaseDown' }
  /** Anything else, written by the test itself. */
  | {
      readonly kind: 'answer';
      readonly by: (request: IncomingMessage, response: ServerResponse, body: string) => void;
    };

export type FaultWish = Fault & {
  readonly side?: Side;
  /** Start of the path; every one by default. */
  readonly path?: string;
  /** How many requests it hits; all by default. */
  readonly times?: number;
};

export type FaultBox = {
  readonly add: (fault: FaultWish) => void;
  readonly clear: () => void;
  /** The fault that this request meets; counts it. */
  readonly meet: (side: Side, path: string) => Fault | undefined;
  /** On at all, without counting. */
  readonly has: (kind: Fault['kind']) => boolean;
};

/** Kinds that are no fault of a connection: the routes ask for them. */
const inside: readonly Fault['kind'][] = ['loginRefused', 'databaseDown'];

export function createFaultBox(): FaultBox {
  let faults: { readonly wish: FaultWish; left: number }[] = [];
  return {
    add: (wish) => {
      faults.push({ wish, left: wish.times ?? Number.POSITIVE_INFINITY });
    },
    clear: () => {
      faults = [];
    },
    meet: (side, path) => {
      const met = faults.find(
        ({ wish, left }) =>
          left > 0 &&
          !inside.includes(wish.kind) &&
          (wish.side ?? side) === side &&
          path.startsWith(wish.path ?? '/'),
      );
      if (met !== undefined) met.left -= 1;
      return met?.wish;
    },
    has: (kind) => faults.some(({ wish, left }) => wish.kind === kind && left > 0),
  };
}

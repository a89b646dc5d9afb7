import type { Route } from '../config/configuration.ts';
import type { Call } from './call.ts';
import type { Principal } from './principal.ts';

/**
 * The proof that a request carries. It only grows, and each step takes the one before it, so a stage that
 * is missing or out of order can't produce what the next one needs: the forwarder takes `Admitted` alone.
 */
export type Passage = Matched | Authenticated | Admitted;

declare const proof: unique symbol;

/** The request belongs to this route; nothing is known of who asks. */
export interface Matched {
  readonly stage: 'matched';
  readonly route: Route;
  readonly [proof]: 'matched';
}

/** The credentials held, or the route is open and `principal` is null. */
export interface Authenticated {
  readonly stage: 'authenticated';
  readonly route: Route;
  readonly principal: Principal | null;
  readonly [proof]: 'authenticated';
}

/** The message was read and may go upstream; `call` is null for methods without a message. */
export interface Admitted {
  readonly stage: 'admitted';
  readonly route: Route;
  readonly principal: Principal | null;
  readonly call: Call | null;
  readonly [proof]: 'admitted';
}

export function matched(route: Route): Matched {
  return { stage: 'matched', route } as Matched;
}

export function authenticated(passage: Matched, principal: Principal): Authenticated {
  return { stage: 'authenticated', route: passage.route, principal } as Authenticated;
}

/** Only an open route lets a request pass without a principal; anything else is a defect of ours. */
export function anonymous(passage: Matched): Authenticated {
  if (passage.route.access !== 'open') {
    throw new Error(`route ${passage.route.name} isn't open: an anonymous passage can't be made for it`);
  }
  return { stage: 'authenticated', route: passage.route, principal: null } as Authenticated;
}

export function admitted(passage: Authenticated, call: Call | null): Admitted {
  return { stage: 'admitted', route: passage.route, principal: passage.principal, call } as Admitted;
}

import type { Route } from '../config/configuration.ts';
import type { Call } from './call.ts';
import type { Principal } from './principal.ts';

/**
 * The proof that a request carries. It only grows, and each step takes the one before it, so a stage that
 * is missing or out of order can't produce what the next one needs: the forwarder takes `Admitted` alone.
 */
export type Passage = Matched | Authenticated | Read | Admitted;

declare const proof: unique symbol;

/** The request belongs to this route; nothing is known of who asks. */
export interface Matched {
  readonly stage: 'matched';
  readonly route: Route;
  readonly [proof]: 'matched';
}

/** The credentials held, or nobody has to show any and `principal` is null. */
export interface Authenticated {
  readonly stage: 'authenticated';
  readonly route: Route;
  readonly principal: Principal | null;
  readonly [proof]: 'authenticated';
}

/** It is known what is asked for; `call` is null for methods without a message. */
export interface Read {
  readonly stage: 'read';
  readonly route: Route;
  readonly principal: Principal | null;
  readonly call: Call | null;
  /** The bytes of the call, parsed. Large ones shall not outlive this step. */
  readonly value: unknown;
  readonly [proof]: 'read';
}

/** The rules of the route let this call of this principal through: it may go upstream. */
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

/** Only an open or optional route lets a request pass without a principal; anything else is a defect of ours. */
export function anonymous(passage: Matched): Authenticated {
  if (passage.route.access === 'required') {
    throw new Error(`route ${passage.route.name} isn't open: an anonymous passage can't be made for it`);
  }
  return { stage: 'authenticated', route: passage.route, principal: null } as Authenticated;
}

/** `message` is null for methods without one. */
export function read(
  passage: Authenticated,
  message: { readonly call: Call; readonly value: unknown } | null,
): Read {
  const { route, principal } = passage;
  return { stage: 'read', route, principal, call: message?.call ?? null, value: message?.value } as Read;
}

export function admitted(passage: Read): Admitted {
  const { route, principal, call } = passage;
  return { stage: 'admitted', route, principal, call } as Admitted;
}

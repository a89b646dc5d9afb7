import type { JWTPayload } from 'jose';

import type { Route } from '../config/configuration.ts';
import type { Principal } from '../vocabulary/principal.ts';
import { assertionClaims, audienceOf } from './assertion-claims.ts';

/** A signed statement of who asks, for one upstream. */
export interface Assertion {
  /** A JWT in its compact form: base64url and dots. */
  readonly text: string;
  /** The same as a member of `_meta`, in JSON. */
  readonly member: string;
}

export interface AssertionParts {
  /** The public URL: `iss`. */
  readonly issuer: string;
  readonly keys: { sign(claims: JWTPayload): Promise<string> };
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** What carries the assertion below `params._meta`; MCP wants a prefix there that is nobody else's. */
export const assertionName = 'io.portcullis/assertion';

/**
 * The assertions that are in use. One is signed for each principal on each route, and serves until half of its time
 * is over: whoever checks it has the other half, however late it arrives.
 */
export class Assertions {
  readonly #parts: AssertionParts;
  // What is known of a principal ends with it, and a tenant's route is another route.
  readonly #made = new WeakMap<Route, WeakMap<Principal, Made>>();

  constructor(parts: AssertionParts) {
    this.#parts = parts;
  }

  /** At once where one is in use; whoever comes while it is being signed waits for the same one. */
  about(principal: Principal, route: Route, ttlMs: number): Assertion | Promise<Assertion> {
    const now = this.#parts.clock();
    const known = this.#made.get(route)?.get(principal);
    // A clock that was set back would make it last for as long as that.
    if (known !== undefined && now >= known.at && now - known.at < ttlMs / 2) return known.assertion;
    const assertion = this.#sign(principal, route, { at: now, ttlMs });
    const made: Made = { at: now, assertion };
    this.#of(route).set(principal, made);
    return assertion.then(
      (signed) => (made.assertion = signed),
      (defect: unknown) => {
        this.#made.get(route)?.delete(principal);
        throw defect;
      },
    );
  }

  async #sign(principal: Principal, route: Route, { at, ttlMs }: Span): Promise<Assertion> {
    const { issuer, keys } = this.#parts;
    const iat = Math.floor(at / 1000);
    const text = await keys.sign({
      iss: issuer,
      aud: audienceOf(route.upstream),
      iat,
      exp: iat + Math.floor(ttlMs / 1000),
      ...assertionClaims(principal, route),
    });
    return { text, member: `"${assertionName}":"${text}"` };
  }

  #of(route: Route): WeakMap<Principal, Made> {
    const known = this.#made.get(route);
    if (known !== undefined) return known;
    const fresh = new WeakMap<Principal, Made>();
    this.#made.set(route, fresh);
    return fresh;
  }
}

interface Made {
  /** Milliseconds since the epoch. */
  readonly at: number;
  assertion: Assertion | Promise<Assertion>;
}

interface Span {
  readonly at: number;
  readonly ttlMs: number;
}

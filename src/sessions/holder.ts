import type { Route } from '../config/configuration.ts';
import type { Principal } from '../vocabulary/principal.ts';

/**
 * Whose session it is: issuer, subject and client of the principal, on one route, at one upstream. The token isn't
 * part of it, so a refresh keeps the session. On an open route a session is the route's, not a person's.
 */
export function holderOf(principal: Principal | null, route: Route): string {
  return JSON.stringify([
    principal === null ? null : [principal.issuer, principal.subject, principal.clientId ?? null],
    // What is a session id to one transport would be an address to the other.
    route.upstream.transport,
    route.name,
    route.resource,
    route.upstream.url,
  ]);
}

import type { JWTPayload } from 'jose';

import type { Route, Upstream } from '../config/configuration.ts';
import { claimAt } from '../vocabulary/claim.ts';
import type { Principal } from '../vocabulary/principal.ts';

/**
 * Whom an assertion is for: the upstream's resource, or its URL without the query, which may hold what nobody else
 * shall read.
 */
export function audienceOf({ resource, url }: Upstream): string {
  if (resource !== undefined) return resource;
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/**
 * What an assertion says of who asks. `sub` alone is unique only where one issuer is trusted, so `sub_id` (RFC 9493
 * §3.2.3) has it together with its issuer; `client_id` and `scope` are those of RFC 8693 §4. What the token doesn't
 * say isn't there. Claims that the route names stand in an object of their own: none can pass for one of these.
 */
export function assertionClaims(
  { issuer, subject, clientId, scopes, email, claims }: Principal,
  { identity, tenant }: Route,
): JWTPayload {
  const named = identity.claims
    .map(({ claim }) => [claim, claimAt(claims, claim)] as const)
    .filter(([, value]) => value !== undefined && value !== null);
  return {
    sub: subject,
    sub_id: { format: 'iss_sub', iss: issuer, sub: subject },
    ...(clientId === undefined ? {} : { client_id: clientId }),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(email === undefined ? {} : { email }),
    ...(tenant === undefined ? {} : { tenant: tenant.name }),
    ...(named.length === 0 ? {} : { claims: Object.fromEntries(named) }),
  };
}

import type { Route } from '../config/configuration.ts';
import type { Challenges } from './www-authenticate.ts';
import { challengesOf } from './www-authenticate.ts';

/** What the route's authorization servers advertise. */
export interface GlancedScopes {
  /** As far as it is known now; the same list until it changes. */
  glance(): readonly string[];
}

/** Clients bound a header line; Node's whole header is 16 KiB. */
const maximumScopeLength = 4096;

/**
 * The challenges of a route at a moment. Those of a written list are made once; those of a live one anew when the
 * list is another. A 401 never waits for an authorization server: what isn't known is left out.
 */
export function currentChallenges(
  route: Route,
  liveScopes: (route: Route) => GlancedScopes,
): () => Challenges {
  if (route.challengeScopes !== 'from-authorization-server') {
    const challenges = challengesOf(route);
    return () => challenges;
  }
  const live = liveScopes(route);
  let made: { readonly from: readonly string[]; readonly challenges: Challenges } | undefined;
  return () => {
    const scopes = live.glance();
    if (made?.from !== scopes) made = { from: scopes, challenges: challengesOf(route, fitting(scopes)) };
    return made.challenges;
  };
}

/** Whole scopes from the front. */
function fitting(scopes: readonly string[]): readonly string[] {
  let length = 0;
  const end = scopes.findIndex((scope) => (length += scope.length + 1) > maximumScopeLength);
  return end === -1 ? scopes : scopes.slice(0, end);
}

import type { Route } from '../config/configuration.ts';
import type { Principal } from '../vocabulary/principal.ts';
import type { Refusal } from '../vocabulary/refusal.ts';

/** RFC 6750 §3.1: names all that every request of the route needs, granted or not, so that one step-up is enough. */
export function checkScopes({ scopes: granted }: Principal, { scopes }: Route): Refusal | undefined {
  return scopes.every((scope) => granted.includes(scope))
    ? undefined
    : { kind: 'scope-insufficient', reason: 'scope_insufficient', scopes };
}

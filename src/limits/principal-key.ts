import type { Principal } from '../vocabulary/principal.ts';

/** A principal is remembered with its token, so its text is made once. */
const known = new WeakMap<Principal, string>();

/**
 * What a principal is counted by: issuer and subject, whatever the client and the token. Two people are never one, and no
 * one has two counts by asking for a new token.
 */
export function principalKey(principal: Principal): string {
  const remembered = known.get(principal);
  if (remembered !== undefined) return remembered;
  const key = JSON.stringify([principal.issuer, principal.subject]);
  known.set(principal, key);
  return key;
}

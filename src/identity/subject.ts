import type { Identity } from '../config/configuration.ts';
import { claimAt } from '../vocabulary/claim.ts';
import type { Principal } from '../vocabulary/principal.ts';

/**
 * The one text that the upstream knows a principal by: `sub`, or the claim that the route names. Undefined where the token has no such
 * claim, or one that isn't a text or a whole number that JSON carries exactly: a missing subject would look like nobody, and a rounded one
 * like somebody else.
 */
export function subjectOf(principal: Principal, { subject }: Identity): string | undefined {
  if (subject === undefined) return principal.subject;
  const value = claimAt(principal.claims, subject);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

import type { Route } from '../config/configuration.ts';
import {
  checkAudience,
  checkConfirmation,
  checkLifetime,
  checkPassedOn,
  checkSubject,
  checkTenant,
  checkTokenType,
} from './check-claims.ts';
import type { Scheme } from './credentials.ts';
import type { TokenFault } from './fault.ts';
import type { VerifiedSignature } from './remembered-signatures.ts';
import type { ClaimCheck, Trace } from './trace.ts';

/** Answers the fault that counts; where none is answered, the next check is made. */
type Note = (check: ClaimCheck, fault: TokenFault | undefined) => TokenFault | undefined;

const stopAtTheFirst: Note = (_check, fault) => fault;

/** What a token is used for. */
export interface TokenUse {
  readonly route: Route;
  readonly scheme: Scheme;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** What is said of a token, and by whom. */
export interface Judged extends Pick<VerifiedSignature, 'claims'> {
  /** As in `VerifiedSignature`; undefined where the authorization server said it all in an answer, without a header. */
  readonly type: string | undefined;
  readonly authority: Pick<VerifiedSignature['authority'], 'server'>;
}

/**
 * What the token says of itself, once its signature held: type, times, audience, subject, confirmation. Judged on
 * every call; nothing of it is remembered.
 */
export function checkClaims(
  verified: Judged,
  { route, scheme, nowMs }: TokenUse,
  note: Note = stopAtTheFirst,
): TokenFault | undefined {
  const { claims, authority } = verified;
  const { server } = authority;
  return (
    note('type', checkTokenType(verified.type, claims, server)) ??
    note('times', checkLifetime(claims, server, nowMs / 1000)) ??
    note('audience', checkAudience(claims, server, route) ?? checkPassedOn(claims, route)) ??
    note('tenant', checkTenant(claims, route)) ??
    note('subject', checkSubject(claims)) ??
    note('confirmation', checkConfirmation(claims, scheme, route))
  );
}

/** `checkClaims`, told step by step: the first fault counts as always, and whoever listens hears of the others too. */
export function judgeClaims(
  verified: VerifiedSignature,
  use: TokenUse,
  trace: Trace | undefined,
): TokenFault | undefined {
  if (trace === undefined) return checkClaims(verified, use);
  const { authority } = verified;
  let first: TokenFault | undefined;
  checkClaims(verified, use, (check, fault) => {
    trace({ step: 'claim', authority, check, fault });
    first ??= fault;
    return undefined;
  });
  return first;
}

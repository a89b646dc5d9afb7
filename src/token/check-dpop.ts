import { hash } from 'node:crypto';

import type { Proof, ProofFault } from './dpop-proof.ts';
import { quoted } from './fault.ts';

/** How far a client's clock may be ahead. */
const aheadSeconds = 5;

/** How long a used proof must stay known: while it could be taken, by a replica whose clock is 5 s behind too. */
export function replayTtlMs(windowMs: number): number {
  return windowMs + 2 * aheadSeconds * 1000;
}

/** RFC 9449 §6.1: the key of the proof is the one that the token is bound to. */
export function checkBinding({ thumbprint }: Proof, jkt: string): ProofFault | undefined {
  return thumbprint === jkt
    ? undefined
    : { reason: 'proof_binding', detail: 'the token is bound to another key' };
}

/** RFC 9449 §4.3, 8. */
export function checkMethod({ claims }: Proof, method: string): ProofFault | undefined {
  return claims['htm'] === method
    ? undefined
    : { reason: 'proof_method', detail: `htm ${quoted(claims['htm'])}, expected ${method}` };
}

/**
 * RFC 9449 §4.3, 9: without query and fragment; scheme and host in any case, the default port elided (RFC 3986
 * §6.2.2.1, §6.2.3). `targets` come from the configuration: what the request calls itself is the sender's choice.
 */
export function checkTarget({ claims }: Proof, targets: readonly string[]): ProofFault | undefined {
  const { htu } = claims;
  const target = typeof htu === 'string' ? canonicalTarget(htu) : undefined;
  if (target !== undefined && targets.some((each) => canonicalTarget(each) === target)) return undefined;
  // Without its query, which may hold anything.
  return { reason: 'proof_target', detail: `htu ${quoted(target)}, expected ${targets.join(' or ')}` };
}

// ASCII alone: Unicode has letters that lower case turns into those of another name.
const targetParts = /^(https?):\/\/([!-"$-.0->A-[\]-~]+?)(?::(\d+))?(\/[!-"$->@-~]*)?(?:[?#][!-~]*)?$/i;

function canonicalTarget(url: string): string | undefined {
  const parts = targetParts.exec(url);
  if (parts === null) return undefined;
  const scheme = (parts[1] ?? '').toLowerCase();
  const isDefaultPort = parts[3] === undefined || parts[3] === (scheme === 'https' ? '443' : '80');
  const host = (parts[2] ?? '').toLowerCase();
  return `${scheme}://${host}${isDefaultPort ? '' : `:${parts[3]}`}${parts[4] ?? '/'}`;
}

export interface ProofTimes {
  readonly nowMs: number;
  readonly windowMs: number;
  /** Of proofs used before this time nothing is known; milliseconds since the epoch. */
  readonly knowsSinceMs: number | undefined;
}

/** RFC 9449 §4.3, 11 and §11.1: young enough to be looked up among the used ones. `exp` and `nbf` hold where they are given. */
export function checkAge(
  { claims }: Proof,
  { nowMs, windowMs, knowsSinceMs }: ProofTimes,
): ProofFault | undefined {
  const { iat, exp, nbf } = claims;
  const fault = (detail: string): ProofFault => ({ reason: 'proof_time', detail });
  if (!isTime(iat)) return fault(`iat ${quoted(iat)}`);
  const ageMs = nowMs - iat * 1000;
  if (ageMs > windowMs) return fault(`iat is ${Math.floor(ageMs / 1000)} s ago`);
  if (ageMs < -aheadSeconds * 1000) return fault(`iat is ${Math.ceil(-ageMs / 1000)} s ahead`);
  if (knowsSinceMs !== undefined && iat * 1000 < knowsSinceMs)
    return fault('made before this process began to remember');
  if (exp !== undefined && !(isTime(exp) && exp * 1000 > nowMs)) return fault(`exp ${quoted(exp)}`);
  if (nbf !== undefined && !(isTime(nbf) && (nbf - aheadSeconds) * 1000 <= nowMs))
    return fault(`nbf ${quoted(nbf)}`);
  return undefined;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

/** RFC 9449 §4.3, 12: made for this very token, to the letter. */
export function checkTokenHash({ claims }: Proof, token: string): ProofFault | undefined {
  return claims['ath'] === hash('sha256', token, 'base64url')
    ? undefined
    : { reason: 'proof_token', detail: 'ath is not of this token' };
}

import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose';
import type { CryptoKey, JWK } from 'jose';

import { algorithmOf } from '../authorization-servers/keys/signing-key.ts';
import type { Algorithm, ProofAlgorithm } from '../config/configuration.ts';
import type { ProofReason } from '../vocabulary/refusal.ts';
import { quoted } from './fault.ts';
import { decodeJws } from './parse-jwt.ts';

/** Why a proof isn't accepted. `detail` is for the operator's log. */
export interface ProofFault {
  readonly reason: ProofReason;
  readonly detail?: string;
}

/** A proof that the key in it has signed. What it was signed for isn't judged yet. */
export interface Proof {
  /** RFC 7638, SHA-256: which key it is. */
  readonly thumbprint: string;
  readonly jti: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Clients send 16 to 36 characters. */
const maximumJtiLength = 256;

/**
 * Reads one DPoP proof (RFC 9449 §4.2) and proves that whoever made it holds the key that it names: type,
 * algorithm, public key, signature (§4.3, 2 to 7). It doesn't check request, token, time, nonce or whether the
 * proof was used before.
 */
export async function verifyProof(
  text: string,
  algorithms: readonly ProofAlgorithm[],
): Promise<Proof | ProofFault> {
  const jws = decodeJws(text);
  if ('reason' in jws) return { reason: 'proof_malformed', detail: jws.detail ?? jws.reason };
  const { header, claims } = jws;
  const { typ, alg } = header;
  if (typ !== 'dpop+jwt') return { reason: 'proof_type', detail: `typ ${quoted(typ)}` };
  // RFC 7515 §4.1.11 and RFC 7797 §6: no extension is understood here, so none may be critical.
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64'))
    return { reason: 'proof_malformed', detail: 'crit or b64' };
  const algorithm = acceptedAlgorithm(alg, algorithms);
  if (algorithm === undefined || typeof alg !== 'string')
    return { reason: 'proof_algorithm', detail: `alg ${quoted(alg)}, accepted: ${algorithms.join(', ')}` };
  const key = publicKeyOf(header['jwk'], algorithm);
  if ('reason' in key) return key;
  const { jti } = claims;
  if (typeof jti !== 'string' || jti === '' || jti.length > maximumJtiLength)
    return { reason: 'proof_malformed', detail: typeof jti === 'string' ? `jti of ${jti.length}` : 'no jti' };
  const fault = await signatureFault(text, key.jwk, alg);
  return fault ?? { thumbprint: await calculateJwkThumbprint(key.jwk), jti, claims };
}

function acceptedAlgorithm(alg: unknown, accepted: readonly ProofAlgorithm[]): Algorithm | undefined {
  const algorithm = typeof alg === 'string' ? algorithmOf(alg) : undefined;
  return accepted.find((each) => each === algorithm);
}

async function signatureFault(text: string, jwk: JWK, alg: string): Promise<ProofFault | undefined> {
  let key: CryptoKey;
  try {
    key = (await importJWK(jwk, alg)) as CryptoKey;
  } catch {
    return { reason: 'proof_key', detail: 'jwk is no usable key' };
  }
  try {
    await compactVerify(text, key, { algorithms: [alg] });
    return undefined;
  } catch {
    return { reason: 'proof_signature' };
  }
}

interface KeyForm {
  readonly kty: 'EC' | 'OKP' | 'RSA';
  readonly crv?: string;
  /** The members that make the key, and so its thumbprint (RFC 7638 §3.2), with their greatest lengths. */
  readonly members: Readonly<Record<string, number>>;
}

const rsa: KeyForm = { kty: 'RSA', members: { n: 683, e: 6 } };

const keyForms: Readonly<Record<ProofAlgorithm, KeyForm>> = {
  ES256: { kty: 'EC', crv: 'P-256', members: { x: 43, y: 43 } },
  ES384: { kty: 'EC', crv: 'P-384', members: { x: 64, y: 64 } },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', members: { x: 43 } },
  RS256: rsa,
  PS256: rsa,
};

/** RFC 7518 §6: whoever sends one of these has given the key away, or hopes that a shared secret is taken for one. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const;

const base64url = /^[A-Za-z0-9_-]+$/;

/** The members of the embedded key that make it one; whatever else it says can't change the key or its thumbprint. */
function publicKeyOf(value: unknown, algorithm: Algorithm): { readonly jwk: JWK } | ProofFault {
  const fault = (detail: string): ProofFault => ({ reason: 'proof_key', detail });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fault('no jwk');
  const given = value as Readonly<Record<string, unknown>>;
  if (privateMembers.some((member) => Object.hasOwn(given, member))) return fault('jwk is not public');
  const { kty, crv, members } = keyForms[algorithm as ProofAlgorithm];
  if (given['kty'] !== kty || (crv !== undefined && given['crv'] !== crv))
    return fault(`jwk is no key for ${algorithm}`);
  if (
    given['alg'] !== undefined &&
    (typeof given['alg'] !== 'string' || algorithmOf(given['alg']) !== algorithm)
  )
    return fault('jwk is for another alg');
  if (given['use'] !== undefined && given['use'] !== 'sig') return fault('jwk is for another use');
  const jwk: Record<string, string> = { kty, ...(crv === undefined ? {} : { crv }) };
  for (const [name, longest] of Object.entries(members)) {
    const member = given[name];
    // A modulus of the peer's choice could keep this process busy: 2048 to 4096 bits, and jose refuses shorter ones.
    if (typeof member !== 'string' || member.length > longest || !base64url.test(member))
      return fault(`jwk has no usable ${name}`);
    jwk[name] = member;
  }
  return { jwk: jwk as JWK };
}

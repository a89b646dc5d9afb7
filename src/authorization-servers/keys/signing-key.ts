import { importJWK } from 'jose';
import type { CryptoKey, JWK } from 'jose';

import type { Algorithm } from '../../config/configuration.ts';

/** A public key that an authorization server publishes. One JWK may serve several algorithms of its family. */
export interface SigningKey {
  readonly kid: string | undefined;
  readonly jwk: JWK;
  /** The JWK's canonical text: the same key in two fetches is the same key. */
  readonly identity: string;
  /** Set once the authorization server no longer publishes it; what was verified with it dies with it. */
  retired: boolean;
  readonly imported: Map<string, Promise<CryptoKey>>;
}

/** RFC 7517 §5: keys that aren't understood are passed over, and so is what can't verify an access token. */
export function readSigningKeys(document: unknown): SigningKey[] | undefined {
  const keys =
    typeof document === 'object' && document !== null && 'keys' in document ? document.keys : undefined;
  if (!Array.isArray(keys) || keys.length > maximumKeys) return undefined;
  return keys.flatMap((value: unknown) => (isSigningJwk(value) ? [signingKey(value)] : []));
}

/** No authorization server publishes more; each costs memory and a look at every lookup without a kid. */
const maximumKeys = 100;

const members = ['kty', 'kid', 'alg', 'use', 'crv', 'x', 'y', 'n', 'e'] as const;

function signingKey(jwk: JWK): SigningKey {
  const publicMembers = Object.fromEntries(
    members.flatMap((name) => (jwk[name] === undefined ? [] : [[name, jwk[name]]])),
  ) as JWK;
  return {
    kid: jwk.kid,
    jwk: publicMembers,
    identity: JSON.stringify(publicMembers),
    retired: false,
    imported: new Map(),
  };
}

function isSigningJwk(value: unknown): value is JWK {
  if (typeof value !== 'object' || value === null) return false;
  const jwk = value as Record<string, unknown>;
  return (
    // RFC 7517 §4, RFC 7518 §6: all text. A tree of lists in its place would be too deep to be written down again.
    members.every((name) => jwk[name] === undefined || typeof jwk[name] === 'string') &&
    ((jwk['kty'] === 'RSA' && isExponent(jwk['e'])) || jwk['kty'] === 'EC' || jwk['kty'] === 'OKP') &&
    (jwk['use'] === undefined || jwk['use'] === 'sig') &&
    (jwk['key_ops'] === undefined || (Array.isArray(jwk['key_ops']) && jwk['key_ops'].includes('verify')))
  );
}

/** RFC 8017 §3.1: odd, at least 3. With 1 a signature is the padded digest itself, which anyone can write down. */
function isExponent(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const bytes = Buffer.from(value, 'base64url');
  const last = bytes.at(-1) ?? 0;
  return last % 2 === 1 && (last > 1 || bytes.some((byte, at) => byte !== 0 && at < bytes.length - 1));
}

/** RFC 9864 §2.2: Ed25519 is the name that EdDSA with that curve should have had. */
export function algorithmOf(alg: string): Algorithm | undefined {
  if (alg === 'Ed25519') return 'EdDSA';
  return Object.hasOwn(curves, alg) ? (alg as Algorithm) : undefined;
}

const curves: Readonly<Record<Algorithm, string>> = {
  RS256: 'RSA',
  RS384: 'RSA',
  RS512: 'RSA',
  PS256: 'RSA',
  PS384: 'RSA',
  PS512: 'RSA',
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  EdDSA: 'Ed25519',
};

/** RFC 8725 §3.1: the key's own `alg`, where it names one, and its kind must agree with the token's. */
export function serves(key: SigningKey, algorithm: Algorithm): boolean {
  const { jwk } = key;
  if (jwk.alg !== undefined && algorithmOf(jwk.alg) !== algorithm) return false;
  return (jwk.kty === 'RSA' ? 'RSA' : jwk.crv) === curves[algorithm];
}

/** Rejects where the JWK is broken; jose refuses RSA keys under 2048 bits when it verifies. */
export function importKey(key: SigningKey, algorithm: Algorithm): Promise<CryptoKey> {
  const known = key.imported.get(algorithm);
  if (known !== undefined) return known;
  const { alg: _, ...jwk } = key.jwk;
  const imported = importJWK(jwk, algorithm) as Promise<CryptoKey>;
  key.imported.set(algorithm, imported);
  return imported;
}

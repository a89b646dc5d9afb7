/**
 * Keys and compact JWS made with node:crypto alone, so that hostile tokens aren't limited to what a JOSE
 * library agrees to make, and good ones aren't checked by the code that made them.
 */
import {
  constants,
  createHmac,
  generateKeyPairSync,
  randomUUID,
  sign,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';

export type SigningAlgorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'Ed25519';

export interface SigningKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly privateKey: KeyObject;
  /** As a JWKS publishes it: public members, `kid`, `alg`, `use`. */
  readonly publicJwk: JsonWebKey & { readonly kid: string };
}

/** Signs with HMAC; for the attack that uses a public key as a shared secret. */
export interface SharedSecret {
  readonly alg: 'HS256' | 'HS384' | 'HS512';
  readonly secret: string | Buffer;
  readonly kid?: string;
}

const curves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const;

export function mintKey(alg: SigningAlgorithm = 'RS256', kid: string = randomUUID()): SigningKey {
  const { privateKey, publicKey } = generatePair(alg);
  const publicJwk = { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
  return { kid, alg, privateKey, publicJwk };
}

function generatePair(alg: SigningAlgorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  if (alg === 'EdDSA' || alg === 'Ed25519') return generateKeyPairSync('ed25519');
  if (alg === 'ES256' || alg === 'ES384' || alg === 'ES512') {
    return generateKeyPairSync('ec', { namedCurve: curves[alg] });
  }
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

/** What a compact JWS is made of: JSON values, or text taken as it is (also text that isn't JSON). */
export interface JwsParts {
  readonly header: Readonly<Record<string, unknown>> | string;
  readonly payload: Readonly<Record<string, unknown>> | string;
}

/**
 * `header.payload.signature`. The signature is made with the key's own algorithm whatever the header says;
 * `'none'` leaves it empty.
 */
export function signCompact(parts: JwsParts, key: SigningKey | SharedSecret | 'none'): string {
  const input = `${encode(parts.header)}.${encode(parts.payload)}`;
  if (key === 'none') return `${input}.`;
  return `${input}.${signature(Buffer.from(input), key).toString('base64url')}`;
}

function encode(part: Readonly<Record<string, unknown>> | string): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

function signature(input: Buffer, key: SigningKey | SharedSecret): Buffer {
  const bits = key.alg.slice(2);
  if ('secret' in key) return createHmac(`sha${bits}`, key.secret).update(input).digest();
  if (key.alg === 'EdDSA' || key.alg === 'Ed25519') return sign(null, input, key.privateKey);
  if (key.alg.startsWith('ES')) {
    return sign(`sha${bits}`, input, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  }
  if (key.alg.startsWith('PS')) {
    return sign(`sha${bits}`, input, {
      key: key.privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    });
  }
  return sign(`sha${bits}`, input, key.privateKey);
}

import type { KeyObject } from 'node:crypto';
import { createPrivateKey } from 'node:crypto';

import type { Algorithm } from './configuration.ts';

/** A private key that the gateway proves itself with at an authorization server. */
export interface ClientKey {
  /** PKCS #8 in PEM form, whatever it was written as. */
  readonly pem: string;
  readonly algorithm: Algorithm;
  /** Of a JWK that names it. */
  readonly keyId: string | undefined;
}

/** RFC 7518 §3.3: smaller RSA keys must not be used. */
const leastRsaBits = 2048;

const curveAlgorithms: Readonly<Record<string, Algorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

const rsaAlgorithms: readonly Algorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];

/** Reads PKCS #8 in PEM form or a JWK; undefined where it is neither, or no key that can sign with an accepted algorithm. */
export function readClientKey(text: string): ClientKey | undefined {
  const jwk = readJwk(text);
  let key: KeyObject;
  try {
    key = jwk === undefined ? createPrivateKey(text) : createPrivateKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
  const possible = algorithmsOf(key);
  const { alg, kid } = jwk ?? {};
  const named = alg === 'Ed25519' ? 'EdDSA' : alg;
  const algorithm = named === undefined ? possible[0] : possible.find((candidate) => candidate === named);
  if (algorithm === undefined) return undefined;
  return {
    pem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    algorithm,
    keyId: typeof kid === 'string' ? kid : undefined,
  };
}

/** Whether the key, which `readClientKey` could read, can sign with this algorithm. */
export function canSignWith({ pem }: ClientKey, algorithm: Algorithm): boolean {
  return algorithmsOf(createPrivateKey(pem)).includes(algorithm);
}

function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly Algorithm[] {
  const { modulusLength = 0, namedCurve = '' } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === 'ed25519') return ['EdDSA'];
  if (asymmetricKeyType === 'rsa') return modulusLength >= leastRsaBits ? rsaAlgorithms : [];
  const ofCurve = asymmetricKeyType === 'ec' ? curveAlgorithms[namedCurve] : undefined;
  return ofCurve === undefined ? [] : [ofCurve];
}

function readJwk(text: string): Record<string, unknown> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

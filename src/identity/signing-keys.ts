import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import type { JWK, JWTPayload } from 'jose';
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose';

import type { Configuration } from '../config/configuration.ts';

/** A public key as it is published (RFC 7517 §4). */
interface PublishedKey extends JWK {
  readonly kid: string;
  readonly alg: 'ES256' | 'EdDSA';
}

/** The key that signs statements of who asks, and what anyone may know of it and of those beside it. */
export class SigningKeys {
  readonly #key: KeyObject;
  readonly #own: Promise<PublishedKey>;
  readonly #document: Promise<string>;

  /** `ofProcess` signs where the configuration names no key, and dies with the process. */
  constructor({ key, others }: Configuration['signing'], ofProcess: string) {
    this.#key = createPrivateKey(key ?? ofProcess);
    this.#own = publishedKey(this.#key);
    this.#document = documentOf([this.#own, ...others.map((text) => publishedKey(createPrivateKey(text)))]);
  }

  /** A JWT (RFC 7519) of these claims. */
  async sign(claims: JWTPayload): Promise<string> {
    const { alg, kid } = await this.#own;
    // RFC 8725 §3.11 would have a type of its own; verifiers in wide use take no other than this one unless told.
    return new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'JWT' }).sign(this.#key);
  }

  /** The key set (RFC 7517 §5), the key that signs first. */
  document(): Promise<string> {
    return this.#document;
  }
}

async function documentOf(keys: readonly Promise<PublishedKey>[]): Promise<string> {
  const published = await Promise.all(keys);
  return JSON.stringify({ keys: [...new Map(published.map((key) => [key.kid, key])).values()] });
}

/** A private key, PKCS #8 in PEM form, for ES256: what every verifier knows. */
export function makeSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Named by its thumbprint (RFC 7638): two keys never share a name, and one key has one on every replica. */
async function publishedKey(privateKey: KeyObject): Promise<PublishedKey> {
  const jwk = await exportJWK(createPublicKey(privateKey));
  const alg = privateKey.asymmetricKeyType === 'ed25519' ? 'EdDSA' : 'ES256';
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: 'sig' };
}

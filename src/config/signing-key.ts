import { readClientKey } from './client-key.ts';

/**
 * The private key that signs statements of who asks, as PKCS #8 in PEM form; undefined where the text is neither that
 * nor a JWK, or no key for ES256 or EdDSA. A name that a JWK gives it is left out: keys are named by what they are.
 */
export function readSigningKey(text: string): string | undefined {
  const key = readClientKey(text);
  return key?.algorithm === 'ES256' || key?.algorithm === 'EdDSA' ? key.pem : undefined;
}

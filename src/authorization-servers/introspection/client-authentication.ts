import { createPrivateKey } from 'node:crypto';

import * as oauth from 'oauth4webapi';

import type { Algorithm, ClientAuthentication } from '../../config/configuration.ts';

/** How the gateway proves itself as a client: RFC 6749 §2.3.1, or an assertion that it signs (RFC 7523 §2.2). */
export function clientAuthenticationOf(settings: ClientAuthentication): oauth.ClientAuth {
  switch (settings.method) {
    case 'client_secret_basic':
      return oauth.ClientSecretBasic(settings.clientSecret);
    case 'client_secret_post':
      return oauth.ClientSecretPost(settings.clientSecret);
    case 'private_key_jwt': {
      const { privateKey, algorithm, keyId } = settings;
      const key = createPrivateKey(privateKey).toCryptoKey(subtleNames[algorithm], false, ['sign']);
      return oauth.PrivateKeyJwt(keyId === undefined ? { key } : { key, kid: keyId }, eddsaByItsOldName);
    }
  }
}

/** RFC 9864 renamed it; authorization servers that know the new name know the old one, not the other way round. */
const eddsaByItsOldName: oauth.ModifyAssertionOptions = {
  [oauth.modifyAssertion]: (header) => {
    if (header['alg'] === 'Ed25519') header['alg'] = 'EdDSA';
  },
};

type SubtleName = { readonly name: string; readonly hash?: string; readonly namedCurve?: string };

const subtleNames: Readonly<Record<Algorithm, SubtleName>> = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  RS384: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' },
  RS512: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  PS384: { name: 'RSA-PSS', hash: 'SHA-384' },
  PS512: { name: 'RSA-PSS', hash: 'SHA-512' },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384' },
  ES512: { name: 'ECDSA', namedCurve: 'P-521' },
  EdDSA: { name: 'Ed25519' },
};

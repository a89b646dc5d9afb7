/** What Google gives a client. Its documents aren't here: nothing of Google's is ever asked. */
import { randomBytes } from 'node:crypto';
import { issuedNow, type ProvidedToken } from '../published-provider.ts';

/** Opaque; `ya29.` is how they begin. */
export function googleAccessToken(): string {
  return `ya29.a0${randomBytes(150).toString('base64url')}`;
}

export function googleIdToken(over: ProvidedToken['claims'] = {}): ProvidedToken {
  const client = '1008719970978-hb24n2dstb40o45d4feuo2ukqmcc6381.apps.googleusercontent.com';
  return {
    header: { typ: 'JWT' },
    claims: {
      iss: 'https://accounts.google.com',
      azp: client,
      aud: client,
      sub: '110169484474386276334',
      hd: 'example.com',
      email: 'alice@example.com',
      email_verified: true,
      at_hash: 'HK6E_P6Dh8Y93mRNtsDB1Q',
      ...issuedNow(),
      ...over,
    },
  };
}

import type * as oauth from 'oauth4webapi';

import { cleanScopes } from './challenge-parameters.ts';
import type { StoredLogin } from './stored-login.ts';

/** Node takes 16 KiB of headers; the rest of a request wants some of that. */
const longestToken = 12 * 1024;

/** RFC 6750 §2.1: what can stand behind `Bearer`. */
const bearerToken = /^[A-Za-z0-9._~+/-]+=*$/;

type Tokens = Pick<StoredLogin, 'accessToken' | 'refreshToken' | 'expiresAtMs' | 'scopes'>;

/** The tokens of an answer of the token endpoint; undefined where they can't be shown to an upstream as Bearer. */
export function tokensIn(answer: oauth.TokenEndpointResponse, nowMs: number): Tokens | undefined {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds, scope } = answer;
  if (answer.token_type !== 'bearer') return undefined;
  if (accessToken.length > longestToken || !bearerToken.test(accessToken)) return undefined;
  return {
    accessToken,
    ...(refreshToken === undefined || refreshToken === '' ? {} : { refreshToken }),
    ...(seconds === undefined ? {} : { expiresAtMs: nowMs + seconds * 1000 }),
    ...(scope === undefined ? {} : { scopes: cleanScopes(scope.split(' ')) }),
  };
}

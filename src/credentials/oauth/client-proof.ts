import * as oauth from 'oauth4webapi';

import type { OauthSettings } from '../../config/configuration.ts';
import type { OauthClient } from './stored-login.ts';

/** How a client shows at the token endpoint that it is the one (RFC 6749 §2.3.1); public ones have nothing to show. */
export function proofOf(
  { from, clientSecret }: OauthClient,
  settings: OauthSettings,
  server: oauth.AuthorizationServer,
): oauth.ClientAuth {
  return secretProof(from === 'configuration' ? settings.clientSecret : clientSecret, server);
}

export function secretProof(secret: string | undefined, server: oauth.AuthorizationServer): oauth.ClientAuth {
  if (secret === undefined) return oauth.None();
  // RFC 8414 §2: without the member it is client_secret_basic.
  const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  return methods.includes('client_secret_basic') || !methods.includes('client_secret_post')
    ? oauth.ClientSecretBasic(secret)
    : oauth.ClientSecretPost(secret);
}

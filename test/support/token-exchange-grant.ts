/** Token exchange (RFC 8693) at the tests' authorization server: its own access tokens for new ones of any audience. */
import * as jose from 'jose';
import { errors, type Provider } from 'oidc-provider';

export const tokenExchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const parameters = ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'scope'];

export function offerTokenExchange(provider: Provider, issuer: string): void {
  const keys = jose.createRemoteJWKSet(new URL(`${issuer}/jwks`));
  provider.registerGrantType(
    tokenExchangeGrant,
    async (context) => {
      const { client, params } = context.oidc;
      const { subject_token: subjectToken = '', audience = '', scope = '' } = params;
      if (params['subject_token_type'] !== accessTokenType) throw new errors.InvalidRequest('another type');
      const verified = await jose.jwtVerify(subjectToken, keys, { issuer }).catch(() => {
        throw new errors.InvalidGrant('the subject token is invalid');
      });
      const token = new provider.AccessToken({
        accountId: verified.payload.sub ?? '',
        client,
        gty: 'token_exchange',
        scope,
      });
      token.resourceServer = new provider.ResourceServer(audience, {
        audience,
        scope,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      });
      context.body = {
        access_token: await token.save(),
        issued_token_type: accessTokenType,
        token_type: 'Bearer',
        expires_in: token.expiration,
      };
    },
    parameters,
  );
}

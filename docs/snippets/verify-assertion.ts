import { createRemoteJWKSet, jwtVerify } from 'jose';

/** `gateway`: the publicUrl of Portcullis. `server`: the upstream.url of the route, or its upstream.resource. */
export function assertionsOf(gateway: string, server: string) {
  const keys = createRemoteJWKSet(new URL('/.well-known/portcullis/jwks.json', gateway));
  /** Who asks. Throws for whatever isn't a valid assertion for this server. */
  return async (assertion: string) => {
    const { payload } = await jwtVerify(assertion, keys, {
      issuer: gateway,
      audience: server,
      algorithms: ['ES256', 'EdDSA'],
      requiredClaims: ['sub', 'iat', 'exp'],
      clockTolerance: 5,
    });
    return payload;
  };
}

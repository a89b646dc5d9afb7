import { choice } from '../fields/choice.ts';
import { duration } from '../fields/duration.ts';
import { noted } from '../fields/notes.ts';
import { clientKey, secret } from '../fields/secret.ts';
import { mapping } from '../fields/section.ts';
import { plainText } from '../fields/text.ts';
import { algorithm } from '../fields/token.ts';
import { endpoint } from '../fields/web-address.ts';

/** How one authorization server is asked about tokens (RFC 7662). */
export const introspection = mapping(
  {
    for: choice(['opaque', 'all']).prefault('opaque').meta({
      description:
        '`opaque`: tokens that are no JWT. `all`: JWTs as well, after their signature and claims held.',
    }),
    endpoint: noted(endpoint, { defaultSays: "the metadata's `introspection_endpoint`" })
      .optional()
      .meta({ description: 'The introspection endpoint.' }),
    clientId: plainText.meta({ description: 'The client that the gateway is at this endpoint.' }),
    auth: choice(['client_secret_basic', 'client_secret_post', 'private_key_jwt'])
      .prefault('client_secret_basic')
      .meta({ description: 'How this client proves itself.' }),
    clientSecret: secret
      .optional()
      .meta({ description: 'Its secret; required unless `auth` is `private_key_jwt`.' }),
    privateKey: clientKey.optional().meta({
      description: 'Its private key, PKCS #8 in PEM form or a JWK; required for `private_key_jwt`.',
    }),
    keyId: plainText
      .optional()
      .meta({ description: 'The `kid` under which the server knows this key; a JWK may name it itself.' }),
    algorithm: noted(algorithm, { defaultSays: "RS256, the curve's own, or the JWK's `alg`" })
      .optional()
      .meta({ description: 'What the key signs with.' }),
    cache: duration({ atMost: '1h' }).prefault('30s').meta({
      description:
        'How long an answer is remembered, and so how long a revoked token is accepted at the most. `0s`: every request asks.',
    }),
  },
  { expected: 'a mapping with clientId and clientSecret' },
);

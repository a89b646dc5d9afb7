import { z } from 'zod';

import { choice, flag } from '../fields/choice.ts';
import { claimName } from '../fields/claim.ts';
import { duration } from '../fields/duration.ts';
import { list } from '../fields/list.ts';
import { hostName } from '../fields/network.ts';
import { noted } from '../fields/notes.ts';
import { certificatesFile } from '../fields/secret.ts';
import { mapping } from '../fields/section.ts';
import { nameText, plainText } from '../fields/text.ts';
import { algorithm, tokenType } from '../fields/token.ts';
import { endpoint, issuer } from '../fields/web-address.ts';
import { introspection } from './introspection.ts';

const issuers = noted(
  z.union([issuer, list(issuer, { expected: 'a list of issuers', type: 'list of URLs', atLeast: 1 })]),
  {
    type: 'URL, list of URLs',
    expected: 'the issuer, a URL such as https://login.example.com/realms/corp, or a list of them',
  },
);

const claimNames = list(claimName, {
  expected: 'a list of claims such as [client_id, azp]',
  type: 'list of claims',
  atLeast: 1,
});

/** Accepted values of `aud`. */
export const audiences = list(plainText, {
  expected: 'a list of audiences such as [https://mcp.example.com/mcp]',
  type: 'list of texts',
});

const verify = mapping(
  {
    exp: flag.prefault(true).meta({ description: 'Whether expired tokens are refused.' }),
    nbf: flag.prefault(true).meta({ description: 'Whether tokens are refused that are not valid yet.' }),
    iat: flag
      .prefault(true)
      .meta({ description: 'Whether tokens are refused that were issued in the future.' }),
    iss: flag.prefault(true).meta({
      description:
        'Whether tokens of other issuers are refused. `false` only on routes with one authorization server.',
    }),
  },
  {
    missingKeys: {
      aud: "the audience check can't be switched off; list what is accepted under audiences",
      signature: "the signature check can't be switched off",
      sub: "the subject can't be left out",
    },
  },
);

const claims = mapping({
  clientId: claimNames
    .prefault(['client_id', 'azp'])
    .meta({ description: 'Claims that name the client; the first one that is there counts.' }),
  scopes: claimNames
    .prefault(['scope', 'scp'])
    .meta({ description: 'Claims that hold the granted scopes; the first one that is there counts.' }),
  email: claimName.prefault('email').meta({ description: 'Claim that holds the email address.' }),
});

const keys = mapping({
  ttl: duration({ atLeast: '1s' })
    .prefault('1h')
    .meta({ description: 'Age at which keys are fetched again.' }),
  cooldown: duration({ atLeast: '100ms', atMost: '1h' })
    .prefault('30s')
    .meta({ description: 'Least time between two fetches for keys that are not known yet.' }),
  maxStale: duration().prefault('1h').meta({ description: 'How long old keys serve while fetching fails.' }),
  timeout: duration({ atLeast: '100ms', atMost: '1m' })
    .prefault('5s')
    .meta({ description: 'Time-out of a fetch.' }),
});

/** One entry of `authorizationServers`. */
export const authorizationServer = mapping(
  {
    name: noted(nameText, { defaultSays: "the issuer's host and path" })
      .optional()
      .meta({ description: 'How routes, logs and metrics call this server.' }),
    issuer: issuers.meta({
      description:
        'Compared with `iss` byte for byte. Of a list, the first is advertised and asked for metadata.',
    }),
    discovery: choice(['auto', 'off']).prefault('auto').meta({
      description: '`auto`: RFC 8414, then OpenID Connect discovery. `off`: `jwksUri` is required.',
    }),
    jwksUri: endpoint.optional().meta({ description: 'Where the keys are; overrides discovery.' }),
    tls: mapping({
      caFile: certificatesFile
        .optional()
        .meta({ description: "PEM file of the authorities that are trusted instead of the system's." }),
    })
      .optional()
      .meta({ description: 'How the server proves itself.' }),
    algorithms: list(algorithm, {
      expected: 'a list of algorithms such as [RS256, ES256]',
      type: 'list of algorithms',
      atLeast: 1,
    })
      .prefault(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'])
      .meta({
        description:
          'Accepted signature algorithms: RS, PS and ES with 256, 384 or 512, and EdDSA (also called Ed25519).',
      }),
    audiences: noted(audiences, { defaultSays: "the route's resource" }).prefault([]).meta({
      description: 'Accepted values of `aud`, any of them, for all routes that list none of their own.',
    }),
    tokenTypes: list(tokenType, {
      expected: 'a list of token types such as [at+jwt, JWT, none]',
      type: 'list of token types',
      atLeast: 1,
    })
      .prefault(['at+jwt', 'JWT', 'none'])
      .meta({ description: 'Accepted values of the header `typ`; `none`: there is no `typ`.' }),
    leeway: duration({ atMost: '1d' }).prefault('0s').meta({ description: 'How far clocks may differ.' }),
    requireExp: flag.prefault(true).meta({ description: 'Whether a token without `exp` is refused.' }),
    verify: verify
      .prefault({})
      .meta({ description: "Checks that can be switched off. Audience, signature and subject can't." }),
    claims: claims.prefault({}).meta({ description: 'Which claims say what.' }),
    introspection: introspection
      .optional()
      .meta({ description: 'Tokens that are checked by asking the authorization server (RFC 7662).' }),
    keys: keys.prefault({}).meta({ description: 'How signing keys are kept.' }),
    allowHosts: list(hostName, { expected: 'a list of host names', type: 'list of host names' })
      .prefault([])
      .meta({
        description:
          "Hosts that the server's metadata may name though their addresses are private. Hosts written in this file may be private anyway.",
      }),
    dangerouslyAllowHttp: flag.prefault(false).meta({
      description:
        'Whether the server may be asked over plain http off loopback. Whoever is on the way can then replace its keys.',
    }),
  },
  { expected: 'a mapping with an issuer' },
);

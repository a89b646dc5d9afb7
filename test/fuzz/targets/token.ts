import { compactVerify, importJWK } from 'jose';
import fc from 'fast-check';

import { Authorities } from '../../../src/authorization-servers/authority.ts';
import { loadConfiguration } from '../../../src/config/load.ts';
import { readCredentials } from '../../../src/token/credentials.ts';
import { RememberedSignatures } from '../../../src/token/remembered-signatures.ts';
import { verifyAccessToken } from '../../../src/token/verify-access-token.ts';
import { silentObserver as observer } from '../../../src/vocabulary/observer.ts';
import type { Principal } from '../../../src/vocabulary/principal.ts';
import { mintKey, signCompact, type SigningKey } from '../../support/signing-key.ts';
import { Tally, type FuzzTarget, type OpenTarget } from '../target.ts';

const issuer = 'https://login.example.com';
const audience = 'https://mcp.example.com/mcp';
const keysUrl = `${issuer}/jwks`;
/** Tokens of the corpus hold at any time. */
const nowSeconds = 1_900_000_000;

const yaml = `publicUrl: https://mcp.example.com
authorizationServers: [{ issuer: '${issuer}', discovery: off, jwksUri: '${keysUrl}' }]
routes: [{ path: /mcp, upstream: 'http://localhost:8000/mcp' }]
`;

/** What begins with this is a header and a payload to be signed by a key that the issuer publishes; all else is a value of `Authorization`. */
const signed = 'sign\n';

/** Values of claims on either side of what is taken. */
const claimValues = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(issuer, audience, `${audience}/`, 'HTTPS://MCP.example.com:443/mcp', 'alice'),
  },
  fc.constantFrom(
    nowSeconds,
    nowSeconds + 300,
    nowSeconds - 300,
    nowSeconds + 0.5,
    0,
    -1,
    1e300,
    null,
    true,
    '',
    ' ',
  ),
  fc.array(fc.constantFrom(audience, 'other', 7), { maxLength: 3 }),
  fc.json({ maxDepth: 2 }).map((text) => JSON.parse(text) as unknown),
);

const goodHeader = { typ: 'at+jwt', alg: 'EdDSA', kid: 'k1' };
const goodClaims = { iss: issuer, aud: audience, sub: 'alice', exp: nowSeconds + 300, iat: nowSeconds };

/** A good token but for some members. */
const signedInputs = fc
  .tuple(
    fc.dictionary(fc.constantFrom('typ', 'alg', 'kid', 'crit', 'b64', 'jwk', 'x'), claimValues, {
      maxKeys: 1,
    }),
    fc.dictionary(
      fc.constantFrom(
        'iss',
        'aud',
        'sub',
        'exp',
        'iat',
        'nbf',
        'cnf',
        'nonce',
        'token_use',
        'scope',
        'email',
      ),
      claimValues,
      { maxKeys: 2 },
    ),
  )
  .map(([header, claims]) =>
    Buffer.from(
      `${signed}${JSON.stringify({ ...goodHeader, ...header })}\n${JSON.stringify({ ...goodClaims, ...claims })}`,
    ),
  );

const rawInputs = fc
  .tuple(
    fc.constantFrom('Bearer ', 'bearer ', 'Bearer  ', 'DPoP ', 'Basic ', '', 'Bearer\t'),
    fc.oneof(
      fc.constant('$token'),
      fc.base64String(),
      fc.string(),
      fc
        .array(fc.stringMatching(/^[A-Za-z0-9_-]{0,40}$/), { minLength: 1, maxLength: 6 })
        .map((all) => all.join('.')),
    ),
  )
  .map(([scheme, rest]) => Buffer.from(scheme + rest, 'latin1'));

/** The value of `Authorization`, or claims that the issuer would sign, before the verification of a route. */
export const token: FuzzTarget = {
  name: 'token',
  inputs: fc.oneof({ weight: 3, arbitrary: signedInputs }, rawInputs),
  words: [
    'Bearer ',
    '$token',
    '"alg":"none"',
    '"alg":"HS256"',
    '"typ":"JWT"',
    '"sub":"admin"',
    '"sub":',
    '"aud":',
    issuer,
    audience,
  ].concat([
    '"cnf":{}',
    '"crit":["exp"]',
    '"\\u0073ub"',
    '"exp":1e400',
    '"iss":',
    'eyJhbGciOiJub25lIn0',
    '..',
    '\n',
    '=',
  ]),
  async open() {
    const key = mintKey('EdDSA', 'k1');
    const verify = await openVerifier(key);
    const tally = new Tally();
    return {
      tally,
      async judge(inputs) {
        return Promise.all(inputs.map((input) => judge(input, { key, verify, tally })));
      },
      async [Symbol.asyncDispose]() {
        verify.close();
      },
    } satisfies OpenTarget;
  },
};

interface Opened {
  readonly key: SigningKey;
  readonly verify: Verifier;
  readonly tally: Tally;
}

interface Verifier {
  /** Who the value lets in, or the reason why it doesn't. */
  readonly answer: (authorization: string) => Promise<Principal | string>;
  readonly close: () => void;
}

async function judge(input: Buffer, { key, verify, tally }: Opened): Promise<string | undefined> {
  const authorization = written(input, key);
  const answer = await verify.answer(authorization);
  tally.add(typeof answer === 'string' ? answer : 'let in');
  if (typeof answer === 'string') return undefined;
  const raw = /[^ ]*$/.exec(authorization)?.[0] ?? '';
  try {
    const { payload } = await compactVerify(raw, await importJWK({ ...key.publicJwk }, 'EdDSA'), {
      algorithms: ['EdDSA'],
    });
    return faultOf(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)) as Claims, answer);
  } catch (error) {
    return `let in without a signature: ${String(error)}`;
  }
}

function written(input: Buffer, key: SigningKey): string {
  const text = input.toString('latin1');
  if (!text.startsWith(signed))
    return text.replaceAll('$token', sign([JSON.stringify(goodHeader), JSON.stringify(goodClaims)], key));
  const [header = '', ...payload] = text.slice(signed.length).split('\n');
  return `Bearer ${sign([header, payload.join('\n')], key)}`;
}

function sign([header, payload]: readonly [header: string, payload: string], key: SigningKey): string {
  return signCompact({ header, payload }, key);
}

type Claims = Readonly<Record<string, unknown>>;

/** What RFC 9068 §4 and RFC 8725 want of the token of whoever is let in, written a second time. */
function faultOf(claims: Claims, { issuer: told, subject }: Principal): string | undefined {
  const { iss, sub, aud, exp, nbf, iat } = claims;
  // The configuration has no leeway.
  const later = (value: unknown): boolean =>
    value !== undefined && !(typeof value === 'number' && value <= nowSeconds);
  const faults = [
    iss !== issuer || told !== issuer ? 'another issuer' : undefined,
    typeof sub !== 'string' || sub.trim() === '' || sub !== subject ? 'another subject' : undefined,
    [aud].flat().some(isOwn) ? undefined : 'another audience',
    typeof exp !== 'number' || exp <= nowSeconds ? 'an expired token' : undefined,
    later(nbf) || later(iat) ? 'a token of the future' : undefined,
    'cnf' in claims ? 'a bound token without proof' : undefined,
    'nonce' in claims || 'at_hash' in claims || 'c_hash' in claims ? 'an ID token' : undefined,
  ];
  const fault = faults.find((each) => each !== undefined);
  return fault === undefined ? undefined : `let in with ${fault}: ${JSON.stringify(claims)}`;
}

function isOwn(audienceOfToken: unknown): boolean {
  if (typeof audienceOfToken !== 'string' || !URL.canParse(audienceOfToken)) return false;
  return new URL(audienceOfToken).href.replace(/\/$/, '') === audience;
}

/** The gateway's verification on one key, without a network. */
async function openVerifier(key: SigningKey): Promise<Verifier> {
  const loaded = loadConfiguration(yaml, { file: 'fuzz.yaml', environment: {}, readFile: () => '' });
  const [route] = loaded.ok ? loaded.configuration.routes : [];
  if (!loaded.ok || route === undefined) throw new Error('the configuration has faults');
  const keys = JSON.stringify({ keys: [key.publicJwk] });
  const clock = (): number => nowSeconds * 1000;
  const authorities = new Authorities(loaded.configuration, {
    clock,
    fetch: async () => new Response(keys, { headers: { 'content-type': 'application/jwk-set+json' } }),
    observer,
  });
  const parts = { authorities, observer, clock, remembered: new RememberedSignatures() };
  return {
    async answer(authorization) {
      const credentials = readCredentials(['Authorization', authorization]);
      if (!credentials.ok) return credentials.refusal.reason;
      const verdict = await verifyAccessToken({ ...credentials, connection: {} }, route, parts);
      return verdict.ok ? verdict.principal : verdict.refusal.reason;
    },
    close: () => authorities.close(),
  };
}

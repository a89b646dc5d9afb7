import type { Algorithm } from '../configuration.ts';
import { closest } from '../closest.ts';
import type { TextReading } from './text.ts';
import { parsedText } from './text.ts';

const algorithms: readonly Algorithm[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
];

function readAlgorithm(text: string): TextReading<Algorithm> {
  // RFC 9864 renamed it; both names mean the same signatures.
  const known = algorithms.find((algorithm) => algorithm === (text === 'Ed25519' ? 'EdDSA' : text));
  return known === undefined ? { ok: false, hint: hintForAlgorithm(text) } : { ok: true, value: known };
}

function hintForAlgorithm(text: string): string | undefined {
  if (/^none$/i.test(text)) return 'a token without a signature proves nothing';
  if (/^HS\d+$/i.test(text))
    return `${text} signs with a shared secret: whoever can check such a token can also make one`;
  const near = closest(text, algorithms);
  return near === undefined ? undefined : `did you mean ${near}?`;
}

/** RFC 8725 §3.1, §3.2: asymmetric signatures only. */
export const algorithm = parsedText({
  type: 'algorithm',
  expected:
    'a signature algorithm with a public key: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA',
  pattern: /^([RPE]S(256|384|512)|EdDSA|Ed25519)$/,
  read: readAlgorithm,
});

/** RFC 8417, OpenID Connect Back-Channel Logout, RFC 9449 and RFC 9101: signed by the same keys, and no access tokens. */
const neverAccessTokens = new Set(['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'oauth-authz-req+jwt']);

function readTokenType(text: string): TextReading<string> {
  const type = text.toLowerCase().replace(/^application\//, '');
  if (!/^[a-z0-9!#$&^_.+-]{1,100}$/.test(type)) return { ok: false };
  if (neverAccessTokens.has(type))
    return {
      ok: false,
      expected: 'a type of access tokens',
      hint: `a token of type ${type} is never an access token`,
    };
  return { ok: true, value: type };
}

/** RFC 7515 §4.1.9: `typ` without regard to case and to a leading `application/`. */
export const tokenType = parsedText({
  type: 'token type',
  expected: 'a token type such as at+jwt, JWT or none',
  pattern: /^[A-Za-z0-9!#$&^_.+/-]{1,120}$/,
  read: readTokenType,
});

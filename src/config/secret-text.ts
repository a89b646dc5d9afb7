import { readSigningKey } from './signing-key.ts';

/** What a secret is for, where not every text will do. */
export type SecretPurpose = 'session-key' | 'redis-url' | 'signing-key' | 'header-value';

/** What is wrong with a secret, in words that don't show it. */
export interface SecretFault {
  readonly found: string;
  readonly expected: string;
}

/** A key of 256 bits. */
const leastBytes = 32;

/** Random keys in hexadecimal have about 16; a placeholder written over and over has fewer. */
const leastCharacters = 8;

/** Undefined where the text can serve. It doesn't prove that a key is random. */
export function secretFault(text: string, purpose: SecretPurpose): SecretFault | undefined {
  switch (purpose) {
    case 'session-key':
      return keyFault(text);
    case 'redis-url':
      return redisUrlFault(text);
    case 'signing-key':
      return signingKeyFault(text);
    case 'header-value':
      return headerValueFault(text);
  }
}

/** RFC 9110 §5.5; a line break that came along by mistake would break each request. */
function headerValueFault(text: string): SecretFault | undefined {
  const expected = 'a header value of at most 8,192 visible ASCII characters, with spaces only inside';
  if (text.length > 8192) return { found: `a secret of ${text.length} characters`, expected };
  return /^[!-~](?:[ -~]*[!-~])?$/.test(text)
    ? undefined
    : { found: 'a secret with other characters, or with space at an end', expected };
}

function keyFault(text: string): SecretFault | undefined {
  const expected = `a random key of at least ${leastBytes} bytes, such as openssl rand -base64 32 prints`;
  const length = Buffer.byteLength(text);
  if (length < leastBytes) return { found: `a key of ${length} bytes`, expected };
  return new Set(text).size < leastCharacters
    ? { found: 'a key of a few characters that repeat', expected }
    : undefined;
}

function signingKeyFault(text: string): SecretFault | undefined {
  return readSigningKey(text) === undefined
    ? {
        found: 'a secret that is no such key',
        expected: 'a private key, PKCS #8 in PEM form or a JWK: P-256 or Ed25519',
      }
    : undefined;
}

function redisUrlFault(text: string): SecretFault | undefined {
  const expected = 'a URL such as redis://:PASSWORD@redis:6379/0, or rediss:// for TLS';
  const fault = { found: 'a secret that is no such URL', expected };
  if (!URL.canParse(text)) return fault;
  const { protocol, hostname, pathname, search, hash, username, password } = new URL(text);
  const isRedis = (protocol === 'redis:' || protocol === 'rediss:') && hostname !== '';
  const isDatabase = /^(?:\/[0-9]{0,4})?$/.test(pathname) && search === '' && hash === '';
  return isRedis && isDatabase && isDecodable(username) && isDecodable(password) ? undefined : fault;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

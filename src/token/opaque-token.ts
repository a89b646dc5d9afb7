import { isUtf8 } from 'node:buffer';

/**
 * Whether a token is no JWT, so that only its authorization server can say what it is. A JWT, whole or broken, signed,
 * unsigned or encrypted, has a dot, and before its first dot stands base64url of a text that begins with `{`: the
 * JOSE header (RFC 7515 §7.1, RFC 7516 §7.1). It is decoded as loosely as any reader would: what someone
 * could take for a JWT is one here, and a JWT that fails is never tried as something else. The beginning of a random
 * token would have to be UTF-8 by chance to be taken for one.
 */
export function isOpaque(token: string): boolean {
  const dot = token.indexOf('.');
  if (dot <= 0) return true;
  const header = Buffer.from(token.slice(0, dot), 'base64url');
  return !isUtf8(header) || !header.toString('utf8').trimStart().startsWith('{');
}

import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';

import type { SessionKey, SessionKeys } from './session-keys.ts';

const cipher = 'aes-256-gcm';
const version = 1;
const keyIdBytes = 4;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + keyIdBytes + nonceBytes;

/** What a client may show. The longest id that an upstream may give (512 characters) stays below it. */
export const maximumSealedLength = 1024;

/**
 * Seals an upstream's id for one holder: AES-256-GCM over the id, the holder as associated data. The nonce is an
 * HMAC of both, so the same id for the same holder has the same seal on every replica, and a nonce never serves
 * two texts (the idea of RFC 8452). What it proves when it opens: this gateway, or one that holds the key, gave
 * this id to this holder. It doesn't say that the session is still alive.
 */
export function seal(id: string, holder: string, [key]: SessionKeys): string {
  const nonce = nonceFor(id, holder, key);
  const encryption = createCipheriv(cipher, key.encryption, nonce).setAAD(Buffer.from(holder));
  return Buffer.concat([
    Buffer.of(version),
    key.id,
    nonce,
    encryption.update(id, 'utf8'),
    encryption.final(),
    encryption.getAuthTag(),
  ]).toString('base64url');
}

/** The upstream's id; undefined for what wasn't sealed for this holder, by whichever mistake or forgery. */
export function open(sealed: string, holder: string, keys: SessionKeys): string | undefined {
  if (sealed.length > maximumSealedLength) return undefined;
  const bytes = Buffer.from(sealed, 'base64url');
  // One seal has one spelling: decoders pass over what isn't base64url.
  if (bytes.length <= headBytes + tagBytes || bytes.toString('base64url') !== sealed) return undefined;
  if (bytes[0] !== version) return undefined;
  const key = keys.find(({ id }) => id.equals(bytes.subarray(1, 1 + keyIdBytes)));
  if (key === undefined) return undefined;
  const decryption = createDecipheriv(cipher, key.encryption, bytes.subarray(1 + keyIdBytes, headBytes))
    .setAAD(Buffer.from(holder))
    .setAuthTag(bytes.subarray(-tagBytes));
  try {
    return (
      decryption.update(bytes.subarray(headBytes, -tagBytes), undefined, 'utf8') + decryption.final('utf8')
    );
  } catch {
    return undefined;
  }
}

function nonceFor(id: string, holder: string, key: SessionKey): Buffer {
  // The lengths keep one pair from being read as another.
  return createHmac('sha256', key.nonce)
    .update(`${holder.length}:${holder}${id}`)
    .digest()
    .subarray(0, nonceBytes);
}

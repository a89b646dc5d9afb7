import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const cipher = 'aes-256-gcm';
const version = 1;
const keyIdBytes = 4;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + keyIdBytes + nonceBytes;

interface SealKey {
  /** Names the key in what it sealed. */
  readonly id: Buffer;
  readonly encryption: Buffer;
}

/** The first one seals, all of them open. */
export type SealSecrets = readonly [string, ...string[]];

/**
 * Texts that a store keeps for the gateway, each sealed for its name (AES-256-GCM, RFC 5116): whoever can read the store
 * reads nothing, and whoever can write to it can take texts away or put old ones back, but make none and move none to
 * another name.
 */
export class TextSeal {
  readonly #keys: readonly [SealKey, ...SealKey[]];

  /** `use`: what is sealed for one opens for no other, though the secrets be the same. */
  constructor([first, ...others]: SealSecrets, use: 'records' | 'answers' | 'logins') {
    this.#keys = [sealKey(first, use), ...others.map((secret) => sealKey(secret, use))];
  }

  seal(text: string, name: string): string {
    const [key] = this.#keys;
    const nonce = randomBytes(nonceBytes);
    const encryption = createCipheriv(cipher, key.encryption, nonce).setAAD(Buffer.from(name));
    return Buffer.concat([
      Buffer.of(version),
      key.id,
      nonce,
      encryption.update(text, 'utf8'),
      encryption.final(),
      encryption.getAuthTag(),
    ]).toString('base64url');
  }

  /** Undefined where it wasn't sealed with one of the secrets for this name. */
  open(sealed: string, name: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length < headBytes + tagBytes || bytes[0] !== version) return undefined;
    const key = this.#keys.find(({ id }) => id.equals(bytes.subarray(1, 1 + keyIdBytes)));
    if (key === undefined) return undefined;
    const decryption = createDecipheriv(cipher, key.encryption, bytes.subarray(1 + keyIdBytes, headBytes))
      .setAAD(Buffer.from(name))
      .setAuthTag(bytes.subarray(-tagBytes));
    try {
      const text = decryption.update(bytes.subarray(headBytes, -tagBytes), undefined, 'utf8');
      return text + decryption.final('utf8');
    } catch {
      return undefined;
    }
  }
}

function sealKey(secret: string, use: string): SealKey {
  const part = (name: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, `portcullis ${use}`, name, bytes));
  return { id: part('id', keyIdBytes), encryption: part('encryption', 32) };
}

import { hkdfSync, randomBytes } from 'node:crypto';

import type { Configuration } from '../config/configuration.ts';

/** What one configured secret is stretched into (RFC 5869), each part for one use. */
export interface SessionKey {
  /** Names the key in what it sealed; four bytes tell the few keys of a rotation apart. */
  readonly id: Buffer;
  readonly encryption: Buffer;
  readonly nonce: Buffer;
}

/** The keys that open; the first one seals. */
export type SessionKeys = readonly [SessionKey, ...SessionKey[]];

/** Of the configured secrets; without any, a key that lives and dies with the process. */
export function sessionKeys({ key, previous }: Configuration['sessions']): SessionKeys {
  return [sessionKey(key ?? randomBytes(32)), ...previous.map(sessionKey)];
}

const salt = 'portcullis sessions';

export function sessionKey(secret: string | Uint8Array): SessionKey {
  const part = (use: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, salt, use, bytes));
  return { id: part('id', 4), encryption: part('encryption', 32), nonce: part('nonce', 32) };
}

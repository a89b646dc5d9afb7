import { X509Certificate, createPrivateKey } from 'node:crypto';

/** Whether a text is of use as what a key names it for. */
export function holds(pem: string, content: 'certificates' | 'key'): boolean {
  try {
    if (content === 'key') createPrivateKey(pem);
    else new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

/** Whether the first certificate was made for the key. Both texts hold what they should. */
export function belongTogether(certificates: string, key: string): boolean {
  return new X509Certificate(certificates).checkPrivateKey(createPrivateKey(key));
}

import { X509Certificate, createPrivateKey } from 'node:crypto';
import { createSecureContext } from 'node:tls';

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

/** Whether TLS takes them: every certificate of the chain can be read, and no key is weaker than OpenSSL allows. */
export function servesTls(certificates: string, key: string): boolean {
  try {
    createSecureContext({ cert: certificates, key });
    return true;
  } catch {
    return false;
  }
}

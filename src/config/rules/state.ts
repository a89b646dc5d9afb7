import type { Finding } from '../finding.ts';
import type { Rule } from './rule.ts';

const place = ['state', 'redis', 'tls'];

/** Without a certificate a key proves nothing, and the other way round. */
export const stateCertificateWithKey: Rule = ({ state }) => {
  const tls = typeof state === 'object' ? state.redis?.tls : undefined;
  if (tls === undefined || 'certFile' in tls === 'keyFile' in tls) return [];
  const missing = 'certFile' in tls ? 'keyFile' : 'certFile';
  return [
    {
      path: [...place, missing],
      found: 'nothing',
      expected: 'both certFile and keyFile, or neither',
    } satisfies Finding,
  ];
};

import { expect, it } from 'vitest';
import { refusalForUpstream } from './faults.ts';

it.each(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS'])(
  'takes a lack of sockets for the gateway’s own state, not for a fault of the upstream: %s (D-006)',
  (code) => {
    expect(refusalForUpstream(Object.assign(new Error('no'), { code }))).toEqual({
      kind: 'route-full',
      reason: 'sockets_exhausted',
      detail: code,
    });
  },
);

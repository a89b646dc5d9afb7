import type { IncomingMessage } from 'node:http';

import type { Refusal } from '../vocabulary/refusal.ts';

/** More header lines than any client and the proxies on its way write; Node drops what is beyond its own limit in silence. */
export const maximumHeaderLines = 256;

/** Methods whose requests have no body here, so none is read and none may come. */
const withoutBody = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE', 'TRACE']);

/**
 * What makes a request one that every party on its way reads alike: few enough header lines that none was lost, a
 * body only where one is read, framed in the one way (RFC 9112 §6.1), and no expectation but `100-continue`.
 */
export function checkForm({ rawHeaders, headers, method = '' }: IncomingMessage): Refusal | undefined {
  if (rawHeaders.length > 2 * maximumHeaderLines) return { kind: 'headers-too-many', reason: 'header_lines' };
  const { expect, 'transfer-encoding': encoding, 'content-length': length } = headers;
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked') {
    return { kind: 'request-malformed', reason: 'transfer_encoding' };
  }
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    return { kind: 'expectation-refused', reason: 'expectation' };
  }
  if (withoutBody.has(method) && (encoding !== undefined || (length !== undefined && length !== '0'))) {
    return { kind: 'request-malformed', reason: 'body_not_expected' };
  }
  return undefined;
}

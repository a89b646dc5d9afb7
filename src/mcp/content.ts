import type { IncomingHttpHeaders } from 'node:http';

import type { Refusal } from '../vocabulary/refusal.ts';

// RFC 9110 §8.3.1, for the one media type that is taken; parameters other than charset=utf-8 have no meaning here.
const json = /^application\/json[ \t]*(?:;[ \t]*charset[ \t]*=[ \t]*("?)([^;"\s]+)\1[ \t]*)?;?[ \t]*$/i;

/**
 * Whether a POST body is what the message reader reads: JSON in UTF-8, as it is. A body under another label
 * would be read by an upstream that guesses, and one that is compressed by an upstream that unpacks.
 */
export function checkContent(headers: IncomingHttpHeaders): Refusal | undefined {
  const { 'content-type': type, 'content-encoding': encoding } = headers;
  if (type !== 'application/json') {
    const found = json.exec(type ?? '');
    const detail = type === undefined ? 'no Content-Type' : `Content-Type ${JSON.stringify(type)}`;
    if (found === null) return { kind: 'media-type-refused', reason: 'content_type', detail };
    const charset = found[2]?.toLowerCase();
    if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')
      return { kind: 'media-type-refused', reason: 'charset', detail };
  }
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return undefined;
  const detail = `Content-Encoding ${JSON.stringify(encoding)}`;
  return { kind: 'media-type-refused', reason: 'content_encoding', detail };
}

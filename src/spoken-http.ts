import { METHODS } from 'node:http';
import type { RequestListener } from 'node:http';

const methods: ReadonlySet<string> = new Set(METHODS);

/**
 * Hands on the requests of HTTP/1.1 and 1.0, and refuses the others like all else that can't be read: with 400, unaudited. Node's
 * parser lets more through: RTSP with its methods, for which the router has no place and would fail, and HTTP of other
 * versions, or without one, which parties on the way read in other ways (RFC 9112 §2.3).
 */
export function refuseUnspoken(answer: RequestListener): RequestListener {
  return (request, response) => {
    const { httpVersion, method = '' } = request;
    if ((httpVersion === '1.1' || httpVersion === '1.0') && methods.has(method)) {
      answer(request, response);
      return;
    }
    response.writeHead(400, { 'content-length': 0, connection: 'close' }).end();
  };
}

import { METHODS } from 'node:http';
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

const methods: ReadonlySet<string> = new Set(METHODS);

/**
 * Hands on the requests of HTTP/1.1 and 1.0, and refuses the others like all else that can't be read: with 400, unaudited, and as the
 * last of their connection. Node's parser lets more through: RTSP with its methods, for which the router has no place and
 * would fail, and HTTP of other versions, or without one, which parties on the way read in other ways (RFC 9112 §2.3).
 */
export function refuseUnspoken(answer: RequestListener): RequestListener {
  const refused = new WeakSet<Socket>();
  return (request, response) => {
    const { httpVersion, method = '', socket } = request;
    // The parser goes on with the bytes that came along: another party may take them for the body of what was refused.
    if (refused.has(socket)) return;
    if ((httpVersion === '1.1' || httpVersion === '1.0') && methods.has(method)) {
      answer(request, response);
      return;
    }
    refused.add(socket);
    response.writeHead(400, { 'content-length': 0, connection: 'close' }).end();
  };
}

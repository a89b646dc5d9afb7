import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Answer } from './answer.ts';

/** What a refused peer may still send before the connection ends, so that it can read the answer. */
const drainBytes = 64 * 1024;
const drainMs = 1000;

/** Whether more of the request's body may still come than is worth reading. A short one Node passes over by itself. */
export function isLongUnread(request: IncomingMessage): boolean {
  if (request.complete) return false;
  // Without a 100 this client may keep its body back: what comes next on the connection could be either.
  if (request.headers.expect !== undefined) return true;
  return (
    request.headers['transfer-encoding'] !== undefined ||
    Number(request.headers['content-length'] ?? 0) > drainBytes
  );
}

/**
 * Answers a request whose body is still on its way, and ends the connection: a refused peer could otherwise
 * upload without end, or have the rest of its body read as the next request. Closing at once would reset the
 * connection under the answer (RFC 9112 §9.6), so a little is drained first.
 */
export function answerAndClose(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, {
    ...answer.headers,
    'content-length': Buffer.byteLength(answer.body),
    connection: 'close',
  });
  response.write(answer.body);
  let drained = 0;
  const finish = (): void => {
    clearTimeout(timer);
    request.removeAllListeners('data');
    response.end(() => request.socket.destroy());
  };
  const timer = setTimeout(finish, drainMs);
  request.on('data', (chunk: Buffer) => {
    drained += chunk.length;
    if (drained > drainBytes) finish();
  });
  request.once('end', finish);
  request.once('error', finish);
  request.once('close', () => clearTimeout(timer));
  request.resume();
}

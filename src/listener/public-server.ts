import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';

import type { Listen } from '../config/configuration.ts';
import { clientConnectionsAllowed, openFilesAllowed } from './open-files.ts';
import { maximumHeaderLines } from '../routes/request-form.ts';

/** A peer that hasn't sent its header by then never will (slowloris). */
const headersTimeoutMs = 10_000;
/** A whole request of the largest default body at 40 KiB/s. Answers aren't bounded by it. */
const requestTimeoutMs = 120_000;
/** Above the idle time of common load balancers, so that it isn't us who close under them. */
const keepAliveTimeoutMs = 72_000;
/** Authorization, cookies of a careless client and trace headers fit twice. More is 431. */
export const maximumHeaderBytes = 16 * 1024;

/** The server of the public listener with its limits, over whatever answers the requests. */
export function createPublicServer({ tls }: Pick<Listen, 'tls'>, answer: RequestListener): Server {
  const connection = {
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: headersTimeoutMs / 2,
    keepAliveTimeout: keepAliveTimeoutMs,
    maxHeaderSize: maximumHeaderBytes,
  };
  const server =
    tls === undefined
      ? createServer(connection, answer)
      : createTlsServer({ ...connection, handshakeTimeout: headersTimeoutMs, ...tls }, answer);
  // Node drops lines beyond its limit in silence, Authorization included: one more than is allowed must be kept to be seen.
  server.maxHeadersCount = maximumHeaderLines + 1;
  const openFiles = openFilesAllowed();
  if (openFiles !== undefined) server.maxConnections = clientConnectionsAllowed(openFiles);
  // Credentials come first; the message stage says when the body may follow.
  server.on('checkContinue', answer);
  server.on('checkExpectation', answer);
  server.on('clientError', answerUnparsable);
  return server;
}

/** What Node's parser refuses: the answer is as short as the error allows, and the connection ends. */
function answerUnparsable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  // Before the end of a TLS handshake nothing can be said: an answer would wait for it, and keep the connection.
  if (error.code?.startsWith('HPE_') !== true && error.code !== 'ERR_HTTP_REQUEST_TIMEOUT') {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  if (socket.writable) socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  socket.destroySoon();
}

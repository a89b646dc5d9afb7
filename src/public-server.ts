import { randomBytes } from 'node:crypto';
import { METHODS } from 'node:http';
import type { Socket } from 'node:net';

import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';

import type { Configuration } from './config/configuration.ts';
import { clientConnectionsAllowed, openFilesAllowed } from './open-files.ts';
import { maximumHeaderLines } from './routes/request-form.ts';
import { isRoutable, unroutable } from './routes/target-form.ts';

/** A peer that hasn't sent its header by then never will (slowloris). */
const headersTimeoutMs = 10_000;
/** A whole request of the largest default body at 40 KiB/s. Answers aren't bounded by it. */
const requestTimeoutMs = 120_000;
/** Above the idle time of common load balancers, so that it isn't us who close under them. */
const keepAliveTimeoutMs = 72_000;
/** Authorization, cookies of a careless client and trace headers fit twice. More is 431. */
const maximumHeaderBytes = 16 * 1024;

/** The public listener before any stage is on it. */
export function createPublicServer(configuration: Configuration): FastifyInstance {
  const { tls, trustProxy } = configuration.listen;
  const connection = {
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: headersTimeoutMs / 2,
    maxHeaderSize: maximumHeaderBytes,
  };
  const app = fastify({
    ...(tls === undefined
      ? { http: connection }
      : { https: { ...connection, handshakeTimeout: headersTimeoutMs, cert: tls.cert, key: tls.key } }),
    logger: false,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    trustProxy: trustProxy.length > 0 ? [...trustProxy] : false,
    genReqId: requestIds(),
    exposeHeadRoutes: false,
    // The router answers longer ones itself, past every stage; what a tenant may be is for the routes stage to say.
    routerOptions: { maxParamLength: maximumHeaderBytes },
    // A stop answers through the stages too, so that it is audited.
    return503OnClosing: false,
    clientErrorHandler: answerUnparsable,
    rewriteUrl: ({ url = '' }) => (isRoutable(url) ? url : unroutable),
  }) as unknown as FastifyInstance;
  // Node drops lines beyond its limit in silence, Authorization included: one more than is allowed must be kept to be seen.
  app.server.maxHeadersCount = maximumHeaderLines + 1;
  const openFiles = openFilesAllowed();
  if (openFiles !== undefined) app.server.maxConnections = clientConnectionsAllowed(openFiles);
  // To Fastify no method has a body: the message stage reads what is let in, and the rest isn't read at all.
  for (const method of METHODS)
    if (method !== 'CONNECT') app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  // Credentials come first; the message stage says when the body may follow.
  app.server.on('checkContinue', (request, response) => app.routing(request, response));
  app.server.on('checkExpectation', (request, response) => app.routing(request, response));
  return app;
}

/** Ids of our own making: one from a client would let it write into the log's order. */
function requestIds(): () => string {
  const process = randomBytes(6).toString('base64url');
  let count = 0;
  return () => {
    count += 1;
    return `${process}-${count.toString(36)}`;
  };
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

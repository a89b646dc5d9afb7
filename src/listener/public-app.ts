import { randomBytes } from 'node:crypto';
import { METHODS, createServer } from 'node:http';

import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';

import type { Listen } from '../config/configuration.ts';
import { noSchemas } from './no-schemas.ts';
import { maximumHeaderBytes } from './public-server.ts';
import { isRoutable, unroutable } from '../routes/target-form.ts';

/** Answers what the public listener hands to it, before any stage is on it; it listens nowhere itself. */
export function createPublicApp(
  { trustProxy }: Pick<Listen, 'trustProxy'>,
  nextRequestId: () => string,
): FastifyInstance {
  const app = fastify({
    // Fastify wants a server to call its own. The real one stays when the application is replaced.
    serverFactory: () => createServer(),
    logger: false,
    schemaController: noSchemas,
    trustProxy: trustProxy.length > 0 ? [...trustProxy] : false,
    genReqId: nextRequestId,
    exposeHeadRoutes: false,
    // The router answers longer ones itself, past every stage; what a tenant may be is for the routes stage to say.
    routerOptions: { maxParamLength: maximumHeaderBytes },
    // A stop answers through the stages too, so that it is audited.
    return503OnClosing: false,
    rewriteUrl: ({ url = '' }) => (isRoutable(url) ? url : unroutable),
  });
  // To Fastify no method has a body: the message stage reads what is let in, and the rest isn't read at all.
  for (const method of METHODS)
    if (method !== 'CONNECT') app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  return app;
}

/** Ids of our own making: one from a client would let it write into the log's order. */
export function requestIds(): () => string {
  const process = randomBytes(6).toString('base64url');
  let count = 0;
  return () => {
    count += 1;
    return `${process}-${count.toString(36)}`;
  };
}

// @fastify/http-proxy as its README has it: no auth, no logger, undici's defaults.
import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';

import { announcePort, endWithBench } from './serve-until-stopped.ts';

const upstreamUrl = new URL(process.argv[2] ?? '');
const app = fastify({ logger: false });
await app.register(httpProxy, {
  upstream: upstreamUrl.origin,
  prefix: upstreamUrl.pathname,
  rewritePrefix: upstreamUrl.pathname,
});
await app.listen({ host: '127.0.0.1', port: 0 });
announcePort(app.server);
endWithBench();

// node bench/contestants/stock-jose.ts UPSTREAM ISSUER AUDIENCE: @fastify/http-proxy as its README has it, with the check
// that jose's README has in its `preHandler`. Nothing is remembered between calls but the keys.
import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';
import type { FastifyRequest } from 'fastify';
import { createRemoteJWKSet, jwtVerify } from 'jose';

import { announcePort, endWithBench } from './serve-until-stopped.ts';

const [, , upstream = '', issuer = '', audience = ''] = process.argv;
const upstreamUrl = new URL(upstream);
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
const rules = { issuer, audience, typ: 'at+jwt', algorithms: ['RS256'], requiredClaims: ['sub', 'exp'] };

const app = fastify({ logger: false });
app.decorateRequest('user', '');

/** The subject of a good token. Rejects otherwise. */
async function verifiedSubject({ headers }: FastifyRequest): Promise<string> {
  const token = /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  const { payload } = await jwtVerify(token, keys, rules);
  return payload.sub ?? '';
}

await app.register(httpProxy, {
  upstream: upstreamUrl.origin,
  prefix: upstreamUrl.pathname,
  rewritePrefix: upstreamUrl.pathname,
  preHandler(request, reply, done) {
    verifiedSubject(request).then(
      (subject) => {
        request.user = subject;
        done();
      },
      () => reply.code(401).header('WWW-Authenticate', 'Bearer').send(),
    );
  },
  replyOptions: {
    rewriteRequestHeaders: (request, { authorization: _checked, ...headers }) => ({
      ...headers,
      'x-auth-request-user': (request as FastifyRequest).user,
    }),
  },
});
await app.listen({ host: '127.0.0.1', port: 0 });
announcePort(app.server);
endWithBench();

declare module 'fastify' {
  interface FastifyRequest {
    user: string;
  }
}

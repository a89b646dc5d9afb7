import type { FastifyReply, FastifyRequest } from 'fastify';

/** What a page may read of an answer besides the body. */
const exposedHeaders = 'WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version, DPoP-Nonce, Retry-After';

/** A day: browsers cap it themselves. */
const preflightSeconds = '86400';

// RFC 9110 §5.6.2 tokens, separated by commas.
const headerList = /^[\w!#$%&'*+.^`|~-]+(?: *, *[\w!#$%&'*+.^`|~-]+)*$/;

/** Lets a page of this origin read the answer (Fetch standard §3.2), whatever the answer will be. */
export function allowOrigin(reply: FastifyReply, origin: string): void {
  reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', exposedHeaders);
  if (origin !== '*') reply.header('vary', 'Origin');
}

export function isPreflight(request: FastifyRequest): boolean {
  return request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
}

/** Answers 204 to a preflight. Requested headers are reflected: `*` wouldn't cover `Authorization`. */
export function answerPreflight(request: FastifyRequest, reply: FastifyReply, methods: string): void {
  const requested = request.headers['access-control-request-headers'];
  if (requested !== undefined && headerList.test(requested))
    reply.header('access-control-allow-headers', requested);
  void reply
    .header('access-control-allow-methods', methods)
    .header('access-control-max-age', preflightSeconds)
    .code(204)
    .send();
}

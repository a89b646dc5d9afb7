import type { FastifyReply } from 'fastify';

import type { Downstream } from './forward-parts.ts';

/**
 * Begins the answer to the client, with what earlier stages have put on the reply. False: Node refuses to write a header that the
 * upstream should never have sent.
 */
export function writeHead({ request, reply }: Downstream, status: number, headers: string[]): boolean {
  const hasOwn = request.headers.origin !== undefined || request.passage?.route.dpop !== undefined;
  try {
    reply.raw.writeHead(status, hasOwn ? [...headers, ...ownHeaders(reply)] : headers);
    reply.hijack();
    return true;
  } catch {
    return false;
  }
}

/** CORS, where the request came from a page; the next nonce of DPoP. */
function ownHeaders(reply: FastifyReply): string[] {
  return Object.entries(reply.getHeaders()).flatMap(([name, value]) => [name, String(value)]);
}

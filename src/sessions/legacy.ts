import type { FastifyRequest } from 'fastify';

/**
 * What a legacy route (MCP 2024-11-05, HTTP with SSE) would have served instead; undefined where the method is one
 * that it serves. A newer client posts first and goes over to the stream when that is refused.
 */
export function legacyMethods(request: FastifyRequest): string | undefined {
  if (request.method === 'GET') return undefined;
  if (request.method !== 'POST') return 'GET, POST';
  return endpointSession(request) === undefined ? 'GET' : undefined;
}

/** The session in the address that the stream named for messages; several are none that could open. */
export function endpointSession({ method, raw: { url = '' } }: FastifyRequest): string | undefined {
  const query = url.indexOf('?');
  if (method !== 'POST' || query === -1) return undefined;
  const shown = new URLSearchParams(url.slice(query)).getAll('session');
  return shown.length > 1 ? '' : shown[0];
}

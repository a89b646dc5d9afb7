import { buildConnector } from 'undici';

import type { FastifyRequest } from 'fastify';

import type { Route } from '../config/configuration.ts';
import { Connections } from './connections.ts';
import { endpointPath } from './endpoint-event.ts';
import type { OpenExchanges } from './open-exchanges.ts';
import type { ResponseHeaderFilter } from './response-headers.ts';
import { responseHeaderFilter } from './response-headers.ts';

/** The MCP server behind a route: its connections, one fixed path, what passes back. */
export interface Target {
  readonly route: Route;
  readonly connections: Connections;
  /** Path and query that a request goes to: the configured URL's, or what a sealed session holds. */
  readonly pathFor: (request: FastifyRequest) => string;
  /** For legacy servers: where the client shall post instead of the server's own endpoint; undefined for a foreign one. */
  readonly endpointOf: ((endpoint: string, request: FastifyRequest) => string | undefined) | undefined;
  /** Of all configurations that have had the route. */
  readonly exchanges: OpenExchanges;
  readonly filterHeaders: ResponseHeaderFilter;
}

/** Opens nothing yet. TLS is verified against the route's own authorities, else the system's. */
export function createTarget(
  route: Route,
  { publicOrigin, exchanges }: { readonly publicOrigin: string; readonly exchanges: OpenExchanges },
): Target {
  const { url, timeouts, tls } = route.upstream;
  const { origin, pathname, search } = new URL(url);
  const path = `${pathname}${search}`;
  const connections = new Connections(new URL(origin), {
    headersTimeout: timeouts.headers,
    bodyTimeout: timeouts.idle,
    connect: buildConnector({
      timeout: timeouts.connect,
      rejectUnauthorized: true,
      ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls?.key === undefined ? {} : { key: tls.key }),
    }),
  });
  return {
    route,
    connections,
    ...(route.upstream.transport === 'sse'
      ? legacyPaths(route, publicOrigin)
      : { pathFor: () => path, endpointOf: undefined }),
    exchanges,
    filterHeaders: responseHeaderFilter(route),
  };
}

/** A GET opens the stream; a POST goes to the endpoint that the stream named and that the client shows sealed. */
function legacyPaths(route: Route, publicOrigin: string): Pick<Target, 'pathFor' | 'endpointOf'> {
  const { url, sseEndpoint } = route.upstream;
  const { pathname, search } = new URL(url);
  return {
    pathFor: ({ method, session }) =>
      (method === 'POST' ? session?.upstreamId : undefined) ?? `${pathname}${search}`,
    endpointOf: (endpoint, { passage, session }) => {
      const path = endpointPath(endpoint, url);
      if (path === undefined || passage === null || session === null) return undefined;
      const origin = sseEndpoint === 'absolute' ? publicOrigin : '';
      return `${origin}${passage.route.path}?session=${session.seal(path)}`;
    },
  };
}

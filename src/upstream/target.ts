import { Pool } from 'undici';

import type { Route } from '../config/configuration.ts';
import { OpenExchanges } from './open-exchanges.ts';
import type { UpstreamHeaders } from './response-headers.ts';
import { responseHeaderFilter } from './response-headers.ts';

/** The MCP server behind a route: one pool of connections, one fixed path, what passes back. */
export interface Target {
  readonly route: Route;
  readonly pool: Pool;
  /** Path and query of the configured URL; no byte of it comes from a request. */
  readonly path: string;
  readonly exchanges: OpenExchanges;
  readonly filterHeaders: (headers: UpstreamHeaders) => string[] | undefined;
}

/** Opens nothing yet. TLS is verified against the route's own authorities, else the system's. */
export function createTarget(route: Route): Target {
  const { url, timeouts, tls } = route.upstream;
  const { origin, pathname, search } = new URL(url);
  const pool = new Pool(origin, {
    // A stream keeps its connection, so the pool must not be bounded; the route's cap bounds it.
    connections: null,
    headersTimeout: timeouts.headers,
    bodyTimeout: timeouts.idle,
    connect: {
      timeout: timeouts.connect,
      rejectUnauthorized: true,
      ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls?.key === undefined ? {} : { key: tls.key }),
    },
  });
  return {
    route,
    pool,
    path: `${pathname}${search}`,
    exchanges: new OpenExchanges(route.limits.streams),
    filterHeaders: responseHeaderFilter(route),
  };
}

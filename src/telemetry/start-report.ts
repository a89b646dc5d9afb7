import type { Logger } from 'pino';

import type { Configuration } from '../config/configuration.ts';

/** Tells at start what is served to whom: every route, its access, and whose tokens it takes. */
export function reportStart(logger: Logger, configuration: Configuration): void {
  for (const server of configuration.authorizationServers) {
    logger.info(
      {
        authorizationServer: server.name,
        issuers: server.issuers,
        algorithms: server.algorithms,
        tokenTypes: server.tokenTypes,
      },
      `authorization server ${server.name}`,
    );
  }
  for (const route of configuration.routes) {
    const facts = {
      route: route.name,
      access: route.access,
      resource: route.resource,
      upstream: new URL(route.upstream.url).origin,
      authorizationServers: route.authorizationServers.map(({ name }) => name),
    };
    if (route.access === 'open')
      logger.warn(facts, `route ${route.name} is OPEN: anyone may use it, no token is asked for`);
    else logger.info(facts, `route ${route.name} is protected`);
  }
  for (const { path, says } of configuration.weakenings) logger.warn({ setting: path }, says);
}

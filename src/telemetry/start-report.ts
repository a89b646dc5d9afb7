import type { Logger } from 'pino';

import type { Configuration, Route } from '../config/configuration.ts';

/** Tells at start what is served to whom: every route, its access, and whose tokens it takes. */
export function reportStart(logger: Logger, configuration: Configuration): void {
  for (const server of configuration.authorizationServers) {
    logger.info(
      {
        authorizationServer: server.name,
        issuers: server.issuers,
        algorithms: server.algorithms,
        tokenTypes: server.tokenTypes,
        ...(server.introspection === undefined ? {} : { introspection: server.introspection.for }),
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
      ...(route.dpop === undefined ? {} : { dpop: route.dpop.mode }),
      ...(route.policy === undefined ? {} : { rules: route.policy.rules.length }),
      ...assertionFact(route),
    };
    if (route.access === 'open')
      logger.warn(facts, `route ${route.name} is OPEN: anyone may use it, no token is asked for`);
    else if (route.access === 'optional')
      logger.warn(
        facts,
        `route ${route.name} is OPTIONAL: its rules say what callers without a token may do`,
      );
    else logger.info(facts, `route ${route.name} is protected`);
  }
  if (configuration.state === 'memory' && configuration.routes.some(({ dpop }) => dpop !== undefined))
    logger.info('used DPoP proofs are known to this process alone: several replicas need state.redis');
  if (
    configuration.state === 'memory' &&
    configuration.routes.some(({ rateLimit }) => rateLimit !== undefined)
  )
    logger.info('rates are counted by this process alone: several replicas need state.redis');
  if (configuration.sessions.key === undefined) {
    const says =
      'sessions.key is not set: sessions end with this process, and another replica answers them with 404';
    // Whoever shares state between processes has several of them.
    if (configuration.state === 'memory') logger.info(says);
    else logger.warn(says);
  }
  if (configuration.signing.key === undefined && configuration.routes.some(hasAssertion)) {
    const says =
      'signing.key is not set: assertions are signed with a key of this process, and another replica publishes its own';
    if (configuration.state === 'memory') logger.info(says);
    else logger.warn(says);
  }
  for (const { path, says } of [...configuration.weakenings, ...configuration.ineffective])
    logger.warn({ setting: path }, says);
}

function hasAssertion({ identity }: Route): boolean {
  return identity.assertion !== undefined;
}

function assertionFact({ identity: { assertion } }: Route): { readonly assertion?: string } {
  if (assertion === undefined) return {};
  return { assertion: assertion.meta ? 'header and _meta' : 'header' };
}
